"""Which hosts of a stack let a client or a roster in, by the names and ports that clients connect to; pure."""

from collections.abc import Iterator, Mapping

from postfix.smtp_ports import port_number
from postseal.stack.model import Admitted, CertificateKind, Host, StackConfig

__all__ = ["relays_of_clients", "relays_of_roster"]


def relays_of_clients(config: StackConfig) -> Mapping[str, tuple[str, ...]]:
    """Return hosts as `mx1.example.org:587` by client of the section `clients`; whom none lets in is left out."""
    found: dict[str, list[str]] = {}
    for admitted, places in _services(config):
        for each in admitted.clients:
            if each.kind is CertificateKind.CLIENT and each.name in config.clients:
                found.setdefault(each.name, []).extend(places)
    return {client: tuple(dict.fromkeys(places)) for client, places in found.items() if places}


def relays_of_roster(config: StackConfig, roster: str) -> tuple[str, ...]:
    """Return hosts as `mx1.example.org:587` that let all clients of a roster in."""
    places = (place for admitted, places in _services(config) if roster in admitted.rosters for place in places)
    return tuple(dict.fromkeys(places))


def _services(config: StackConfig) -> Iterator[tuple[Admitted, list[str]]]:
    """Yield who is let in through each service of each host, those for mail programs first, and where it listens."""
    for host in config.hosts.values():
        for name, admitted in host.submitting.items():
            yield admitted, _places(host, name)
        yield host.relaying, _places(host, "smtp")


def _places(host: Host, service: str) -> list[str]:
    """Return the names that somebody can connect to; a wildcard of a certificate is none."""
    return [f"{name}:{port_number(service)}" for name in host.declaration.public_names if not name.startswith("*")]
