"""No program is run, and no passphrase used, that another user of the machine left or could exchange."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain.engine import _locked
from toolchain.errors import ToolchainError
from toolchain.layout import Layout, locate
from toolchain.ownership import close_umask, refuse_passphrase_of_others, refuse_programs_of_others

ROOT = Path(__file__).parents[2]
NOBODY = 65534


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Return a layout with an engine of one program, and a state with its passphrase."""
    layout = replace(locate(ROOT, {"XDG_CACHE_HOME": str(tmp_path / "cache")}), state=tmp_path / "state")
    (layout.pulumi_home / "plugins/resource-tls").mkdir(parents=True)
    layout.engine_bin.mkdir(parents=True)
    program = layout.engine_bin / "pulumi"
    program.write_text("#!/bin/sh\necho executed\n")
    program.chmod(0o755)
    layout.state.mkdir(mode=0o755)
    layout.passphrase_file.write_text("known")
    layout.passphrase_file.chmod(0o600)
    refuse_programs_of_others(layout, {})
    refuse_passphrase_of_others(layout, layout.state)
    return layout


def give_away(path: Path) -> None:
    """Give a file to another user."""
    os.chown(path, NOBODY, NOBODY)


@pytest.mark.needs_root
@pytest.mark.parametrize(
    ("where", "change"),
    [
        (lambda layout: layout.cache, give_away),
        (lambda layout: layout.engine_bin, give_away),
        (lambda layout: layout.engine_bin / "pulumi", give_away),
        (lambda layout: layout.pulumi_home / "plugins/resource-tls", give_away),
        (lambda layout: layout.cache.parent, lambda path: path.chmod(0o777)),
        (lambda layout: layout.engine, lambda path: path.chmod(0o775)),
        (lambda layout: layout.engine_bin / "pulumi", lambda path: path.chmod(0o757)),
    ],
)
def test_a_program_that_others_could_exchange_is_not_run(
    layout: Layout, where: Callable[[Layout], Path], change: Callable[[Path], None]
) -> None:
    """Theirs, or in a directory that they can write to; the variable that leads elsewhere is named."""
    change(where(layout))
    with pytest.raises(ToolchainError, match=r"are not run: .*(belongs to uid|can be written by).*_HOME"):
        refuse_programs_of_others(layout, {})


@pytest.mark.needs_root
def test_the_owner_of_the_checkout_may_own_its_cache(layout: Layout, tmp_path: Path) -> None:
    """As in a container with the checkout of a user: their program is run anyway."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    give_away(checkout)
    for path in (layout.cache, layout.engine_bin / "pulumi", layout.state, layout.passphrase_file):
        give_away(path)
    theirs = replace(layout, root=checkout)
    refuse_programs_of_others(theirs, {})
    refuse_passphrase_of_others(theirs, layout.state)
    with pytest.raises(ToolchainError):
        refuse_programs_of_others(layout, {})


@pytest.mark.needs_root
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("", give_away),
        ("passphrase", give_away),
        ("", lambda path: path.chmod(0o777)),
        ("passphrase", lambda path: path.chmod(0o644)),
        ("passphrase", lambda path: path.chmod(0o620)),
    ],
)
def test_a_passphrase_that_others_know_or_could_exchange_is_not_used(
    layout: Layout, name: str, change: Callable[[Path], None]
) -> None:
    """It would encrypt every key for whoever left it there."""
    change(layout.state / name)
    with pytest.raises(ToolchainError, match=r"is not used: .*POSTSEAL_STATE_DIR"):
        refuse_passphrase_of_others(layout, layout.state)


def test_modes_in_a_directory_that_nobody_else_enters_are_nobodys_business(layout: Layout) -> None:
    """The directory closes them."""
    layout.state.chmod(0o700)
    layout.passphrase_file.chmod(0o666)
    refuse_passphrase_of_others(layout, layout.state)


@pytest.mark.needs_root
@pytest.mark.parametrize("command", [["toolchain/pulumi", "version"], ["toolchain/bootstrap.py", "env"]])
def test_the_launcher_and_the_set_up_refuse_a_cache_of_others(layout: Layout, command: list[str]) -> None:
    """Neither runs what lies there."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(layout.cache.parent), "POSTSEAL_STATE_DIR": str(layout.state)}
    interpreter = [sys.executable] if command[0].endswith(".py") else []

    def run() -> tuple[str, str]:
        done = subprocess.run(
            [*interpreter, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout, done.stderr

    assert run()[0]
    give_away(layout.cache)
    said, complaint = run()
    assert not said
    assert "are not run" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize(("umask", "closed"), [(0, 0o022), (0o077, 0o077), (0o002, 0o022)])
def test_nothing_is_made_that_others_can_write(umask: int, closed: int) -> None:
    """A wider umask is narrowed, a narrower one stays."""
    before = os.umask(umask)
    try:
        close_umask()
        assert os.umask(0) == closed
    finally:
        os.umask(before)


def test_nobody_else_can_hold_the_lock_of_the_engines_place(layout: Layout) -> None:
    """What everybody can open everybody can lock, and the set-up would wait for them."""
    with _locked(layout):
        assert stat.S_IMODE((layout.engine / "lock").stat().st_mode) == 0o600
