"""Rows that still let in somebody who left; pure."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pki.acceptance import Why
from postseal.ledger.holders import Holder
from postseal.ledger.reading import StackLedger
from postseal.ledger.records import HostLedger, LedgerRow

__all__ = ["Left", "folded", "names_of_left", "still_let_in"]

_COMMENT: Final = "#"
_MAILBOX: Final = re.compile(r"[^<>]*<([^<>@\s]+@[^<>@\s]+)>")


@dataclass(frozen=True, slots=True)
class Left:
    """What is still there of those who left.

    `ledger`: the hosts with their rows only. `absent`: names that nothing in this stack is known by, which are those
    who were taken out, and those that were misspelt. `unknown`: clients that are let in by an earlier certificate whose
    names the state keeps no more, where an absent name could be one of them.
    """

    ledger: StackLedger
    absent: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    @property
    def is_let_in(self) -> bool:
        """Whether at least one of them is let in, or may be for all that is known here."""
        return bool(self.unknown) or any(host.rows for host in self.ledger.hosts)


def names_of_left(text: str) -> tuple[str, ...]:
    """Return the names in a list: one a line; blank lines and what follows a number sign are left out.

    Of `Alice <alice@example.org>`, as mail programs write it, the address counts.
    """
    lines = (line.partition(_COMMENT)[0].strip() for line in text.removeprefix("\N{BOM}").splitlines())
    return tuple(dict.fromkeys(filter(None, map(_address_or_name, lines))))


def _address_or_name(line: str) -> str:
    found = _MAILBOX.fullmatch(line)
    return found[1] if found else line


def still_let_in(ledger: StackLedger, holders: Iterable[Holder], names: Iterable[str]) -> Left:
    """Return the rows of whoever is called so: clients by name, and all whose certificate has that name or address.

    Capital and small letters are the same here: one row too many is looked at, one too few lets somebody in.
    """
    known_as: dict[str, set[str]] = {}
    otherwise: set[tuple[str, str]] = set()
    for holder in holders:
        if holder.has_other_names:
            otherwise.add((holder.roster, holder.name))
        known_as.setdefault(holder.name, set()).update(map(folded, (holder.name, *holder.known_as)))
    asked = {folded(name): name for name in names}
    hosts = tuple(_host(each, asked, known_as) for each in ledger.hosts)
    known = set().union(*known_as.values()) | {
        folded(row.accepted.client) for host in ledger.hosts for row in host.rows
    }
    absent = tuple(name for key, name in asked.items() if key not in known)
    return Left(replace(ledger, hosts=hosts), absent, tuple(_unknown(ledger, otherwise)) if absent else ())


def _unknown(ledger: StackLedger, otherwise: Collection[tuple[str, str]]) -> Iterator[str]:
    """Yield each client that an earlier certificate under other names lets in, with its host."""
    for host in ledger.hosts:
        earlier = (row for row in host.rows if row.accepted.why is Why.OVERLAP)
        named = (row.accepted.client for row in earlier if (row.roster, row.accepted.client) in otherwise)
        yield from (f"{client} on {host.host}" for client in dict.fromkeys(named))


def _host(host: HostLedger, asked: Mapping[str, str], known_as: Mapping[str, set[str]]) -> HostLedger:
    return replace(host, rows=tuple(row for row in host.rows if not asked.keys().isdisjoint(_names(row, known_as))))


def _names(row: LedgerRow, known_as: Mapping[str, set[str]]) -> set[str]:
    client = row.accepted.client
    return {folded(client)} | known_as.get(client, set())


def folded(name: str) -> str:
    """Return a name so that all ways to write it are one: letters, accents, the dot at the end of a host name."""
    return unicodedata.normalize("NFKC", name).casefold().rstrip(".")
