"""Postfix hosts as components: a server that admits clients by certificate, a client that relays with one, or both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.client import ClientCertificate
from pki.errors import ConfigError, Problem
from postfix.components.target import Target
from postfix.host import ClientSide, HostDeclaration, ServerSide
from postfix.preflight import problems_of_host
from postfix.resources import Chain, Deployment, DeploymentArgs, RelayClientIdentity
from postfix.settings import ClientSettings, ServerSettings

__all__ = ["MailServer", "PostfixHost", "Receiving", "RelayClient", "Sending", "TrustedRoot"]


class HostCertificate(Protocol):
    """What a host needs of a certificate: `ClientCertificate`, `ServerCertificate` and the third-party one have it."""

    name: str
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]

    @property
    def certificate(self) -> Any:
        """The resource behind it."""


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A root of another authority that this host trusts as well; a certificate in PEM."""

    name: str
    certificate_pem: pulumi.Input[str]


@dataclass(frozen=True, slots=True)
class Receiving:
    """The smtpd side of a host.

    `certificates`: served, one for each key algorithm. `relay_clients`: may relay, and nobody else by certificate.
    `extra_relay_clients`: fingerprints (SHA-256) of certificates from elsewhere, by name.
    """

    certificates: Sequence[HostCertificate]
    settings: ServerSettings = ServerSettings()
    relay_clients: Sequence[ClientCertificate] = ()
    extra_relay_clients: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sending:
    """The smtp side of a host.

    `certificates`: presented to other hosts. `transport_certificates`: those that `settings.transports` name.
    """

    settings: ClientSettings = ClientSettings()
    certificates: Sequence[HostCertificate] = ()
    transport_certificates: Sequence[HostCertificate] = ()


class PostfixHost(pulumi.ComponentResource):
    """One Postfix host, with one or both sides, brought to its declared configuration by one deployment.

    `trust`: authorities whose clients and servers are trusted, ours or others'. `parameters`: further main.cf
    parameters, which must not contradict the typed settings. Everything wrong with the declaration is reported at
    once, before anything is registered.
    """

    def __init__(
        self,
        name: str,
        *,
        myhostname: str,
        target: Target,
        server: Receiving | None = None,
        client: Sending | None = None,
        trust: Sequence[CertificateAuthority | TrustedRoot] = (),
        parameters: Mapping[str, str] | None = None,
        table_type: str = "texthash",
        postfix_version: tuple[int, int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        host = HostDeclaration(
            name=name,
            myhostname=myhostname,
            server=_server_side(server),
            client=_client_side(client),
            parameters=dict(parameters or {}),
            ownership=target.ownership,
            table_type=table_type,
            postfix_version=postfix_version,
        )
        certificates = _certificates(server, client)
        problems = [*problems_of_host(host), *_problems_of_certificates(host, certificates)]
        if problems:
            raise ConfigError(problem.below(f"hosts.{name}") for problem in problems)
        super().__init__(f"postseal:index:{type(self).__name__}", name, {}, opts)
        args = DeploymentArgs(
            declaration=json.loads(json.dumps(asdict(host))),
            target=target.properties,
            chains={each.name: _chain(each) for each in certificates},
            roots={_root(each).name: _root(each).certificate_pem for each in trust},
            relay_clients={each.name: _identity(each) for each in (server.relay_clients if server else ())},
            extra_relay_clients=dict(server.extra_relay_clients) if server else {},
        )
        Deployment(name, args, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


class MailServer(PostfixHost):
    """A host that receives mail and lets the listed clients relay; it may send through another host with `relay`."""

    def __init__(
        self,
        name: str,
        *,
        myhostname: str,
        certificate: HostCertificate,
        target: Target,
        relay_clients: Sequence[ClientCertificate] = (),
        extra_relay_clients: Mapping[str, str] | None = None,
        settings: ServerSettings | None = None,
        relay: Sending | None = None,
        trust: Sequence[CertificateAuthority | TrustedRoot] | None = None,
        parameters: Mapping[str, str] | None = None,
        table_type: str = "texthash",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        has_clients = bool(relay_clients or extra_relay_clients)
        roots = list({each.authority.root.name: each.authority.root for each in relay_clients}.values())
        trusted = roots if trust is None else trust
        own = settings or ServerSettings()
        policy = replace(own.relay, client_certificates=own.relay.client_certificates and has_clients)
        server = Receiving(
            certificates=[certificate],
            settings=replace(own, relay=policy, ca_file=own.ca_file and bool(trusted)),
            relay_clients=relay_clients,
            extra_relay_clients=extra_relay_clients or {},
        )
        super().__init__(
            name,
            myhostname=myhostname,
            target=target,
            server=server,
            client=relay,
            trust=trusted,
            parameters=parameters,
            table_type=table_type,
            opts=opts,
        )


class RelayClient(PostfixHost):
    """A host that only sends, through other hosts, and proves itself to them with a client certificate."""

    def __init__(
        self,
        name: str,
        *,
        myhostname: str,
        target: Target,
        certificate: HostCertificate | None = None,
        transport_certificates: Sequence[HostCertificate] = (),
        settings: ClientSettings | None = None,
        trust: Sequence[CertificateAuthority | TrustedRoot] = (),
        parameters: Mapping[str, str] | None = None,
        table_type: str = "texthash",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        own = settings or ClientSettings()
        client = Sending(
            settings=replace(own, ca_file=own.ca_file and bool(trust)),
            certificates=[certificate] if certificate else [],
            transport_certificates=transport_certificates,
        )
        super().__init__(
            name,
            myhostname=myhostname,
            target=target,
            client=client,
            trust=trust,
            parameters=parameters,
            table_type=table_type,
            opts=opts,
        )


def _server_side(server: Receiving | None) -> ServerSide | None:
    return ServerSide(server.settings, tuple(each.name for each in server.certificates)) if server else None


def _client_side(client: Sending | None) -> ClientSide | None:
    return ClientSide(client.settings, tuple(each.name for each in client.certificates)) if client else None


def _certificates(server: Receiving | None, client: Sending | None) -> list[HostCertificate]:
    found = [*(server.certificates if server else ())]
    found += [*client.certificates, *client.transport_certificates] if client else []
    return list({id(each): each for each in found}.values())


def _problems_of_certificates(host: HostDeclaration, certificates: Sequence[HostCertificate]) -> list[Problem]:
    names = [each.name for each in certificates]
    problems = [
        Problem("certificates", f"two different certificates are called {name}; a host needs them by different names")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    problems += [
        Problem("certificate", f"{each.name} is for {', '.join(dns_names)}, not for myhostname {host.myhostname}")
        for each in certificates
        if host.server and each.name in host.server.certificates
        if (dns_names := getattr(each, "dns_names", ())) and host.myhostname not in dns_names
    ]
    presented = (*host.client_certificates, *_transport_certificates(host))
    problems += [
        Problem("certificate", f"{each.name} is a server certificate; set also_client=True to present it as a client's")
        for each in certificates
        if each.name in presented and not getattr(each, "is_client", True)
    ]
    return problems


def _transport_certificates(host: HostDeclaration) -> tuple[str, ...]:
    return tuple(each.certificate for each in host.client.settings.transports) if host.client else ()


def _chain(each: HostCertificate) -> Chain:
    generation = getattr(each.certificate, "generation", None)
    until = pulumi.Output.concat("until ", each.certificate.not_after)
    description = pulumi.Output.concat("generation ", generation.apply(_whole), " ", until) if generation else until
    return {"description": description, "private_key_pem": each.private_key_pem, "chain_pem": each.chain_pem}


def _whole(number: float) -> str:
    return str(int(number))


def _root(each: CertificateAuthority | TrustedRoot) -> TrustedRoot:
    return each if isinstance(each, TrustedRoot) else TrustedRoot(each.root.name, each.root.certificate_pem)


def _identity(each: ClientCertificate) -> RelayClientIdentity:
    return {
        "match": each.match,
        "generation": each.certificate.generation,
        "not_after": each.certificate.not_after,
        "fingerprint_sha256": each.fingerprint_sha256,
        "public_key_fingerprint_sha256": each.public_key_fingerprint_sha256,
        "previous": each.certificate.previous,
        "revoked_at": each.certificate.revoked_at,
    }
