"""Plain values that describe certificates; frozen, comparable, free of any library's types."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = [
    "CertificateDeclaration",
    "KeyAlgorithm",
    "NameConstraints",
    "Profile",
    "Subject",
    "SubjectAltNames",
    "Validity",
]


class KeyAlgorithm(StrEnum):
    """Key algorithms that certificates may use; the value is what stack files and previews show."""

    ECDSA_P256 = "ECDSA-P256"
    ECDSA_P384 = "ECDSA-P384"
    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    ED25519 = "ED25519"


class Profile(StrEnum):
    """What a certificate is for; `profiles.py` holds the table of what each one carries."""

    ROOT = "root"
    INTERMEDIATE = "intermediate"
    SERVER = "server"
    CLIENT = "client"
    SERVER_AND_CLIENT = "server_and_client"

    @property
    def is_authority(self) -> bool:
        """Whether certificates of this profile sign others."""
        return self in (Profile.ROOT, Profile.INTERMEDIATE)


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

    DNS: `example.org` covers itself and everything below. E-mail: `example.org` covers mailboxes at that host,
    `.example.org` at hosts below it, `user@example.org` one mailbox.
    """

    permitted_dns: tuple[str, ...] = ()
    excluded_dns: tuple[str, ...] = ()
    permitted_email: tuple[str, ...] = ()
    excluded_email: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.permitted_dns or self.excluded_dns or self.permitted_email or self.excluded_email)


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
