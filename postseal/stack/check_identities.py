"""Check that no certificate in the stack says the name of another client, server, host or authority."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pki.common_names import comparable_name, names_within
from pki.fields import DeclaredCertificate
from pki.identities import Claims, identities_of
from postseal.stack.check_authorities_alike import problems_of_authorities_alike
from postseal.stack.model import CertificateKind, CertificateReference, Host, StackConfig
from postseal.stack.reading import DeclaredStack
from postseal.stack.references import repeated_identities
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["problems_of_identities"]


@dataclass(frozen=True, slots=True)
class _Known:
    """Owners of stack-file names, and owners of mailboxes, hosts and addresses, both normalised for comparison."""

    names: Mapping[str, str]
    owners: Mapping[str, set[str]]


def problems_of_identities(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Report common names that contain the mailbox, host, address or name of somebody else, and shared ones.

    Two that have one common name which is nobody's address are none: persons may be called alike, and Postfix logs the
    fingerprint beside the common name. A client and a server of one name are taken for the same machine.
    """
    names = {comparable_name(name): name for name, _ in _leaves(config)}
    known = _Known(names, _owners(config))
    for name, client in config.clients.items():
        yield from _problems(client.declared, name, known, f"{stack.clients[name].path}.common_name")
    for name, server in config.servers.items():
        if name in stack.servers:
            yield from _problems(server.declared, name, known, f"{stack.servers[name].path}.common_name")
    for name, authority in config.authorities.items():
        if not authority.adopt:  # a name that exists is not chosen here
            yield from _problems(authority.declared, name, known, f"{stack.authorities[name].path}.common_name")
    for name, roster in config.rosters.items():
        found = [
            (client, problem)
            for client, declared in roster.clients.items()
            for problem in _problems(declared, client, known, "common_name")
        ]
        yield from stack.roster_rows[name].placed(found)
    yield from _shared_with_servers(stack, config)
    yield from _shared_by_servers(stack, config)
    yield from problems_of_authorities_alike(stack, config)


def _shared_with_servers(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Report clients with a host or address of a server, for which whoever reads a log would take them.

    A client and a server of one name are one machine, and so is a client that the server's own host presents.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for name, server in config.servers.items():
        for each in identities_of(server.declared):
            owners[each.comparable].add(name)
    for name, host in _hosts_with_their_own(config).items():
        for each in identities_of(DeclaredCertificate(dns_names=host.declaration.public_names)):
            owners[each.comparable].add(name)
    own = _own_clients(config)
    for name, client in config.clients.items():
        found = _of_servers(client.declared, owners, {name, *own[name]})
        yield from (problem.below(stack.clients[name].path) for problem in found)
    for name, roster in config.rosters.items():
        rows = roster.clients.items()
        placed = [(row, problem) for row, declared in rows for problem in _of_servers(declared, owners, {row})]
        yield from stack.roster_rows[name].placed(placed)


def _hosts_with_their_own(config: StackConfig) -> Mapping[str, Host]:
    """Return the hosts that serve a certificate of their own: they are servers as those that are declared."""
    return {name: host for name, host in config.hosts.items() if host.serves_its_own}


def _own_clients(config: StackConfig) -> Mapping[str, set[str]]:
    """Return, for each client, the servers of hosts that present it."""
    own: dict[str, set[str]] = defaultdict(set)
    for host in config.hosts.values():
        references = set(host.certificates.values())
        servers = {each.name for each in references if each.kind is CertificateKind.SERVER}
        servers |= {host.name} if host.serves_its_own else set()
        for each in references - {CertificateReference(CertificateKind.SERVER, name) for name in servers}:
            own[each.name] |= servers
    return own


def _of_servers(declared: DeclaredCertificate, owners: Mapping[str, set[str]], itself: set[str]) -> Iterator[Problem]:
    for each in identities_of(declared):
        others = owners.get(each.comparable, set())
        if others and not others & itself:
            message = f"{shown(each.text)} is server {min(others)}: give each its own, or call a client as the server"
            yield Problem(each.field, f"{message} that is the same machine")


def _shared_by_servers(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Report servers that are clients, too, and share a host or address; servers that are only that may."""
    claims = Claims()
    for name, server in config.servers.items():
        if server.is_client and name in stack.servers:
            repeated = repeated_identities(server.declared, f"server {name}", claims)
            yield from (problem.below(stack.servers[name].path) for problem in repeated)


def _owners(config: StackConfig) -> Mapping[str, set[str]]:
    """Return the owners of each mailbox, host and address, normalised for comparison."""
    owners: dict[str, set[str]] = defaultdict(set)
    for name, declared in _leaves(config):
        for each in identities_of(declared):
            owners[each.comparable].add(name)
    return owners


def _leaves(config: StackConfig) -> Iterator[tuple[str, DeclaredCertificate]]:
    yield from ((name, client.declared) for name, client in config.clients.items())
    yield from ((name, server.declared) for name, server in config.servers.items())
    for roster in config.rosters.values():
        yield from roster.clients.items()


def _problems(declared: DeclaredCertificate, itself: str, known: _Known, path: str) -> Iterator[Problem]:
    common_name = declared.common_name
    if not common_name:
        return
    whole = comparable_name(common_name)
    if whole in known.names and known.names[whole] != itself:
        message = (
            f"got {shown(common_name)}, which {known.names[whole]} is called here; choose another, or leave this out"
        )
        yield Problem(path, message)
        return
    for name in names_within(common_name):
        others = known.owners.get(name, set())
        if others and itself not in others:
            message = f"got {shown(common_name)}, and {shown(name)} is a name of {min(others)}; choose another"
            yield Problem(path, message)
            return
