"""Cells of CSV that no spreadsheet takes for a formula; pure."""

from typing import Final

__all__ = ["guarded_cell"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def guarded_cell(cell: str | int) -> str | int:
    """Return a cell that is computed nowhere (OWASP, CSV injection): an apostrophe stands before a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
