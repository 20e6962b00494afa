"""The clients that may relay through each service of a host, for the preview, the tables and the state."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pki.acceptance import AcceptedRow, Why, accepted_rows, one_row_a_fingerprint, revoked_fingerprints
from postfix.host import HostDeclaration
from postfix.host_resource.records import AccessArgs, ForeignClient, HostRow
from postfix.rendering import client_table, client_tables
from postfix.tables import ClientRow, client_label, problems_of_client_rows
from postseal_core.errors import Problem
from postseal_core.packing import unpack_records
from postseal_core.plugin.memory import Memory
from postseal_core.values import UNKNOWN, Maybe, Unknown

__all__ = ["ServiceAccess", "access_by_service", "problems_of_access", "rows_of_host", "with_earlier_dates"]


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """Who may relay through one service.

    `lines`: what a reviewer reads, by what stands behind the fingerprint; a roster is one line. `listed`: all rows that
    are known, each with the roster it comes from, in the order of clients and generations. `rows`: the same, one for
    each fingerprint. `has_unknown_roster`: there are more rows, which a preview does not know. `revoked`: whose
    each fingerprint is that a client of this service had before it was revoked.
    """

    lines: Mapping[str, Maybe[str]]
    listed: tuple[tuple[AcceptedRow, str], ...]
    rows: tuple[AcceptedRow, ...]
    has_unknown_roster: bool
    revoked: Mapping[str, str] = field(default_factory=dict)

    @property
    def clients(self) -> Maybe[tuple[ClientRow, ...]]:
        """The clients as they stand in the table, or unknown while a row is."""
        clients = tuple(_known_clients(self.rows))
        return clients if len(clients) == len(self.rows) and not self.has_unknown_roster else UNKNOWN

    @property
    def roster_of(self) -> dict[tuple[str, int | None], str]:
        """The roster of each client and generation; empty if it is also declared by itself."""
        by_itself = {(row.client, row.generation): roster for row, roster in self.listed if not roster}
        return {(row.client, row.generation): roster for row, roster in self.listed} | by_itself


@dataclass(frozen=True, slots=True)
class _RosterRows:
    """The rows of one roster, unpacked once in a run for all the hosts that let it in."""

    rows: tuple[AcceptedRow, ...]


def access_by_service(
    host: HostDeclaration, access: Mapping[str, AccessArgs], memory: Memory
) -> dict[str, ServiceAccess]:
    """Return the declared clients by service, for every service that has a table or a declaration."""
    services = dict.fromkeys((*client_tables(host), *access))
    return {service: _access(access.get(service, AccessArgs()), memory) for service in services}


def problems_of_access(services: Mapping[str, ServiceAccess]) -> Iterator[Problem]:
    """Report services without a client table, and clients that a table cannot hold."""
    for service, access in services.items():
        if client_table(service) is None:
            fault = "no service of a host that lists clients is called so; write smtp, submission or submissions"
            yield Problem(f"access.{service}", fault)
        # Before rows with one fingerprint are made one: two clients with one fingerprint are a mistake.
        known = list(_known_clients(row for row, _ in access.listed))
        yield from (problem.below("relay_clients") for problem in problems_of_client_rows(known))
        yield from _readmitted(access)


def _readmitted(access: ServiceAccess) -> Iterator[Problem]:
    """Report rows from elsewhere that let a revoked certificate in again, perhaps under another name."""
    for row, _ in access.listed:
        whose = access.revoked.get(str(row.fingerprint_sha256)) if row.why is Why.FOREIGN else None
        if whose:
            message = f"{row.client} is {whose}, which was revoked: take it out, or take revoke out where it is said"
            yield Problem("extra_relay_clients", message)


def rows_of_host(host: HostDeclaration, services: Mapping[str, ServiceAccess], now: datetime) -> tuple[HostRow, ...]:
    """Return the rows of a host's client tables at `now`."""
    return tuple(row for service in client_tables(host) for row in _host_rows(service, services[service], now))


def with_earlier_dates(rows: Iterable[HostRow], earlier: Iterable[HostRow]) -> Iterator[HostRow]:
    """Keep the `since` date of rows that the host already had."""
    since = {_identity(row): row.since for row in earlier}
    return (replace(row, since=since.get(_identity(row), row.since)) for row in rows)


def _host_rows(service: str, access: ServiceAccess, now: datetime) -> Iterator[HostRow]:
    roster_of = access.roster_of
    for row in access.rows:
        yield HostRow(service=service, accepted=row, roster=roster_of[row.client, row.generation], since=now)


def _identity(row: HostRow) -> tuple[str, str, int | None, Maybe[str]]:
    """Return the identity of a row; a client that was re-created starts with generation 1 again."""
    accepted = row.accepted
    return row.service, accepted.client, accepted.generation, accepted.fingerprint_sha256


def _access(args: AccessArgs, memory: Memory) -> ServiceAccess:
    own = [row for name, known in args.clients.items() for row in accepted_rows(name, known)]
    own += [_foreign_row(name, client) for name, client in args.extra.items()]
    lines: dict[str, Maybe[str]] = {_label(row): row.fingerprint_sha256 for row in own}
    lines |= {f"roster {name}": roster.description for name, roster in args.rosters.items()}
    listed = [(row, "") for row in own]
    packed = {name: roster.accepted_rows for name, roster in args.rosters.items()}
    listed += [
        (row, name) for name, text in packed.items() if not isinstance(text, Unknown) for row in _unpacked(text, memory)
    ]
    listed.sort(key=lambda each: (each[0].client, each[0].generation or 0))
    return ServiceAccess(
        lines=lines,
        listed=tuple(listed),
        rows=one_row_a_fingerprint(row for row, _ in listed),
        revoked={
            fingerprint: whose
            for name, known in args.clients.items()
            for fingerprint, whose in revoked_fingerprints(name, known)
        },
        has_unknown_roster=any(isinstance(text, Unknown) for text in packed.values()),
    )


def _unpacked(text: str, memory: Memory) -> tuple[AcceptedRow, ...]:
    return memory.made_once(_RosterRows, text, lambda: _RosterRows(tuple(unpack_records(AcceptedRow, text)))).rows


def _foreign_row(name: str, client: ForeignClient) -> AcceptedRow:
    return AcceptedRow(
        client=name,
        why=Why.FOREIGN,
        not_after=client.not_after,
        until=client.not_after,
        fingerprint_sha256=client.fingerprint_sha256,
    )


def _label(row: AcceptedRow) -> str:
    return client_label(row.client, row.generation, row.not_after)


def _known_clients(rows: Iterable[AcceptedRow]) -> Iterator[ClientRow]:
    for row in rows:
        if not isinstance(row.fingerprint_sha256, Unknown):
            yield ClientRow(row.fingerprint_sha256, row.client, row.generation, row.not_after)
