"""Builds parts of the engine from pinned Go modules, each moved into the cache when it is finished."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.console import run_logged, say
from toolchain.errors import ToolchainError
from toolchain.layout import Layout
from toolchain.recipe import PARTS, SDK_MODULE, Part, build_command

__all__ = ["build_parts", "go_environment", "is_finished", "put_in_place"]

LOG_LINES = 20


def is_finished(layout: Layout, part: Part) -> bool:
    """Return whether a part lies in the cache, complete."""
    return (layout.engine / part.directory / part.binary).is_file()


def build_parts(layout: Layout, parts: Sequence[Part], environment: Mapping[str, str]) -> None:
    """Build `parts` in order and keep each one as soon as it is finished.

    Module sources and build cache are temporary and removed at the end, also after an interruption; what is finished
    by then stays. The caller holds the cache's lock.

    Raises:
        ToolchainError: Go failed; the message ends with the last lines it wrote.
    """
    minutes = sum(part.minutes for part in parts)
    say(f"building the engine from source, once: about {minutes:g} minutes on two cores, 5 GB of disk meanwhile")
    with tempfile.TemporaryDirectory(prefix="build-", dir=_emptied(layout)) as name:
        workshop = Path(name)
        variables = go_environment(environment, workshop)
        for part in parts:
            say(f"{PARTS.index(part) + 1}/{len(PARTS)} {part.title} (about {part.minutes:g} min)")
            _build(layout, part, workshop, variables)


def put_in_place(files: Sequence[Path], directory: Path) -> None:
    """Move files into `directory` in the given order, each one by a rename: never half a file under its final name."""
    directory.mkdir(parents=True, exist_ok=True)
    for file in files:
        file.replace(directory / file.name)


def _emptied(layout: Layout) -> Path:
    """Return the directory for building, without what a killed build left there."""
    directory = layout.engine / "building"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def go_environment(environment: Mapping[str, str], workshop: Path) -> dict[str, str]:
    """Return the environment for `go`: own caches that can be removed, and go.mod files that are never rewritten."""
    flags = f"{environment.get('GOFLAGS', '')} -mod=readonly -modcacherw".strip()
    return {
        **environment,
        "GOFLAGS": flags,
        "GOWORK": "off",
        "GOMODCACHE": str(workshop / "modules"),
        "GOCACHE": str(workshop / "objects"),
    }


def _build(layout: Layout, part: Part, workshop: Path, environment: Mapping[str, str]) -> None:
    source = layout.root / "toolchain" / part.name
    log = workshop / f"{part.name}.log"
    command = build_command(part, str(workshop / part.binary))
    if not run_logged(command, cwd=source, environment=environment, log=log, title=part.binary):
        raise ToolchainError(f"`go build` of {part.title} failed:\n{_tail(log)}")
    if part.has_exec_script:
        _copy_exec_script(part, source.parent, workshop, environment)
    put_in_place([workshop / name for name in part.files], layout.engine / part.directory)


def _copy_exec_script(part: Part, recipe: Path, workshop: Path, environment: Mapping[str, str]) -> None:
    """Take the script that starts Python programs out of the SDK's module, where it lies beside the Go sources."""
    # Asked for in the CLI's module: its go.sum knows this version, the language host's own go.mod pins an older one.
    answer = subprocess.run(
        ["go", "mod", "download", "-json", SDK_MODULE],
        cwd=recipe / "cli",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise ToolchainError(f"{SDK_MODULE} cannot be downloaded:\n{answer.stdout}{answer.stderr}")
    script = Path(json.loads(answer.stdout)["Dir"]) / "python" / "cmd" / f"{part.binary}-exec"
    target = workshop / script.name
    shutil.copyfile(script, target)
    target.chmod(0o755)


def _tail(log: Path) -> str:
    return os.linesep.join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
