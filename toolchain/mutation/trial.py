"""Tries mutants: each is put into a copy of the checkout, and the tests that ran its line are run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from toolchain.mutation.choice import Coverage, statement_lines
from toolchain.mutation.copies import in_place
from toolchain.mutation.mutants import Mutant, difference, mutated
from toolchain.mutation.running import Run, run_tests

__all__ = ["Outcome", "Trial", "batches", "outcome_of", "try_mutant"]

FIRST_SECONDS = 3.0
"""How long the tests ran that are tried first; most mutants die of the narrowest."""

START_SECONDS = 30.0
SLOWER = 5.0
"""A run is stopped after START_SECONDS and so many times what its tests took without the mutant."""


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    STOPPED = "stopped"
    BROKEN = "broken"
    SURVIVED = "survived"
    UNCOVERED = "uncovered"

    @property
    def is_caught(self) -> bool:
        """Whether somebody who runs the tests would have noticed: a test failed, never ended, or could not start."""
        return self not in {Outcome.SURVIVED, Outcome.UNCOVERED}


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant, what became of it, the test that noticed it, and the lines that it changed."""

    mutant: Mutant
    outcome: Outcome
    noticed_by: str
    changed: tuple[str, ...]


def outcome_of(run: Run) -> Outcome:
    """Return what a run says about its mutant; a run without any test says nothing.

    pytest ends with the same code where a test fails and where, with -x, a module of tests cannot be imported.
    """
    match run.code:
        case None:
            return Outcome.STOPPED
        case pytest.ExitCode.OK | pytest.ExitCode.NO_TESTS_COLLECTED:
            return Outcome.SURVIVED
        case pytest.ExitCode.TESTS_FAILED if run.failed:
            return Outcome.KILLED
        case _:
            return Outcome.BROKEN


def batches(tests: Sequence[str], seconds: Mapping[str, float], first: float = FIRST_SECONDS) -> list[Sequence[str]]:
    """Return the tests in two lots: those that take about `first` seconds together, and the others."""
    total, count = 0.0, 0
    for test in tests:
        total += seconds.get(test, 0.0)
        count += 1
        if total > first:
            break
    return [lot for lot in (tests[:count], tests[count:]) if lot]


def try_mutant(copy: Path, mutant: Mutant, coverage: Coverage, notes: Path) -> Trial:
    """Run the tests that should notice a mutant in a copy of the checkout, which is as before afterwards."""
    path = copy / mutant.path
    source = path.read_text(encoding="utf-8")
    changed_source = mutated(source, mutant)
    changed = tuple(difference(source, changed_source))
    lines = statement_lines(source).get(mutant.line, range(mutant.line, mutant.line + 1))
    outcome, noticed_by = Outcome.UNCOVERED, ""
    with in_place(path, changed_source):
        for lot in batches(coverage.tests_for(mutant.path, lines), coverage.seconds):
            limit = START_SECONDS + SLOWER * sum(coverage.seconds.get(test, 0.0) for test in lot)
            run, _ = run_tests(copy, lot, limit, notes)
            outcome, noticed_by = outcome_of(run), run.failed
            if outcome.is_caught:
                break
    return Trial(mutant, outcome, noticed_by, changed)
