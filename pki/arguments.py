"""The fields of a certificate as keyword arguments of components, for type checkers and editors.

Each begins with the meaning that `pki.fields` declares; a test compares them. The docstrings of the classes that take
the fields are completed with these texts, see `pki.components.field_texts`. A field that is left out, or is an empty
text or list, is not said.
"""

from typing import Literal, TypedDict

from pki.fields import ArchiveWord, Match
from pki.model import KeyAlgorithm, RevocationReason

__all__ = ["AuthorityFields", "ClientFields", "RequestFields", "RosterFields", "ServerFields", "Texts"]


Texts = list[str] | tuple[str, ...]
"""Several texts; no `Sequence`, of which a single text is one to a type checker, letter by letter."""


class _SubjectFields(TypedDict, total=False):
    """Parts of the subject's name, and the key."""

    organization: str
    """The subject's organization (O), at most 64 characters. Default: none."""
    organizational_unit: str
    """The subject's organizational unit (OU), at most 64 characters. Default: none."""
    locality: str
    """The subject's locality (L), at most 128 characters. Default: none."""
    state_or_province: str
    """The subject's state or province (ST), at most 128 characters. Default: none."""
    country: str
    """The subject's country (C), two letters of ISO 3166, as `DE`. Default: none."""
    key_algorithm: (
        KeyAlgorithm
        | Literal[
            "ECDSA-P256",
            "ECDSA-P384",
            "ECDSA-P521",
            "RSA-2048",
            "RSA-3072",
            "RSA-4096",
            "RSA-8192",
            "ED25519",
        ]
    )
    """The algorithm of the key, by default ECDSA-P256; or ECDSA-P384, -P521, RSA-2048, -3072, -4096, -8192, ED25519.

    Another one means a new key and a new certificate."""


class _MatchingFields(TypedDict, total=False):
    """Fields about how relays recognise a client and what a renewal does."""

    match: Match | Literal["certificate", "public_key"]
    """Relays know it by the fingerprint of its certificate, or of its public_key.

    Default: `certificate`. `public_key` is refused unless the lifetime keeps the key:
    `lifetime=LifetimePolicy(renew_key_every=0)`."""
    confirm: bool
    """Earlier generations stay accepted until confirmed_generation says that the new one is in use.

    At most until they expire. Default: false, they stay accepted for the overlap of the lifetime."""
    fail_beyond_issuer: bool
    """Refuse, instead of shortening, a lifetime that ends after the issuer's. Default: false."""


class RequestFields(_SubjectFields, total=False):
    """The fields of a `ThirdPartyServerCertificate`: what a certificate request can hold (RFC 2986)."""

    common_name: str
    """The subject's common name, at most 64 characters; of a leaf by default its e-mail address or first host name."""
    dns_names: Texts
    """Host names, dNSNames of the certificate (RFC 5280 section 4.2.1.6); of a server also `*.example.org`.

    Beyond ASCII they are written in their A-label form, `xn--...`."""


class _LeafFields(RequestFields, _MatchingFields, total=False):
    """Fields that clients and servers have in common."""

    ip_addresses: Texts
    """Addresses, iPAddresses of the certificate (RFC 5280 section 4.2.1.6), as `192.0.2.1` or `2001:db8::1`.

    Default: none."""
    confirmed_generation: int
    """The generation that is known to be in use, see confirm. Default: 0, none is known."""
    revoke: (
        RevocationReason
        | Literal[
            "",
            "unspecified",
            "keyCompromise",
            "cACompromise",
            "affiliationChanged",
            "superseded",
            "cessationOfOperation",
            "certificateHold",
            "privilegeWithdrawn",
            "aACompromise",
        ]
    )
    """Revoke what exists, for this reason of RFC 5280 section 5.3.1.

    Hosts drop it in the same `pulumi up`. Only `certificateHold` can be taken back. Default: empty, it is valid."""
    issue_again: bool
    """After a revocation, issue a new certificate with a new key. Default: false."""


class ServerFields(_LeafFields, total=False):
    """The fields of a `ServerCertificate`."""


class ClientFields(_LeafFields, total=False):
    """The fields of a `ClientCertificate`."""

    email: str
    """A mailbox, an rfc822Name of the certificate (RFC 5280 section 4.2.1.6), as `alice@example.org`.

    A client needs this or a host name."""
    unseen_after_days: int
    """Reports name the client if no log shows it for so many days; 0: they do not.

    See `postseal seen`. Nothing else follows from it. Default: 0."""
    person: str
    """Who has the mailbox; clients that say the same one are devices of one person.

    Those may have one `email`, each with a key of its own; all others must differ in it. It is not in the certificate,
    and compared letter by letter; at most 64 characters. Default: none, the mailbox is this client's alone."""


class AuthorityFields(_SubjectFields, total=False):
    """The fields of a `CertificateAuthority` and an `IntermediateAuthority`."""

    common_name: str
    """The subject's common name, at most 64 characters; of a leaf by default its e-mail address or first host name.

    An authority must say it; its slots after the first have their number behind it."""
    path_length: int | None
    """How many authorities may stand below; 0 none, left out no limit (RFC 5280 section 4.2.1.9).

    Default: 0 for an intermediate, no limit for others; None is no limit."""


class RosterFields(_SubjectFields, _MatchingFields, total=False):
    """The defaults that a `ClientRoster` sets for its clients."""

    pkcs12: ArchiveWord | Literal["", "modern", "legacy", "none"]
    """A PKCS#12 archive: modern, legacy, or none for one client.

    `modern` is PBES2 with AES-256, `legacy` 3DES with SHA-1 for old mail programs. Default: no archive."""
    unseen_after_days: int
    """Reports name the client if no log shows it for so many days; 0: they do not.

    See `postseal seen`. Nothing else follows from it. Default: 0."""
