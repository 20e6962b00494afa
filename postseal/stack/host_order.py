"""Which hosts of a stack come before which: a new client certificate is let in before it is presented."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from postseal.stack.model import Host

__all__ = ["receivers_of"]

_NEXT_HOP: Final = re.compile(r"(?:inet:)?\[?([A-Za-z0-9._-]+)\]?(?::[A-Za-z0-9_-]+)?", re.ASCII)


def receivers_of(hosts: Mapping[str, Host]) -> dict[str, tuple[str, ...]]:
    """Return for each host, receiving ones first, the hosts of the same stack that it sends mail through.

    A next hop is a host of the stack by one of its public names. Two that send through each other have no order: what
    closes a circle is left out.
    """
    by_name = {name.lower(): host for host, each in hosts.items() for name in each.declaration.public_names}
    found: dict[str, set[str]] = {host: set() for host in hosts}
    for host, declared in hosts.items():
        for name in _next_hops(declared):
            receiver = by_name.get(name)
            if receiver and receiver != host and host not in _before(receiver, found):
                found[host].add(receiver)
    ordered: dict[str, tuple[str, ...]] = {}
    for host in hosts:
        for name in (*sorted(_before(host, found), key=lambda each: (len(_before(each, found)), each)), host):
            ordered.setdefault(name, tuple(sorted(found[name])))
    return ordered


def _next_hops(host: Host) -> Iterator[str]:
    client = host.declaration.client
    settings = client.settings if client else None
    for text in (settings.relayhost, *(each.next_hop for each in settings.transports)) if settings else ():
        for part in text.split(","):
            if match := _NEXT_HOP.fullmatch(part.strip()):
                yield match[1].lower()


def _before(host: str, receivers: Mapping[str, set[str]]) -> set[str]:
    """Return all hosts that come before one, directly or not."""
    found: set[str] = set()
    waiting = [*receivers[host]]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += receivers[each]
    return found
