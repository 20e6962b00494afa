"""Postfix hosts: a server that admits clients by certificate, a client that relays with one, or both."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.roster import ClientRoster
from postfix.components.certificates import (
    HostCertificate,
    RelayingClient,
    TrustedRoot,
    by_name,
    problems_of_certificates,
    problems_of_names,
    problems_of_one_name,
    roots_behind,
    trust_anchors,
)
from postfix.components.declared_host import DeclaredHost, host_args, summary_of
from postfix.components.reading import A_DECLARATION, HostArguments
from postfix.host import ClientSide, HostDeclaration, ServerSide
from postfix.host_resource.records import HostState
from postfix.preflight import CheckedHost
from postfix.settings import ClientSettings, ServerSettings
from postfix.tables import ClientRow
from postfix.target import HostTarget
from postseal_core.program import RecordResource

__all__ = ["MailServer", "PostfixHost", "RelayClient"]


class PostfixHost(RecordResource):
    """One Postfix host, with one side or both, brought to its declared configuration.

    `MailServer` and `RelayClient` are the shorter ways.

    `declaration`: what is rendered; one that was checked before is not checked again.
    `target`: where to, `Directory` or `Local`.
    `certificates`: for each name in the declaration, the certificate.
    `relay_clients`, `relay_rosters`: who may relay, single clients and all clients of rosters.
    `extra_relay_clients`: certificates from elsewhere that may relay.
    `trust`: authorities whose clients and servers are trusted, ours or others'.

    Attributes: `name`, and `summary` for the outputs of a stack.

    Raises:
        ConfigError: everything that is wrong with the host, before anything is registered.
    """

    resource_type = "PostfixHost"
    state = HostState

    def __init__(
        self,
        name: str,
        *,
        declaration: HostDeclaration | CheckedHost,
        target: HostTarget,
        certificates: Mapping[str, HostCertificate],
        relay_clients: Sequence[RelayingClient] = (),
        relay_rosters: Sequence[ClientRoster] = (),
        extra_relay_clients: Sequence[ClientRow] = (),
        trust: Sequence[CertificateAuthority | TrustedRoot] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = HostArguments("hosts", name, opts)
        arguments.expect("declaration", declaration, (HostDeclaration, CheckedHost), A_DECLARATION)
        arguments.expect_target(target)
        arguments.expect_certificates(certificates)
        arguments.expect_admitted(relay_clients, relay_rosters)
        arguments.expect_each("extra_relay_clients", extra_relay_clients, ClientRow, "postfix.tables.ClientRow(...)")
        arguments.expect_trust(trust)
        arguments.refuse()
        host = DeclaredHost(
            checked=declaration if isinstance(declaration, CheckedHost) else arguments.checked(declaration),
            target=target,
            certificates=certificates,
            relay_clients=relay_clients,
            relay_rosters=relay_rosters,
            extra_relay_clients=extra_relay_clients,
            trust=trust,
        )
        self._declare(name, host, arguments, opts)

    def _declare(
        self, name: str, host: DeclaredHost, arguments: HostArguments, opts: pulumi.ResourceOptions | None
    ) -> None:
        """Register the host, unless anything is wrong with it."""
        arguments.add(host.checked.problems)
        arguments.add(problems_of_certificates(host.declaration, host.certificates))
        arguments.add(problems_of_names("relay_clients", host.relay_clients))
        arguments.add(problems_of_names("relay_rosters", host.relay_rosters))
        arguments.add(problems_of_names("extra_relay_clients", host.extra_relay_clients))
        arguments.add(problems_of_names("trust", trust_anchors(host.trust)))
        arguments.refuse()
        super().__init__(name, host_args(host), opts)
        self.name, self.summary = name, summary_of(host)


class MailServer(PostfixHost):
    """A host that receives mail and lets the listed clients relay, and nobody else by certificate.

        postfix.MailServer("mx1", myhostname="mx1.example.org", certificate=mx1, relay_clients=[alice],
                           target=postfix.Directory("out/mx1/postfix"))

    `certificate`: served; its names must hold `myhostname`. `target`: where to, `Directory` or `Local`.
    `relay_clients`, `relay_rosters`: who may relay, single clients and all clients of rosters.
    `extra_relay_clients`: certificates from elsewhere by name, each in PEM or as a SHA-256 fingerprint.
    `settings`: TLS of the receiving side.
    `relay_through`: how it sends, with `relay_certificate` as its own client certificate; not rendered by default.
    `trust`: authorities that are trusted, by default the roots of those behind clients and rosters.
    `parameters`: further main.cf parameters, which must not contradict the settings.
    `table_type`: one of `postfix.host.TABLE_TYPES`; `texthash` works everywhere.
    """

    resource_type = "MailServer"

    def __init__(
        self,
        name: str,
        *,
        myhostname: str,
        certificate: HostCertificate,
        target: HostTarget,
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
        arguments = HostArguments("hosts", name, opts)
        arguments.expect_certificate("certificate", certificate)
        arguments.expect_certificate("relay_certificate", relay_certificate, is_needed=False)
        arguments.expect_target(target)
        arguments.expect_admitted(relay_clients, relay_rosters)
        arguments.expect_trust(() if trust is None else trust)
        extra = arguments.foreign_clients(extra_relay_clients)
        own = arguments.record("settings", settings, ServerSettings, "postfix.ServerSettings(...)") or ServerSettings()
        sending = arguments.record("relay_through", relay_through, ClientSettings, "postfix.ClientSettings(...)")
        arguments.refuse()
        arguments.add(problems_of_one_name([certificate, relay_certificate]))
        trusted = roots_behind([*relay_clients, *relay_rosters]) if trust is None else list(trust)
        admits = own.relay.client_certificates and bool(relay_clients or relay_rosters or extra)
        receiving = replace(
            own, relay=replace(own.relay, client_certificates=admits), ca_file=own.ca_file and bool(trusted)
        )
        declaration = HostDeclaration(
            name=name,
            myhostname=myhostname,
            server=ServerSide(receiving, (certificate.name,)),
            client=_sending(sending, relay_certificate, has_roots=bool(trusted)) if sending else None,
            parameters={} if parameters is None else parameters,
            ownership=target.ownership,
            table_type=table_type,
        )
        host = DeclaredHost(
            checked=arguments.checked(declaration),
            target=target,
            certificates=by_name([certificate, relay_certificate]),
            relay_clients=relay_clients,
            relay_rosters=relay_rosters,
            extra_relay_clients=extra,
            trust=trusted,
        )
        self._declare(name, host, arguments, opts)


class RelayClient(PostfixHost):
    """A host that only sends, through other hosts, and proves itself to them with a client certificate.

        postfix.RelayClient("web1", myhostname="web1.example.org", certificate=web1, trust=[ca],
                            settings=postfix.ClientSettings(relayhost="[mx1.example.org]:587"), target=target)

    `target`: where to, `Directory` or `Local`.
    `certificate`: presented by default. `transport_certificates`: those that `settings.transports` name.
    `settings`: TLS of the sending side.
    `trust`: authorities whose servers are trusted, ours or others'.
    `parameters`, `table_type`: as of `MailServer`.
    """

    resource_type = "RelayClient"

    def __init__(
        self,
        name: str,
        *,
        myhostname: str,
        target: HostTarget,
        certificate: HostCertificate | None = None,
        transport_certificates: Sequence[HostCertificate] = (),
        settings: ClientSettings | None = None,
        trust: Sequence[CertificateAuthority | TrustedRoot] = (),
        parameters: Mapping[str, str] | None = None,
        table_type: str = "texthash",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = HostArguments("hosts", name, opts)
        arguments.expect_certificate("certificate", certificate, is_needed=False)
        arguments.expect_each_certificate("transport_certificates", transport_certificates)
        arguments.expect_target(target)
        arguments.expect_trust(trust)
        own = arguments.record("settings", settings, ClientSettings, "postfix.ClientSettings(...)") or ClientSettings()
        arguments.refuse()
        presented = [certificate, *transport_certificates]
        arguments.add(problems_of_one_name(presented))
        declaration = HostDeclaration(
            name=name,
            myhostname=myhostname,
            client=_sending(own, certificate, has_roots=bool(trust)),
            parameters={} if parameters is None else parameters,
            ownership=target.ownership,
            table_type=table_type,
        )
        host = DeclaredHost(
            checked=arguments.checked(declaration), target=target, certificates=by_name(presented), trust=trust
        )
        self._declare(name, host, arguments, opts)


def _sending(settings: ClientSettings, certificate: HostCertificate | None, *, has_roots: bool) -> ClientSide:
    names = (certificate.name,) if certificate else ()
    return ClientSide(replace(settings, ca_file=settings.ca_file and has_roots), names)
