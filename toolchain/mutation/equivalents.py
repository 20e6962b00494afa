"""Mutants that no test can notice, each with the reason; known by what they change, so that lines may move."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from toolchain.mutation.trial import Trial

__all__ = ["Equivalents", "read_equivalents", "reason_of"]

Equivalents = Mapping[tuple[str, tuple[str, ...]], str]
"""The reason by path and changed lines, those without indentation; empty lines do not count."""


def read_equivalents(path: Path) -> Equivalents:
    """Read the list: tables `[[equivalent]]` with `path`, `change` (lines that begin with `-` or `+`) and `reason`."""
    tables = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    return {(table["path"], _bare(table["change"].splitlines())): table["reason"] for table in tables}


def reason_of(trial: Trial, equivalents: Equivalents) -> str | None:
    """Return why no test can notice the mutant; None when it is not on the list."""
    return equivalents.get((trial.mutant.path, _bare(trial.changed)))


def _bare(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{line[0]}{' '.join(line[1:].split())}" for line in lines if line[1:].strip())
