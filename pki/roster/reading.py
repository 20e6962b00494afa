"""Read the clients of a roster, from a program, a stack file, CSV or YAML, into rows: all problems at once."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import yaml
from pydantic import PlainValidator

from pki.fields import SaidBy
from pki.reading import field_of_cell, said_in, with_fields
from pki.roster.rows import COLUMNS, RosterRow, fault_of_name
from postseal_core.errors import ConfigError, Problem
from postseal_core.reading import Section, read_section

__all__ = ["parse_csv", "parse_yaml", "rows_of_mapping", "rows_of_sequence"]

_MAY_BE_EMPTY: Final = (str, list, tuple)
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML has libyaml


def _name(value: object) -> str:
    if fault := fault_of_name(value):
        raise ValueError(fault)
    return str(value)


class _ClientSection(Section):
    """One client: its name, and every field that a row may say."""

    name: Annotated[str, PlainValidator(_name)] = ""


_ROW: Final = with_fields(SaidBy.ROW, _ClientSection, is_grouped=False)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row as far as it could be read, where it stands, and what is wrong with it."""

    place: str
    row: RosterRow
    problems: tuple[Problem, ...] = ()


def rows_of_mapping(clients: Mapping[str, object], path: str = "clients") -> tuple[RosterRow, ...]:
    """Return the rows of a mapping from client names to fields, as it stands in a stack file, sorted by name.

    Empty fields are not said. NOT checked here: names in certificates and lifetimes; that is done where the
    certificate is decided.

    Raises:
        ConfigError: unknown fields, wrong types, an e-mail address that two clients share; all of them are named.
    """
    return _checked([_read(f"{path}.{name}", fields, name) for name, fields in clients.items()])


def rows_of_sequence(rows: Sequence[object], path: str = "clients") -> tuple[RosterRow, ...]:
    """Return rows sorted by name, from those of `parse_csv` and `parse_yaml` and from mappings with a `name`.

    Raises:
        ConfigError: as `rows_of_mapping`, and names that stand there twice.
    """
    placed = ((f"{path}[{index}]", row) for index, row in enumerate(rows))
    return _checked([_Placed(at, row) if isinstance(row, RosterRow) else _read(at, row) for at, row in placed])


def parse_csv(text: str) -> tuple[RosterRow, ...]:
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
        _refuse(_problems_of_header(header))
        numbered = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ConfigError([Problem(f"line {reader.line_num}", f"is not CSV: {error}")]) from error
    _refuse(_problems_of_long_lines(header, numbered))
    return _checked([_read(f"line {number}", dict(_fields(header, cells))) for number, cells in numbered])


def parse_yaml(text: str) -> tuple[RosterRow, ...]:
    """Return the clients of YAML text: a mapping from names to fields, or a list of entries with a `name`.

    Names are text (`"1001"` in quotes), lists are YAML lists.

    Raises:
        ConfigError: everything that is wrong, with line numbers; also a key that stands twice in one mapping.
    """
    try:
        root = yaml.compose(text, Loader=_LOADER)
        placed = list(_placed_nodes(root)) if root else []
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([Problem(f"line {line}", f"is not YAML: {error.problem}")]) from error
    return _checked(placed)


def _read(place: str, fields: object, name: object = None) -> _Placed:
    """Return one row; `name` is that of the key in front of the fields, None where it is one of them."""
    given = {} if fields is None else fields
    if isinstance(given, Mapping):
        given = {field: value for field, value in given.items() if not _is_empty(value)}
        given |= {} if name is None else {"name": name}
    reading = read_section(given, _ROW, place)
    problems = reading.problems
    if isinstance(given, Mapping) and "name" not in given:
        problems = (*problems, Problem(f"{place}.name", "is missing; every client has one"))
    return _Placed(place, RosterRow(reading.section.name, said_in(reading.section)), problems)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, _MAY_BE_EMPTY) and not value)


def _checked(placed: list[_Placed]) -> tuple[RosterRow, ...]:
    problems = [problem for each in placed for problem in each.problems]
    problems += _repetitions("name", ((each.place, each.row.name) for each in placed))
    problems += _repetitions("email", ((each.place, each.row.said.values.email) for each in placed))
    _refuse(problems)
    return tuple(sorted((each.row for each in placed), key=lambda row: row.name))


def _repetitions(field: str, placed: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for place, value in placed:
        if value and (earlier := first.setdefault(value.lower(), place)) != place:
            yield Problem(f"{place}.{field}", f"{value!r} is declared at {earlier} already; declare it once")


def _refuse(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise ConfigError(found)


def _problems_of_header(header: list[str]) -> Iterator[Problem]:
    known = ", ".join(COLUMNS)
    for field in header:
        if field not in COLUMNS:
            yield Problem("line 1", f"unknown column {field!r}; the columns are: {known}")
    for field in sorted(set(header)):
        if header.count(field) > 1:
            yield Problem("line 1", f"column {field!r} stands there twice")
    if "name" not in header:
        yield Problem("line 1", f"has no column `name`; it is the header, with columns of: {known}")


def _problems_of_long_lines(header: list[str], numbered: list[tuple[int, list[str]]]) -> Iterator[Problem]:
    for number, cells in numbered:
        if len(cells) > len(header):
            message = f"has {len(cells)} cells, the header has {len(header)}; quote a cell that has a comma"
            yield Problem(f"line {number}", message)


def _fields(header: list[str], cells: list[str]) -> Iterator[tuple[str, object]]:
    for field, cell in zip(header, cells, strict=False):  # a short line leaves its last fields out
        if cell.strip():
            yield field, field_of_cell(field, cell.strip())


def _placed_nodes(root: yaml.Node) -> Iterator[_Placed]:
    _refuse(_repeated_keys(root, set()))
    if isinstance(root, yaml.MappingNode):
        for name, fields in root.value:
            yield _read(_place(name), _fields_of_node(fields), _value(name))
    elif isinstance(root, yaml.SequenceNode):
        for item in root.value:
            yield _read(_place(item), _fields_of_node(item))
    else:
        raise ConfigError([Problem("line 1", "expected a mapping from client names to fields, or a list of clients")])


def _fields_of_node(node: yaml.Node) -> object:
    value = _value(node)
    if value is not None and not isinstance(value, dict):
        raise ConfigError([Problem(_place(node), "expected the fields of a client, as `email: alice@example.org`")])
    return value


def _repeated_keys(node: yaml.Node, visited: set[int]) -> Iterator[Problem]:
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
                yield Problem(_place(key), f"{key.value!r} stands at {_place(earlier)} already; declare it once")
            yield from _repeated_keys(value, visited)


def _place(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"


def _value(node: yaml.Node) -> Any:
    return yaml.constructor.SafeConstructor().construct_document(node)
