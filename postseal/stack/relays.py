"""Which hosts of a stack let a client or a roster in, by the names that clients connect to; pure."""

from collections.abc import Iterator, Mapping

from postseal.stack.model import CertificateKind, Host, StackConfig

__all__ = ["relays_of_clients", "relays_of_roster"]


def relays_of_clients(config: StackConfig) -> Mapping[str, tuple[str, ...]]:
    """Return the names of hosts by client of the section `clients`; those that no host lets in are left out."""
    found: dict[str, list[str]] = {}
    for host in config.hosts.values():
        for each in host.relay_clients:
            if each.kind is CertificateKind.CLIENT and each.name in config.clients:
                found.setdefault(each.name, []).extend(_names(host))
    return {client: tuple(dict.fromkeys(names)) for client, names in found.items() if names}


def relays_of_roster(config: StackConfig, roster: str) -> tuple[str, ...]:
    """Return the names of hosts that let all clients of a roster in."""
    hosts = (host for host in config.hosts.values() if roster in host.relay_rosters)
    return tuple(dict.fromkeys(name for host in hosts for name in _names(host)))


def _names(host: Host) -> Iterator[str]:
    """Yield the names that somebody can connect to; a wildcard of a certificate is none."""
    return (name for name in host.declaration.public_names if not name.startswith("*"))
