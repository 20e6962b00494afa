"""The test run without a mutant: all must pass; records the lines and the time of each test."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from coverage import CoverageData

from toolchain.console import say
from toolchain.errors import ToolchainError
from toolchain.mutation.choice import Coverage, importers_of
from toolchain.mutation.groups import GROUPS, PACKAGES
from toolchain.mutation.running import run_tests

__all__ = ["by_line", "measure"]

LONGEST_SECONDS = 1800.0
_THAT_MATTER = (*(f"{package}/" for package in PACKAGES), "tests/", "pyproject.toml", "uv.lock")


def measure(copy: Path, names: Sequence[str], notes: Path, kept: Path) -> Coverage:
    """Run the quick tests once in a copy of the checkout.

    What was measured is kept in the directory `kept` until a file of the checkout changes.

    Raises:
        ToolchainError: a test fails without a mutant.
    """
    data = kept / f"{_digest(copy, names)}.coverage"
    seconds_file = data.with_suffix(".json")
    if not seconds_file.exists():
        say("running the quick tests once, to learn which lines each of them runs")
        kept.mkdir(exist_ok=True)
        for old in kept.iterdir():
            old.unlink()
        options = ("--cov", "--cov-context=test", "--cov-report=")
        run, seconds = run_tests(copy, None, LONGEST_SECONDS, notes, options)
        if run.code != 0:
            raise ToolchainError(
                f"a test fails without a mutant: {run.failed or 'none could start'}\n{run.log[-2000:]}"
            )
        data.write_bytes((copy / ".coverage").read_bytes())
        seconds_file.write_text(json.dumps(seconds), encoding="utf-8")
    tests = [name for name in names if name.startswith("tests/") and name.endswith(".py")]
    sources = {name: (copy / name).read_text(encoding="utf-8") for name in [*GROUPS["all"].members(names), *tests]}
    seconds = json.loads(seconds_file.read_text(encoding="utf-8"))
    return Coverage(_lines_of(data), seconds, importers_of(sources))


def _digest(copy: Path, names: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        if name.startswith(_THAT_MATTER):
            digest.update(name.encode() + b"\0" + (copy / name).read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _lines_of(file: Path) -> Mapping[str, Mapping[int, frozenset[str]]]:
    data = CoverageData(str(file))
    data.read()
    contexts = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
    return {_below_copy(path): by_line(lines) for path, lines in contexts.items()}


def _below_copy(path: str) -> str:
    """Return the path from the root of the copy, which may be gone: the packages lie directly below it."""
    return path.rpartition("/checkout/")[2]


def by_line(contexts: Mapping[int, Sequence[str]]) -> Mapping[int, frozenset[str]]:
    """Return the tests that ran each line; pytest-cov names a context `test|setup`, `test|run` or `test|teardown`.

    A line that ran outside any test, when its module was imported, has none.
    """
    found: defaultdict[int, set[str]] = defaultdict(set)
    for line, names in contexts.items():
        for name in names:
            if name:
                found[line].add(name.rpartition("|")[0])
    return {line: frozenset(tests) for line, tests in found.items()}
