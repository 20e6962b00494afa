"""The records of a certificate that somebody else signed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar

from pki.model import Profile, Validity
from pki.records import Identity
from postseal_core.records import INLINE, SECRET
from postseal_core.values import Maybe

__all__ = ["Described", "ImportedCertificateArgs", "ImportedCertificateInputs", "ImportedCertificateState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCertificateArgs:
    """A certificate signed elsewhere; `chain_pem`: leaf and intermediates, in PEM or PKCS#7.

    `renew_before_hours`: how long before its end the next one is due to be fetched. `profile`: what it is used for.
    """

    name: str
    dns_names: tuple[str, ...]
    chain_pem: str
    private_key_pem: Annotated[Maybe[str], SECRET] = field(repr=False)
    renew_before_hours: int = 30 * 24
    profile: Profile = Profile.SERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Description of a certificate signed elsewhere, and when the next one is due."""

    name: str
    dns_names: tuple[str, ...]
    subject: str
    issuer: str
    validity: Annotated[Validity, INLINE]
    renew_at: datetime
    identity: Annotated[Identity, INLINE]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCertificateInputs:
    """The checked inputs; `chain` is a digest, the chain itself stays in this run's memory."""

    described: Annotated[Described, INLINE]
    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCertificateState:
    """A certificate signed elsewhere that is in use."""

    IS_COMPLETE: ClassVar[bool] = True

    described: Annotated[Described, INLINE]
    chain_pem: str
    certificate_pem: str
