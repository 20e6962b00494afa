"""The ledger as records: every way in that a host's declaration and state know of; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pki.acceptance import AcceptedRow
from postfix.host_resource.ledger_digest import ledger_digest
from postfix.host_resource.records import HostInputs, HostRow
from postfix.host_resource.ways_in import client_at, login_relays, login_services, relaying_networks
from postseal_core.records import INLINE
from postseal_core.values import UNKNOWN, Maybe

__all__ = ["HostLedger", "LedgerRow", "ledger_of_host"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One fingerprint that is let in on a host.

    `roster`: which one the client is in; empty for a client by itself. `since`: from which `up` on it stands there.
    """

    host: str
    service: str
    accepted: Annotated[AcceptedRow, INLINE]
    roster: str = ""
    since: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others of its host: the fingerprint, or what is still to be issued by its generation."""
        accepted = self.accepted
        fingerprint = accepted.fingerprint_sha256
        known = fingerprint if isinstance(fingerprint, str) else f"generation {accepted.generation}"
        return self.service, accepted.client, known

    @property
    def who(self) -> str:
        """The client in a reader's words: with the service that lets it in, if that is one for mail programs."""
        return client_at(self.service, self.accepted.client)

    @property
    def order(self) -> tuple[str, str, int, str]:
        """Where it stands among the rows of its host."""
        return self.service, self.accepted.client, self.accepted.generation or 0, self.key[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLedger:
    """Who may relay through one host.

    `networks`: whose hosts relay without any proof. `has_login`: whether users relay who log in. Both are None where
    the declaration says nothing of them, and only the host itself could tell. `login_services`: where they do, if a
    service for mail programs is among them. `to_review`: what else is declared that may let somebody in, or that nobody
    has checked, by its place. `digest`: of all this, see `ledger_digest`; unknown while a fingerprint is.
    """

    host: str
    place: str
    rows: tuple[LedgerRow, ...] = ()
    networks: tuple[str, ...] | None = None
    has_login: bool | None = None
    login_services: tuple[str, ...] = ()
    to_review: Mapping[str, str] = field(default_factory=dict)
    digest: Maybe[str] = UNKNOWN


def ledger_of_host(inputs: HostInputs, rows: Iterable[HostRow]) -> HostLedger:
    """Return the ledger of a host, with its rows by client and generation."""
    known, logins, at_port_25 = tuple(rows), login_services(inputs.master_cf), login_relays(inputs.main_cf)
    named = (
        LedgerRow(host=inputs.name, service=each.service, accepted=each.accepted, roster=each.roster, since=each.since)
        for each in known
    )
    return HostLedger(
        host=inputs.name,
        place=f"{inputs.target.kind} {inputs.target.place}",
        rows=tuple(sorted(named, key=lambda row: row.order)),
        networks=relaying_networks(inputs.main_cf),
        has_login=True if logins else at_port_25,
        login_services=("smtp", *logins) if logins and at_port_25 else logins,
        to_review={**inputs.to_review, **inputs.unknown_tables, **inputs.unchecked},
        digest=ledger_digest(inputs, known),
    )
