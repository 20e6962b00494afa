"""Records shared by several resource types: issuers, issued certificates, dependents of an authority."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar, Final

from pki.generations import AcceptedGeneration, Cause, RevokedGeneration
from pki.model import RevocationReason, SerialNumber, SlotId, Validity
from postseal_core.records import INLINE, SECRET
from postseal_core.values import UNKNOWN, Maybe

__all__ = [
    "NOT_ISSUED",
    "Dependent",
    "Identity",
    "IssuedCertificate",
    "IssuedGeneration",
    "IssuerArgs",
    "Link",
    "RevokedIssue",
    "Withdrawal",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One certificate above an issuer in its chain, with its generation."""

    name: str
    generation: Maybe[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerArgs:
    """The signing authority as the program passes it: key, chain and slot.

    `slot`: which of its keys. `chain_pem`: issuer first, then `above`. `standby_hours`: how long its root must have
    been published before certificates may move to it; None: no rule. `crl_urls`: where its revocation list is fetched.
    `distrusted`: slots, its own and those of others in the program, whose signatures are worth nothing any more.
    `slots`: all that it declares; none: not said.
    """

    slot: SlotId
    generation: Maybe[int]
    not_before: Maybe[datetime]
    not_after: Maybe[datetime]
    chain_pem: Maybe[str]
    private_key_pem: Annotated[Maybe[str], SECRET] = field(repr=False)
    above: tuple[Link, ...] = ()
    standby_hours: int | None = None
    crl_urls: tuple[str, ...] = ()
    distrusted: tuple[SlotId, ...] = ()
    slots: tuple[SlotId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Serial number and fingerprints of an issued certificate; unknown before it is issued.

    Fingerprints are SHA-256, upper-case hexadecimal pairs joined by colons.
    """

    IS_COMPLETE: ClassVar[bool] = True

    fingerprint_sha256: Maybe[str] = UNKNOWN
    public_key_fingerprint_sha256: Maybe[str] = UNKNOWN
    serial_number: Maybe[SerialNumber] = UNKNOWN


NOT_ISSUED: Final = Identity()
"""The identity of what is still to be issued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedGeneration:
    """An earlier generation that is still accepted, with its identity."""

    schedule: Annotated[AcceptedGeneration, INLINE]
    identity: Annotated[Identity, INLINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedIssue:
    """A generation that was revoked and has not expired, with its identity."""

    schedule: Annotated[RevokedGeneration, INLINE]
    identity: Annotated[Identity, INLINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """Public description of a certificate and its earlier generations, from a single resource or a roster.

    `issuer` is for readers, `issuer_slot` says the same as data; both name nobody for what signs itself. `revoked_at`,
    `revocation_reason`: of the current generation.
    """

    IS_COMPLETE: ClassVar[bool] = True

    subject: str
    issuer: str
    issuer_slot: SlotId | None = None
    generation: int
    key_generation: int
    validity: Annotated[Validity, INLINE]
    renew_at: datetime
    cause: Cause
    reason: str
    certificate_pem: Maybe[str] = UNKNOWN
    identity: Annotated[Identity, INLINE] = NOT_ISSUED
    previous: tuple[IssuedGeneration, ...] = ()
    revoked: tuple[RevokedIssue, ...] = ()
    revoked_at: datetime | None = None
    revocation_reason: RevocationReason = RevocationReason.NOT_REVOKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """The generations of one certificate that still depend on an authority's slot."""

    previous: Maybe[tuple[IssuedGeneration, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """The facts that prevent removal of a slot while certificates it signed are still accepted.

    `issuers`: the slots that are declared now. `authorities`: those that have slots here; what others signed is not
    looked at. `dependents`: certificates by name.
    """

    issuers: tuple[SlotId, ...] = ()
    authorities: tuple[str, ...] = ()
    dependents: Mapping[str, Dependent] = field(default_factory=dict)
