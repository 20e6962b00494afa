"""Rows of cells as lines of text, one column below the other; pure."""

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["aligned"]

_WIDEST: Final = 46
"""What stands in a wider cell pushes the next one to the right."""


def aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield a line for each row; all rows have as many cells as the first one."""
    cells = list(rows)
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
