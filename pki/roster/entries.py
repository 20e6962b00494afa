"""Bring declared clients, from wherever they are read, into one plain form: a list of entries, sorted by name."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pki.roster.fields import problems_of_fields
from postseal_core.errors import ConfigError, Problem
from postseal_core.packing import json_line

__all__ = ["Entry", "clients_text", "entries_of_mapping", "entries_of_rows"]

Entry = Mapping[str, Any]
"""One client as declared, see `pki.roster.fields.FIELDS`; fields that were left empty are absent."""

_EMPTY: tuple[object, ...] = (None, "", [])


def entries_of_mapping(clients: Mapping[str, Mapping[str, Any] | None]) -> tuple[Entry, ...]:
    """Return the entries of a mapping from client names to fields, as it stands in a stack file.

    Raises:
        ConfigError: unknown fields, wrong types, an e-mail address that two clients share; all of them are named.
    """
    return entries_of_rows((f"clients.{name}", {**(fields or {}), "name": name}) for name, fields in clients.items())


def entries_of_rows(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Entry, ...]:
    """Return the entries of rows, each given with its place (`line 7`), sorted by name.

    NOT checked here: names, profiles and lifetimes; that is done where the certificate is decided.

    Raises:
        ConfigError: as `entries_of_mapping`, and names that stand there twice.
    """
    placed = [(place, _plain(row)) for place, row in rows]
    problems = [problem.below(place) for place, entry in placed for problem in problems_of_fields(entry)]
    problems += _repetitions(placed, "name") + _repetitions(placed, "email")
    if problems:
        raise ConfigError(problems)
    return tuple(sorted((entry for _, entry in placed), key=lambda entry: str(entry["name"])))


def clients_text(entries: Iterable[Entry]) -> str:
    """Return entries in the form in which a program passes them on: one line of canonical JSON each."""
    return "\n".join(map(json_line, entries))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without empty fields, tuples as lists, and a fraction given as a number as text."""
    return dict(_plain_fields(row))


def _plain_fields(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field, value in row.items():
        plain = list(value) if isinstance(value, tuple) else value
        if field == "renew_fraction" and isinstance(value, int | float) and not isinstance(value, bool):
            plain = str(value)
        if plain not in _EMPTY:
            yield str(field), plain


def _repetitions(placed: list[tuple[str, dict[str, Any]]], field: str) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    for place, entry in placed:
        value = str(entry.get(field, ""))
        if value and (earlier := first.setdefault(value.lower(), place)) != place:
            problems.append(Problem(f"{place}.{field}", f"{value!r} is declared at {earlier} already; declare it once"))
    return problems
