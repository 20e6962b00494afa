"""Turn a stack's configuration into components; nothing is decided here."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

import pki
import postfix
from pki.errors import ConfigError, PostsealError, Problem
from postfix.components.host import HostCertificate, RelayingClient
from postfix.tables import ClientRow
from postseal.stack.config import load_stack
from postseal.stack.model import (
    Authority,
    CertificateKind,
    CertificateReference,
    Client,
    Host,
    Server,
    ServerSigner,
    StackConfig,
    TargetKind,
)

__all__ = ["BuiltStack", "build_stack", "read_configuration"]

ServerComponent = pki.ServerCertificate | pki.ThirdPartyServerCertificate


@dataclass(frozen=True, slots=True)
class BuiltStack:
    """The components of a stack, by name."""

    authorities: Mapping[str, pki.CertificateAuthority]
    servers: Mapping[str, ServerComponent]
    clients: Mapping[str, pki.ClientCertificate]
    archives: Mapping[str, pki.Pkcs12]
    hosts: Mapping[str, postfix.PostfixHost]


def read_configuration() -> StackConfig:
    """Read the stack's configuration; stop the program with every problem in it before anything is registered."""
    prefix = f"{pulumi.get_project()}:"
    values = {key.removeprefix(prefix): value for key, value in get_config_env().items() if key.startswith(prefix)}
    secret_keys = {key.removeprefix(prefix) for key in get_config_secret_keys_env()}
    try:
        _refuse_unrehearsed_clock()
        return load_stack(
            {key: _parsed(value) for key, value in values.items()}, secret_keys, stack_name=pulumi.get_stack()
        )
    except ConfigError as error:
        raise pulumi.RunError(_list_of_problems(error)) from None


def build_stack(config: StackConfig) -> BuiltStack:
    """Register everything that a stack declares."""
    try:
        return _build(config)
    except PostsealError as error:
        raise pulumi.RunError(_list_of_problems(error) if isinstance(error, ConfigError) else str(error)) from None


def _refuse_unrehearsed_clock() -> None:
    """Stop before tls keys are made; the plugin refuses the same for its own resources."""
    settings = pulumi.Config("postseal")
    clock = settings.get("clock")
    if clock and not pulumi.runtime.is_dry_run() and not settings.get_bool("rehearsal"):
        message = (
            f"is set to {clock}: previews may look at another day, but `pulumi up` changes things only without it "
            "(pulumi config rm postseal:clock) or on a rehearsal stack (pulumi config set postseal:rehearsal true)"
        )
        raise ConfigError([Problem("postseal:clock", message)])


def _list_of_problems(error: ConfigError) -> str:
    count = len(error.problems)
    head = "the configuration has a problem" if count == 1 else f"the configuration has {count} problems"
    return "\n".join([f"{head}; nothing was changed:", *(f"  {problem}" for problem in error.problems)])


def _parsed(value: Any) -> Any:
    """Return what an object or list stands for; a plain text is no JSON and stays as it is."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _build(config: StackConfig) -> BuiltStack:
    authorities: dict[str, pki.CertificateAuthority] = {}
    for name, authority in config.authorities.items():
        authorities[name] = _authority(authority, authorities)
    servers = {name: _server(server, authorities) for name, server in config.servers.items()}
    clients = {name: _client(client, authorities) for name, client in config.clients.items()}
    archives = {name: _archive(client, clients[name]) for name, client in config.clients.items() if client.pkcs12}
    pki.HandOut(
        "hand-out",
        directory=config.out,
        authorities=list(authorities.values()),
        clients=list(clients.values()),
        archives=list(archives.values()),
        requests=[each for each in servers.values() if isinstance(each, pki.ThirdPartyServerCertificate)],
    )
    built = BuiltStack(authorities, servers, clients, archives, {})
    return BuiltStack(
        authorities, servers, clients, archives, {name: _host(host, built) for name, host in config.hosts.items()}
    )


def _secret(key: str) -> pulumi.Output[str]:
    return pulumi.Config().require_secret(key)


def _authority(authority: Authority, authorities: Mapping[str, pki.CertificateAuthority]) -> pki.CertificateAuthority:
    declaration = authority.declaration
    arguments: dict[str, Any] = {
        **asdict(declaration.subject),
        "key_algorithm": authority.key_algorithm,
        "path_length": declaration.path_length,
        "name_constraints": declaration.name_constraints,
        "crl_urls": declaration.crl_urls,
        "lifetime": authority.lifetime,
        "opts": pulumi.ResourceOptions(protect=authority.is_protected),
    }
    if authority.adopt:
        key = _secret(authority.adopt.private_key_secret)
        arguments["adopt"] = pki.AdoptedAuthority(authority.adopt.certificate_pem, key)
    if authority.issuer is None:
        return pki.CertificateAuthority(authority.name, **arguments)
    return pki.IntermediateAuthority(authority.name, authority=authorities[authority.issuer], **arguments)


def _server(server: Server, authorities: Mapping[str, pki.CertificateAuthority]) -> ServerComponent:
    declaration = server.declaration
    arguments: dict[str, Any] = {
        "dns_names": declaration.alt_names.dns_names,
        "common_name": declaration.subject.common_name,
        "organization": declaration.subject.organization,
        "key_algorithm": server.key_algorithm,
        "lifetime": server.lifetime,
    }
    if server.signer is ServerSigner.THIRD_PARTY:
        return pki.ThirdPartyServerCertificate(server.name, signed_chain_pem=_signed_chain(server), **arguments)
    return pki.ServerCertificate(
        server.name,
        authority=authorities[server.authority] if server.authority else None,
        self_signed=server.signer is ServerSigner.SELF,
        ip_addresses=declaration.alt_names.ip_addresses,
        also_client=server.is_client,
        **arguments,
    )


def _signed_chain(server: Server) -> str | None:
    if server.signed_chain_file is None:
        return server.signed_chain_pem
    try:
        return Path(server.signed_chain_file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a PEM text file"
        path = f"servers.{server.name}.third_party.signed_chain_file"
        raise ConfigError([Problem(path, f"{server.signed_chain_file} cannot be read: {reason}")]) from None


def _client(client: Client, authorities: Mapping[str, pki.CertificateAuthority]) -> pki.ClientCertificate:
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
    )


def _archive(client: Client, certificate: pki.ClientCertificate) -> pki.Pkcs12:
    if client.pkcs12 is None:
        raise PostsealError(f"client {client.name} declares no archive")
    secret = client.pkcs12.passphrase_secret
    return pki.Pkcs12(
        client.name,
        certificate=certificate,
        profile=client.pkcs12.profile.value,
        passphrase=_secret(secret) if secret else None,
    )


def _host(host: Host, built: BuiltStack) -> postfix.PostfixHost:
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
