"""The fields of a certificate as keyword arguments of components, for type checkers and editors.

What they mean, and their defaults, is declared in `pki.fields`; a test compares the two. Texts are known before
`pulumi up`; an empty text, an empty list and None say nothing.
"""

from collections.abc import Sequence
from typing import TypedDict

from pki.fields import ArchiveWord, Match
from pki.model import KeyAlgorithm, RevocationReason

__all__ = ["AuthorityFields", "ClientFields", "RequestFields", "RosterFields", "ServerFields"]


class _SubjectFields(TypedDict, total=False):
    """Parts of the subject's name (RFC 5280 section 4.1.2.6) and the key."""

    organization: str
    """The subject's organization (O)."""
    organizational_unit: str
    """The subject's organizational unit (OU)."""
    locality: str
    """The subject's locality (L)."""
    state_or_province: str
    """The subject's state or province (ST)."""
    country: str
    """The subject's country (C), two letters of ISO 3166."""
    key_algorithm: KeyAlgorithm | str
    """The algorithm of the key: ECDSA-P256 (default), ECDSA-P384, RSA-2048, RSA-3072, RSA-4096 or ED25519."""


class _MatchingFields(TypedDict, total=False):
    """How relays know a client, and what happens at a renewal."""

    match: Match | str
    """Relays know it by the fingerprint of its `certificate` (default) or of its `public_key`.

    The latter needs a lifetime that keeps the key: `lifetime=LifetimePolicy(renew_key_every=0)`."""
    confirm: bool
    """Earlier generations stay accepted, until they expire, until the new one is known to be in use."""
    fail_beyond_issuer: bool
    """Refuse, instead of shortening, a lifetime that ends after the issuer's."""


class RequestFields(_SubjectFields, total=False):
    """What can be said of a certificate that somebody else signs."""

    common_name: str
    """The subject's common name, at most 64 characters; by default the first host name."""
    dns_names: Sequence[str]
    """Host names, dNSNames of the certificate."""


class _LeafFields(RequestFields, _MatchingFields, total=False):
    """What clients and servers can say of their certificate."""

    ip_addresses: Sequence[str]
    """Addresses, iPAddresses of the certificate."""
    confirmed_generation: int
    """The generation that is known to be in use, where `confirm` waits for it."""
    revoke: RevocationReason | str
    """Revoke what exists, for this reason of RFC 5280 section 5.3.1; hosts drop it in the same `up`."""
    issue_again: bool
    """After a revocation, issue a new certificate with a new key."""


class ServerFields(_LeafFields, total=False):
    """The fields of a `ServerCertificate`."""


class ClientFields(_LeafFields, total=False):
    """The fields of a `ClientCertificate`."""

    email: str
    """A mailbox, an rfc822Name of the certificate."""


class AuthorityFields(_SubjectFields, total=False):
    """The fields of a `CertificateAuthority` and an `IntermediateAuthority`."""

    common_name: str
    """The subject's common name, at most 64 characters; slots after the first have their number behind it."""
    path_length: int | None
    """How many authorities may stand below; 0 none, None any number."""


class RosterFields(_SubjectFields, _MatchingFields, total=False):
    """The fields that a `ClientRoster` says for every client that does not say them itself."""

    pkcs12: ArchiveWord | str
    """A PKCS#12 archive for each client: `modern` or `legacy`."""
