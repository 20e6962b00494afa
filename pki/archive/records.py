"""The records of a PKCS#12 archive."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pki.model import KeyAlgorithm, Pkcs12Profile
from postseal_core.records import SECRET
from postseal_core.values import UNKNOWN, Maybe

__all__ = ["Pkcs12Args", "Pkcs12Inputs", "Pkcs12State"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pkcs12Args:
    """The arguments of an archive; without a `passphrase` one is generated.

    `key_algorithm`: as declared, since a preview of a new client does not know the key.
    """

    name: str
    generation: Maybe[int]
    certificate_pem: Maybe[str]
    private_key_pem: Annotated[Maybe[str], SECRET] = field(repr=False)
    ca_pem: Maybe[str]
    profile: Pkcs12Profile = Pkcs12Profile.MODERN
    passphrase: Annotated[Maybe[str] | None, SECRET] = field(default=None, repr=False)
    key_algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256


@dataclass(frozen=True, slots=True, kw_only=True)
class Pkcs12Inputs:
    """The checked inputs of an archive: digests of its content, and the declared passphrase."""

    name: str
    generation: Maybe[int]
    certificate: Maybe[str]
    private_key: Maybe[str]
    ca: Maybe[str]
    profile: Pkcs12Profile
    passphrase: Annotated[Maybe[str] | None, SECRET] = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pkcs12State:
    """An archive that exists."""

    IS_COMPLETE: ClassVar[bool] = True

    name: str
    profile: Pkcs12Profile
    generation: Maybe[int]
    archive_p12_base64: Annotated[Maybe[str], SECRET] = field(default=UNKNOWN, repr=False)
    passphrase: Annotated[Maybe[str], SECRET] = field(default=UNKNOWN, repr=False)
