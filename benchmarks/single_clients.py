"""Case `singles`: one resource per client, beside a program that makes the same certificates with pulumi-tls alone."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.figures import Record
from benchmarks.private_stack import PrivateStack
from benchmarks.turns import OURS, Plan, Program, Step, contenders, take_turns

__all__ = ["CASE", "measure_singles"]

CASE: Final = "singles"
_PROGRAMS: Final = Path(__file__).resolve().parent / "programs"
_ONE_CHECKPOINT_SIZE: Final = 300


def measure_singles(scratch: Path, plan: Plan) -> Iterator[Record]:
    """Yield the records of all sizes; 300 clients are also measured with PULUMI_SKIP_CHECKPOINTS=true."""
    programs = contenders(_OURS, [_BARE], plan.against)
    yield from take_turns(CASE, scratch, programs, plan.runs_by_size)
    if _ONE_CHECKPOINT_SIZE in plan.runs_by_size:
        skipping = [replace(each, steps=partial(_up_with_one_checkpoint, each.steps)) for each in programs]
        runs = {_ONE_CHECKPOINT_SIZE: plan.runs_by_size[_ONE_CHECKPOINT_SIZE]}
        yield from take_turns(CASE, scratch / "one-checkpoint", skipping, runs)
