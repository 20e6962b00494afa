"""Brings `.venv` of the checkout to what uv.lock says, with the user's `uv` or a private one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.console import say
from toolchain.errors import ToolchainError
from toolchain.layout import Layout, locate

__all__ = ["UV_VERSION", "ensure_uv", "ensure_virtualenv", "without_other_environments"]

UV_VERSION = "0.13.9"
"""The `uv` that is installed where the user has none."""


def ensure_virtualenv(root: Path, environment: Mapping[str, str]) -> None:
    """Bring `.venv` of the checkout to what its lock file says; quiet and quick when it is there already.

    A missing `.venv` is made with the Python that runs this.

    Raises:
        ToolchainError: There is no `uv` and it cannot be installed, or `uv sync` failed (it has said why).
    """
    layout = locate(root, environment)
    uv, clean = ensure_uv(layout, environment), without_other_environments(environment)
    if layout.virtualenv.exists():
        if _succeeds([uv, "sync", "--locked", "--check", "--quiet"], root, clean, stderr=subprocess.DEVNULL):
            return
        say("bringing .venv to uv.lock; what is missing is downloaded")
        python = []
    else:
        say("making .venv from uv.lock: about 300 MB of packages are downloaded the first time")
        python = ["--python", sys.executable]
    # The engine starts three Pythons for each command. Where PYTHONDONTWRITEBYTECODE is set, as in many containers,
    # each would compile all that it loads again, which takes longer than anything else in a small stack.
    if not _succeeds([uv, "sync", "--locked", "--compile-bytecode", *python], root, clean):
        raise ToolchainError("`uv sync --locked` failed; its message stands above")


def _succeeds(
    command: Sequence[str], directory: Path, environment: Mapping[str, str], *, stderr: int | None = None
) -> bool:
    done = subprocess.run(command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stderr=stderr, check=False)
    return done.returncode == 0


def without_other_environments(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for `uv` without those that name a virtual environment: it has to take the checkout's."""
    named = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    return {name: value for name, value in environment.items() if name not in named}


def ensure_uv(layout: Layout, environment: Mapping[str, str]) -> str:
    """Return the user's `uv`, else the private one, which is installed if need be.

    Raises:
        ToolchainError: There is no `uv` and it cannot be installed.
    """
    found = shutil.which("uv", path=environment.get("PATH", os.defpath))
    if found is not None:
        return found
    private = layout.uv / "bin" / "uv"
    if not private.is_file():
        say(f"installing uv {UV_VERSION} into {layout.uv}")
        _install_uv(layout.uv)
    return str(private)


def _install_uv(directory: Path) -> None:
    python = str(directory / "bin" / "python")
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(directory)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"uv=={UV_VERSION}"],
    ):
        if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            raise ToolchainError(
                f"uv could not be installed (`{' '.join(command)}` failed). Install uv "
                "(https://docs.astral.sh/uv/getting-started/installation/) or, on Debian and Ubuntu, python3-venv."
            )
