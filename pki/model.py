"""Plain values that describe certificates; frozen, comparable, free of any library's types."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from postseal_core.wording import shown

__all__ = [
    "FIRST_SLOT",
    "HOLD",
    "SUBJECT_PARTS",
    "AuthorityChange",
    "CertificateDeclaration",
    "KeyAlgorithm",
    "NameConstraints",
    "Pkcs12Profile",
    "Profile",
    "RevocationReason",
    "SerialNumber",
    "SlotId",
    "Subject",
    "SubjectAltNames",
    "Validity",
]


class KeyAlgorithm(StrEnum):
    """Key algorithms that certificates may use; the value is what stack files and previews show.

    Attributes:
        ECDSA_P256: ECDSA on the curve P-256, the default: every TLS library of the last ten years knows it.
        ECDSA_P384: ECDSA on the curve P-384.
        ECDSA_P521: ECDSA on the curve P-521, for what exists already; some programs do not know it.
        RSA_2048: RSA of 2048 bits, the least that OpenSSL accepts.
        RSA_3072: RSA of 3072 bits, for peers that know only RSA.
        RSA_4096: RSA of 4096 bits.
        RSA_8192: RSA of 8192 bits, for what exists already; a key takes a minute to make, a signature a tenth second.
        ED25519: Ed25519 (RFC 8410); many mail programs do not know it.
    """

    ECDSA_P256 = "ECDSA-P256"
    ECDSA_P384 = "ECDSA-P384"
    ECDSA_P521 = "ECDSA-P521"
    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    RSA_8192 = "RSA-8192"
    ED25519 = "ED25519"

    @property
    def kind(self) -> str:
        """The kind of key without its size, of which a TLS server holds one certificate each; as `kind_of_key`."""
        return self.value.partition("-")[0]


class AuthorityChange(StrEnum):
    """What a stack file may say otherwise than the certificate of an authority that is carried on.

    Attributes:
        SUBJECT: The distinguished name.
        PATH_LENGTH: How many authorities may stand below.
        NAME_CONSTRAINTS: Which names it may certify.
    """

    SUBJECT = "subject"
    PATH_LENGTH = "path_length"
    NAME_CONSTRAINTS = "name_constraints"


class Pkcs12Profile(StrEnum):
    """How an archive is encrypted; the value is what stack files and previews show.

    Attributes:
        MODERN: AES-256-CBC with PBKDF2 and a SHA-256 MAC, which current mail programs and OpenSSL 1.1.1 and later read.
        LEGACY: 3DES with a SHA-1 MAC, for old programs that refuse the modern one.
    """

    MODERN = "modern"
    LEGACY = "legacy"


class RevocationReason(StrEnum):
    """The reason of a revocation as RFC 5280 section 5.3.1 spells it; empty: not revoked.

    `removeFromCRL` is missing because only delta CRLs have it.

    Attributes:
        NOT_REVOKED: It is valid.
        UNSPECIFIED: No reason is given.
        KEY_COMPROMISE: Somebody else has, or may have, its key.
        CA_COMPROMISE: Somebody else has, or may have, the key of the authority.
        AFFILIATION_CHANGED: The holder belongs to another organization now, or is called otherwise.
        SUPERSEDED: Another certificate takes its place.
        CESSATION_OF_OPERATION: What it was for is no longer done.
        CERTIFICATE_HOLD: It is invalid for now; the only reason that can be taken back.
        PRIVILEGE_WITHDRAWN: The holder may no longer do what it allows.
        AA_COMPROMISE: What vouched for an attribute of the holder is compromised.
    """

    NOT_REVOKED = ""
    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"
    AA_COMPROMISE = "aACompromise"


HOLD: Final = RevocationReason.CERTIFICATE_HOLD
"""The only revocation reason that can be taken back (RFC 5280 section 5.3.1)."""


class Profile(StrEnum):
    """The purpose of a certificate; `profiles.py` has the rules of each."""

    ROOT = "root"
    INTERMEDIATE = "intermediate"
    SERVER = "server"
    CLIENT = "client"
    SERVER_AND_CLIENT = "server_and_client"

    @property
    def is_authority(self) -> bool:
        """Whether certificates of this profile sign others."""
        return self in (Profile.ROOT, Profile.INTERMEDIATE)


class SerialNumber(int):
    """Serial number of a certificate (RFC 5280 section 4.1.2.2), up to 20 octets; as text in lower-case hexadecimal."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self:x}"

    @classmethod
    def from_text(cls, text: str) -> "SerialNumber":
        """Return the number of the text that `str()` gives; raise ValueError for any other."""
        number = cls(text, 16)
        if str(number) != text:
            raise ValueError(f"{shown(text)} is no serial number in lower-case hexadecimal")
        return number


FIRST_SLOT = 1


@dataclass(frozen=True, slots=True, order=True)
class SlotId:
    """One numbered key of an authority; whatever it signs names it as issuer.

    Args:
        authority: Name of the authority.
        number: Number of its key, 1 and up. Default: 1.
    """

    authority: str
    number: int = FIRST_SLOT

    @property
    def name(self) -> str:
        """The name of the slot's key and certificate: the authority's own, from the second on with the number."""
        return self.authority if self.number == FIRST_SLOT else f"{self.authority}-{self.number}"

    def __str__(self) -> str:
        return f"{self.authority}/{self.number}"

    @classmethod
    def from_text(cls, text: str) -> "SlotId":
        """Return the slot of the text that `str()` gives; raise ValueError for any other."""
        authority, _, number = text.rpartition("/")
        return cls(authority, int(number))


@dataclass(frozen=True, slots=True)
class Subject:
    """Distinguished name of a certificate's subject (RFC 5280 section 4.1.2.6).

    `common_name` has at most 64 characters, `country` is an ISO 3166 two-letter code; empty fields are left out.
    """

    common_name: str
    organization: str = ""
    organizational_unit: str = ""
    locality: str = ""
    state_or_province: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class SubjectPart:
    """One attribute of a subject: its type and the longest value allowed, in characters."""

    oid: str
    most: int


SUBJECT_PARTS: Final[Mapping[str, SubjectPart]] = MappingProxyType(
    {
        "country": SubjectPart("2.5.4.6", 2),
        "state_or_province": SubjectPart("2.5.4.8", 128),
        "locality": SubjectPart("2.5.4.7", 128),
        "organization": SubjectPart("2.5.4.10", 64),
        "organizational_unit": SubjectPart("2.5.4.11", 64),
        "common_name": SubjectPart("2.5.4.3", 64),
    }
)
"""Every part, from the country down to the name: X.521's order. Bounds: RFC 5280 appendix A.1."""


@dataclass(frozen=True, slots=True)
class SubjectAltNames:
    """Subject alternative names (RFC 5280 section 4.2.1.6); DNS names in A-label form, addresses as text."""

    dns_names: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.dns_names or self.email_addresses or self.ip_addresses or self.uris)


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """Names an authority may and may not certify (RFC 5280 section 4.2.1.10).

        pki.NameConstraints(permitted_dns=("example.org",), permitted_email=("example.org",))

    Whoever is limited at all certifies no IP addresses and no URIs but those that are permitted here. Host names and
    mailboxes are limited each by their own lists; subjects are not limited.

    A host name covers itself and everything below. For mailboxes, `example.org` covers those at that host,
    `.example.org` those at hosts below it, `user@example.org` one mailbox. What is malformed, repeated, or permitted
    and excluded at the same time is refused.

    Args:
        permitted_dns: Host names that may be certified, with all below. Default: empty, any.
        excluded_dns: Host names that may not be certified, with all below. Default: empty, none.
        permitted_email: Mailboxes that may be certified. Default: empty, any.
        excluded_email: Mailboxes that may not be certified. Default: empty, none.
        permitted_ip: Networks whose addresses may be certified, as `192.0.2.0/24` or `2001:db8::/32`. Default: none.
        permitted_uri: Hosts whose URIs may be certified; `.example.org` are the hosts below. Default: none.
    """

    permitted_dns: tuple[str, ...] = ()
    excluded_dns: tuple[str, ...] = ()
    permitted_email: tuple[str, ...] = ()
    excluded_email: tuple[str, ...] = ()
    permitted_ip: tuple[str, ...] = ()
    permitted_uri: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True, slots=True)
class CertificateDeclaration:
    """Everything about a certificate that somebody declares, apart from its key, its issuer and its dates.

    `path_length` (authorities only): how many further authorities may stand below; 0 means none, None means no limit.
    `crl_urls`: CRL distribution points, `http://` addresses.
    """

    profile: Profile
    subject: Subject
    alt_names: SubjectAltNames = SubjectAltNames()
    path_length: int | None = None
    name_constraints: NameConstraints = NameConstraints()
    crl_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validity:
    """Validity period of a certificate, both ends inclusive, aware UTC datetimes of whole seconds."""

    not_before: datetime
    not_after: datetime
