"""The records of a revocation list: arguments, decisions, the signed list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar, Final

from pki.crl_schedule import CrlSchedule
from pki.model import RevocationReason, SerialNumber, SlotId
from pki.records import IssuedGeneration, IssuerArgs, RevokedIssue
from postseal_core.records import INLINE, Wire
from postseal_core.values import UNKNOWN, Maybe

__all__ = [
    "NOT_KNOWN_YET",
    "ListedCertificate",
    "ListedRevocation",
    "RevocationListArgs",
    "RevocationListInputs",
    "RevocationListState",
]

NOT_KNOWN_YET: Final = "what is revoked of it is not known yet: run `pulumi up` for it first"
"""What is said of a certificate of which a list would have to know more than a preview does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCertificate:
    """One certificate that may be on the list; `serial_number` is that of the current generation."""

    name: str
    serial_number: Maybe[SerialNumber]
    previous: Maybe[tuple[IssuedGeneration, ...]]
    revoked: Maybe[tuple[RevokedIssue, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationListArgs:
    """The arguments of a list: its authority and the certificates that may be on it.

    `lifetime_hours`: for how long a list may be used. `renew_before_hours`: how long before its end the next one is
    signed, half of the lifetime by default. `first_crl_number`: above that of any list signed elsewhere.
    """

    name: str
    authority: str
    certificates: tuple[ListedCertificate, ...]
    issuer: IssuerArgs
    rosters: Mapping[str, Maybe[str]] = field(default_factory=dict)
    lifetime_hours: int = 168
    renew_before_hours: int | None = None
    first_crl_number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationListInputs:
    """The checked inputs of a list: number, dates, entries.

    For readers are `issuer` and `revoked_lines`; the same as data are `issuer_slot` and `schedule.entries`.
    `issuer_key`: SHA-256 of the public half of the key that signs.
    """

    name: str
    authority: str
    issuer: str
    issuer_slot: SlotId
    issuer_key: Maybe[str]
    schedule: Annotated[CrlSchedule, INLINE]
    lifetime_hours: int = 168
    renew_before_hours: int | None = None
    first_crl_number: int = 1
    revoked_lines: Annotated[Mapping[str, str], Wire("revoked")] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRevocation:
    """One entry of a list that was signed."""

    name: str
    serial_number: SerialNumber
    revoked_at: datetime
    reason: RevocationReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationListState:
    """A list that was signed, with the key of `issuer_slot`."""

    IS_COMPLETE: ClassVar[bool] = True

    name: str
    authority: str
    issuer_slot: SlotId
    crl_number: int
    this_update: datetime
    next_update: datetime
    renew_at: datetime
    revoked: tuple[ListedRevocation, ...] = ()
    crl_pem: Maybe[str] = UNKNOWN
