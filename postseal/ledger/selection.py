"""The part of a ledger that is asked for: some hosts, services or clients; pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from postfix.rendering import client_table
from postseal.ledger.holders import Holder
from postseal.ledger.reading import StackLedger
from postseal.ledger.records import HostLedger
from postseal_core.errors import ConfigError, Problem
from postseal_core.wording import nearest_hint, shown

__all__ = ["LedgerSelection", "selected"]


@dataclass(frozen=True, slots=True)
class LedgerSelection:
    """What is asked for, by exact names; an empty tuple stands for all.

    Where clients are asked for, only rows are: networks and logins name nobody.
    """

    hosts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()


def selected(ledger: StackLedger, holders: Iterable[Holder], selection: LedgerSelection) -> StackLedger:
    """Return the part of a ledger that is asked for.

    `holders`: who may be asked for beside those that are listed.

    Raises:
        ConfigError: for a host, service or client of that name nothing is there; all of them are named.
    """
    problems = list(_problems(ledger, holders, selection))
    if problems:
        raise ConfigError(problems)
    hosts = (each for each in ledger.hosts if not selection.hosts or each.host in selection.hosts)
    return replace(ledger, hosts=tuple(_host(each, selection) for each in hosts))


def _host(host: HostLedger, selection: LedgerSelection) -> HostLedger:
    rows = tuple(
        row
        for row in host.rows
        if (not selection.services or row.service in selection.services)
        and (not selection.clients or row.accepted.client in selection.clients)
    )
    return replace(host, rows=rows)


def _problems(ledger: StackLedger, holders: Iterable[Holder], selection: LedgerSelection) -> Iterator[Problem]:
    rows = [row for host in ledger.hosts for row in host.rows]
    yield from _unknown("--host", "host", selection.hosts, {each.host for each in ledger.hosts})
    if selection.services:
        unheard = [each for each in selection.services if client_table(each) is None]
        yield from _unknown("--service", "service", unheard, {"smtp", *(row.service for row in rows)})
    if selection.clients:
        listed = {row.accepted.client for row in rows}
        yield from _unknown("--client", "client", selection.clients, listed | {each.name for each in holders})


def _unknown(option: str, kind: str, asked: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    for name in asked:
        if name not in known:
            yield Problem(option, f"{shown(name)} is no {kind} of this stack; {nearest_hint(name, known)}")
