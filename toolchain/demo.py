"""Runs the stack `dev` from a copy of its stack file and shows what is there afterwards.

Run by `make` with the virtual environment's Python, after the set-up: `python -m toolchain.demo up`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from toolchain.console import say
from toolchain.demo_report import report
from toolchain.environment import engine_environment
from toolchain.errors import ToolchainError
from toolchain.interrupts import heed_interrupts
from toolchain.launch_checks import refuse_clear_logs
from toolchain.layout import Layout, locate
from toolchain.ownership import close_umask, refuse_programs_of_others
from toolchain.private_network import isolate
from toolchain.state import ensure_named

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "mail-pki"
STACK = "dev"

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "up": ("up", "--yes", "--skip-preview", "--suppress-outputs"),
    "preview": ("preview", "--diff", "--suppress-outputs"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
}

SECONDS: Mapping[str, int] = {"up": 10, "preview": 5, "destroy": 5}
"""How long each of them is silent on two cores, about."""


def main(command: str) -> None:
    """Bring up, preview or destroy the stack `dev`; after `up`, print its files, certificates and outputs.

    The tracked stack file stays as it is: Pulumi adds the stack's `encryptionsalt` to a copy in the state directory,
    which is made anew each time. (The salt is in the state as well, from where it is taken again.)
    """
    heed_interrupts()
    close_umask()
    layout = locate(ROOT, os.environ)
    environment = engine_environment(ROOT, os.environ)
    refuse_programs_of_others(layout, environment)
    ensure_named(layout, environment)
    refuse_clear_logs([], environment)
    settings = _copy_settings(layout)
    say(f"asking the engine for the stack {STACK}")
    _ensure_stack(environment)
    say(f"pulumi {command}: the engine starts, then the program and the plugins; about {SECONDS[command]} s")
    stack = ["--stack", STACK, "--config-file", str(settings), "--non-interactive", "--suppress-progress"]
    arguments = [*COMMANDS[command], *stack]
    say(isolate(ROOT, arguments, ROOT, environment).sentence)
    if _pulumi(arguments, environment) != 0:
        raise ToolchainError(f"`pulumi {command}` failed; its message stands above")
    if command == "up":
        print(report(ROOT / "out" / STACK, _outputs(environment)))


def _copy_settings(layout: Layout) -> Path:
    copy = layout.state / f"Pulumi.{STACK}.yaml"
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "stacks" / copy.name, copy)
    return copy


def _ensure_stack(environment: Mapping[str, str]) -> None:
    """Make the stack unless it exists, seen from a project directory of its own.

    `pulumi stack init` writes the new salt into the project's stack file and knows no `--config-file`.
    """
    listed = _captured(["stack", "ls", "--json"], environment)
    if any(stack["name"].rpartition("/")[2] == STACK for stack in json.loads(listed)):
        return
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        say(f"making the stack {STACK}")
        arguments = ["stack", "init", STACK, "--secrets-provider", "passphrase", "--no-select", "--cwd", directory]
        if _pulumi(arguments, environment) != 0:
            raise ToolchainError(f"the stack {STACK} could not be made; Pulumi's message stands above")


def _outputs(environment: Mapping[str, str]) -> dict[str, object]:
    outputs: dict[str, object] = json.loads(_captured(["stack", "output", "--json", "--stack", STACK], environment))
    return outputs


def _pulumi(arguments: list[str], environment: Mapping[str, str]) -> int:
    command = ["pulumi", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def _captured(arguments: list[str], environment: Mapping[str, str]) -> str:
    answer = subprocess.run(
        ["pulumi", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise ToolchainError(f"`pulumi {' '.join(arguments)}` failed:\n{answer.stderr}")
    return answer.stdout


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except ToolchainError as failure:
        sys.exit(f"\n{failure}")
