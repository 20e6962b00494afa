"""Check that no common name in the stack contains the name of another client, server, host or authority."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pki.common_names import comparable_name, names_within
from pki.fields import DeclaredCertificate
from postseal.stack.model import StackConfig
from postseal.stack.reading import DeclaredStack
from postseal.stack.references import identities
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["problems_of_identities"]


@dataclass(frozen=True, slots=True)
class _Known:
    """Owners of stack-file names, and owners of mailboxes, hosts and addresses, both normalised for comparison."""

    names: Mapping[str, str]
    owners: Mapping[str, set[str]]


def problems_of_identities(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Report common names that contain the mailbox, host, address or name of somebody else.

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
        yield from _problems(authority.declared, name, known, f"{stack.authorities[name].path}.common_name")
    for name, roster in config.rosters.items():
        found = [
            (client, problem)
            for client, declared in roster.clients.items()
            for problem in _problems(declared, client, known, "common_name")
        ]
        yield from stack.roster_rows[name].placed(found)


def _owners(config: StackConfig) -> Mapping[str, set[str]]:
    """Return the owners of each mailbox, host and address, normalised for comparison."""
    owners: dict[str, set[str]] = defaultdict(set)
    for name, declared in _leaves(config):
        for _, identity in identities(declared):
            owners[comparable_name(identity)].add(name)
        for address in declared.ip_addresses:
            owners[comparable_name(address)].add(name)
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
            message = (
                f"got {shown(common_name)}, and {shown(name)} is {min(others)}; give each its own, or leave this out"
            )
            yield Problem(path, message)
            return
