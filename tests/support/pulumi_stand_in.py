"""A program that stands in for `pulumi` where a command only asks for the state of a stack."""

import json
from pathlib import Path
from typing import Any

__all__ = ["write_stand_in"]

_PROGRAM = """#!/bin/sh
case "$*" in
    "stack export --non-interactive --stack prod") cat state.json ;;
    *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


def write_stand_in(directory: Path, export: dict[str, Any]) -> None:
    """Write `pulumi` into a directory, and beside it the state that it prints for the stack prod."""
    (directory / "pulumi").write_text(_PROGRAM)
    (directory / "pulumi").chmod(0o755)
    (directory / "state.json").write_text(json.dumps(export))
