"""Names that a client is matched or logged by: its mailbox, hosts and addresses."""

from collections.abc import Iterator

from pki.common_names import comparable_name
from pki.fields import DeclaredCertificate

__all__ = ["comparable_identities", "identities"]


def identities(declared: DeclaredCertificate) -> Iterator[tuple[str, str]]:
    """Yield the mailbox, hosts and addresses of a certificate with their fields; no other client may have them."""
    if declared.email:
        yield "email", declared.email
    for index, host in enumerate(declared.dns_names):
        yield f"dns_names[{index}]", host
    for index, address in enumerate(declared.ip_addresses):
        yield f"ip_addresses[{index}]", address


def comparable_identities(declared: DeclaredCertificate) -> Iterator[tuple[str, str, str]]:
    """Yield each identity with its field, and in the one spelling by which two of them are compared.

    Case does not count: mail hosts hardly ever tell Alice@ and alice@ apart, and readers never.
    """
    for field, identity in identities(declared):
        yield field, identity, comparable_name(identity)
