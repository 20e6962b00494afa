"""Builds checkers that are Go programs, once, each from its pinned module into the cache."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.build import go_environment, put_in_place
from toolchain.console import run_logged, say
from toolchain.errors import ToolchainError
from toolchain.layout import locate

__all__ = ["ACTIONLINT", "ZLINT", "GoTool", "built_tool", "ensure_tool"]


@dataclass(frozen=True, slots=True)
class GoTool:
    """One checker: `name` is its directory below `toolchain/`, `package` what is built, `checks` what it is for."""

    name: str
    package: str
    checks: str
    seconds: int


ACTIONLINT = GoTool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "the workflows", 20)
ZLINT = GoTool("zlint", "github.com/zmap/zlint/v3/cmd/zlint", "issued certificates (in tests)", 40)


def built_tool(tool: GoTool, root: Path, environment: Mapping[str, str]) -> Path:
    """Return where the program lies, or will lie, as the module of the checkout at `root` pins it."""
    recipe = root / "toolchain" / tool.name
    digest = hashlib.sha256((recipe / "go.mod").read_bytes() + (recipe / "go.sum").read_bytes()).hexdigest()[:16]
    return locate(root, environment).cache / tool.name / digest / tool.name


def ensure_tool(tool: GoTool, root: Path, environment: Mapping[str, str]) -> Path | None:
    """Return the program, built if need be; None without Go, which is said, and an error with `CI=true`.

    Raises:
        ToolchainError: the build failed, or there is no Go where nothing may be left out.
    """
    program = built_tool(tool, root, environment)
    if program.is_file():
        return program
    if shutil.which("go", path=environment.get("PATH", os.defpath)) is None:
        if environment.get("CI") == "true":
            raise ToolchainError(f"{tool.name} is built with Go, and there is no go on PATH")
        say(f"{tool.checks}: not checked, {tool.name} is built with Go, and there is no go on PATH")
        return None
    _build(tool, root / "toolchain" / tool.name, program.parent, environment)
    return program


def _build(tool: GoTool, recipe: Path, directory: Path, environment: Mapping[str, str]) -> None:
    say(f"building {tool.name}, once: about {tool.seconds} seconds")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=directory) as name:
        workshop = Path(name)
        program, log = workshop / tool.name, workshop / "log"
        command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(program), tool.package]
        variables = go_environment(environment, workshop)
        if not run_logged(command, cwd=recipe, environment=variables, log=log, title=tool.name):
            raise ToolchainError(f"`go build` of {tool.name} failed:\n{log.read_text(errors='replace')}")
        put_in_place([program], directory)
