"""Disks that are full or refuse: a host whose Postfix is played is as it was, and the next run succeeds."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from postfix.deploy.foreseen import Expectation
from postfix.deploy.host_files import Deployed, HostFiles, Table
from postfix.deploy.preview import preview
from postfix.deploy.transaction import NOTHING, deploy
from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.tree import FileEntry
from tests.support.cut_program import program_that
from tests.support.played_host import PlayedHost, play

pytestmark = [pytest.mark.needs_root, pytest.mark.takes_long]

PAGE = 4096
MAIN_CF = b"# the administrator's\nmyhostname = mx1.example.org\n"
OLD = HostFiles(
    files=(FileEntry("tls/mx1.pem", b"key and chain " * 400, 0o400),),
    tables=(Table(FileEntry("relay_clientcerts", b"AA:BB alice\n", 0o644), "hash"),),
    parameters={"smtpd_tls_security_level": "may"},
)
NEW = replace(
    OLD,
    files=(FileEntry("tls/mx1.pem", b"another chain " * 400, 0o400), FileEntry("tls/more.pem", b"more " * 999, 0o400)),
    tables=(Table(FileEntry("relay_clientcerts", b"CC:DD bob\n", 0o644), "hash"),),
    parameters={"smtpd_tls_security_level": "encrypt"},
)


def run(*arguments: str) -> None:
    """Run a command that has to succeed."""
    subprocess.run(arguments, check=True, capture_output=True)


def content(host: PlayedHost) -> dict[str, bytes]:
    """Return every file of the configuration, and what filled the disk."""
    files = [path for path in Path(host.root).rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files if ".postseal" not in path.parts and path.name != "hog"}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[PlayedHost]:
    """Return a host whose configuration lies on a disk of 512 KiB, with OLD deployed."""
    played = play(tmp_path)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", played.root], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this root may not mount")
    try:
        Path(played.root).chmod(0o755)
        Path(played.root, "main.cf").write_bytes(MAIN_CF)
        yield played
    finally:
        played.stop()
        run("umount", "-l", played.root)


def fill(host: PlayedHost, free_pages: int) -> None:
    """Leave so much of the disk free."""
    hog = Path(host.root, "hog")
    hog.write_bytes(b"")
    free = shutil.disk_usage(host.root).free - free_pages * PAGE
    hog.write_bytes(b"x" * max(free, 0))


def failure_of(host: PlayedHost, desired: HostFiles, deployed: Deployed) -> str:
    """Return with which sentence a deployment fails; empty for one that does not."""
    try:
        deploy(host, desired, deployed)
    except DeployError as error:
        return str(error)
    return ""


def refusal_of_preview(host: PlayedHost, deployed: Deployed = NOTHING) -> str:
    """Return with which sentence a preview of OLD is refused; empty for one that is not."""
    try:
        preview(host, OLD, deployed, "", Expectation(), rows={})
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.takes_long
def test_a_disk_that_is_full_at_any_write_leaves_all_as_it_was_or_all_new(host: PlayedHost) -> None:
    """From no free page to enough of them; the next run with room succeeds and leaves nothing behind."""
    deployed = deploy(host, OLD).plan.deployed
    before = content(host)
    ends = []
    for free_pages in (0, 10, 20, 35, 50, 99):
        fill(host, free_pages)
        said = failure_of(host, NEW, deployed)
        Path(host.root, "hog").unlink()
        ends.append(bool(said))
        if said:
            assert content(host) == before, said
        new = deploy(host, NEW, deployed).plan.deployed
        assert Path(host.root, "tls/mx1.pem").read_bytes().startswith(b"another")
        assert [
            path.name for path in Path(host.root, ".postseal").iterdir() if path.name not in ("lock", "results")
        ] == []
        deploy(host, OLD, new)
    assert ends[0]
    assert not ends[-1]


@pytest.mark.parametrize("step", ["open", "swap:2", "reload", "commit"])
@pytest.mark.parametrize("is_borne", [True, False])
def test_a_disk_that_fills_up_while_it_is_changed_ends_in_one_of_two_states(
    host: PlayedHost, tmp_path: Path, step: str, *, is_borne: bool
) -> None:
    """There is room to undo on a full disk: what is put back are names, and a little was set aside."""
    deployed = deploy(host, OLD).plan.deployed
    before = content(host)
    host.program = program_that(tmp_path, step, f"cat /dev/zero >'{host.root}/hog' 2>/dev/null")
    if not is_borne:
        host.complain("postfix-reload", "fatal: cannot")
    said = failure_of(host, NEW, deployed)
    Path(host.root, "hog").unlink(missing_ok=True)
    host.is_at_peace()
    assert is_borne or said
    if "nothing was changed" in said or "all files are as they were before" in said:
        assert content(host) == before
    elif said:
        # All of it is new and Postfix has read it: only the last of the notes could not be written.
        assert "all is deployed" in said or "run again" in said
    host.program = type(host).program
    deploy(host, NEW, deployed)
    assert Path(host.root, "tls/mx1.pem").read_bytes().startswith(b"another")


@pytest.mark.parametrize("path", ["tls/mx1.pem", "relay_clientcerts.db", "main.cf"])
def test_a_file_that_nobody_may_replace_puts_the_others_back(tmp_path: Path, path: str) -> None:
    """The first of the changes, one in the middle, and the last; once it may be replaced all goes through."""
    host = play(tmp_path)
    Path(host.root, "main.cf").write_bytes(MAIN_CF)
    deployed = deploy(host, OLD).plan.deployed
    before, immutable = content(host), str(Path(host.root, path))
    if subprocess.run(["chattr", "+i", immutable], check=False, capture_output=True).returncode:
        pytest.skip("this file system knows no immutable files")
    try:
        said = failure_of(host, NEW, deployed)
    finally:
        run("chattr", "-i", immutable)
    assert "not permitted" in said
    assert content(host) == before
    deploy(host, NEW, deployed)
    assert b"encrypt" in Path(host.root, "main.cf").read_bytes()
    host.stop()


def test_a_read_only_disk_is_refused(host: PlayedHost) -> None:
    """Before anything is begun."""
    deployed = deploy(host, OLD).plan.deployed
    before = content(host)
    run("mount", "-o", "remount,ro", host.root)
    try:
        assert failure_of(host, NEW, deployed)
    finally:
        run("mount", "-o", "remount,rw", host.root)
    assert content(host) == before
    deploy(host, NEW, deployed)


def test_a_main_cf_that_is_mounted_is_refused_by_what_it_is(tmp_path: Path) -> None:
    """A rename onto a mount fails, and what maintains it lies elsewhere."""
    host = play(tmp_path)
    elsewhere, main_cf = tmp_path / "shared.cf", Path(host.root, "main.cf")
    elsewhere.write_bytes(MAIN_CF)
    main_cf.touch()
    if subprocess.run(["mount", "--bind", elsewhere, main_cf], check=False, capture_output=True).returncode:
        pytest.skip("this root may not mount")
    try:
        said = failure_of(host, OLD, Deployed())
        foreseen = refusal_of_preview(host)
    finally:
        run("umount", str(main_cf))
        host.stop()
    assert f"{main_cf} is mounted on its own" in said
    assert f"{main_cf}: is mounted on its own; what is merged goes into a plain file" in foreseen
    assert elsewhere.read_bytes() == MAIN_CF


def test_a_preview_refuses_a_main_cf_with_two_names_as_the_run_does(tmp_path: Path) -> None:
    """A file of its own is no obstacle, and neither is one that would not be changed."""
    host = play(tmp_path)
    main_cf = Path(host.root, "main.cf")
    main_cf.write_bytes(MAIN_CF)
    os.link(main_cf, tmp_path / "checkout.cf")
    assert "has more than one name (a hard link)" in failure_of(host, OLD, Deployed())
    assert f"{main_cf}: is one of 2 names of a file; what is merged" in refusal_of_preview(host)
    (tmp_path / "checkout.cf").unlink()
    deployed = deploy(host, OLD).plan.deployed
    assert refusal_of_preview(host, deployed) == ""
    os.link(main_cf, tmp_path / "checkout.cf")
    assert refusal_of_preview(host, deployed) == ""
    host.stop()


def test_a_host_that_lacks_a_command_is_told_all_of_them(tmp_path: Path) -> None:
    """Before anything is touched."""
    host = play(tmp_path)
    Path(host.root, "main.cf").write_bytes(MAIN_CF)
    for name in ("sh", "cut", "tr", "sed", "id"):
        found = shutil.which(name)
        assert found
        link = tmp_path / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(found)
    host.search_path = str(tmp_path / "bin")
    before = content(host)
    said = failure_of(host, OLD, Deployed())
    assert all(f" {name}" in said for name in ("flock", "openssl", "ss", "tar"))
    assert "postconf" not in said
    assert content(host) == before
    host.stop()
