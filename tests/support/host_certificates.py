"""The certificates of a host and of the client that it lets in, made once, when a test first asks for them."""

from functools import cache

from cryptography import x509

from pki.issuing import Issuer
from pki.model import Profile
from tests.support.specimens import issue_leaf, make_authority

__all__ = ["alice", "authority", "served"]


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
