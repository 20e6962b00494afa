"""The ledger as records: every way in that a host's declaration and state know of; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

from pki.acceptance import AcceptedRow
from postfix.host_resource.records import HostInputs, HostRow
from postfix.list_items import split_list
from postseal_core.records import INLINE

__all__ = ["HostLedger", "LedgerRow", "ledger_of_host"]

_NETWORKS: Final = "mynetworks"
_LOGIN: Final = "permit_sasl_authenticated"
_RELAY_RESTRICTIONS: Final = "smtpd_relay_restrictions"
_RESTRICTIONS: Final = (_RELAY_RESTRICTIONS, "smtpd_recipient_restrictions")


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
    def order(self) -> tuple[str, str, int, str]:
        """Where it stands among the rows of its host."""
        return self.service, self.accepted.client, self.accepted.generation or 0, self.key[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLedger:
    """Who may relay through one host.

    `networks`: whose hosts relay without any proof. `has_login`: whether users relay who log in. Both are None where
    the declaration says nothing of them, and only the host itself could tell. `to_review`: what else is declared that
    may let somebody in, or that nobody has checked, by its place.
    """

    host: str
    place: str
    rows: tuple[LedgerRow, ...] = ()
    networks: tuple[str, ...] | None = None
    has_login: bool | None = None
    to_review: Mapping[str, str] = field(default_factory=dict)


def ledger_of_host(inputs: HostInputs, rows: Iterable[HostRow]) -> HostLedger:
    """Return the ledger of a host, with its rows by client and generation."""
    named = (
        LedgerRow(host=inputs.name, service=each.service, accepted=each.accepted, roster=each.roster, since=each.since)
        for each in rows
    )
    written = inputs.main_cf
    return HostLedger(
        host=inputs.name,
        place=f"{inputs.target.kind} {inputs.target.place}",
        rows=tuple(sorted(named, key=lambda row: row.order)),
        networks=tuple(split_list(written[_NETWORKS])) if _NETWORKS in written else None,
        has_login=_has_login(written),
        to_review={**inputs.to_review, **inputs.unknown_tables, **inputs.unchecked},
    )


def _has_login(written: Mapping[str, str]) -> bool | None:
    said = {name: split_list(written[name]) for name in _RESTRICTIONS if name in written}
    if any(_LOGIN in each for each in said.values()):
        return True
    # Without its own value smtpd_relay_restrictions has Postfix's, which permits those who log in.
    return False if _RELAY_RESTRICTIONS in said else None
