"""Find the clients in CSV and YAML text: the raw fields of each, with line numbers.

A text may be that of a file which nobody meant. So a message quotes the name of a column only if it looks like one and
stands beside others that are known, and nothing else of a text.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import yaml

from pki.reading import field_of_cell
from pki.roster.plain_yaml import NotPlain, compose_plain, line_of, value_of
from pki.roster.rows import COLUMNS
from postseal_core.bounds import LARGEST_FILE_BYTES, MOST_COLUMNS, MOST_ROWS
from postseal_core.errors import Problem
from postseal_core.wording import is_plausible_name, shown
from postseal_core.writable import is_text

__all__ = ["Entries", "Entry", "PlacedProblem", "entries_of_csv", "entries_of_yaml", "line_in_words"]

_YAML_NULL: Final = "tag:yaml.org,2002:null"
_TOO_MANY: Final = f"has one client more than {MOST_ROWS:,}; make several rosters of them"


@dataclass(frozen=True, slots=True, order=True)
class PlacedProblem:
    """A problem with its line number; its path is the field, empty for the whole line."""

    line: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class Entry:
    """One client in a file, before its fields are read.

    `line`: where it begins. `name_line`: where its name stands. `fields`: what is said of it. `name`: the key in front
    of the fields, None where the name is one of them.
    """

    line: int
    name_line: int
    fields: object
    name: object = None


@dataclass(frozen=True, slots=True)
class Entries:
    """The clients of a file, or problems of the file's form."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[PlacedProblem, ...] = ()


def entries_of_csv(text: str) -> Entries:
    """Find the clients of CSV text; lines without any content are none, empty cells are no fields."""
    if fault := _fault_of_text(text):
        return _unreadable(1, fault)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n").split("\n")
    reader = csv.reader((f"{line}\n" for line in lines), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if problems := tuple(_problems_of_header(header)):
            return Entries(problems=problems)
        rows = ((reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells))
        numbered = list(islice(rows, MOST_ROWS + 1))
    except csv.Error as error:
        return _unreadable(reader.line_num, f"is not CSV: {error}")
    if len(numbered) > MOST_ROWS:
        return _unreadable(numbered[-1][0], _TOO_MANY)
    if problems := tuple(_problems_of_long_lines(header, numbered)):
        return Entries(problems=problems)
    return Entries(tuple(Entry(line, line, dict(_fields(header, cells))) for line, cells in numbered))


def entries_of_yaml(text: str) -> Entries:
    """Find the clients of YAML text (see `plain_yaml`); a key that stands twice in one mapping is a problem."""
    if fault := _fault_of_text(text):
        return _unreadable(1, fault)
    try:
        root = compose_plain(text)
        if problems := tuple(_problems_of_shape(root)):
            return Entries(problems=problems)
        return Entries(tuple(_entries_of_node(root)))
    except NotPlain as error:
        return _unreadable(error.line, error.message)


def line_in_words(line: int) -> str:
    """Return a line as messages name it."""
    return f"line {line}"


def _fault_of_text(text: str) -> str:
    if len(text) > LARGEST_FILE_BYTES:
        return f"is the first of a text larger than {LARGEST_FILE_BYTES // 2**20} MiB, which no roster needs"
    return "" if is_text(text) else "is no text: it holds half of a character, which cannot be written as UTF-8"


def _unreadable(line: int, message: str) -> Entries:
    return Entries(problems=(_of_line(line, message),))


def _of_line(line: int, message: str) -> PlacedProblem:
    return PlacedProblem(line, Problem("", message))


def _problems_of_header(header: list[str]) -> Iterator[PlacedProblem]:
    known = ", ".join(COLUMNS)
    if len(header) > MOST_COLUMNS:
        yield _of_line(1, f"has {len(header):,} columns, expected at most {MOST_COLUMNS}; the columns are: {known}")
        return
    if any(field in COLUMNS for field in header):
        for number, field in enumerate(header, start=1):
            if field not in COLUMNS:
                column = f"unknown column {shown(field)}" if is_plausible_name(field) else f"column {number} is unknown"
                yield _of_line(1, f"{column}; the columns are: {known}")
        for field in sorted({*header} & {*COLUMNS}):
            if header.count(field) > 1:
                yield _of_line(1, f"column {field!r} stands there twice")
    if "name" not in header:
        yield _of_line(1, f"has no column `name`; it is the header, with columns of: {known}")


def _problems_of_long_lines(header: list[str], numbered: list[tuple[int, list[str]]]) -> Iterator[PlacedProblem]:
    for line, cells in numbered:
        if len(cells) > len(header):
            message = f"has {len(cells)} cells, the header has {len(header)}; quote a cell that has a comma"
            yield _of_line(line, message)


def _fields(header: list[str], cells: list[str]) -> Iterator[tuple[str, object]]:
    for field, cell in zip(header, cells, strict=False):  # a short line leaves its last fields out
        if cell.strip():
            yield field, field_of_cell(field, cell.strip())


def _problems_of_shape(root: yaml.Node | None) -> Iterator[PlacedProblem]:
    if root is None:
        return
    repeated = list(_repeated_keys(root))
    yield from repeated
    if repeated:
        return
    if not isinstance(root, yaml.CollectionNode):
        yield _of_line(1, "expected a mapping from client names to fields, or a list of clients")
        return
    nodes = _nodes_of_fields(root)
    if len(nodes) > MOST_ROWS:
        yield _of_line(line_of(nodes[MOST_ROWS]), _TOO_MANY)
        return
    for node in nodes:
        if not isinstance(node, yaml.MappingNode) and node.tag != _YAML_NULL:
            yield _of_line(line_of(node), "expected the fields of a client, as `email: alice@example.org`")


def _nodes_of_fields(root: yaml.CollectionNode) -> list[yaml.Node]:
    return [fields for _, fields in root.value] if isinstance(root, yaml.MappingNode) else root.value


def _repeated_keys(node: yaml.Node) -> Iterator[PlacedProblem]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)
    if isinstance(node, yaml.MappingNode):
        first: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and (earlier := first.setdefault(key.value, key)) is not key:
                place = line_in_words(line_of(earlier))
                yield _of_line(line_of(key), f"has a key that stands at {place} already; declare it once")
            yield from _repeated_keys(value)


def _entries_of_node(root: yaml.Node | None) -> Iterator[Entry]:
    if isinstance(root, yaml.MappingNode):
        for key, fields in root.value:
            yield Entry(line_of(key), line_of(key), value_of(fields), value_of(key))
    elif isinstance(root, yaml.SequenceNode):
        for item in root.value:
            yield Entry(line_of(item), line_of(_node_of_name(item)), value_of(item))


def _node_of_name(item: yaml.Node) -> yaml.Node:
    """Return the node of a list item's `name`, or the item itself if it has none."""
    pairs = item.value if isinstance(item, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == "name"), item)
