"""Arithmetic and layout of results; no clock, no files, no processes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, median

from benchmarks.measuring import Measurement

__all__ = ["Record", "growth_exponent", "growth_line", "ratio", "ratio_line", "render_table", "summarise"]


@dataclass(frozen=True, slots=True)
class Record:
    """One figure: the median of `runs` measurements of a `step` of one `program` with so many `clients`.

    `state_bytes` is the size of the state file after the step, 0 where there is none. `is_extrapolated`: measured over
    fewer clients and multiplied.
    """

    case: str
    program: str
    clients: int
    step: str
    runs: int
    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    state_bytes: int = 0
    is_extrapolated: bool = False


def summarise(measurements: Sequence[Measurement]) -> Measurement:
    """Return the median of each quantity on its own."""
    return Measurement(
        wall_seconds=median(each.wall_seconds for each in measurements),
        cpu_seconds=median(each.cpu_seconds for each in measurements),
        peak_rss_bytes=int(median(each.peak_rss_bytes for each in measurements)),
    )


def growth_exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return e of the power law `time = c * size ** e` that fits best: the least-squares slope of the logarithms.

    1 is linear, 2 quadratic. A start-up time that does not depend on the size pulls it down.

    Raises:
        ValueError: fewer than two different sizes, or a size or time that is not positive.
    """
    if len({size for size, _ in points}) < 2 or any(value <= 0 for point in points for value in point):  # noqa: PLR2004
        raise ValueError(f"expected two or more different sizes, all numbers above 0; got {list(points)}")
    sizes, times = zip(*((math.log(size), math.log(time)) for size, time in points), strict=True)
    return linear_regression(sizes, times).slope


def ratio(ours: float, peer: float) -> str:
    """Return how many times as much we take; below 1 is better than the peer."""
    return f"{ours / peer:.3f}" if ours < peer / 10 else f"{ours / peer:.2f}"


def growth_line(records: Sequence[Record], step: str) -> str:
    """Return one line with the growth exponent of a step for each program that was measured at several sizes."""
    parts = []
    for program in dict.fromkeys(record.program for record in records):
        mine = [record for record in records if (record.program, record.step) == (program, step)]
        if len({record.clients for record in mine}) > 1 and not mine[0].is_extrapolated:
            wall = growth_exponent([(record.clients, record.wall_seconds) for record in mine])
            cpu = growth_exponent([(record.clients, record.cpu_seconds) for record in mine])
            parts.append(f"{program} {wall:.2f} (processor time {cpu:.2f})")
    return f"growth exponent of {step}: {'; '.join(parts)}" if parts else ""


def ratio_line(records: Sequence[Record], ours: str, peer: str, step: str) -> str:
    """Return one line with our time as a multiple of a peer's, for each size at which both were measured."""
    by_size = {(record.program, record.clients): record for record in records if record.step == step}
    parts = []
    for clients in dict.fromkeys(record.clients for record in records):
        our_record, peer_record = by_size.get((ours, clients)), by_size.get((peer, clients))
        if our_record and peer_record:
            wall = ratio(our_record.wall_seconds, peer_record.wall_seconds)
            cpu = ratio(our_record.cpu_seconds, peer_record.cpu_seconds)
            parts.append(f"{wall} at {clients:,} clients (processor time {cpu})")
    return f"{step}, {ours} / {peer}: {'; '.join(parts)}" if parts else ""


def render_table(records: Sequence[Record]) -> str:
    """Return a table, one line per record; `~` marks what is extrapolated."""
    header = ("clients", "step", "program", "seconds", "processor s", "peak MB", "state MB", "runs")
    return "\n".join(_aligned([header, *map(_cells, records)]))


def _cells(record: Record) -> tuple[str, ...]:
    mark = "~" if record.is_extrapolated else ""
    return (
        f"{record.clients:,}",
        record.step,
        record.program,
        f"{mark}{record.wall_seconds:.1f}",
        f"{mark}{record.cpu_seconds:.1f}",
        f"{record.peak_rss_bytes / 1e6:.0f}",
        f"{record.state_bytes / 1e6:.2f}" if record.state_bytes else "-",
        str(record.runs),
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return lines of columns: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    is_word = [column in ("step", "program") for column in rows[0]]
    return [
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, is_word, strict=True)
        )
        for row in rows
    ]
