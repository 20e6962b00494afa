"""Runs the quick tests under the other Pythons that this machine has, each in an environment that is thrown away.

Run by `make versions` with the virtual environment's Python: `python -m toolchain.versions`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toolchain.console import say
from toolchain.errors import ToolchainError
from toolchain.layout import locate
from toolchain.virtualenv import ensure_uv, without_other_environments

__all__ = ["OTHERS", "find_python", "main"]

ROOT = Path(__file__).resolve().parent.parent

OTHERS = ("3.12", "3.13")
"""What the README claims beside the Python of `.venv`, which runs all tests."""

TESTS = ("tests/unit", "tests/plugin", "tests/components")
OPTIONS = ("-q", "-n", "auto", "--dist", "loadfile", "--hypothesis-profile", "few", "-m", "not takes_long")


def main(environment: Mapping[str, str]) -> None:
    """Run the quick tests under each of the other Pythons; one that is not here is named and left out.

    Raises:
        ToolchainError: tests failed; pytest has said which.
    """
    failed = [version for version in OTHERS if not _pass(version, environment)]
    if failed:
        raise ToolchainError(f"tests failed under Python {' and '.join(failed)}; pytest's message stands above")


def _pass(version: str, environment: Mapping[str, str]) -> bool:
    python = find_python(version, environment)
    if python is None:
        say(f"Python {version} is not here; left out")
        return True
    say(f"unit, plugin and component tests under Python {version}, in an environment of their own")
    uv = ensure_uv(locate(ROOT, environment), environment)
    command = [uv, "run", "--quiet", "--isolated", "--locked", "--python", python, "pytest", *OPTIONS, *TESTS]
    variables = without_other_environments(environment)
    return subprocess.run(command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, check=False).returncode == 0


def find_python(version: str, environment: Mapping[str, str]) -> str | None:
    """Return a Python of this version that can be started: from PATH, or one that pyenv has; None without one."""
    return next((python for python in _candidates(version, environment) if _is_version(python, version)), None)


def _candidates(version: str, environment: Mapping[str, str]) -> Iterator[str]:
    on_path = shutil.which(f"python{version}", path=environment.get("PATH", os.defpath))
    if on_path is not None:
        yield on_path
    root = Path(environment.get("PYENV_ROOT") or Path(environment.get("HOME") or "~").expanduser() / ".pyenv")
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python{version}")))


def _is_version(python: str, version: str) -> bool:
    """Return whether it starts and is what it is called: pyenv puts names on PATH that start nothing."""
    command: Sequence[str] = [python, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.strip() == version


if __name__ == "__main__":
    try:
        main(os.environ)
    except ToolchainError as failure:
        sys.exit(f"\n{failure}")
