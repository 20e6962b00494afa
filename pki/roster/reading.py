"""Read the clients of a roster, from a program, a stack file, CSV or YAML, into rows: all problems at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import PlainValidator

from pki.declared import Said
from pki.fields import NOTHING_SAID, SaidBy
from pki.identities import DEVICES_OF_ONE, Claims, identities_of
from pki.reading import said_in, with_fields
from pki.roster.entries import Entries, PlacedProblem, entries_of_csv, entries_of_yaml, line_in_words
from pki.roster.rows import COLUMNS, RosterRow, fault_of_name
from postseal_core.errors import Problem, refuse
from postseal_core.reading import Section, read_section
from postseal_core.wording import is_plausible_name

__all__ = [
    "PlacedRow",
    "ReadRows",
    "parse_csv",
    "parse_yaml",
    "read_csv",
    "read_yaml",
    "rows_of_mapping",
    "rows_of_sequence",
]

_NOBODY: Final = RosterRow("", Said(NOTHING_SAID, frozenset()))
_SPEAKING: Final = frozenset(COLUMNS) - {"name"}
_MAY_BE_EMPTY: Final = (str, list, tuple)


def _name(value: object) -> str:
    if fault := fault_of_name(value):
        raise ValueError(fault)
    return str(value)


class _ClientSection(Section):
    """One client: its name, and every field that a row may say."""

    name: Annotated[str, PlainValidator(_name)] = ""


_ROW: Final = with_fields(SaidBy.ROW, _ClientSection, is_grouped=False)


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row of a file, and the line in which its client's name stands."""

    line: int
    row: RosterRow


@dataclass(frozen=True, slots=True)
class ReadRows:
    """The rows of a file sorted by name, or no rows and all problems."""

    rows: tuple[PlacedRow, ...] = ()
    problems: tuple[PlacedProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Client:
    """The readable fields of one client, and the problems of the others."""

    row: RosterRow
    problems: tuple[Problem, ...] = ()


def rows_of_mapping(clients: Mapping[str, object], path: str = "clients") -> tuple[RosterRow, ...]:
    """Return the rows of a mapping from client names to fields, as it stands in a stack file, sorted by name.

    Empty fields are not said. NOT checked here: names in certificates and lifetimes; that is done where the
    certificate is decided.

    Raises:
        ConfigError: unknown fields, wrong types, an e-mail address that two persons share; all of them are named.
    """
    return _accepted([_read(fields, name) for name, fields in clients.items()], [f"{path}.{name}" for name in clients])


def rows_of_sequence(rows: Sequence[object], path: str = "clients") -> tuple[RosterRow, ...]:
    """Return rows sorted by name, from those of `parse_csv` and `parse_yaml` and from mappings with a `name`.

    Raises:
        ConfigError: as `rows_of_mapping`, and names that stand there twice.
    """
    clients = [_read_already(row) if isinstance(row, RosterRow) else _read(row) for row in rows]
    return _accepted(clients, [f"{path}[{index}]" for index in range(len(clients))])


def read_csv(text: str) -> ReadRows:
    """Read the clients of CSV text (RFC 4180): a header of field names, `name` among them, then one line each.

    Lists are separated by `;` within their cell; an empty cell leaves the field out; lines without any content are
    skipped. A byte order mark at the beginning is ignored.
    """
    return _read_entries(entries_of_csv(text))


def read_yaml(text: str) -> ReadRows:
    """Read the clients of YAML text: a mapping from names to fields, or a list of entries with a `name`.

    Names are words, no numbers; lists are YAML lists. A key that stands twice in one mapping is a problem.
    """
    return _read_entries(entries_of_yaml(text))


def parse_csv(text: str) -> tuple[RosterRow, ...]:
    """Return the rows of CSV text, see `read_csv`, sorted by name.

    Raises:
        ConfigError: everything that is wrong, with line numbers.
    """
    return _without_lines(read_csv(text))


def parse_yaml(text: str) -> tuple[RosterRow, ...]:
    """Return the rows of YAML text, see `read_yaml`, sorted by name.

    Raises:
        ConfigError: everything that is wrong, with line numbers; also a key that stands twice in one mapping.
    """
    return _without_lines(read_yaml(text))


def _read_entries(found: Entries) -> ReadRows:
    if found.problems:
        return ReadRows(problems=found.problems)
    entries = found.entries
    is_roster = any(isinstance(entry.fields, Mapping) and entry.fields.keys() & _SPEAKING for entry in entries)
    clients = [_quoting(_read(entry.fields, entry.name), is_roster=is_roster) for entry in entries]
    wrong = _problems_of(clients, [line_in_words(entry.line) for entry in entries])
    if problems := tuple(PlacedProblem(entries[index].line, problem) for index, problem in wrong):
        return ReadRows(problems=problems)
    rows = (PlacedRow(entry.name_line, client.row) for entry, client in zip(entries, clients, strict=True))
    return ReadRows(tuple(sorted(rows, key=lambda placed: placed.row.name)))


def _quoting(client: _Client, *, is_roster: bool) -> _Client:
    """Remove quotes from a file's problems where a key may be the content of an unrelated file.

    `is_roster`: whether any field of a client is known by its name, so that the file is what it should be.
    """
    return replace(client, problems=tuple(_quotable(each, is_roster=is_roster) for each in client.problems))


def _quotable(problem: Problem, *, is_roster: bool) -> Problem:
    field = problem.path.partition("[")[0].partition(".")[0]
    if field in COLUMNS or (is_roster and is_plausible_name(field)):
        return problem
    return Problem("", f"has a key that is unknown; the fields are: {', '.join(COLUMNS)}")


def _without_lines(read: ReadRows) -> tuple[RosterRow, ...]:
    refuse(each.problem.below(line_in_words(each.line)) for each in read.problems)
    return tuple(placed.row for placed in read.rows)


def _accepted(clients: Sequence[_Client], places: Sequence[str]) -> tuple[RosterRow, ...]:
    refuse(problem.below(places[index]) for index, problem in _problems_of(clients, places))
    return tuple(sorted((client.row for client in clients), key=lambda row: row.name))


def _read_already(row: RosterRow) -> _Client:
    """Accept a row of `parse_csv` or `parse_yaml`; refuse one that a program has built wrongly itself."""
    said: object = row.said
    if isinstance(said, Said) and not fault_of_name(row.name):
        # What an authority or a roster decides is no field of a row, however the row was made.
        strange = sorted(said.names - {*COLUMNS})
        return _Client(row, tuple(Problem(name, "is not said of one client; leave it out") for name in strange))
    return _Client(_NOBODY, (Problem("", "is no row as parse_csv and parse_yaml return; write a mapping with a name"),))


def _read(fields: object, name: object = None) -> _Client:
    """Read one client; `name` is the mapping key above the fields, or None if `name` is one of the fields."""
    given = {} if fields is None else fields
    if isinstance(given, Mapping):
        given = {field: value for field, value in given.items() if not _is_empty(value)}
        given |= {} if name is None else {"name": name}
    reading = read_section(given, _ROW)
    problems = reading.problems
    if isinstance(given, Mapping) and "name" not in given:
        problems = (*problems, Problem("name", "is missing; every client has one"))
    return _Client(RosterRow(reading.section.name, said_in(reading.section)), problems)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, _MAY_BE_EMPTY) and not value)


def _problems_of(clients: Sequence[_Client], places: Sequence[str]) -> Iterator[tuple[int, Problem]]:
    """Report problems of each client and repeated names or mailboxes, by position; `places` are positions in words."""
    yield from ((index, problem) for index, client in enumerate(clients) for problem in client.problems)
    yield from _repetitions("name", [client.row.name for client in clients], places)
    yield from _repeated_identities(clients, places)


def _repetitions(field: str, values: Sequence[str], places: Sequence[str]) -> Iterator[tuple[int, Problem]]:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value and (earlier := first.setdefault(value.lower(), index)) != index:
            yield index, Problem(field, f"is declared at {places[earlier]} already; declare it once")


def _repeated_identities(clients: Sequence[_Client], places: Sequence[str]) -> Iterator[tuple[int, Problem]]:
    claims = Claims()
    for index, client in enumerate(clients):
        for each, earlier in claims.taken(identities_of(client.row.said.values), places[index]):
            devices = f", or {DEVICES_OF_ONE}" if each.is_mailbox else ""
            yield index, Problem(each.field, f"is declared at {earlier} already; declare it once{devices}")
