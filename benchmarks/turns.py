"""Programs that are measured beside each other: they take turns, so that a busy machine hits all of them alike."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.figures import Record
from benchmarks.measuring import Measurement
from benchmarks.private_stack import REPOSITORY, PrivateStack, make_stack

__all__ = ["OURS", "Plan", "Program", "Step", "contenders", "take_turns"]

OURS: Final = "postseal"


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each size is measured, in this order, and the other checkout to measure against, if any."""

    runs_by_size: Mapping[int, int]
    against: Path | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A measured step and the size of the state after it."""

    name: str
    measurement: Measurement
    state_bytes: int


@dataclass(frozen=True, slots=True)
class Program:
    """A Pulumi program and what is done with it.

    `file` finds its size in the environment variable `SIZE`. `steps` measures one new stack of a size and fails where
    something else was made than was meant. `checkout`: whose packages and plugin the program runs with.
    """

    name: str
    file: Path
    steps: Callable[[PrivateStack, int], Iterator[Step]]
    checkout: Path = REPOSITORY


def contenders(ours: Program, peers: Sequence[Program], against: Path | None) -> list[Program]:
    """Return who takes turns: ours and its peers, or ours now and ours then if there is another checkout."""
    if against is None:
        return [ours, *peers]
    return [ours, replace(ours, name=f"{ours.name} then", checkout=against)]


def take_turns(
    case: str, scratch: Path, programs: Sequence[Program], runs_by_size: Mapping[int, int]
) -> Iterator[Record]:
    """Yield a record for each step, program, run and size; each run is a new stack below `scratch`.

    Before the first turn, each program runs once unmeasured: whoever comes first would otherwise compile the bytecode
    and fill the file cache for all others.
    """
    for program in programs:
        _new_stack(scratch / f"{program.name}-warm-up", program, 1).up()
    for size, runs in runs_by_size.items():
        for run, program in product(range(runs), programs):
            directory = scratch / f"{program.name}-{size}-{run}"
            for step in program.steps(_new_stack(directory, program, size), size):
                yield _record(case, program.name, size, run, step)
            shutil.rmtree(directory)


def _new_stack(directory: Path, program: Program, size: int) -> PrivateStack:
    return make_stack(directory, program.file, {"SIZE": str(size)}, checkout=program.checkout)


def _record(case: str, program: str, size: int, run: int, step: Step) -> Record:
    return Record(
        case=case,
        program=program,
        size=size,
        step=step.name,
        run=run,
        wall_seconds=step.measurement.wall_seconds,
        cpu_seconds=step.measurement.cpu_seconds,
        peak_rss_bytes=step.measurement.peak_rss_bytes,
        state_bytes=step.state_bytes,
    )
