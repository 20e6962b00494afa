"""Read and check where mail is handed to: `service:next-hop` as in transport(5)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from postfix.smtp_ports import SUBMISSIONS, port_number
from postseal_core.wording import shown

__all__ = ["NextHop", "faults_of_next_hops", "faults_of_transport", "next_hops_of", "split_transport"]

_TRANSPORT: Final = re.compile(r"(?P<service>[A-Za-z0-9_][A-Za-z0-9_.-]*)?(:(?P<next_hop>.*))?", re.ASCII)
_NEXT_HOP: Final = re.compile(
    r"unix:[A-Za-z0-9._/-]+|(inet:)?(\[[A-Za-z0-9.:_-]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*)(:[A-Za-z0-9_-]+)?", re.ASCII
)
_SAYS_TEXT: Final = frozenset({"discard", "error", "retry"})
# What others make of a next hop is their own matter, as a user's name for a program.
_TO_HOSTS: Final = frozenset({"", "lmtp", "relay", "smtp"})
_NO_HOST: Final = re.compile(r"\s|://|^//")
_PARTS: Final = re.compile(r"(?P<bracket>\[)?(?P<host>(?(bracket)[^\]]*|[^:]*))(?(bracket)\])(:(?P<port>[^:]+))?")


@dataclass(frozen=True, slots=True)
class NextHop:
    """A host or domain that mail goes to next.

    Args:
        text: As it is written; by this Postfix looks for a row of smtp_tls_policy_maps, in any case of letters.
        host: The name or address, without brackets and in lower case.
        port: Number or name. Default: empty, port 25.
        has_brackets: Whether its MX records are left alone. Default: false.
    """

    text: str
    host: str
    port: str = ""
    has_brackets: bool = False

    @property
    def key(self) -> str:
        """What a row of smtp_tls_policy_maps has to be called (postconf(5))."""
        return self.text.lower()

    @property
    def is_address(self) -> bool:
        """Whether it is an address, which no name in a certificate is compared with."""
        try:
            ip_address(self.host.removeprefix("ipv6:"))
        except ValueError:
            return False
        return True

    @property
    def begins_with_tls(self) -> bool:
        """Whether its port is the one where TLS begins at once, without STARTTLS (RFC 8314 section 3.3)."""
        return port_number(self.port) == SUBMISSIONS


def next_hops_of(text: str) -> tuple[NextHop, ...]:
    """Return the next hops of a text, separated by commas; one with a `$` or of a UNIX socket is left out."""
    parts = (part.strip() for part in text.split(","))
    matches = ((part, _PARTS.fullmatch(part.removeprefix("inet:"))) for part in parts if part and "$" not in part)
    return tuple(
        NextHop(part.removeprefix("inet:"), match["host"].lower(), match["port"] or "", bool(match["bracket"]))
        for part, match in matches
        if match and not part.startswith("unix:")
    )


def split_transport(transport: str) -> tuple[str, str]:
    """Return service and next hop of a transport; an empty one where nothing is said."""
    service, _, next_hop = transport.strip().partition(":")
    return service, next_hop.strip()


def faults_of_transport(transport: str) -> Iterator[str]:
    """Say what is wrong with `service:next-hop`; whether there is such a service is not looked at."""
    service, next_hop = split_transport(transport)
    if "$" not in service and not _TRANSPORT.fullmatch(transport.strip()):
        yield f"{shown(transport)} is not a transport as smtp, or with its next hop smtp:[host]:port"
    elif service in _TO_HOSTS:
        yield from faults_of_next_hops(next_hop)
    elif service not in _SAYS_TEXT and _NO_HOST.search(next_hop):
        yield f"{shown(next_hop)} is no next hop; write a domain, or [host]:port"


def faults_of_next_hops(text: str) -> Iterator[str]:
    """Say what is wrong with hosts that mail goes to, separated by commas; an empty text has none."""
    for each in filter(None, (part.strip() for part in text.split(","))):
        if "$" not in each and not _NEXT_HOP.fullmatch(each):
            yield f"{shown(each)} is no next hop; write a domain, or [host]:port"
