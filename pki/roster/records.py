"""The records of a roster: many clients of one authority in one resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar

from pki.fields import ArchiveWord, DeclaredCertificate, Match
from pki.generations import AcceptedGeneration, RevokedGeneration, Schedule
from pki.model import SlotId, Validity
from pki.records import IssuedCertificate, IssuerArgs, Withdrawal
from postseal_core.records import INLINE, SECRET, Wire
from postseal_core.values import UNKNOWN, Maybe

__all__ = ["ArchiveRow", "DueRow", "IssuedRow", "KeyRow", "RosterArgs", "RosterInputs", "RosterState", "ScheduleRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterArgs:
    """A roster as a program declares it.

    `shared`: fields that hold for every client that does not say otherwise. `clients`: a line of canonical JSON for
    each client, see `pki.roster.rows`. `handovers`: by client, a certificate that another resource keeps until now.
    """

    name: str
    shared: Annotated[DeclaredCertificate, INLINE]
    clients: str
    issuer: IssuerArgs
    handovers: Annotated[Mapping[str, Maybe[str]], SECRET] = field(default_factory=dict, repr=False)
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterInputs:
    """The checked inputs of a roster; `clients` and `schedules` (of `ScheduleRow`) are packed.

    `shared`: as declared, with the issuer's `crl_urls`. `issuer`, `summary` and `changes` (a line for each client of
    this decision) are for readers. `next_due_at`: when the next certificate renews or retires. From `quiet_from` on
    and before `next_due_at` nothing is due for anybody; None: look at each client. `earlier_issuers`: the slots that
    signed earlier generations which are still accepted.
    """

    name: str
    shared: Annotated[DeclaredCertificate, INLINE]
    issuer: str
    issuer_slot: SlotId
    issuer_key: Maybe[str]
    clients: str
    schedules: str
    summary: str
    changes: Mapping[str, str] = field(default_factory=dict)
    next_due_at: datetime | None = None
    quiet_from: datetime | None = None
    earlier_issuers: tuple[SlotId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """The schedule of one client; `taken_over`: reference to a certificate handed over in this run."""

    name: str
    schedule: Annotated[Schedule, INLINE]
    taken_over: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """The part of a `ScheduleRow` that says when a client must be looked at again."""

    name: str
    generation: int
    validity: Annotated[Validity, INLINE]
    renew_at: datetime
    accepted: Annotated[tuple[AcceptedGeneration, ...], Wire("accepted_generations")] = ()
    revoked: Annotated[tuple[RevokedGeneration, ...], Wire("revoked_generations")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedRow:
    """The public part of one client of a roster: its declaration and its certificate.

    `pkcs12`: UNSAID for a client without an archive.
    """

    name: str
    issued: Annotated[IssuedCertificate, INLINE]
    match: Match = Match.CERTIFICATE
    email: str = ""
    dns_names: tuple[str, ...] = ()
    pkcs12: ArchiveWord = ArchiveWord.UNSAID


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """The secret part of one client: its key, and the passphrase of its archive."""

    name: str
    private_key_pem: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRow:
    """The PKCS#12 archive of one client, and what it was made of: profile, certificate and chain."""

    name: str
    pkcs12: ArchiveWord
    fingerprint_sha256: str
    issuer: str
    archive_p12_base64: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterState:
    """A roster that exists.

    Packed are `issued` (of `IssuedRow`), `accepted_rows` (of `pki.acceptance.AcceptedRow`) and, secret, `private_keys`
    (of `KeyRow`) and `archives` (of `ArchiveRow`). `next_due_at`: when the next certificate renews or retires.
    """

    IS_COMPLETE: ClassVar[bool] = True

    name: str
    count: int
    summary: str
    next_due_at: datetime | None
    issued: str
    accepted_rows: str
    intermediates_pem: Maybe[str] = UNKNOWN
    private_keys: Annotated[str, SECRET] = field(repr=False)
    archives: Annotated[str, SECRET] = field(repr=False)
