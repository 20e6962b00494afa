"""Check the clients and rosters that each host lets relay."""

from collections.abc import Callable, Iterator
from typing import Final

from pki.verification import load_chain
from postseal.stack.host_sections import HostSection, SubmissionSection
from postseal.stack.model import Admitted, CertificateKind, ServerSigner, StackConfig
from postseal.stack.reading import DeclaredStack
from postseal.stack.references import problems_of_kind, unknown_name
from postseal_core.errors import Problem

__all__ = ["problems_of_relaying"]

_Section = HostSection | SubmissionSection
_Check = Callable[[_Section, Admitted, StackConfig], Iterator[Problem]]


def problems_of_relaying(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Find what is wrong with the clients and rosters that each host lets relay."""
    for declared in stack.hosts.values():
        section, host = declared.section, config.hosts[declared.name]
        for check in _CHECKS:
            yield from (each.below(declared.path) for each in check(section, host.relaying, config))
            for name, service in section.services.items():
                found = check(service, host.submitting[name], config)
                yield from (each.below(name).below(declared.path) for each in found)


def _relay_clients(section: _Section, _admitted: Admitted, config: StackConfig) -> Iterator[Problem]:
    known = {*config.clients, *(name for name, server in config.servers.items() if server.is_client)}
    rosters = _rosters_of_clients(config)
    seen: set[str] = set()
    for index, name in enumerate(section.relay_clients):
        path = f"relay_clients[{index}]"
        reference = config.named(name)
        roster = rosters.get(name)
        if not reference and roster:
            yield Problem(path, f"{name} is in roster {roster}, whose clients relay together; list it in relay_rosters")
        elif not reference and name in config.third_party_clients:
            message = f"{name} is a certificate that hosts present, signed by somebody else; to admit it here, list it"
            yield Problem(path, f"{message} in extra_relay_clients")
        elif not reference:
            yield unknown_name(path, "client", name, known)
        elif reference.kind is CertificateKind.SERVER and config.servers[name].signer is ServerSigner.THIRD_PARTY:
            message = (
                f"{name} is signed by a third party, whose renewals this stack cannot announce; list its certificate"
            )
            yield Problem(path, f"{message} in extra_relay_clients")
        elif reference.kind is CertificateKind.SERVER:
            yield from problems_of_kind(path, name, config)
        if name in seen:
            yield Problem(path, f"{name} is listed twice; remove it once")
        seen.add(name)


def _rosters_of_clients(config: StackConfig) -> dict[str, str]:
    """Return the roster of each client that is in one."""
    return {row.name: name for name, roster in config.rosters.items() for row in roster.rows}


def _relay_rosters(section: _Section, _admitted: Admitted, config: StackConfig) -> Iterator[Problem]:
    names = section.relay_rosters
    for index, name in enumerate(names):
        path = f"relay_rosters[{index}]"
        if name not in config.rosters:
            yield unknown_name(path, "roster", name, config.rosters)
        elif name in names[:index]:
            yield Problem(path, f"{name} is listed twice; remove it once")


def _moving_clients(section: _Section, _admitted: Admitted, config: StackConfig) -> Iterator[Problem]:
    """Report moving clients that would lose relaying through this host after the move."""
    clients, rosters = section.relay_clients, section.relay_rosters
    for roster in config.rosters.values():
        leaving = [name for name in clients if name in roster.take_over and roster.name not in rosters]
        for name in leaving:
            message = f"{name} moves to roster {roster.name}; list that in relay_rosters, or {name} ends relaying here"
            yield Problem(f"relay_clients[{clients.index(name)}]", message)
    for name, client in config.clients.items():
        if client.take_over_from in rosters and name not in clients:
            message = f"{name} moves out of this roster; list it in relay_clients, or {name} ends relaying here"
            yield Problem(f"relay_rosters[{rosters.index(client.take_over_from)}]", message)


def _extra_relay_clients(section: _Section, _admitted: Admitted, config: StackConfig) -> Iterator[Problem]:
    names = (*config.clients, *config.third_party_clients, *config.servers, *_rosters_of_clients(config))
    seen = dict.fromkeys(names, "a name of this stack")
    for index, row in enumerate(section.extra_relay_clients):
        path = f"extra_relay_clients[{index}]"
        if (row.fingerprint_sha256 is None) == (row.certificate_pem is None):
            yield Problem(path, "expected either fingerprint_sha256 or certificate_pem; give one of the two")
        elif row.certificate_pem and len(load_chain(row.certificate_pem, what="certificate")) > 1:
            yield Problem(f"{path}.certificate_pem", "expected one certificate, the client's own; leave the rest out")
        if row.name in seen:
            yield Problem(f"{path}.name", f"{row.name} is {seen[row.name]} already; choose another name")
        seen.setdefault(row.name, f"extra_relay_clients[{index}]")


def _repeated_fingerprints(_section: _Section, admitted: Admitted, _config: StackConfig) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for client in admitted.extra:
        other = first.setdefault(client.fingerprint_sha256, client.name)
        if other != client.name:
            yield Problem(
                "extra_relay_clients", f"{client.name} and {other} are the same certificate; keep one of them"
            )


_CHECKS: Final[tuple[_Check, ...]] = (
    _relay_clients,
    _relay_rosters,
    _moving_clients,
    _extra_relay_clients,
    _repeated_fingerprints,
)
