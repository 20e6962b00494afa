"""Postfix hosts as components: a server that admits clients by certificate, a client that relays with one, or both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.roster import ClientRoster
from pki.components.wiring import withdrawal_properties
from postfix.components.certificates import (
    HostCertificate,
    RelayingClient,
    TrustedRoot,
    certificates_by_name,
    foreign_client,
    problems_of_certificates,
    problems_of_names,
    trust_anchors,
    trusted_pem,
)
from postfix.components.target import Target
from postfix.host import ClientSide, HostDeclaration, ServerSide
from postfix.preflight import problems_of_host
from postfix.resources import Chain, Deployment, DeploymentArgs, RelayClientIdentity
from postfix.settings import ClientSettings, ServerSettings
from postfix.tables import ClientRow
from postseal_core.errors import ConfigError
from postseal_core.instants import format_instant

__all__ = ["MailServer", "PostfixHost", "RelayClient"]


class PostfixHost(pulumi.ComponentResource):
    """One Postfix host, with one side or both, brought to its declared configuration by one deployment.

    `certificates`: for each name in the declaration, the certificate. `rosters`: all their clients may relay. `trust`:
    authorities whose clients and servers are trusted, ours or others'. Everything wrong with the declaration is
    reported at once (ConfigError), before the host is registered. `MailServer` and `RelayClient` are the shorter ways.
    """

    def __init__(
        self,
        name: str,
        *,
        declaration: HostDeclaration,
        target: Target,
        certificates: Mapping[str, HostCertificate],
        relay_clients: Sequence[RelayingClient] = (),
        rosters: Sequence[ClientRoster] = (),
        extra_relay_clients: Sequence[ClientRow] = (),
        trust: Sequence[CertificateAuthority | TrustedRoot] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        problems = [*problems_of_host(declaration), *problems_of_certificates(declaration, certificates)]
        problems += problems_of_names("relay_clients", relay_clients)
        problems += problems_of_names("rosters", rosters)
        problems += problems_of_names("extra_relay_clients", extra_relay_clients)
        problems += problems_of_names("trust", trust_anchors(trust))
        if problems:
            raise ConfigError(problem.below(f"hosts.{name}") for problem in problems)
        super().__init__(f"postseal:index:{type(self).__name__}", name, {}, opts)
        self.summary = {
            "myhostname": declaration.myhostname,
            "target": f"{target.properties['kind']} {target.properties['path']}",
            "certificates": list(certificates),
            "relay_clients": [each.name for each in relay_clients] + [each.name for each in extra_relay_clients],
            **({"relay_rosters": [each.name for each in rosters]} if rosters else {}),
        }
        args = DeploymentArgs(
            declaration=json.loads(json.dumps(asdict(declaration))),
            target=target.properties,
            chains={file_name: _chain(each) for file_name, each in certificates.items()},
            roots={name: pem for each in trust for name, pem in trusted_pem(each).items()},
            relay_clients={each.name: _identity(each) for each in relay_clients},
            rosters={each.name: {"description": each.summary, "accepted_rows": each.accepted_rows} for each in rosters},
            extra_relay_clients={each.name: _extra(each) for each in extra_relay_clients},
            withdrawal=withdrawal_properties(
                (each.authority for each in relay_clients if each.authority),
                {each.name: each.certificate for each in relay_clients},
            ),
        )
        Deployment(name, args, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


class MailServer(PostfixHost):
    """A host that receives mail and lets the listed clients relay, and nobody else by certificate.

    `certificate`: served; its names must hold `myhostname`. `relay_rosters`: all their clients may relay.
    `extra_relay_clients`: certificates from elsewhere by name, each in PEM or as a SHA-256 fingerprint.
    `relay_through`: how it sends, with `relay_certificate` as its own client certificate. `trust`: default the roots
    of the authorities behind clients and rosters.
    """

    def __init__(
        self,
        name: str,
        *,
        myhostname: str,
        certificate: HostCertificate,
        target: Target,
        relay_clients: Sequence[RelayingClient] = (),
        relay_rosters: Sequence[ClientRoster] = (),
        extra_relay_clients: Mapping[str, str] | None = None,
        settings: ServerSettings | None = None,
        relay_through: ClientSettings | None = None,
        relay_certificate: HostCertificate | None = None,
        trust: Sequence[CertificateAuthority | TrustedRoot] | None = None,
        parameters: Mapping[str, str] | None = None,
        table_type: str = "texthash",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        extra = [foreign_client(name, client, text) for client, text in (extra_relay_clients or {}).items()]
        trusted = _roots_of([*relay_clients, *relay_rosters]) if trust is None else list(trust)
        own = settings or ServerSettings()
        admits = own.relay.client_certificates and bool(relay_clients or relay_rosters or extra)
        policy = replace(own.relay, client_certificates=admits)
        declaration = HostDeclaration(
            name=name,
            myhostname=myhostname,
            server=ServerSide(replace(own, relay=policy, ca_file=own.ca_file and bool(trusted)), (certificate.name,)),
            client=_sending(relay_through, relay_certificate, has_roots=bool(trusted)) if relay_through else None,
            parameters=dict(parameters or {}),
            ownership=target.ownership,
            table_type=table_type,
        )
        super().__init__(
            name,
            declaration=declaration,
            target=target,
            certificates=certificates_by_name(name, [certificate, *([relay_certificate] if relay_certificate else [])]),
            relay_clients=relay_clients,
            rosters=relay_rosters,
            extra_relay_clients=extra,
            trust=trusted,
            opts=opts,
        )


class RelayClient(PostfixHost):
    """A host that only sends, through other hosts, and proves itself to them with a client certificate.

    `certificate`: presented by default. `transport_certificates`: those that `settings.transports` name.
    """

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
        declaration = HostDeclaration(
            name=name,
            myhostname=myhostname,
            client=_sending(settings or ClientSettings(), certificate, has_roots=bool(trust)),
            parameters=dict(parameters or {}),
            ownership=target.ownership,
            table_type=table_type,
        )
        super().__init__(
            name,
            declaration=declaration,
            target=target,
            certificates=certificates_by_name(name, [*([certificate] if certificate else []), *transport_certificates]),
            trust=trust,
            opts=opts,
        )


def _sending(settings: ClientSettings, certificate: HostCertificate | None, *, has_roots: bool) -> ClientSide:
    names = (certificate.name,) if certificate else ()
    return ClientSide(replace(settings, ca_file=settings.ca_file and has_roots), names)


def _roots_of(admitted: Sequence[RelayingClient | ClientRoster]) -> list[CertificateAuthority | TrustedRoot]:
    """Return the roots behind clients and rosters, each once."""
    return list({each.authority.root.name: each.authority.root for each in admitted if each.authority}.values())


def _chain(each: HostCertificate) -> Chain:
    generation = getattr(each.certificate, "generation", None)
    until = pulumi.Output.concat("until ", each.certificate.not_after)
    description = pulumi.Output.concat("generation ", generation.apply(_whole), " ", until) if generation else until
    return {"description": description, "private_key_pem": each.private_key_pem, "chain_pem": each.chain_pem}


def _whole(number: float) -> str:
    return str(int(number))


def _extra(row: ClientRow) -> dict[str, str]:
    not_after = {"not_after": format_instant(row.not_after)} if row.not_after else {}
    return {"fingerprint_sha256": row.fingerprint_sha256, **not_after}


def _identity(each: RelayingClient) -> RelayClientIdentity:
    return {
        "match": each.match,
        "generation": each.certificate.generation,
        "not_after": each.certificate.not_after,
        "fingerprint_sha256": each.certificate.fingerprint_sha256,
        "public_key_fingerprint_sha256": each.certificate.public_key_fingerprint_sha256,
        "previous": each.certificate.previous,
        "revoked_at": each.certificate.revoked_at,
    }
