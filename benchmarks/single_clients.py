"""Case `singles`: one resource per client, beside a program that makes the same certificates with pulumi-tls alone."""

from collections.abc import Callable, Iterator
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
    yield from take_turns(CASE, scratch, _contenders(_up_and_preview, plan), plan.runs_by_size)
    if runs := plan.runs_by_size.get(_ONE_CHECKPOINT_SIZE):
        programs = _contenders(_up_with_one_checkpoint, plan)
        yield from take_turns(CASE, scratch / "one-checkpoint", programs, {_ONE_CHECKPOINT_SIZE: runs})


def _contenders(steps: Callable[[str, PrivateStack, int], Iterator[Step]], plan: Plan) -> list[Program]:
    """Return the programs; `steps` is called with the type of which the state then has one resource per client."""
    ours = partial(steps, "postseal:index:ClientCertificate")
    bare = partial(steps, "tls:index/locallySignedCert:LocallySignedCert")
    return contenders(
        Program(OURS, _PROGRAMS / "single_clients.py", ours),
        [Program("pulumi-tls", _PROGRAMS / "bare_tls.py", bare)],
        plan.against,
    )


def _up_and_preview(client_type: str, stack: PrivateStack, clients: int) -> Iterator[Step]:
    up = stack.up()
    stack.expect_count(client_type, clients)
    yield Step("up", up, stack.state_bytes)
    yield Step("no-change preview", stack.preview(), stack.state_bytes)


def _up_with_one_checkpoint(client_type: str, stack: PrivateStack, clients: int) -> Iterator[Step]:
    skipping = replace(stack, variables={**stack.variables, "PULUMI_SKIP_CHECKPOINTS": "true"})
    up = skipping.up()
    stack.expect_count(client_type, clients)
    yield Step("up, one checkpoint", up, stack.state_bytes)
