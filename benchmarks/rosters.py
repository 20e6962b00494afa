"""Case `rosters`: many clients in one resource, beside easy-rsa and an openssl loop that make the same certificates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.figures import Record, growth_line, ratio_line
from benchmarks.issuing_loops import LOOPS, measure_loop
from benchmarks.measuring import Measurement, MeasurementError
from benchmarks.private_stack import PrivateStack, make_stack

__all__ = ["CASE", "compare", "measure_rosters"]

CASE: Final = "rosters"
_OURS: Final = "postseal"
_PROGRAM: Final = Path(__file__).resolve().parent / "programs/roster.py"
_SHORT_LIVED: Final = 100  # As in the program.
_ROSTER: Final = "postseal:index:ClientRoster"
_FIRST_DAY: Final = "2027-01-01T00:00:00Z"
_RENEWAL_DAY: Final = "2027-01-09T00:00:00Z"  # Two thirds of 10 days have passed, but not of 90.
_UP, _PREVIEW, _RENEWAL = "up", "no-change preview", "renewal of 100"


@dataclass(frozen=True, slots=True)
class _Step:
    """A measured step and the size of the state after it."""

    name: str
    measurement: Measurement
    state_bytes: int


def measure_rosters(scratch: Path, sizes: Sequence[int], *, looped_clients: int) -> Iterator[Record]:
    """Yield the records of all sizes; the loops issue `looped_clients` certificates, which are multiplied for each."""
    loops = {loop.name: measure_loop(loop, scratch / loop.name, looped_clients) for loop in LOOPS}
    for clients in sizes:
        for step in _steps(scratch / f"roster-{clients}", clients):
            yield _record(_OURS, clients, step)
        for name, measurement in loops.items():
            if measurement:
                yield _extrapolated(name, measurement, looped_clients, clients)


def compare(records: list[Record]) -> list[str]:
    """Return the lines below the table."""
    lines = [ratio_line(records, _OURS, loop.name, _UP) for loop in LOOPS]
    lines += [growth_line(records, step) for step in (_UP, _PREVIEW, _RENEWAL)]
    return [line for line in lines if line]


def _steps(directory: Path, clients: int) -> Iterator[_Step]:
    stack = make_stack(directory, _PROGRAM, {"CLIENTS": str(clients)})
    stack.set_config("postseal:rehearsal", "true")
    stack.set_config("postseal:clock", _FIRST_DAY)
    for name, run in ((_UP, stack.up), (_PREVIEW, stack.preview)):
        measurement = run()
        yield _Step(name, measurement, stack.state_file.stat().st_size)
    stack.set_config("postseal:clock", _RENEWAL_DAY)
    measurement = stack.up()
    _expect_renewals(stack, min(_SHORT_LIVED, clients))
    yield _Step(_RENEWAL, measurement, stack.state_file.stat().st_size)


def _expect_renewals(stack: PrivateStack, expected: int) -> None:
    renewed = sum("-> g2" in line for line in stack.inputs_of(_ROSTER)["changes"].values())
    if renewed != expected:
        raise MeasurementError(f"{renewed} certificates were renewed, expected {expected}: see {stack.log}")


def _record(program: str, clients: int, step: _Step) -> Record:
    return Record(
        case=CASE,
        program=program,
        clients=clients,
        step=step.name,
        runs=1,
        wall_seconds=step.measurement.wall_seconds,
        cpu_seconds=step.measurement.cpu_seconds,
        peak_rss_bytes=step.measurement.peak_rss_bytes,
        state_bytes=step.state_bytes,
    )


def _extrapolated(program: str, measurement: Measurement, measured: int, clients: int) -> Record:
    factor = clients / measured
    return Record(
        case=CASE,
        program=program,
        clients=clients,
        step=_UP,
        runs=1,
        wall_seconds=measurement.wall_seconds * factor,
        cpu_seconds=measurement.cpu_seconds * factor,
        peak_rss_bytes=measurement.peak_rss_bytes,
        is_extrapolated=True,
    )
