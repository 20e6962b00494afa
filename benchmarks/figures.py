"""Arithmetic and layout of results; no clock, no files, no processes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import linear_regression, median
from typing import Final

__all__ = ["Record", "align", "grouped", "growth_exponent", "growth_lines", "render_table", "summarise"]

_WORD_COLUMNS: Final = ("step", "program", "ratio")


@dataclass(frozen=True, slots=True)
class Record:
    """What one `step` of one `program` took in one run at one `size`.

    `size`: clients, or hosts in the case `hosts`. `run`: 0 for the first; runs of the same number took turns.
    `state_bytes` is the size of the state file after the step, 0 where there is none. `is_extrapolated`: measured over
    fewer clients and multiplied.
    """

    case: str
    program: str
    size: int
    step: str
    run: int
    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    state_bytes: int = 0
    is_extrapolated: bool = False


def summarise(runs: Sequence[Record]) -> Record:
    """Return the first of some runs with the median of each measured quantity, each on its own."""
    return replace(
        runs[0],
        wall_seconds=median(each.wall_seconds for each in runs),
        cpu_seconds=median(each.cpu_seconds for each in runs),
        peak_rss_bytes=int(median(each.peak_rss_bytes for each in runs)),
    )


def grouped(records: Sequence[Record]) -> list[list[Record]]:
    """Return the runs of each size, step and program, in this order; each of the three as it came first."""
    sizes, steps, programs = (
        list(dict.fromkeys(values))
        for values in zip(*((record.size, record.step, record.program) for record in records), strict=True)
    )
    groups: dict[tuple[int, int, int], list[Record]] = {}
    for record in records:
        key = (sizes.index(record.size), steps.index(record.step), programs.index(record.program))
        groups.setdefault(key, []).append(record)
    return [groups[key] for key in sorted(groups)]


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


def growth_lines(records: Sequence[Record]) -> Iterator[str]:
    """Yield one line for each step: the growth exponent of each program that was measured at several sizes."""
    measured = [summarise(runs) for runs in grouped([each for each in records if not each.is_extrapolated])]
    for step in dict.fromkeys(record.step for record in measured):
        parts = []
        for program in dict.fromkeys(record.program for record in measured):
            mine = [record for record in measured if (record.program, record.step) == (program, step)]
            if len(mine) > 1:
                wall = growth_exponent([(record.size, record.wall_seconds) for record in mine])
                cpu = growth_exponent([(record.size, record.cpu_seconds) for record in mine])
                parts.append(f"{program} {wall:.2f} (processor time {cpu:.2f})")
        if parts:
            yield f"growth exponent of {step}: {'; '.join(parts)}"


def render_table(records: Sequence[Record], unit: str) -> str:
    """Return a table of medians, one line for each size, step and program; `~` marks what is extrapolated.

    `unit`: what the size counts, as `clients`.
    """
    header = (unit, "step", "program", "seconds", "processor s", "peak MB", "state MB", "runs")
    return align([header, *map(_cells, grouped(records))])


def _cells(runs: Sequence[Record]) -> tuple[str, ...]:
    record = summarise(runs)
    mark = "~" if record.is_extrapolated else ""
    return (
        f"{record.size:,}",
        record.step,
        record.program,
        mark + _seconds(record.wall_seconds),
        mark + _seconds(record.cpu_seconds),
        f"{record.peak_rss_bytes / 1e6:.0f}",
        f"{record.state_bytes / 1e6:.2f}" if record.state_bytes else "-",
        str(len(runs)),
    )


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


def align(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows, the header first, as lines of columns: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    is_word = [column in _WORD_COLUMNS for column in rows[0]]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, is_word, strict=True)
        )
        for row in rows
    )
