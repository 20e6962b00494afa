"""Measure this project beside its peers in one run and print ratios: `make bench`, or `python benchmarks/run.py`.

`--against CHECKOUT` compares with another checkout of this project instead. Everything happens below a temporary
directory; no stack of the checkout is touched. What is measured and what the figures mean: docs/performance.md.
"""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import far_hosts, hosts, rosters, single_clients, transactions
from benchmarks.figures import Record, growth_lines, render_table
from benchmarks.issuing_loops import LOOPS
from benchmarks.measuring import MeasurementError
from benchmarks.options import Options, parse_options, plan_runs
from benchmarks.pairs import render_ratios
from benchmarks.turns import OURS, Plan

__all__ = ["main"]

_Measure = Callable[[Path, Plan], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class _Case:
    """What is measured under one name, how often at which size, in full and in short; `unit` is what a size counts."""

    title: str
    unit: str
    full: Mapping[int, int]
    quick: Mapping[int, int]
    measure: _Measure
    measure_quick: _Measure


CASES: Final = {
    single_clients.CASE: _Case(
        title="Single client certificates: postseal beside a bare pulumi-tls program",
        unit="clients",
        full={10: 3, 100: 1, 300: 1},
        quick={10: 1, 50: 1},
        measure=single_clients.measure_singles,
        measure_quick=single_clients.measure_singles,
    ),
    hosts.CASE: _Case(
        title="Mail servers with three clients each: postseal beside a bare program that makes the same certificates",
        unit="hosts",
        full={10: 3, 100: 1},
        quick={3: 1, 10: 1},
        measure=hosts.measure_hosts,
        measure_quick=hosts.measure_hosts,
    ),
    rosters.CASE: _Case(
        title="Rosters: one resource for all clients, beside issuing one by one",
        unit="clients",
        full={1_000: 1, 10_000: 1, 50_000: 1},
        quick={100: 1, 1_000: 1},
        measure=partial(rosters.measure_rosters, looped_clients=40),
        measure_quick=partial(rosters.measure_rosters, looped_clients=10),
    ),
    transactions.CASE: _Case(
        title="Transactions: a change on a running Postfix, beside postmap and reload by hand",
        unit="rows",
        full={1_000: 5, 100_000: 3},
        quick={1_000: 3},
        measure=transactions.measure_transactions,
        measure_quick=transactions.measure_transactions,
    ),
    far_hosts.CASE: _Case(
        title="Far hosts: a change on many hosts by SSH, beside a script of scp, postmap, reload, and pulumi-command",
        unit="hosts",
        full={1: 3, 20: 3},
        quick={3: 1},
        measure=far_hosts.measure_far_hosts,
        measure_quick=far_hosts.measure_far_hosts,
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run the cases that were asked for, print their tables, and return the exit status."""
    options = parse_options(arguments, list(CASES))
    print(f"{_machine()}; ratios count, seconds depend on the machine and on what else it does", flush=True)
    measured = {name: _run_case(CASES[name], options) for name in options.cases}
    if options.output:
        options.output.write_text(json.dumps(_as_json(measured), indent=1) + "\n")
    return 0


def _run_case(case: _Case, options: Options) -> list[Record]:
    print(f"\n## {case.title}\n", flush=True)
    plan = Plan(plan_runs(options, case.quick if options.is_quick else case.full), options.against)
    measure = case.measure_quick if options.is_quick else case.measure
    records = []
    with tempfile.TemporaryDirectory(prefix="postseal-bench-") as directory:
        for record in measure(Path(directory), plan):
            print(f"... {record.program} {record.step} {record.size}: {record.wall_seconds:.1f} s", file=sys.stderr)
            records.append(record)
    print(render_table(records, case.unit), render_ratios(records, OURS, case.unit), sep="\n\n")
    print("\n".join(["", *growth_lines(records), *_remarks(records, plan)]), flush=True)
    return records


def _remarks(records: Sequence[Record], plan: Plan) -> Iterator[str]:
    yield from transactions.remarks_on([each for each in records if each.case == transactions.CASE])
    yield from far_hosts.remarks_on([each for each in records if each.case == far_hosts.CASE])
    if plan.against is None and any(record.case == rosters.CASE for record in records):
        yield "~ issued for a few clients only and multiplied"
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
