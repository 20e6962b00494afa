"""The records of a certificate: what is declared, what is decided, what was issued."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pki.fields import DeclaredCertificate
from pki.generations import Schedule
from pki.model import FIRST_SLOT, AuthorityChange, Profile, SlotId
from pki.records import IssuedCertificate, IssuerArgs
from postseal_core.records import INLINE, SECRET, Wire
from postseal_core.values import UNKNOWN, Maybe

__all__ = ["CarriedArgs", "CertificateArgs", "CertificateInputs", "CertificateState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedArgs:
    """An authority's certificate that its later slots carry on; `number`: of the slot, which its name ends with."""

    certificate_pem: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateArgs:
    """One certificate as a program declares it.

    `slot`: of an authority, which of its keys this certificate is for. `issuer`: None for a self-signed certificate.
    `private_key_pem`: a key made elsewhere; without it the resource makes and keeps its own. `request_pem`: a request
    (PKCS#10) instead, for a key that stays where it was made. `adopt_certificate_pem`: a certificate made elsewhere for
    that key, taken as generation 1. `carries_on`: another one whose name and extensions it has. `change`: what is
    declared otherwise than in either of these. `handover`: a client's certificate that another resource keeps until
    now; read for a new resource only. `is_interim`: it stands in until a third party's answer is here. `is_distrusted`:
    of an authority, that this slot is trusted no more. `cross_signers`: slots that certify its key, too.
    `trusted_slots`: slots of its authority that are trusted.
    """

    name: str
    profile: Profile
    declared: Annotated[DeclaredCertificate, INLINE]
    slot: SlotId | None = None
    issuer: IssuerArgs | None = None
    private_key_pem: Annotated[Maybe[str] | None, SECRET] = field(default=None, repr=False)
    request_pem: str = ""
    adopt_certificate_pem: str = ""
    carries_on: CarriedArgs | None = None
    change: tuple[AuthorityChange, ...] = ()
    handover: Annotated[Maybe[str], SECRET] = field(default="", repr=False)
    is_interim: bool = False
    is_distrusted: bool = False
    cross_signers: tuple[SlotId, ...] = ()
    trusted_slots: tuple[SlotId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInputs:
    """The checked inputs of one certificate: declaration, issuer and schedule.

    `issuer`, `accepted_lines`, `revoked_lines` are for readers; the same as data are `schedule.issuer`,
    `schedule.accepted` and `schedule.revoked`. `generations`: for readers, in what the schedule differs from the one of
    the run before; it is compared with nothing. `issuer_key`, `private_key`: SHA-256 of a key's public half;
    `is_key_elsewhere`: only a request for the latter was handed in. `adopted_certificate`, `taken_over`: references to
    this run's memory; so is `carries_on`, whose name ends with `carries_on_number` here. `change`: what differs from
    that certificate; `carried`: for readers, what stays as that has it. `cross_signers`: every slot that has ever
    certified this one's key beside its issuer.
    """

    name: str
    profile: Profile
    declared: Annotated[DeclaredCertificate, INLINE]
    subject: str
    issuer: str
    schedule: Annotated[Schedule, INLINE]
    slot: SlotId | None = None
    issuer_key: Maybe[str] = ""
    private_key: Maybe[str] = ""
    is_key_elsewhere: bool = False
    adopted_certificate: str = ""
    carries_on: str = ""
    carries_on_number: int = FIRST_SLOT
    change: tuple[AuthorityChange, ...] = ()
    taken_over: str = ""
    is_interim: bool = False
    is_distrusted: bool = False
    cross_signers: tuple[SlotId, ...] = ()
    carried: Mapping[str, str] = field(default_factory=dict)
    accepted_lines: Annotated[Mapping[str, str], Wire("accepted")] = field(default_factory=dict)
    revoked_lines: Annotated[Mapping[str, str], Wire("revoked")] = field(default_factory=dict)
    generations: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateState:
    """One certificate that exists; `private_key_pem` is empty where the key was made elsewhere.

    `trusted_pem`: of an adopted root, this certificate and the one it was renewed from, until that expires: what was
    signed before may name it by its serial number (RFC 5280 section 4.2.1.1), and OpenSSL then looks for that very one.
    """

    IS_COMPLETE: ClassVar[bool] = True

    issued: Annotated[IssuedCertificate, INLINE]
    chain_pem: Maybe[str] = UNKNOWN
    trusted_pem: Maybe[str] = ""
    private_key_pem: Annotated[Maybe[str], SECRET] = field(default="", repr=False)
    is_interim: bool = False
