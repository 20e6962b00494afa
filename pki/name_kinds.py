"""The kinds of names in name constraints, with the comparison rule of each (RFC 5280 section 4.2.1.10)."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509

from pki.name_syntax import host_of_uri

__all__ = ["NAME_KINDS", "NameKind"]

_CONSTRAINED = x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier | x509.IPAddress


@dataclass(frozen=True, slots=True)
class NameKind:
    """The comparison rule of one kind of name; name and constraint are lower-case text.

    `is_within`: all that the name stands for lies in the constraint. `touches`: some of it does.
    """

    field: str
    general_name: type[_CONSTRAINED]
    is_within: Callable[[str, str], bool]
    touches: Callable[[str, str], bool]


def _is_host_within(host: str, base: str) -> bool:
    return not base or (host.endswith(base) if base.startswith(".") else f".{host}".endswith(f".{base}"))


def _touches_host(host: str, base: str) -> bool:
    return _is_host_within(host, base) or (host.startswith("*.") and base.partition(".")[2] == host[2:])


def _is_mailbox_within(mailbox: str, base: str) -> bool:
    host = mailbox.partition("@")[2]
    return not base or (host.endswith(base) if base.startswith(".") else base in (mailbox, host))


def _is_uri_within(uri: str, base: str) -> bool:
    host = host_of_uri(uri) or ""
    return host.endswith(base) if base.startswith(".") else host == base


def _is_address_within(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


NAME_KINDS = (
    NameKind("dns_names", x509.DNSName, _is_host_within, _touches_host),
    NameKind("email_addresses", x509.RFC822Name, _is_mailbox_within, _is_mailbox_within),
    NameKind("ip_addresses", x509.IPAddress, _is_address_within, _is_address_within),
    NameKind("uris", x509.UniformResourceIdentifier, _is_uri_within, _is_uri_within),
)
