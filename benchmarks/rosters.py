"""Case `rosters`: many clients in one resource, beside easy-rsa and an openssl loop that make the same certificates."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.figures import Record
from benchmarks.issuing_loops import LOOPS, measure_loop
from benchmarks.measuring import Measurement, MeasurementError
from benchmarks.private_stack import PrivateStack
from benchmarks.turns import OURS, Plan, Program, Step, contenders, take_turns

__all__ = ["CASE", "measure_rosters"]

CASE: Final = "rosters"
_PROGRAM: Final = Path(__file__).resolve().parent / "programs/roster.py"
_SHORT_LIVED: Final = 100  # As in the program.
_ROSTER: Final = "postseal:index:ClientRoster"
_FIRST_DAY: Final = "2027-01-01T00:00:00Z"
_RENEWAL_DAY: Final = "2027-01-09T00:00:00Z"  # Two thirds of 10 days have passed, but not of 90.


def measure_rosters(scratch: Path, plan: Plan, *, looped_clients: int) -> Iterator[Record]:
    """Yield the records of all sizes; the loops issue `looped_clients` certificates, which are multiplied for each."""
    yield from take_turns(
        CASE, scratch, contenders(Program(OURS, _PROGRAM, _steps), [], plan.against), plan.runs_by_size
    )
    if plan.against is None:
        yield from _loops(scratch, list(plan.runs_by_size), looped_clients)


def _steps(stack: PrivateStack, clients: int) -> Iterator[Step]:
    stack.set_config("postseal:rehearsal", "true")
    stack.set_config("postseal:clock", _FIRST_DAY)
    yield Step("up", stack.up(), stack.state_bytes)
    yield Step("no-change preview", stack.preview(), stack.state_bytes)
    stack.set_config("postseal:clock", _RENEWAL_DAY)
    renewal = stack.up()
    _expect_renewals(stack, min(_SHORT_LIVED, clients))
    yield Step("renewal of 100", renewal, stack.state_bytes)


def _expect_renewals(stack: PrivateStack, expected: int) -> None:
    renewed = sum("-> g2" in line for line in stack.inputs_of(_ROSTER)["changes"].values())
    if renewed != expected:
        raise MeasurementError(f"{renewed} certificates were renewed, expected {expected}: see {stack.log}")


def _loops(scratch: Path, sizes: Sequence[int], looped_clients: int) -> Iterator[Record]:
    for loop in LOOPS:
        measurement = measure_loop(loop, scratch / loop.name, looped_clients)
        if measurement:
            yield from (_extrapolated(loop.name, measurement, looped_clients, clients) for clients in sizes)


def _extrapolated(program: str, measurement: Measurement, measured: int, clients: int) -> Record:
    factor = clients / measured
    return Record(
        case=CASE,
        program=program,
        size=clients,
        step="up",
        run=0,
        wall_seconds=measurement.wall_seconds * factor,
        cpu_seconds=measurement.cpu_seconds * factor,
        peak_rss_bytes=measurement.peak_rss_bytes,
        is_extrapolated=True,
    )
