"""Find the clients in CSV and YAML text: the fields of each as they stand there, and the lines they stand in."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import yaml

from pki.reading import field_of_cell
from pki.roster.rows import COLUMNS
from postseal_core.errors import Problem
from postseal_core.writable import is_text

__all__ = ["Entries", "Entry", "PlacedProblem", "entries_of_csv", "entries_of_yaml", "line_in_words"]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML has libyaml
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_YAML_NULL: Final = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True, order=True)
class PlacedProblem:
    """What is wrong in a line of a file; the path of `problem` is the field, empty where it is the whole line."""

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
    """The clients of a file, or none and what is wrong with the file's form."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[PlacedProblem, ...] = ()


def entries_of_csv(text: str) -> Entries:
    """Find the clients of CSV text; lines without any content are none, empty cells are no fields."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n").split("\n")
    reader = csv.reader((f"{line}\n" for line in lines), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if problems := tuple(_problems_of_header(header)):
            return Entries(problems=problems)
        numbered = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        return _unreadable(reader.line_num, f"is not CSV: {error}")
    if problems := tuple(_problems_of_long_lines(header, numbered)):
        return Entries(problems=problems)
    return Entries(tuple(Entry(line, line, dict(_fields(header, cells))) for line, cells in numbered))


def entries_of_yaml(text: str) -> Entries:
    """Find the clients of YAML text; a key that stands twice in one mapping is a problem."""
    if not is_text(text):
        return _unreadable(1, "is no text: it holds half of a character, which cannot be written as UTF-8")
    try:
        root = yaml.compose(text, Loader=_LOADER)
        if problems := tuple(_problems_of_shape(root)):
            return Entries(problems=problems)
        return Entries(tuple(_entries_of_node(root)))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return _unreadable(line, f"is not YAML: {error.problem}")
    except RecursionError:
        return _unreadable(1, "is nested too deeply; a roster has clients, and fields below them")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, text.find(chr(error.character))) + 1
        return _unreadable(line, f"is not YAML: {error.reason}")


def line_in_words(line: int) -> str:
    """Return a line as messages name it."""
    return f"line {line}"


def _unreadable(line: int, message: str) -> Entries:
    return Entries(problems=(_of_line(line, message),))


def _of_line(line: int, message: str) -> PlacedProblem:
    return PlacedProblem(line, Problem("", message))


def _problems_of_header(header: list[str]) -> Iterator[PlacedProblem]:
    known = ", ".join(COLUMNS)
    for field in header:
        if field not in COLUMNS:
            yield _of_line(1, f"unknown column {field!r}; the columns are: {known}")
    for field in sorted(set(header)):
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
    repeated = list(_repeated_keys(root, set()))
    yield from repeated
    if repeated:
        return
    if not isinstance(root, yaml.CollectionNode):
        yield _of_line(1, "expected a mapping from client names to fields, or a list of clients")
        return
    for node in _nodes_of_fields(root):
        if not isinstance(node, yaml.MappingNode) and node.tag != _YAML_NULL:
            yield _of_line(_line(node), "expected the fields of a client, as `email: alice@example.org`")


def _nodes_of_fields(root: yaml.CollectionNode) -> list[yaml.Node]:
    return [fields for _, fields in root.value] if isinstance(root, yaml.MappingNode) else root.value


def _repeated_keys(node: yaml.Node, visited: set[int]) -> Iterator[PlacedProblem]:
    if id(node) in visited:  # an alias of a node seen before, perhaps of one that holds it
        return
    visited.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, visited)
    if isinstance(node, yaml.MappingNode):
        first: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if (earlier := first.setdefault(str(key.value), key)) is not key:
                place = line_in_words(_line(earlier))
                yield _of_line(_line(key), f"{key.value!r} stands at {place} already; declare it once")
            yield from _repeated_keys(value, visited)


def _entries_of_node(root: yaml.Node | None) -> Iterator[Entry]:
    if isinstance(root, yaml.MappingNode):
        for key, fields in root.value:
            yield Entry(_line(key), _line(key), _value(fields), _value(key))
    elif isinstance(root, yaml.SequenceNode):
        for item in root.value:
            yield Entry(_line(item), _line(_node_of_name(item)), _value(item))


def _node_of_name(item: yaml.Node) -> yaml.Node:
    """Return the name in an item of a list; the item itself where the name comes from elsewhere (`<<`)."""
    pairs = item.value if isinstance(item, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == "name"), item)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _whole_number(_: yaml.constructor.SafeConstructor, node: yaml.ScalarNode) -> int:
    """Return a number as people read it: to YAML 1.1, 0777 is 511, 190:20:30 is 685230 and 1_0 is 10."""
    if not _DECIMAL.fullmatch(node.value):
        message = f"{node.value!r} is no whole number in decimal digits; write it as 24, or put it into quotes"
        raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
    return int(node.value)


class _Constructor(yaml.constructor.SafeConstructor):
    """Makes values of nodes, with whole numbers in decimal digits only."""

    yaml_constructors: ClassVar[dict[Any, Any]] = {
        **yaml.constructor.SafeConstructor.yaml_constructors,
        "tag:yaml.org,2002:int": _whole_number,
    }


def _value(node: yaml.Node) -> Any:
    try:
        return _Constructor().construct_document(node)
    # `2026-13-45` looks like a day, `!!bool x` like a flag; PyYAML lets the errors of Python through.
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
        message = "a value looks like a number or a day and is none; put it into quotes"
        raise yaml.constructor.ConstructorError(None, None, message, node.start_mark) from error
