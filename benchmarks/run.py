"""Measure this project beside its peers in one run and print ratios: `make bench`, or `python benchmarks/run.py`.

Everything happens below a temporary directory; no stack of the checkout is touched. What is measured and what the
figures mean: docs/performance.md.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks import rosters, single_clients
from benchmarks.figures import Record, render_table
from benchmarks.issuing_loops import LOOPS
from benchmarks.measuring import MeasurementError

__all__ = ["main"]


@dataclass(frozen=True, slots=True)
class _Case:
    """What is measured under one name, in full and in short, and what stands below its table."""

    title: str
    full: Callable[[Path], Iterator[Record]]
    quick: Callable[[Path], Iterator[Record]]
    compare: Callable[[list[Record]], list[str]]


CASES: Final = {
    single_clients.CASE: _Case(
        title="Single client certificates: postseal beside a bare pulumi-tls program",
        full=lambda scratch: single_clients.measure_singles(scratch, {10: 3, 100: 1, 300: 1}, skip_size=300),
        quick=lambda scratch: single_clients.measure_singles(scratch, {10: 1, 50: 1}, skip_size=0),
        compare=single_clients.compare,
    ),
    rosters.CASE: _Case(
        title="Rosters: one resource for all clients, beside issuing one by one",
        full=lambda scratch: rosters.measure_rosters(scratch, (1_000, 10_000, 50_000), looped_clients=40),
        quick=lambda scratch: rosters.measure_rosters(scratch, (100, 1_000), looped_clients=10),
        compare=rosters.compare,
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run the cases that were asked for, print their tables, and return the exit status."""
    options = _options(arguments)
    chosen = [options.only] if options.only else list(CASES)
    print(f"{_machine()}; ratios count, seconds depend on the machine and on what else it does", flush=True)
    measured = {name: _run_case(CASES[name], is_quick=options.quick) for name in chosen}
    if options.output:
        options.output.write_text(json.dumps(_as_json(measured), indent=1) + "\n")
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under a minute and a half")
    parser.add_argument("--only", choices=list(CASES), help="one case only")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write all records as JSON as well")
    return parser.parse_args(arguments)


def _run_case(case: _Case, *, is_quick: bool) -> list[Record]:
    print(f"\n## {case.title}\n", flush=True)
    records = []
    with tempfile.TemporaryDirectory(prefix="postseal-bench-") as directory:
        for record in (case.quick if is_quick else case.full)(Path(directory)):
            print(f"... {record.program} {record.step} {record.clients}: {record.wall_seconds:.1f} s", file=sys.stderr)
            records.append(record)
    print(render_table(records))
    print("\n".join(["", *case.compare(records), *_remarks(records)]), flush=True)
    return records


def _remarks(records: Sequence[Record]) -> Iterator[str]:
    if any(record.is_extrapolated for record in records):
        yield "~ issued for a few clients only and multiplied"
    if any(record.case == rosters.CASE for record in records):
        measured = {record.program for record in records}
        yield from (
            f"{loop.name}: not measured, {loop.program} is missing" for loop in LOOPS if loop.name not in measured
        )


def _machine() -> str:
    return f"{os.cpu_count()} CPUs, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def _as_json(measured: dict[str, list[Record]]) -> dict[str, object]:
    return {
        "machine": _machine(),
        "load_average_1_minute": os.getloadavg()[0],
        "records": [asdict(record) for records in measured.values() for record in records],
    }


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MeasurementError as failure:
        sys.exit(f"\n{failure}")
