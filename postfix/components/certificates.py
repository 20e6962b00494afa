"""Collect and check the certificates that hosts are given."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.client import ClientCertificate
from pki.components.roster import ClientRoster
from pki.components.server import ServerCertificate
from pki.components.third_party_client import ThirdPartyClientCertificate
from pki.components.third_party_server import ThirdPartyServerCertificate
from pki.identities import DEVICES_OF_ONE, Claims
from pki.name_syntax import is_host_covered
from postfix.host import HostDeclaration, sentence_of_one_kind
from postseal_core.errors import Problem

__all__ = [
    "HostCertificate",
    "RelayingClient",
    "TrustedRoot",
    "by_name",
    "problems_of_certificates",
    "problems_of_kinds",
    "problems_of_names",
    "problems_of_one_name",
    "problems_of_shared_identities",
    "roots_behind",
    "trust_anchors",
    "trusted_pem",
]

HostCertificate = ClientCertificate | ServerCertificate | ThirdPartyServerCertificate | ThirdPartyClientCertificate
"""A certificate that a host serves or presents."""

RelayingClient = ClientCertificate | ServerCertificate
"""A client that may relay; a server only if it is a client, too."""


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A root of another authority that a host trusts as well.

        postfix.TrustedRoot("partner", Path("partner-ca.pem").read_text())

    Args:
        name: What it is called in previews; each root of a host by a name of its own.
        certificate_pem: The certificate in PEM, which may be an output.
    """

    name: str
    certificate_pem: pulumi.Input[str]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def by_name(certificates: Iterable[HostCertificate | None]) -> dict[str, HostCertificate]:
    """Return certificates by the name of their file; None stands for one that is not given."""
    return {each.name: each for each in certificates if each}


def problems_of_one_name(certificates: Iterable[HostCertificate | None]) -> Iterator[Problem]:
    """Report names that two different certificates of a host share: they would become one file."""
    for name, _ in _repeated(each for each in certificates if each):
        message = f"two different certificates are called {name}; a host needs them by different names"
        yield Problem("", message)


def problems_of_certificates(host: HostDeclaration, certificates: Mapping[str, HostCertificate]) -> Iterator[Problem]:
    """Find certificates that do not prove the host's name, or that a client must not present."""
    presented = (*host.client_certificates, *(each.certificate for each in host.transports))
    for name, each in certificates.items():
        server = None if isinstance(each, ClientCertificate | ThirdPartyClientCertificate) else each
        if host.server and name in host.server.certificates:
            yield from _problems_of_names(host, name, server.dns_names if server else ())
        if isinstance(each, ClientCertificate) and not each.has_key:
            yield Problem("certificate", f"the key of {name} is where its request was made; a host here cannot use it")
        if name in presented and server and not server.is_client:
            yield Problem(
                "certificate", f"{name} is a server certificate; set also_client=True to present it as a client's"
            )


def _problems_of_names(host: HostDeclaration, name: str, dns_names: tuple[str, ...]) -> Iterator[Problem]:
    names = ", ".join(dns_names) or "no host name"
    for wanted in host.public_names:
        if is_host_covered(wanted, dns_names):
            continue
        if host.server and host.server.public_names:
            yield Problem("public_names", f"{name} is for {names}, not for {wanted}")
        else:
            message = f"{name} is for {names}, not for myhostname {wanted}: add it, or say in public_names by which"
            yield Problem("certificate", f"{message} of its names clients connect")


def problems_of_kinds(host: HostDeclaration, certificates: Mapping[str, HostCertificate]) -> Iterator[Problem]:
    """Find served certificates whose keys are of one kind, of which Postfix would serve one only."""
    first: dict[str, str] = {}
    for name in host.server.certificates if host.server else ():
        each = certificates.get(name)
        if each and not isinstance(each, ClientCertificate | ThirdPartyClientCertificate):
            other = first.setdefault(each.key_algorithm.kind, name)
            if other != name:
                yield Problem("certificate", sentence_of_one_kind(name, other, each.key_algorithm.kind))


def problems_of_names(argument: str, things: Iterable[_Named]) -> Iterator[Problem]:
    """Report names that two different items share: one of them would silently be left out."""
    for name, count in _repeated(things):
        yield Problem(argument, f"{name} is the name of {count} different ones; give each a name of its own")


def problems_of_shared_identities(
    clients: Iterable[RelayingClient], rosters: Iterable[ClientRoster]
) -> Iterator[Problem]:
    """Report admitted clients that are one and the same to whoever reads the log of the host.

    A client that moves is admitted twice under one name.
    """
    admitted = [("relay_clients", each.name, each.identities) for each in clients]
    admitted += [("relay_rosters", *each) for roster in rosters for each in roster.identities.items()]
    claims = Claims()
    for argument, name, identities in admitted:
        for identity, other in claims.taken(identities, name):
            devices = f"; {DEVICES_OF_ONE}" if identity.is_mailbox else ""
            message = f"{name} is {identity.comparable} as {other} is; give each its own, or admit one of them"
            yield Problem(argument, f"{message}{devices}")


def trust_anchors(trust: Iterable[CertificateAuthority | TrustedRoot]) -> list[_Named]:
    """Return all trusted roots: those of others, and every slot of our own."""
    roots = {id(each): each.root for each in trust if isinstance(each, CertificateAuthority)}.values()
    others: list[_Named] = [each for each in trust if isinstance(each, TrustedRoot)]
    return others + [slot for root in roots for slot in root.slots.values()]


def roots_behind(admitted: Iterable[RelayingClient | ClientRoster]) -> list[CertificateAuthority | TrustedRoot]:
    """Return the roots behind clients and rosters, each once."""
    return list({each.authority.root.name: each.authority.root for each in admitted if each.authority}.values())


def trusted_pem(each: CertificateAuthority | TrustedRoot) -> Mapping[str, pulumi.Input[str]]:
    """Return every root that stands for an authority: a standby is trusted before it signs, a retiring one after."""
    return {each.name: each.certificate_pem} if isinstance(each, TrustedRoot) else each.root.trusted_pem


def _repeated(things: Iterable[_Named]) -> list[tuple[str, int]]:
    counts = Counter(each.name for each in {id(each): each for each in things}.values())
    return [(name, count) for name, count in sorted(counts.items()) if count > 1]
