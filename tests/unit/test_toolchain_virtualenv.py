"""How `.venv` is brought to what the lock file says."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from toolchain import virtualenv
from toolchain.errors import ToolchainError
from toolchain.layout import locate
from toolchain.virtualenv import REQUIREMENTS, ensure_uv, ensure_virtualenv

UV = """#!/bin/sh
echo "$@" >> "$0.calls"
case "$*" in *--check*) exit $CHECK ;; *) exit $SYNC ;; esac
"""


def stand_in(directory: Path, *, check: int = 1, sync: int = 0) -> dict[str, str]:
    """Return an environment whose `uv` notes its arguments and ends with these codes."""
    program = directory / "uv"
    program.write_text(UV)
    program.chmod(0o755)
    return {"HOME": str(directory), "PATH": f"{directory}:/usr/bin:/bin", "CHECK": str(check), "SYNC": str(sync)}


def calls(directory: Path) -> list[str]:
    """Return the arguments of each call of `uv`."""
    return (directory / "uv.calls").read_text().splitlines()


@pytest.fixture(name="checkout")
def fixture_checkout(tmp_path: Path) -> Path:
    """Return a checkout without `.venv`."""
    (tmp_path / "checkout/toolchain").mkdir(parents=True)
    return tmp_path / "checkout"


def test_a_new_environment_is_what_the_lock_file_says_and_compiled(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is resolved anew, no program compiles at its start what it loads, and it is said what takes long."""
    ensure_virtualenv(checkout, stand_in(tmp_path))
    (call,) = calls(tmp_path)
    assert call.startswith("sync --locked --compile-bytecode --python ")
    assert "making .venv from uv.lock" in capsys.readouterr().out


def test_an_environment_that_is_up_to_date_is_left_alone(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is the usual case: quick and quiet."""
    (checkout / ".venv").mkdir()
    ensure_virtualenv(checkout, stand_in(tmp_path, check=0))
    assert calls(tmp_path) == ["sync --locked --check --quiet"]
    assert capsys.readouterr() == ("", "")


def test_an_environment_that_is_behind_is_brought_to_the_lock_file(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It keeps its Python, and it is said that there is something to wait for."""
    (checkout / ".venv").mkdir()
    ensure_virtualenv(checkout, stand_in(tmp_path))
    assert calls(tmp_path)[1:] == ["sync --locked --compile-bytecode"]
    assert "bringing .venv to uv.lock" in capsys.readouterr().out


def test_a_failure_is_one_sentence_below_what_uv_said(checkout: Path, tmp_path: Path) -> None:
    """The caller stops; `uv` has told why."""
    with pytest.raises(ToolchainError, match="failed; its message stands above"):
        ensure_virtualenv(checkout, stand_in(tmp_path, sync=2))


def test_uv_is_pinned_by_version_and_by_the_hash_of_every_wheel() -> None:
    """One version, wheels of many platforms, nothing else."""
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert re.fullmatch(r"uv==\d+\.\d+\.\d+ \\", lines[0])
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines[1:])
    assert len(set(lines[1:])) > 15


def test_uv_is_installed_anew_for_another_pin_and_only_then(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was installed for other requirements, or only half, does not count."""
    requirements, installed = tmp_path / REQUIREMENTS.name, []

    def install(directory: Path, wanted: Path, environment: Mapping[str, str]) -> None:
        installed.append(wanted.read_text())
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(wanted, directory / wanted.name)

    monkeypatch.setattr(virtualenv, "REQUIREMENTS", requirements)
    monkeypatch.setattr(virtualenv, "install_uv", install)
    environment = {"HOME": str(tmp_path / "home"), "PATH": "/nowhere"}
    for pin in ("first", "first", "second"):
        requirements.write_text(pin)
        assert ensure_uv(locate(checkout, environment), environment) == str(tmp_path / "home/.cache/postseal/uv/bin/uv")
    assert installed == ["first", "second"]
