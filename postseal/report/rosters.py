"""Unpack the clients of a roster from a stack's state."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from pki.fields import DeclaredCertificate
from pki.generations import Schedule
from pki.roster.records import IssuedRow, RosterInputs, RosterState, ScheduleRow
from pki.roster.rows import declared_of, row_of_line, rows_of
from postseal.report.export import Stored, unreadable
from postseal_core.errors import ConfigError, PostsealError, Problem
from postseal_core.packing import unpack, unpack_records

__all__ = ["DecidedClient", "StoredRoster", "decided_clients", "declared_clients", "issued_clients"]

StoredRoster = Stored[RosterInputs, RosterState]


@dataclass(frozen=True, slots=True)
class DecidedClient:
    """One client of a roster: what its row and its roster declare together, and what was decided."""

    name: str
    declared: DeclaredCertificate
    schedule: Schedule


def declared_clients(roster: StoredRoster) -> Callable[[str], DeclaredCertificate]:
    """Return a function that looks up a client's declaration; the roster is unpacked at its first call."""
    lines = cache(lambda: rows_of(unpack(roster.inputs.clients)))
    return lambda name: _declared(name, lines().get(name, ""), roster.inputs.shared)


def issued_clients(roster: StoredRoster, problems: list[Problem]) -> tuple[IssuedRow, ...]:
    """Return the issued certificate of each client; unreadable ones are added to `problems`."""
    try:
        rows = tuple(unpack_records(IssuedRow, roster.state.issued))
    except PostsealError as error:
        problems += unreadable(roster.name, "issued", error)
        return ()
    if roster.state.count != len(rows):
        sentence = f"says {roster.state.count} clients, `issued` has {len(rows)}; run `pulumi up` to rewrite both"
        problems.append(Problem(f"{roster.name}.count", sentence))
    return rows


def decided_clients(roster: StoredRoster, problems: list[Problem]) -> tuple[DecidedClient, ...]:
    """Return the declaration and schedule of each client; unreadable ones are added to `problems`."""
    place = "schedules"
    try:
        schedules = tuple(unpack_records(ScheduleRow, roster.inputs.schedules))
        place = "clients"
        lines = rows_of(unpack(roster.inputs.clients))
        return tuple(_client(each, lines.get(each.name, ""), roster.inputs.shared) for each in schedules)
    except PostsealError as error:
        problems += unreadable(roster.name, place, error)
        return ()


def _client(decided: ScheduleRow, line: str, shared: DeclaredCertificate) -> DecidedClient:
    return DecidedClient(decided.name, _declared(decided.name, line, shared), decided.schedule)


def _declared(name: str, line: str, shared: DeclaredCertificate) -> DeclaredCertificate:
    if not line:
        raise ConfigError([Problem(f"clients.{name}", "has a schedule, but nothing is declared of it")])
    return declared_of(row_of_line(name, line), shared)
