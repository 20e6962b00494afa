"""The table of a certificate's fields: meaning, where each may be set, and the effect of a change.

Everything that knows fields by name follows from `DeclaredCertificate`: the keys of the stack file's sections, the
columns of a roster, the arguments of components, the properties on the wire and in the state, what is compared when a
certificate is renewed or moves, and the tables in docs/stack-file.md. A new field is declared here, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Flag, StrEnum, auto
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

from pki.model import KeyAlgorithm, RevocationReason

__all__ = [
    "FIELDS",
    "NOTHING_SAID",
    "ArchiveWord",
    "DeclaredCertificate",
    "FieldOf",
    "Group",
    "Match",
    "SaidBy",
    "fields_said_by",
]

T = TypeVar("T")


class SaidBy(Flag):
    """Where a field may be set: a stack-file section and the component of that name, or a row of a roster."""

    CLIENT = auto()
    SERVER = auto()
    AUTHORITY = auto()
    ROSTER = auto()
    ROW = auto()

    LEAF = CLIENT | SERVER | ROW
    MANY = CLIENT | SERVER | ROSTER | ROW
    ALL = CLIENT | SERVER | AUTHORITY | ROSTER | ROW
    NOBODY = 0


class Group(StrEnum):
    """The key of a stack-file section that a field is nested under; empty: none."""

    NONE = ""
    LIFETIME = "lifetime"
    NAME_CONSTRAINTS = "name_constraints"


class Match(StrEnum):
    """How a relay recognises a client.

    Attributes:
        CERTIFICATE: The fingerprint of its certificate, another one after each renewal.
        PUBLIC_KEY: The fingerprint of its public key, which stays while renewals keep the key.
    """

    CERTIFICATE = "certificate"
    PUBLIC_KEY = "public_key"


class ArchiveWord(StrEnum):
    """The choice of PKCS#12 archive for a roster's clients.

    Attributes:
        UNSAID: Nothing; there is no archive unless the roster says otherwise.
        MODERN: An archive of the profile `modern`, see `Pkcs12Profile`.
        LEGACY: An archive of the profile `legacy`.
        NONE: No archive, whatever the roster says.
    """

    UNSAID = ""
    MODERN = "modern"
    LEGACY = "legacy"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FieldOf:
    """Properties of one field beside its name, type and default.

    `is_content`: it stands in the certificate, so that a change needs a new one. `is_compared`: it must be the same at
    both places when a certificate moves. `word`: its key in a section of the stack file. `meaning`: one sentence for
    whoever writes it.
    """

    said_by: SaidBy
    meaning: str
    is_content: bool = False
    is_compared: bool = False
    group: Group = Group.NONE
    word: str = ""


def _field(default: T, said_by: SaidBy, meaning: str, **more: Any) -> T:
    """Declare a field with its default; the type checker sees the default, `dataclasses` sees the declaration."""
    declared: Any = field(default=default, metadata={FieldOf: FieldOf(said_by, meaning, **more)})
    return cast("T", declared)


def _name(said_by: SaidBy, meaning: str) -> str:
    return _field("", said_by, meaning, is_content=True, is_compared=True)


def _names(said_by: SaidBy, meaning: str, group: Group = Group.NONE) -> tuple[str, ...]:
    return _field((), said_by, meaning, is_content=True, is_compared=True, group=group)


def _lifetime(default: T, word: str, meaning: str) -> T:
    return _field(default, SaidBy.ALL, meaning, group=Group.LIFETIME, word=word)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredCertificate:
    """The declaration of one certificate. A field at its default counts as not set."""

    common_name: str = _name(
        SaidBy.CLIENT | SaidBy.SERVER | SaidBy.AUTHORITY | SaidBy.ROW,
        "the subject's common name, at most 64 characters; of a leaf by default its e-mail address or first host name",
    )
    organization: str = _name(SaidBy.ALL, "the subject's organization (O)")
    organizational_unit: str = _name(SaidBy.ALL, "the subject's organizational unit (OU)")
    locality: str = _name(SaidBy.ALL, "the subject's locality (L)")
    state_or_province: str = _name(SaidBy.ALL, "the subject's state or province (ST)")
    country: str = _name(SaidBy.ALL, "the subject's country (C), two letters of ISO 3166")
    email: str = _name(SaidBy.CLIENT | SaidBy.ROW, "a mailbox, an rfc822Name of the certificate")
    person: str = _field(
        "", SaidBy.CLIENT | SaidBy.ROW, "who has the mailbox; clients that say the same one are devices of one person"
    )
    dns_names: tuple[str, ...] = _names(SaidBy.LEAF, "host names, dNSNames of the certificate")
    ip_addresses: tuple[str, ...] = _names(SaidBy.LEAF, "addresses, iPAddresses of the certificate")
    path_length: int | None = _field(
        None,
        SaidBy.AUTHORITY,
        "how many authorities may stand below; 0 none, left out no limit",
        is_content=True,
        is_compared=True,
    )
    permitted_dns: tuple[str, ...] = _names(
        SaidBy.AUTHORITY, "host names that may be certified, with all below", Group.NAME_CONSTRAINTS
    )
    excluded_dns: tuple[str, ...] = _names(
        SaidBy.AUTHORITY, "host names that may not be certified", Group.NAME_CONSTRAINTS
    )
    permitted_email: tuple[str, ...] = _names(
        SaidBy.AUTHORITY, "mailboxes that may be certified", Group.NAME_CONSTRAINTS
    )
    excluded_email: tuple[str, ...] = _names(
        SaidBy.AUTHORITY, "mailboxes that may not be certified", Group.NAME_CONSTRAINTS
    )
    permitted_ip: tuple[str, ...] = _names(
        SaidBy.AUTHORITY,
        "networks whose addresses may be certified; with other constraints none",
        Group.NAME_CONSTRAINTS,
    )
    permitted_uri: tuple[str, ...] = _names(
        SaidBy.AUTHORITY, "hosts whose URIs may be certified; with other constraints none", Group.NAME_CONSTRAINTS
    )
    crl_urls: tuple[str, ...] = _names(SaidBy.NOBODY, "where the issuer's revocation list is; the issuer says it")
    key_algorithm: KeyAlgorithm = _field(
        KeyAlgorithm.ECDSA_P256, SaidBy.ALL, "the algorithm of the key, by default ECDSA-P256", is_compared=True
    )
    validity_hours: int | None = _lifetime(None, "validity", "how long a new certificate is good, in hours")
    renew_fraction: Fraction | None = _lifetime(None, "renew_fraction", "the part of it after which it is renewed")
    renew_before_hours: int | None = _lifetime(
        None, "renew_before", "instead of a part: how many hours before its end it is renewed"
    )
    overlap_hours: int | None = _lifetime(
        None, "overlap", "how many hours the certificate before stays accepted beside the new one"
    )
    renew_key_every: int | None = _lifetime(
        None, "renew_key", "1: a new key at each renewal, n: at every n-th, 0: never"
    )
    match: Match = _field(
        Match.CERTIFICATE, SaidBy.MANY, "relays know it by the fingerprint of its certificate, or of its public_key"
    )
    confirm: bool = _field(
        False,  # noqa: FBT003 - the default of a field
        SaidBy.MANY,
        "earlier generations stay accepted until confirmed_generation says that the new one is in use",
    )
    confirmed_generation: int = _field(0, SaidBy.LEAF, "the generation that is known to be in use, see confirm")
    unseen_after_days: int = _field(
        0,
        SaidBy.CLIENT | SaidBy.ROSTER | SaidBy.ROW,
        "reports name the client if no log shows it for so many days; 0: they do not",
    )
    revoke: RevocationReason = _field(
        RevocationReason.NOT_REVOKED,
        SaidBy.LEAF,
        "revoke what exists, for this reason of RFC 5280 section 5.3.1",
        is_compared=True,
    )
    issue_again: bool = _field(
        False,  # noqa: FBT003 - the default of a field
        SaidBy.LEAF,
        "after a revocation, issue a new certificate with a new key",
        is_compared=True,
    )
    fail_beyond_issuer: bool = _field(
        False,  # noqa: FBT003 - the default of a field
        SaidBy.MANY,
        "refuse, instead of shortening, a lifetime that ends after the issuer's",
    )
    pkcs12: ArchiveWord = _field(
        ArchiveWord.UNSAID, SaidBy.ROSTER | SaidBy.ROW, "a PKCS#12 archive: modern, legacy, or none for one client"
    )


FIELDS: Final[Mapping[str, FieldOf]] = MappingProxyType(
    {each.name: each.metadata[FieldOf] for each in fields(DeclaredCertificate)}
)
"""Every field by its name, in the order in which they are shown."""

NOTHING_SAID: Final = DeclaredCertificate()
"""A declaration in which no field is said."""


def fields_said_by(surface: SaidBy) -> tuple[str, ...]:
    """Return the names of the fields that may be set there, in display order."""
    return tuple(name for name, each in FIELDS.items() if surface in each.said_by)
