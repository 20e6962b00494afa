"""The certificates of a host and of the client that it lets in, made once, when a test first asks for them."""

from functools import cache

from cryptography import x509

from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.issuing import Issuer
from pki.model import Profile
from postseal_core.instants import format_instant
from tests.support.specimens import VALIDITY, issue_leaf, make_authority

__all__ = ["admitted_alice", "alice", "authority", "served"]


@cache
def authority() -> Issuer:
    """Return the authority of both."""
    return make_authority()


@cache
def served() -> x509.Certificate:
    """Return the host's certificate."""
    return issue_leaf(authority())


@cache
def alice() -> x509.Certificate:
    """Return the client's certificate."""
    return issue_leaf(authority(), Profile.CLIENT, serial_number=300)


def admitted_alice() -> dict[str, object]:
    """Return the client in its first generation, as a host's inputs know whom they let in."""
    return {
        "match": "certificate",
        "generation": 1,
        "not_before": format_instant(VALIDITY.not_before),
        "not_after": format_instant(VALIDITY.not_after),
        "issuer_slot": "mail-ca/1",
        "fingerprint_sha256": certificate_fingerprint_sha256(alice()),
        "public_key_fingerprint_sha256": public_key_fingerprint_sha256(alice()),
        "previous": [],
        "revoked_at": "",
    }
