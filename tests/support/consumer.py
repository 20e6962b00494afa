"""A repository of somebody else: the wheel in an environment of its own, the engine, and nothing of this checkout."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from postseal.version import VERSION
from tests.support.engine import REPOSITORY, Result, run_limited
from toolchain.environment import engine_environment
from toolchain.layout import locate

__all__ = ["PACKAGES", "Consumer", "build_wheel", "constraints", "uv"]

SECONDS = 180.0
PACKAGES = ("pki", "postfix", "postseal", "postseal_core")


@dataclass(frozen=True, slots=True)
class Consumer:
    """A project directory with `.venv`; `variables` go into the environment of every command."""

    directory: Path
    variables: Mapping[str, str]

    def sh(self, script: str, *, is_active: bool = True) -> Result:
        """Run a shell script here as a user would, from its first line to the first one that fails.

        `is_active`: with the environment activated, if there is one.
        """
        activate = self.directory / ".venv/bin/activate"
        begin = f". {activate}\n" if is_active and activate.exists() else ""
        return run_limited(["bash", "-euc", begin + script], self.directory, self.environment(), SECONDS)

    def environment(self) -> dict[str, str]:
        """Return an environment in which nothing of the checkout's own can be found, but its engine and uv."""
        layout = locate(REPOSITORY, os.environ)
        names = ("PULUMI_", "PYTHON", "VIRTUAL_ENV", "MYPY", "COV_", "UV_PROJECT", "UV_PYTHON")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(names)}
        found = engine_environment(REPOSITORY, {**inherited, **self.variables})
        path = [each for each in found["PATH"].split(":") if each != str(layout.virtualenv / "bin")]
        return {name: value for name, value in found.items() if name != "VIRTUAL_ENV"} | {"PATH": ":".join(path)}


def uv(*arguments: str, directory: Path = REPOSITORY) -> str:
    """Run uv and return what it prints."""
    environment = engine_environment(REPOSITORY, os.environ)
    program = shutil.which("uv", path=environment["PATH"])
    assert program, "there is no uv: run `make setup` once"
    clean = {name: value for name, value in environment.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [program, *arguments], cwd=directory, env=clean, check=False, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def build_wheel(directory: Path, version: str = "") -> Path:
    """Build the wheel of this checkout into a directory; with `version`, of a copy that says it is of that version."""
    source = _sources_of(version, directory / f"sources-{version}") if version else REPOSITORY
    uv("build", "--quiet", "--wheel", "--out-dir", str(directory), str(source))
    (wheel,) = directory.glob(f"postseal-{version or '*'}-*.whl")
    return wheel


def _sources_of(version: str, directory: Path) -> Path:
    """Copy what the wheel is built from, with another version at the two places that say it."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in PACKAGES:
        shutil.copytree(REPOSITORY / name, directory / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, directory)
    for name in ("pyproject.toml", "postseal/version.py"):
        text = (directory / name).read_text()
        changed = re.sub(
            rf'^(version|VERSION: Final) = "{re.escape(VERSION)}"$', rf'\1 = "{version}"', text, flags=re.MULTILINE
        )
        assert changed != text
        (directory / name).write_text(changed)
    return directory


def constraints(path: Path) -> Path:
    """Write the versions of uv.lock to a file for `--constraint`: a newer SDK might want a newer engine."""
    options = ("--frozen", "--no-emit-project", "--no-hashes", "--no-header", "--no-annotate", "--quiet")
    uv("export", *options, "--output-file", str(path))
    return path
