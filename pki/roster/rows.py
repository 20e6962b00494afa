"""A row of a roster: one client's declaration, and its line of JSON from the program to the plugin."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from re import compile as pattern
from typing import Final

from pki.declared import Said
from pki.fields import NOTHING_SAID, ArchiveWord, DeclaredCertificate, SaidBy, fields_said_by
from postseal_core.errors import PostsealError, Problem, refuse
from postseal_core.packing import json_line, lines_of, unpack_lines
from postseal_core.plain_names import LOST_NAME, is_lost_in_yaml
from postseal_core.records import Plain, decode_some, encode_some

__all__ = [
    "COLUMNS",
    "RosterRow",
    "archive_word",
    "declared_of",
    "fault_of_name",
    "lines_by_client",
    "row_of_line",
    "rows_of",
    "rows_text",
    "said_by_roster",
]

COLUMNS: Final = ("name", *fields_said_by(SaidBy.ROW))
"""What a row may say: its client's name, and the fields of a certificate that are said of one client."""

_DECODER: Final = json.JSONDecoder()
_SAID_BY_ROW: Final = frozenset(COLUMNS)
_NAME: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_NAME_RULE: Final = "expected 1 to 64 letters, digits and . _ @ + -, beginning with a letter or digit"
_NOTHING: Final = Said()


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One client of a roster, as `parse_csv` and `parse_yaml` read it.

    Args:
        name: The client's name: 1 to 64 letters, digits and `. _ @ + -`, beginning with a letter or digit.
        said: The fields that are said of it and of nobody else. Default: none.
    """

    name: str
    said: Said = _NOTHING


def rows_text(rows: Iterable[RosterRow]) -> str:
    """Return rows as a program passes them on: one line of canonical JSON each, sorted by name."""
    return "\n".join(map(_line, sorted(rows, key=lambda row: row.name)))


def _line(row: RosterRow) -> str:
    return json_line({"name": row.name, **encode_some(row.said.values, row.said.names)})


def rows_of(text: str) -> dict[str, str]:
    """Split the text into one line for each client, by name and sorted; `row_of_line` reads a line.

    Raises:
        ConfigError: lines that are no client, and names that stand there twice.
    """
    lines: dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines_of(text), start=1):
        name = _name_in(line)
        if name is None:
            problems.append(Problem(f"clients.line {number}", "expected a client as one line of JSON with its `name`"))
            continue
        if name in lines:
            problems.append(Problem(f"clients.{name}", "is declared twice; declare it once"))
        lines[name] = line
    refuse(problems)
    return {name: lines[name] for name in sorted(lines)}


def _name_in(line: str) -> str | None:
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError):
        return None
    name = plain.get("name") if isinstance(plain, dict) else None
    return name if isinstance(name, str) else None


def lines_by_client(packed: str) -> dict[str, list[str]]:
    """Unpack lines by client; only the name at the start of each is read.

    Raises:
        PostsealError: a line does not begin with a name.
    """
    lines: dict[str, list[str]] = defaultdict(list)
    for line in unpack_lines(packed):
        lines[_first_text(line)].append(line)
    return dict(lines)


def _first_text(line: str) -> str:
    try:
        name, _ = _DECODER.raw_decode(line, line.index(":") + 1)
    except (ValueError, RecursionError):
        name = None
    if not isinstance(name, str):
        raise PostsealError("a line of a roster's packed records does not begin with a name: put the state back")
    return name


def row_of_line(name: str, line: str) -> RosterRow:
    """Return the row in a client's line.

    Raises:
        ConfigError: everything in it that is unknown, of another type, or not said of one client.
    """
    plain = json.loads(line)
    refuse(_problems_of_line(name, plain))
    del plain["name"]
    return RosterRow(name, Said(*decode_some(DeclaredCertificate, plain, f"clients.{name}")))


def _problems_of_line(name: str, plain: Plain) -> Iterator[Problem]:
    if fault := fault_of_name(name):
        yield Problem(f"clients.{name}.name", fault)
    for field in plain.keys() - _SAID_BY_ROW:
        yield Problem(f"clients.{name}.{field}", f"unknown field; the fields are: {', '.join(COLUMNS)}")


def fault_of_name(name: object) -> str:
    """Return what is wrong with the name of a client; empty where nothing is."""
    if not isinstance(name, str):
        return f"this name is no text; put it into quotes, {_NAME_RULE}"
    if not _NAME.fullmatch(name):
        return f"this is no name, {_NAME_RULE}"  # not quoted: it may stand in a file that is no roster at all
    return LOST_NAME if is_lost_in_yaml(name) else ""


@lru_cache(maxsize=64)
def said_by_roster(shared: DeclaredCertificate) -> Said:
    """Return the fields that a roster sets for all its clients: those not at their default."""
    names = (each.name for each in fields(shared))
    return Said(shared, frozenset(name for name in names if getattr(shared, name) != getattr(NOTHING_SAID, name)))


def declared_of(row: RosterRow, shared: DeclaredCertificate) -> DeclaredCertificate:
    """Return a client's complete declaration: its own fields, over those of its roster."""
    return row.said.over(said_by_roster(shared)).values


def archive_word(declared: DeclaredCertificate) -> ArchiveWord:
    """Return which PKCS#12 archive a client has; UNSAID where it has none."""
    return ArchiveWord.UNSAID if declared.pkcs12 is ArchiveWord.NONE else declared.pkcs12
