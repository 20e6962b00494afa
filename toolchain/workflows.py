"""Checks the workflows below .github, and the example for others, with actionlint."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.go_tools import ACTIONLINT, ensure_tool

__all__ = ["lint_workflows"]

COMMAND = ("-no-color", "-shellcheck=", "-pyflakes=")
"""The same findings everywhere: no other linter is asked, whether the machine has it or not."""

WORKFLOWS = (".github/workflows/*.yml", "examples/pipelines/github.yml")
"""Those of this repository, and the one that others copy."""


def lint_workflows(root: Path, environment: Mapping[str, str]) -> None:
    """Check the workflows of the checkout at `root`; quiet when nothing is wrong with them.

    Without Go the check is left out and that is said; with `CI=true` it must be made.

    Raises:
        ToolchainError: Something is wrong with a workflow (actionlint has said what), or the check cannot be made.
    """
    program = ensure_tool(ACTIONLINT, root, environment)
    if program is None:
        return
    files = [str(path.relative_to(root)) for pattern in WORKFLOWS for path in sorted(root.glob(pattern))]
    done = subprocess.run([program, *COMMAND, *files], cwd=root, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise ToolchainError("actionlint finds fault with a workflow; its message stands above")
