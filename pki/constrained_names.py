"""The name constraints that an authority's certificate carries (RFC 5280 section 4.2.1.10).

The extension limits only the kinds of names that it mentions. An authority that is limited by host or mailbox would be
free to certify the address behind a host, or a URI on it, so what is declared of two kinds closes these two as well.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

from cryptography import x509

from pki.model import NameConstraints
from postseal_core.wording import shown

__all__ = ["ALL_ADDRESSES", "NO_HOST", "fault_of_network", "name_constraints"]

ALL_ADDRESSES: Final = ("0.0.0.0/0", "::/0")
"""All networks of both versions of IP; excluding them leaves no address that may be certified."""

NO_HOST: Final = "none.invalid"
"""The host that is both permitted and excluded where no URI may be certified; it exists nowhere (RFC 2606).

No subtree excludes all URIs in every verifier. Where this is all that is permitted, OpenSSL, NSS and Go refuse any URI;
GnuTLS reads no permitted URIs, but refuses any URI where one is excluded.
"""


def name_constraints(declared: NameConstraints) -> x509.NameConstraints:
    """Return the extension for declared name constraints, which must not be empty.

    Addresses and URIs are closed unless some are permitted. Directory names stay out: every subject is one, and Go
    refuses all certificates below an authority that limits them, since it knows no such constraint.
    """
    networks = [ipaddress.ip_network(each) for each in declared.permitted_ip]
    closed = [each for each in map(ipaddress.ip_network, ALL_ADDRESSES) if each.version not in _versions(networks)]
    permitted = [
        *map(x509.DNSName, declared.permitted_dns),
        *map(x509.RFC822Name, declared.permitted_email),
        *map(x509.IPAddress, networks),
        *map(x509.UniformResourceIdentifier, declared.permitted_uri or (NO_HOST,)),
    ]
    excluded = [
        *map(x509.DNSName, declared.excluded_dns),
        *map(x509.RFC822Name, declared.excluded_email),
        *map(x509.IPAddress, closed),
        *map(x509.UniformResourceIdentifier, () if declared.permitted_uri else (NO_HOST,)),
    ]
    # An empty list is no valid encoding (GeneralSubtrees has at least one), None leaves the field out.
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded or None)


def _versions(networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> set[int]:
    return {network.version for network in networks}


def fault_of_network(text: str) -> str | None:
    """Return the fault of a network in name constraints; None: none."""
    wanted = "a network as '192.0.2.0/24' or '2001:db8::/32', without bits set behind the prefix"
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return f"got {shown(text)}, expected {wanted}"
    return None if text == str(network) else f"got {shown(text)}, expected its one spelling, {str(network)!r}"
