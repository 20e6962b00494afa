"""Ratios between our runs and the runs of another program that took turns with them.

A machine that becomes slower meanwhile hits both runs of a pair alike. So the ratio of a pair says more than the
ratio of two medians, and the spread of the ratios says how much it can be trusted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.figures import Record, align, grouped

__all__ = ["Spread", "render_ratios", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How many times as much ours took, over all pairs; below 1 is better than the other."""

    smallest: float
    middle: float
    largest: float

    @property
    def cells(self) -> tuple[str, str, str]:
        """Each with two digits after the point, and with three below 0.1: 0.016 must not be shown as 0.02."""
        smallest, middle, largest = (
            f"{value:.3f}" if value < 0.1 else f"{value:.2f}"  # noqa: PLR2004
            for value in (self.smallest, self.middle, self.largest)
        )
        return smallest, middle, largest


def spread(pairs: Sequence[tuple[float, float]]) -> Spread:
    """Return minimum, median and maximum of the ratios first / second of one pair or more."""
    ratios = [ours / other for ours, other in pairs]
    return Spread(min(ratios), median(ratios), max(ratios))


def render_ratios(records: Sequence[Record], ours: str, unit: str) -> str:
    """Return a table with one line for each size, step and program that was measured beside `ours`; "" for none.

    Runs of the same number are a pair. `unit`: what the size counts, as `clients`.
    """
    rows = [_cells(ours, pairs) for pairs in _pairs(records, ours)]
    header = (unit, "step", "ratio", "pairs", "seconds min", "median", "max", "processor s min", "median", "max")
    return align([header, *rows]) if rows else ""


def _pairs(records: Sequence[Record], ours: str) -> Iterator[list[tuple[Record, Record]]]:
    own = {(each.size, each.step, each.run): each for each in records if each.program == ours}
    for runs in grouped(records):
        pairs = [
            (own[each.size, each.step, each.run], each) for each in runs if (each.size, each.step, each.run) in own
        ]
        if pairs and runs[0].program != ours:
            yield pairs


def _cells(ours: str, pairs: Sequence[tuple[Record, Record]]) -> tuple[str, ...]:
    _, other = pairs[0]
    wall = spread([(mine.wall_seconds, its.wall_seconds) for mine, its in pairs])
    cpu = spread([(mine.cpu_seconds, its.cpu_seconds) for mine, its in pairs])
    label = f"{ours} / {other.program}"
    return f"{other.size:,}", other.step, label, str(len(pairs)), *wall.cells, *cpu.cells
