"""Check where mail is handed to: `service:next-hop` as in transport(5)."""

import re
from collections.abc import Iterator
from typing import Final

from postseal_core.wording import shown

__all__ = ["faults_of_next_hops", "faults_of_transport", "split_transport"]

_TRANSPORT: Final = re.compile(r"(?P<service>[A-Za-z0-9_][A-Za-z0-9_.-]*)?(:(?P<next_hop>.*))?", re.ASCII)
_NEXT_HOP: Final = re.compile(
    r"unix:[A-Za-z0-9._/-]+|(inet:)?(\[[A-Za-z0-9.:_-]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*)(:[A-Za-z0-9_-]+)?", re.ASCII
)
_SAYS_TEXT: Final = frozenset({"discard", "error", "retry"})
# What others make of a next hop is their own matter, as a user's name for a program.
_TO_HOSTS: Final = frozenset({"", "lmtp", "relay", "smtp"})
_NO_HOST: Final = re.compile(r"\s|://|^//")


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
