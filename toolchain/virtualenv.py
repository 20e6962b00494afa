"""Brings `.venv` of the checkout to what uv.lock says, with the user's `uv` or a private one of a known hash."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.console import say
from toolchain.errors import ToolchainError
from toolchain.layout import Layout, locate

__all__ = ["ensure_uv", "ensure_virtualenv", "install_uv", "without_other_environments"]

REQUIREMENTS = Path(__file__).with_name("uv-requirements.txt")
"""The `uv` that is installed where the user has none: its version and the hashes of its wheels."""


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
    if not _is_installed(layout.uv, REQUIREMENTS):
        say(f"installing uv into {layout.uv}")
        install_uv(layout.uv, REQUIREMENTS, environment)
    return str(layout.uv / "bin" / "uv")


def _is_installed(directory: Path, requirements: Path) -> bool:
    """Return whether these requirements, and no others, were installed there, to the end."""
    installed = directory / requirements.name
    return installed.is_file() and installed.read_bytes() == requirements.read_bytes()


def install_uv(directory: Path, requirements: Path, environment: Mapping[str, str]) -> None:
    """Make a virtual environment with the `uv` that `requirements` name by version and SHA-256.

    pip compares what it downloads with the hashes and installs nothing else: no other package, and no source archive,
    whose build would fetch more.

    Raises:
        ToolchainError: there is no venv or pip, no wheel to be had, or none with a hash that is listed.
    """
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    strict = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--requirement", str(requirements)]
    directory.parent.mkdir(parents=True, exist_ok=True)
    for command in ([sys.executable, "-m", "venv", "--clear", str(directory)], [*pip, *strict]):
        if not _succeeds(command, directory.parent, environment):
            raise ToolchainError(
                f"uv could not be installed (`{' '.join(command)}` failed; its message stands above). Install uv "
                "(https://docs.astral.sh/uv/getting-started/installation/) or, on Debian and Ubuntu, python3-venv. "
                "Where the message says that hashes do not match, ask whoever runs your package index first."
            )
    shutil.copyfile(requirements, directory / requirements.name)
