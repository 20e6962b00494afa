"""How `.venv` is brought to what the lock file says."""

from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.virtualenv import ensure_virtualenv

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
