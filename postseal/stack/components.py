"""Turn a stack's model into components; nothing is decided here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pulumi

import pki
import postfix
from pki.fields import FIELDS, NOTHING_SAID, DeclaredCertificate, SaidBy
from postfix.components.certificates import HostCertificate, RelayingClient
from postseal.stack.model import (
    Admitted,
    Adoption,
    Authority,
    CertificateKind,
    CertificateReference,
    Client,
    Crl,
    Host,
    Pkcs12,
    Roster,
    Server,
    ServerSigner,
    StackConfig,
    ThirdPartyClient,
)
from postseal_core.errors import PostsealError

__all__ = [
    "BuiltStack",
    "ServerComponent",
    "archive_component",
    "authority_component",
    "client_component",
    "crl_component",
    "host_component",
    "roster_component",
    "server_component",
    "third_party_client_component",
]

ServerComponent = pki.ServerCertificate | pki.ThirdPartyServerCertificate


@dataclass(frozen=True, slots=True)
class BuiltStack:
    """The components of a stack, by name; revocation lists by their authority.

    `roster_passphrases`: of the archives that rosters hand out, by client. `served_on_host`: names of hosts that serve
    a certificate of their own.
    """

    authorities: dict[str, pki.CertificateAuthority] = field(default_factory=dict)
    servers: dict[str, ServerComponent] = field(default_factory=dict)
    clients: dict[str, pki.ClientCertificate] = field(default_factory=dict)
    third_party_clients: dict[str, pki.ThirdPartyClientCertificate] = field(default_factory=dict)
    archives: dict[str, pki.Pkcs12] = field(default_factory=dict)
    rosters: dict[str, pki.ClientRoster] = field(default_factory=dict)
    roster_passphrases: dict[str, pulumi.Output[str]] = field(default_factory=dict)
    revocation_lists: dict[str, pki.RevocationList] = field(default_factory=dict)
    hosts: dict[str, postfix.PostfixHost] = field(default_factory=dict)
    served_on_host: set[str] = field(default_factory=set)


def _fields(declared: DeclaredCertificate, surface: SaidBy) -> dict[str, Any]:
    """Return the fields of a declaration as keyword arguments, without grouped and unset ones."""
    names = [name for name, each in FIELDS.items() if each.said_by & surface and not each.group]
    said = {name: getattr(declared, name) for name in names}
    return {name: value for name, value in said.items() if value != getattr(NOTHING_SAID, name)}


def _secret(key: str) -> pulumi.Output[str]:
    return pulumi.Config().require_secret(key)


def authority_component(
    authority: Authority, authorities: Mapping[str, pki.CertificateAuthority]
) -> pki.CertificateAuthority:
    """Register an authority; those above it are there."""
    return _maker(authority, authorities)(
        authority.name,
        name_constraints=authority.declaration.name_constraints,
        crl_urls=authority.crl_urls,
        lifetime=authority.lifetime,
        slots=authority.slots,
        opts=pulumi.ResourceOptions(protect=authority.is_protected),
        **_fields(authority.declared, SaidBy.AUTHORITY),
    )


def _maker(
    authority: Authority, authorities: Mapping[str, pki.CertificateAuthority]
) -> Callable[..., pki.CertificateAuthority]:
    """Return the class of an authority, with the arguments that only this kind has."""
    adopt = _adopted(authority.adopt) if authority.adopt else None
    if authority.third_party:
        return partial(
            pki.ThirdPartyAuthority,
            signed_chain_pem=authority.third_party.signed_chains_pem,
            roots_pem=authority.third_party.roots_pem,
            extended_key_usage=[each.value for each in authority.third_party.extended_key_usage],
            adopt=adopt,
        )
    if authority.issuer:
        return partial(pki.IntermediateAuthority, authority=authorities[authority.issuer], adopt=adopt)
    return partial(pki.CertificateAuthority, adopt=adopt)


def _adopted(adopt: Adoption) -> pki.AdoptedAuthority:
    key, passphrase = adopt.private_key_secret, adopt.private_key_passphrase_secret
    return pki.AdoptedAuthority(
        adopt.certificate_pem,
        _secret(key) if key else None,
        private_key_passphrase=_secret(passphrase) if passphrase else None,
        change=adopt.change,
    )


def server_component(server: Server, authorities: Mapping[str, pki.CertificateAuthority]) -> ServerComponent:
    """Register a server's certificate."""
    fields = _fields(server.declared, SaidBy.SERVER)
    if server.signer is ServerSigner.THIRD_PARTY:
        return pki.ThirdPartyServerCertificate(
            server.name,
            signed_chain_pem=server.signed_chain_pem,
            also_client=server.is_client,
            lifetime=server.lifetime,
            **fields,
        )
    return pki.ServerCertificate(
        server.name,
        authority=authorities[server.authority] if server.authority else None,
        self_signed=server.signer is ServerSigner.SELF,
        also_client=server.is_client,
        lifetime=server.lifetime,
        **fields,
    )


def client_component(
    client: Client,
    authorities: Mapping[str, pki.CertificateAuthority],
    rosters: Mapping[str, pki.ClientRoster],
) -> pki.ClientCertificate:
    """Register a client's certificate; the roster that it is taken over from is there."""
    return pki.ClientCertificate(
        client.name,
        authority=authorities[client.authority],
        request_pem=client.request_pem,
        lifetime=client.lifetime,
        take_over=rosters[client.take_over_from].client(client.name) if client.take_over_from else None,
        **_fields(client.declared, SaidBy.CLIENT),
    )


def third_party_client_component(client: ThirdPartyClient) -> pki.ThirdPartyClientCertificate:
    """Register a certificate that hosts present and somebody else signed."""
    return pki.ThirdPartyClientCertificate(
        client.name, signed_chain_pem=client.signed_chain_pem, private_key_pem=_secret(client.private_key_secret)
    )


def archive_component(archive: Pkcs12, certificate: pki.ClientCertificate) -> pki.Pkcs12:
    """Register the archive of a client."""
    secret = archive.passphrase_secret
    return pki.Pkcs12(
        certificate.name,
        certificate=certificate,
        profile=archive.profile,
        passphrase=_secret(secret) if secret else None,
    )


def roster_component(
    roster: Roster,
    authorities: Mapping[str, pki.CertificateAuthority],
    clients: Mapping[str, pki.ClientCertificate],
) -> pki.ClientRoster:
    """Register a roster; the clients whose certificates it takes over are there."""
    return pki.ClientRoster(
        roster.name,
        authority=authorities[roster.authority],
        clients=roster.rows,
        lifetime=roster.lifetime,
        take_over={name: clients[name] for name in roster.take_over},
        **_fields(roster.declared, SaidBy.ROSTER),
    )


def crl_component(authority: Authority, crl: Crl, config: StackConfig, built: BuiltStack) -> pki.RevocationList:
    """Register an authority's revocation list, for all certificates it issues in this stack."""
    below = [built.authorities[each.name] for each in config.authorities.values() if each.issuer == authority.name]
    servers = [built.servers[each.name] for each in config.servers.values() if each.authority == authority.name]
    clients = [built.clients[each.name] for each in config.clients.values() if each.authority == authority.name]
    return pki.RevocationList(
        authority.name,
        authority=built.authorities[authority.name],
        certificates=[
            *(each for each in below if isinstance(each, pki.IntermediateAuthority)),
            *(each for each in servers if isinstance(each, pki.ServerCertificate)),
            *clients,
        ],
        rosters=[built.rosters[each.name] for each in config.rosters.values() if each.authority == authority.name],
        lifetime_hours=crl.policy.lifetime_hours,
        renew_before_hours=crl.policy.renew_before_hours,
        first_crl_number=crl.first_crl_number,
    )


def host_component(host: Host, built: BuiltStack, receivers: Sequence[str] = ()) -> postfix.PostfixHost:
    """Register a host; every certificate is there, and so are the hosts that it sends mail through (`receivers`)."""
    roots = [postfix.TrustedRoot(f"trust-{number}", pem) for number, pem in enumerate(host.trusted_roots_pem, 1)]
    return postfix.PostfixHost(
        host.name,
        declaration=host.checked,
        target=host.target,
        certificates={file: _certificate(each, built) for file, each in host.certificates.items()},
        relay_clients=[_relaying(each, built) for each in host.relaying.clients],
        relay_rosters=[built.rosters[name] for name in host.relaying.rosters],
        extra_relay_clients=host.relaying.extra,
        submission_clients={name: _admission(each, built) for name, each in host.submitting.items()},
        trust=[*(built.authorities[name] for name in host.trusted_authorities), *roots],
        opts=pulumi.ResourceOptions(depends_on=[built.hosts[name] for name in receivers]),
    )


def _admission(admitted: Admitted, built: BuiltStack) -> postfix.Admission:
    return postfix.Admission(
        clients=[_relaying(each, built) for each in admitted.clients],
        rosters=[built.rosters[name] for name in admitted.rosters],
        extra=admitted.extra,
    )


def _certificate(reference: CertificateReference, built: BuiltStack) -> HostCertificate:
    if reference.name in built.third_party_clients and reference.kind is CertificateKind.CLIENT:
        return built.third_party_clients[reference.name]
    return (built.servers if reference.kind is CertificateKind.SERVER else built.clients)[reference.name]


def _relaying(reference: CertificateReference, built: BuiltStack) -> RelayingClient:
    if reference.kind is CertificateKind.CLIENT:
        return built.clients[reference.name]
    server = built.servers[reference.name]
    if not isinstance(server, pki.ServerCertificate):
        raise PostsealError(f"server {reference.name} is signed by a third party and cannot be a relay client")
    return server
