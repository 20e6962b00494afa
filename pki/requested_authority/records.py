"""The records of an authority that somebody else signs: what is asked for, what was signed, what is awaited."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar, Final

from pki.authority_request import PurposeWord
from pki.certificate.records import CarriedArgs
from pki.fields import DeclaredCertificate
from pki.model import SlotId
from postseal_core.records import INLINE, SECRET, Wire
from postseal_core.values import UNKNOWN, Maybe

__all__ = [
    "NOTHING_SIGNED",
    "RequestedAuthorityArgs",
    "RequestedAuthorityInputs",
    "RequestedAuthorityState",
    "SignedAuthority",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedAuthorityArgs:
    """One slot of an authority whose certificate is signed elsewhere.

    `declared`: what the request asks for. `purposes`: extended key usages that it asks for; none is no limit.
    `signed_chain_pem`: the answer, in PEM or PKCS#7; empty while it is awaited. `roots_pem`: the roots that the chain
    must lead to, for trust alone. `carries_on`: an adopted certificate, of which this slot is another key.
    """

    name: str
    slot: SlotId
    declared: Annotated[DeclaredCertificate, INLINE]
    purposes: Annotated[tuple[PurposeWord, ...], Wire("extended_key_usage")] = ()
    private_key_pem: Annotated[Maybe[str], SECRET] = field(repr=False)
    signed_chain_pem: str = ""
    roots_pem: str = ""
    carries_on: CarriedArgs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAuthority:
    """Public description of what was signed; all empty while nothing is.

    `issuer`: the distinguished name of who signed. `generation`: how many different certificates there were until now.
    `serial_number`, `subject_key_identifier`: in lower-case hexadecimal. `subject_sha256`: of the subject's bytes. A
    renewal must keep the latter two.
    """

    IS_COMPLETE: ClassVar[bool] = True

    issuer: str = ""
    generation: int = 0
    not_before: datetime | None = None
    not_after: datetime | None = None
    renew_at: datetime | None = None
    fingerprint_sha256: str = ""
    public_key_fingerprint_sha256: str = ""
    serial_number: str = ""
    subject_sha256: str = ""
    subject_key_identifier: str = ""


NOTHING_SIGNED: Final = SignedAuthority()
"""The answer is awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedAuthorityInputs:
    """The checked inputs: what is asked for, and what was signed, None while that is awaited.

    `awaited`: for readers, what is to be done, empty where nothing is; `awaited_since`: the run that asked for it.
    `private_key`: SHA-256 of the key's public half. `chain`, `roots`, `carries_on`: digests; the texts stay in this
    run's memory.
    """

    name: str
    slot: SlotId
    declared: Annotated[DeclaredCertificate, INLINE]
    purposes: Annotated[tuple[PurposeWord, ...], Wire("extended_key_usage")] = ()
    subject: str
    private_key: Maybe[str]
    awaited: str = ""
    awaited_since: datetime | None = None
    signed: SignedAuthority | None = None
    chain: str = ""
    roots: str = ""
    carries_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedAuthorityState:
    """The request, and the certificate where it was signed.

    `chain_pem`: the certificate and those above it, the root left out.
    """

    IS_COMPLETE: ClassVar[bool] = True

    name: str
    subject: str
    awaited: str = ""
    cert_request_pem: Maybe[str] = UNKNOWN
    certificate_pem: str = ""
    chain_pem: str = ""
    roots_pem: str = ""
    signed: Annotated[SignedAuthority, INLINE] = NOTHING_SIGNED
