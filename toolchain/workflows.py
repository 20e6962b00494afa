"""Checks the workflows below .github with actionlint, which is built once from its pinned Go module."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from toolchain.build import go_environment, put_in_place
from toolchain.console import run_logged, say
from toolchain.errors import ToolchainError
from toolchain.layout import locate

__all__ = ["lint_workflows"]

PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"
COMMAND = ("-no-color", "-shellcheck=", "-pyflakes=")
"""The same findings everywhere: no other linter is asked, whether the machine has it or not."""


def lint_workflows(root: Path, environment: Mapping[str, str]) -> None:
    """Check the workflows of the checkout at `root`; quiet when nothing is wrong with them.

    Without Go the check is left out and that is said; with `CI=true` it must be made.

    Raises:
        ToolchainError: Something is wrong with a workflow (actionlint has said what), or the check cannot be made.
    """
    program = _ensure_actionlint(root, environment)
    if program is None:
        return
    done = subprocess.run([program, *COMMAND], cwd=root, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise ToolchainError("actionlint finds fault with a workflow; its message stands above")


def _ensure_actionlint(root: Path, environment: Mapping[str, str]) -> Path | None:
    recipe = root / "toolchain/actionlint"
    digest = hashlib.sha256((recipe / "go.mod").read_bytes() + (recipe / "go.sum").read_bytes()).hexdigest()[:16]
    directory = locate(root, environment).actionlint / digest
    program = directory / "actionlint"
    if program.is_file():
        return program
    if shutil.which("go", path=environment.get("PATH", os.defpath)) is None:
        if environment.get("CI") == "true":
            raise ToolchainError("actionlint is built with Go, and there is no go on PATH")
        say("the workflows are not checked: actionlint is built with Go, and there is no go on PATH")
        return None
    _build(recipe, directory, environment)
    return program


def _build(recipe: Path, directory: Path, environment: Mapping[str, str]) -> None:
    say("building actionlint, once: about 20 seconds")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=directory) as name:
        workshop = Path(name)
        program, log = workshop / "actionlint", workshop / "log"
        command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(program), PACKAGE]
        variables = go_environment(environment, workshop)
        if not run_logged(command, cwd=recipe, environment=variables, log=log, title="actionlint"):
            raise ToolchainError(f"`go build` of actionlint failed:\n{log.read_text(errors='replace')}")
        put_in_place([program], directory)
