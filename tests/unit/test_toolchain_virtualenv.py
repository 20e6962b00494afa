"""How `.venv` is brought to what the lock file says."""

from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.virtualenv import ensure_virtualenv

ROOT = Path(__file__).parents[2]


def stand_in(directory: Path, *, exit_code: int) -> dict[str, str]:
    """Return an environment whose `uv` notes its arguments and ends with a code."""
    program = directory / "uv"
    program.write_text(f'#!/bin/sh\nprintf "%s " "$@" > "$0.arguments"\nexit {exit_code}\n')
    program.chmod(0o755)
    return {"HOME": str(directory), "PATH": str(directory)}


def test_the_environment_is_what_the_lock_file_says_and_compiled(tmp_path: Path) -> None:
    """Nothing is resolved anew, and no program compiles at its start what it loads."""
    ensure_virtualenv(ROOT, stand_in(tmp_path, exit_code=0))
    arguments = (tmp_path / "uv.arguments").read_text().split()
    assert arguments[:3] == ["sync", "--locked", "--compile-bytecode"]


def test_a_failure_is_one_sentence_below_what_uv_said(tmp_path: Path) -> None:
    """The caller stops; `uv` has told why."""
    with pytest.raises(ToolchainError, match="failed; its message stands above"):
        ensure_virtualenv(ROOT, stand_in(tmp_path, exit_code=2))
