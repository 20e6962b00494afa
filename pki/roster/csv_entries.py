"""Read the clients of a roster from CSV text, as a spreadsheet or a directory service exports it."""

import csv
from collections.abc import Iterator
from typing import Any

from pki.roster.entries import Entry, entries_of_rows
from pki.roster.fields import FIELDS, value_of_cell
from postseal_core.errors import ConfigError, Problem

__all__ = ["parse_csv"]


def parse_csv(text: str) -> tuple[Entry, ...]:
    """Return the clients of CSV text (RFC 4180): a header of field names, `name` among them, then one line each.

    Lists are separated by `;` within their cell; an empty cell leaves the field out; lines without any content are
    skipped. A byte order mark at the beginning is ignored.

    Raises:
        ConfigError: everything that is wrong, with line numbers.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n").split("\n")
    reader = csv.reader((f"{line}\n" for line in lines), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _refuse_header(header)
        numbered = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ConfigError([Problem(f"line {reader.line_num}", f"is not CSV: {error}")]) from error
    _refuse_long_lines(header, numbered)
    return entries_of_rows((f"line {number}", dict(_fields(header, cells))) for number, cells in numbered)


def _refuse_header(header: list[str]) -> None:
    known = ", ".join(FIELDS)
    problems = [
        Problem("line 1", f"unknown column {field!r}; the columns are: {known}")
        for field in header
        if field not in FIELDS
    ]
    problems += [
        Problem("line 1", f"column {field!r} stands there twice")
        for field in sorted(set(header))
        if header.count(field) > 1
    ]
    if "name" not in header:
        problems.append(Problem("line 1", f"has no column `name`; it is the header, with columns of: {known}"))
    if problems:
        raise ConfigError(problems)


def _refuse_long_lines(header: list[str], numbered: list[tuple[int, list[str]]]) -> None:
    problems = [
        Problem(
            f"line {number}", f"has {len(cells)} cells, the header has {len(header)}; quote a cell that has a comma"
        )
        for number, cells in numbered
        if len(cells) > len(header)
    ]
    if problems:
        raise ConfigError(problems)


def _fields(header: list[str], cells: list[str]) -> Iterator[tuple[str, Any]]:
    for field, cell in zip(header, cells, strict=False):  # a short line leaves its last fields out
        if cell.strip():
            yield field, value_of_cell(field, cell.strip())
