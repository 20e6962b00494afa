"""What is wrong with whom a host lets relay."""

from collections.abc import Callable, Iterator

from pki.verification import load_chain
from postseal.stack.host_config import HostSection
from postseal.stack.hosts import Certificates
from postseal.stack.model import CertificateKind, Host
from postseal.stack.problems import unknown_name
from postseal.stack.reading import Entry
from postseal_core.errors import Problem

__all__ = ["CLIENT_CHECKS", "Check", "problems_of_kind"]

Check = Callable[[Entry[HostSection], Host, Certificates], Iterator[Problem]]


def _relay_clients(entry: Entry[HostSection], _host: Host, certificates: Certificates) -> Iterator[Problem]:
    known = {*certificates.clients, *(name for name, server in certificates.servers.items() if server.is_client)}
    rosters = _rosters_of_clients(certificates)
    seen: set[str] = set()
    for index, name in enumerate(entry.section.relay_clients):
        path = f"relay_clients[{index}]"
        reference = certificates.named(name)
        roster = rosters.get(name)
        if not reference and roster:
            yield Problem(path, f"{name} is in roster {roster}, whose clients relay together; list it in relay_rosters")
        elif not reference:
            yield unknown_name(path, "client", name, known)
        elif reference.kind is CertificateKind.SERVER:
            yield from problems_of_kind(path, name, certificates)
        if name in seen:
            yield Problem(path, f"{name} is listed twice; remove it once")
        seen.add(name)


def _rosters_of_clients(certificates: Certificates) -> dict[str, str]:
    """Return the roster of each client that is in one."""
    return {str(entry["name"]): name for name, roster in certificates.rosters.items() for entry in roster.entries}


def _relay_rosters(entry: Entry[HostSection], _host: Host, certificates: Certificates) -> Iterator[Problem]:
    names = entry.section.relay_rosters
    for index, name in enumerate(names):
        path = f"relay_rosters[{index}]"
        if name not in certificates.rosters:
            yield unknown_name(path, "roster", name, certificates.rosters)
        elif name in names[:index]:
            yield Problem(path, f"{name} is listed twice; remove it once")


def _moving_clients(entry: Entry[HostSection], _host: Host, certificates: Certificates) -> Iterator[Problem]:
    """Find clients that would not relay here any more once they have moved into a roster, or out of it."""
    clients, rosters = entry.section.relay_clients, entry.section.relay_rosters
    for roster in certificates.rosters.values():
        leaving = [name for name in clients if name in roster.take_over and roster.name not in rosters]
        for name in leaving:
            message = f"{name} moves to roster {roster.name}; list that in relay_rosters, or {name} ends relaying here"
            yield Problem(f"relay_clients[{clients.index(name)}]", message)
    for name, client in certificates.clients.items():
        if client.take_over_from in rosters and name not in clients:
            message = f"{name} moves out of this roster; list it in relay_clients, or {name} ends relaying here"
            yield Problem(f"relay_rosters[{rosters.index(client.take_over_from)}]", message)


def problems_of_kind(path: str, server: str, certificates: Certificates) -> Iterator[Problem]:
    """Find that a server stands where a client is wanted, and its certificate is for servers only."""
    if not certificates.servers[server].is_client:
        yield Problem(
            path,
            f"{server} is a server's certificate, which does not authenticate clients; set also_client of server "
            f"{server} to true, or name a client",
        )


def _extra_relay_clients(entry: Entry[HostSection], _host: Host, certificates: Certificates) -> Iterator[Problem]:
    names = (*certificates.clients, *certificates.servers, *_rosters_of_clients(certificates))
    seen = dict.fromkeys(names, "a name of this stack")
    for index, section in enumerate(entry.section.extra_relay_clients):
        path = f"extra_relay_clients[{index}]"
        if (section.fingerprint_sha256 is None) == (section.certificate_pem is None):
            yield Problem(path, "expected either fingerprint_sha256 or certificate_pem; give one of the two")
        elif section.certificate_pem and len(load_chain(section.certificate_pem, what="certificate")) > 1:
            yield Problem(f"{path}.certificate_pem", "expected one certificate, the client's own; leave the rest out")
        if section.name in seen:
            yield Problem(f"{path}.name", f"{section.name} is {seen[section.name]} already; choose another name")
        seen.setdefault(section.name, f"extra_relay_clients[{index}]")


def _repeated_fingerprints(_entry: Entry[HostSection], host: Host, _certificates: Certificates) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for client in host.extra_relay_clients:
        other = first.setdefault(client.fingerprint_sha256, client.name)
        if other != client.name:
            yield Problem(
                "extra_relay_clients", f"{client.name} and {other} are the same certificate; keep one of them"
            )


CLIENT_CHECKS: tuple[Check, ...] = (
    _relay_clients,
    _relay_rosters,
    _moving_clients,
    _extra_relay_clients,
    _repeated_fingerprints,
)
