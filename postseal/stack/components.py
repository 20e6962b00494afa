"""Turn each entry of a stack's model into its component; nothing is decided here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pulumi

import pki
import postfix
from postfix.components.certificates import HostCertificate, RelayingClient
from postfix.tables import ClientRow
from postseal.stack.model import (
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
    TargetKind,
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
]

ServerComponent = pki.ServerCertificate | pki.ThirdPartyServerCertificate


@dataclass(frozen=True, slots=True)
class BuiltStack:
    """The components of a stack, by name; revocation lists by their authority.

    `roster_passphrases`: of the archives that rosters hand out, by client.
    """

    authorities: dict[str, pki.CertificateAuthority] = field(default_factory=dict)
    servers: dict[str, ServerComponent] = field(default_factory=dict)
    clients: dict[str, pki.ClientCertificate] = field(default_factory=dict)
    archives: dict[str, pki.Pkcs12] = field(default_factory=dict)
    rosters: dict[str, pki.ClientRoster] = field(default_factory=dict)
    roster_passphrases: dict[str, pulumi.Output[str]] = field(default_factory=dict)
    revocation_lists: dict[str, pki.RevocationList] = field(default_factory=dict)
    hosts: dict[str, postfix.PostfixHost] = field(default_factory=dict)


def _secret(key: str) -> pulumi.Output[str]:
    return pulumi.Config().require_secret(key)


def authority_component(
    authority: Authority, authorities: Mapping[str, pki.CertificateAuthority]
) -> pki.CertificateAuthority:
    """Register an authority; those above it are there."""
    declaration = authority.declaration
    arguments: dict[str, Any] = {
        **asdict(declaration.subject),
        "key_algorithm": authority.key_algorithm,
        "path_length": declaration.path_length,
        "name_constraints": declaration.name_constraints,
        "crl_urls": declaration.crl_urls,
        "lifetime": authority.lifetime,
        "slots": authority.slots,
        "opts": pulumi.ResourceOptions(protect=authority.is_protected),
    }
    if authority.adopt:
        key = _secret(authority.adopt.private_key_secret)
        arguments["adopt"] = pki.AdoptedAuthority(authority.adopt.certificate_pem, key)
    if authority.issuer is None:
        return pki.CertificateAuthority(authority.name, **arguments)
    return pki.IntermediateAuthority(authority.name, authority=authorities[authority.issuer], **arguments)


def server_component(server: Server, authorities: Mapping[str, pki.CertificateAuthority]) -> ServerComponent:
    """Register a server's certificate."""
    declaration = server.declaration
    arguments: dict[str, Any] = {
        "dns_names": declaration.alt_names.dns_names,
        "common_name": declaration.subject.common_name,
        "organization": declaration.subject.organization,
        "key_algorithm": server.key_algorithm,
        "lifetime": server.lifetime,
    }
    if server.signer is ServerSigner.THIRD_PARTY:
        return pki.ThirdPartyServerCertificate(server.name, signed_chain_pem=server.signed_chain_pem, **arguments)
    return pki.ServerCertificate(
        server.name,
        authority=authorities[server.authority] if server.authority else None,
        self_signed=server.signer is ServerSigner.SELF,
        ip_addresses=declaration.alt_names.ip_addresses,
        also_client=server.is_client,
        **arguments,
    )


def client_component(
    client: Client,
    authorities: Mapping[str, pki.CertificateAuthority],
    rosters: Mapping[str, pki.ClientRoster],
) -> pki.ClientCertificate:
    """Register a client's certificate; the roster that it is taken over from is there."""
    declaration = client.declaration
    return pki.ClientCertificate(
        client.name,
        authority=authorities[client.authority],
        email="".join(declaration.alt_names.email_addresses[:1]),
        dns_names=declaration.alt_names.dns_names,
        **asdict(declaration.subject),
        key_algorithm=client.key_algorithm,
        lifetime=client.lifetime,
        match=client.match,
        confirm=client.confirm,
        confirmed_generation=client.confirmed_generation,
        revoke=client.revoke,
        issue_again=client.issue_again,
        take_over=rosters[client.take_over_from].client(client.name) if client.take_over_from else None,
    )


def archive_component(archive: Pkcs12, certificate: pki.ClientCertificate) -> pki.Pkcs12:
    """Register the archive of a client."""
    secret = archive.passphrase_secret
    return pki.Pkcs12(
        certificate.name,
        certificate=certificate,
        profile=archive.profile.value,
        passphrase=_secret(secret) if secret else None,
    )


def roster_component(
    roster: Roster,
    authorities: Mapping[str, pki.CertificateAuthority],
    clients: Mapping[str, pki.ClientCertificate],
) -> pki.ClientRoster:
    """Register a roster; the clients whose certificates it takes over are there."""
    subject = asdict(roster.subject)
    del subject["common_name"]
    return pki.ClientRoster(
        roster.name,
        authority=authorities[roster.authority],
        clients=roster.entries,
        **subject,
        key_algorithm=roster.key_algorithm,
        lifetime=roster.lifetime,
        match=roster.match,
        confirm=roster.confirm,
        pkcs12=roster.pkcs12 or "",
        take_over={name: clients[name] for name in roster.take_over},
    )


def crl_component(authority: Authority, crl: Crl, config: StackConfig, built: BuiltStack) -> pki.RevocationList:
    """Register the revocation list of an authority, over everything that it issues in this stack."""
    servers = [built.servers[each.name] for each in config.servers.values() if each.authority == authority.name]
    clients = [built.clients[each.name] for each in config.clients.values() if each.authority == authority.name]
    return pki.RevocationList(
        authority.name,
        authority=built.authorities[authority.name],
        certificates=[*(each for each in servers if isinstance(each, pki.ServerCertificate)), *clients],
        rosters=[built.rosters[each.name] for each in config.rosters.values() if each.authority == authority.name],
        lifetime_hours=crl.policy.lifetime_hours,
        renew_before_hours=crl.policy.renew_before_hours,
        first_crl_number=crl.first_crl_number,
    )


def host_component(host: Host, built: BuiltStack) -> postfix.PostfixHost:
    """Register a host; every certificate is there."""
    target = host.target
    place = (
        postfix.Directory(target.path)
        if target.kind is TargetKind.DIRECTORY
        else postfix.Local(target.path, ownership=target.ownership)
    )
    extra = [
        ClientRow(each.fingerprint_sha256, each.name, not_after=each.not_after) for each in host.extra_relay_clients
    ]
    roots = [postfix.TrustedRoot(f"trust-{number}", pem) for number, pem in enumerate(host.trusted_roots_pem, 1)]
    return postfix.PostfixHost(
        host.name,
        declaration=host.declaration,
        target=place,
        certificates={file: _certificate(each, built) for file, each in host.certificates.items()},
        relay_clients=[_relaying(each, built) for each in host.relay_clients],
        rosters=[built.rosters[name] for name in host.relay_rosters],
        extra_relay_clients=extra,
        trust=[*(built.authorities[name] for name in host.trusted_authorities), *roots],
    )


def _certificate(reference: CertificateReference, built: BuiltStack) -> HostCertificate:
    return (built.servers if reference.kind is CertificateKind.SERVER else built.clients)[reference.name]


def _relaying(reference: CertificateReference, built: BuiltStack) -> RelayingClient:
    if reference.kind is CertificateKind.CLIENT:
        return built.clients[reference.name]
    server = built.servers[reference.name]
    if not isinstance(server, pki.ServerCertificate):
        raise PostsealError(f"server {reference.name} is signed by a third party and cannot be a relay client")
    return server
