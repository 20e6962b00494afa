"""Case `singles`: one resource per client, beside a program that makes the same certificates with pulumi-tls alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.figures import Record, growth_line, ratio_line, summarise
from benchmarks.measuring import Measurement
from benchmarks.private_stack import make_stack

__all__ = ["CASE", "compare", "measure_singles"]

CASE: Final = "singles"
_PROGRAMS: Final = Path(__file__).resolve().parent / "programs"
_CERTIFICATE: Final = "postseal:index:Certificate"
_SKIP: Final = {"PULUMI_SKIP_CHECKPOINTS": "true"}
_UP, _PREVIEW, _UP_SKIP = "up", "no-change preview", "up, one checkpoint"


@dataclass(frozen=True, slots=True)
class _Program:
    """A program of this case; after `up` its state has one resource of `client_type` per client."""

    name: str
    file: str
    client_type: str


_OURS: Final = _Program("postseal", "single_clients.py", "postseal:index:ClientCertificate")
_BARE: Final = _Program("pulumi-tls", "bare_tls.py", "tls:index/locallySignedCert:LocallySignedCert")


def measure_singles(scratch: Path, runs_by_size: Mapping[int, int], *, skip_size: int) -> Iterator[Record]:
    """Yield the records of all sizes; runs of the two programs take turns, so that a busy machine hits both alike.

    `skip_size`: the number of clients that is measured with PULUMI_SKIP_CHECKPOINTS=true as well; 0 for none.
    """
    for clients, runs in runs_by_size.items():
        yield from _measure_size(scratch, clients, runs)
    if skip_size:
        for program in (_OURS, _BARE):
            steps, state_bytes = _run(scratch / f"skip-{program.name}", program, skip_size, _SKIP)
            record = _record(program, skip_size, _UP, [steps[_UP]], state_bytes)
            yield replace(record, step=_UP_SKIP)


def compare(records: list[Record]) -> list[str]:
    """Return the lines below the table."""
    steps = (_UP, _PREVIEW, _UP_SKIP)
    lines = [ratio_line(records, _OURS.name, _BARE.name, step) for step in steps]
    return [line for line in [*lines, *(growth_line(records, step) for step in steps)] if line]


def _measure_size(scratch: Path, clients: int, runs: int) -> Iterator[Record]:
    results = {
        (run, program.name): _run(scratch / f"{program.name}-{clients}-{run}", program, clients, {})
        for run, program in product(range(runs), (_OURS, _BARE))
    }
    for step, program in product((_UP, _PREVIEW), (_OURS, _BARE)):
        measurements = [results[run, program.name][0][step] for run in range(runs)]
        yield _record(program, clients, step, measurements, results[0, program.name][1])


def _run(
    directory: Path, program: _Program, clients: int, variables: Mapping[str, str]
) -> tuple[dict[str, Measurement], int]:
    """Deploy a new stack and preview it; return both measurements and the size of the state."""
    stack = make_stack(directory, _PROGRAMS / program.file, {"CLIENTS": str(clients), **variables})
    up = stack.up()
    stack.expect_count(program.client_type, clients)
    return {_UP: up, _PREVIEW: stack.preview()}, stack.state_file.stat().st_size


def _record(program: _Program, clients: int, step: str, measurements: list[Measurement], state_bytes: int) -> Record:
    middle = summarise(measurements)
    return Record(
        case=CASE,
        program=program.name,
        clients=clients,
        step=step,
        runs=len(measurements),
        wall_seconds=middle.wall_seconds,
        cpu_seconds=middle.cpu_seconds,
        peak_rss_bytes=middle.peak_rss_bytes,
        state_bytes=state_bytes,
    )
