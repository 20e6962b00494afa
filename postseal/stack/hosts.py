"""Hosts: what their declarations mean, as a declaration of Postfix and the certificates behind its names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pki.fingerprint import certificate_fingerprint_sha256, parse_fingerprint_sha256
from pki.verification import load_certificate
from postfix.host import ClientSide, HostDeclaration, Ownership, ServerSide
from postfix.settings import ClientSettings, DestinationPolicy, RelayPolicy, ServerSettings, Transport
from postseal.stack.clients import OWN_SERVER
from postseal.stack.host_config import ExtraRelayClientSection, HostSection, RelaySection, TargetSection, TrustSection
from postseal.stack.host_settings import SortedSettings, sort_settings
from postseal.stack.model import (
    Authority,
    CertificateKind,
    CertificateReference,
    Client,
    ExtraRelayClient,
    Host,
    Roster,
    Server,
    Target,
    TargetKind,
)
from postseal.stack.reading import DeclaredStack, Entry
from postseal.stack.servers import NO_CERTIFICATE
from postseal_core.errors import CertificateError

__all__ = ["Certificates", "resolve_hosts", "server_of"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """Everything a host can refer to."""

    authorities: Mapping[str, Authority]
    servers: Mapping[str, Server]
    clients: Mapping[str, Client]
    rosters: Mapping[str, Roster]

    def presentable(self, word: str, own_server: str | None) -> CertificateReference | None:
        """Return what a host presents as a client: `server` its own, a client's certificate, or another server's."""
        if word == OWN_SERVER:
            return CertificateReference(CertificateKind.SERVER, own_server) if own_server else None
        return self.named(word)

    def named(self, word: str) -> CertificateReference | None:
        """Return the client of that name, or else the server."""
        kinds = ((CertificateKind.CLIENT, self.clients), (CertificateKind.SERVER, self.servers))
        return next((CertificateReference(kind, word) for kind, known in kinds if word in known), None)


def resolve_hosts(declared: DeclaredStack, certificates: Certificates) -> dict[str, Host]:
    """Return the hosts; references that lead nowhere are left out, `problems_of_hosts` names them."""
    return {name: _resolve(entry, declared, certificates) for name, entry in declared.hosts.items()}


def server_of(entry: Entry[HostSection]) -> str | None:
    """Return the name of the server certificate a host serves; None where it has none."""
    certificate = entry.section.certificate
    return None if certificate == NO_CERTIFICATE else certificate or entry.name


def _resolve(entry: Entry[HostSection], declared: DeclaredStack, certificates: Certificates) -> Host:
    section = entry.section
    trust = section.trust or TrustSection()
    trusted = _trusted(trust, certificates.authorities)
    file_names = _file_names(_references(entry, certificates))
    target = _target(entry, declared.out)
    context = _Context(entry, certificates, file_names, has_roots=bool(trusted or trust.roots_pem))
    return Host(
        name=entry.name,
        declaration=_declaration(context, target.ownership),
        target=target,
        certificates={file_name: reference for reference, file_name in file_names.items()},
        relay_clients=tuple(filter(None, map(certificates.named, section.relay_clients))),
        relay_rosters=tuple(name for name in section.relay_rosters if name in certificates.rosters),
        extra_relay_clients=tuple(filter(None, map(_extra, section.extra_relay_clients))),
        trusted_authorities=trusted,
        trusted_roots_pem=trust.roots_pem,
    )


@dataclass(frozen=True, slots=True)
class _Context:
    """What the parts of one host's declaration share."""

    entry: Entry[HostSection]
    certificates: Certificates
    file_names: Mapping[CertificateReference, str]
    has_roots: bool

    @property
    def section(self) -> HostSection:
        return self.entry.section

    def presented(self, word: str | None) -> CertificateReference | None:
        return self.certificates.presentable(word, server_of(self.entry)) if word else None

    def file_name(self, word: str | None) -> str:
        reference = self.presented(word)
        return self.file_names[reference] if reference else ""


def _references(entry: Entry[HostSection], certificates: Certificates) -> Iterator[CertificateReference]:
    """Name every certificate whose key the host needs, its own server's first."""
    own, section = server_of(entry), entry.section
    if own:
        yield CertificateReference(CertificateKind.SERVER, own)
    words = [section.relay_through.certificate] if section.relay_through else []
    words += [transport.certificate for transport in section.transports.values()]
    yield from filter(None, (certificates.presentable(word, own) for word in words if word))


def _file_names(references: Iterable[CertificateReference]) -> dict[CertificateReference, str]:
    """Name the files: by the certificate, and where a server and a client have one name, the client by `-client`."""
    unique = dict.fromkeys(references)
    servers = {reference.name for reference in unique if reference.kind is CertificateKind.SERVER}
    return {
        reference: f"{reference.name}-client"
        if reference.kind is CertificateKind.CLIENT and reference.name in servers
        else reference.name
        for reference in unique
    }


def _trusted(trust: TrustSection, authorities: Mapping[str, Authority]) -> tuple[str, ...]:
    roots = [name for name, authority in authorities.items() if not authority.issuer]
    return tuple(roots if trust.authorities is None else [name for name in trust.authorities if name in roots])


def _extra(section: ExtraRelayClientSection) -> ExtraRelayClient | None:
    """Return a client by what identifies it; None where that is missing or cannot be read as one certificate."""
    if section.fingerprint_sha256:
        return ExtraRelayClient(section.name, section.fingerprint_sha256)
    try:
        certificate = load_certificate(section.certificate_pem or "", what="certificate")
    except CertificateError:
        return None
    fingerprint = certificate_fingerprint_sha256(certificate)
    return ExtraRelayClient(section.name, fingerprint, certificate.not_valid_after_utc)


def _target(entry: Entry[HostSection], out: str) -> Target:
    section = entry.section.target or TargetSection()
    if section.local:
        return Target(TargetKind.LOCAL, section.local, Ownership(section.ownership or Ownership.MERGE))
    return Target(TargetKind.DIRECTORY, section.directory or f"{out}/{entry.name}/postfix", Ownership.WHOLE)


def _declaration(context: _Context, ownership: Ownership) -> HostDeclaration:
    section, settings = context.section, sort_settings(context.section.settings)
    version = section.postfix_version
    return HostDeclaration(
        name=context.entry.name,
        myhostname=section.myhostname or "",
        server=_server_side(context, settings),
        client=_client_side(context, settings),
        parameters=settings.parameters,
        ownership=ownership,
        table_type=section.table_type,
        postfix_version=(3, int(version.partition(".")[2])) if version else None,
        compatibility_level=section.compatibility_level,
    )


def _server_side(context: _Context, settings: SortedSettings) -> ServerSide | None:
    own = server_of(context.entry)
    if not own:
        return None
    ca_path = bool(context.section.trust and context.section.trust.ca_path)
    relay = _relay_policy(context.section)
    server = ServerSettings(**settings.server, ca_file=context.has_roots and not ca_path, ca_path=ca_path, relay=relay)
    return ServerSide(server, (context.file_names[CertificateReference(CertificateKind.SERVER, own)],))


def _relay_policy(section: HostSection) -> RelayPolicy:
    relay = section.relay or RelaySection()
    return RelayPolicy(
        client_certificates=bool(section.relay_clients or section.relay_rosters or section.extra_relay_clients),
        sasl=relay.sasl,
        networks=RelayPolicy().networks if relay.networks is None else relay.networks,
        restrict_recipients=relay.restrict_recipients,
    )


def _client_side(context: _Context, settings: SortedSettings) -> ClientSide | None:
    """Return the sending side; None where nothing is said about sending, so that the host keeps its own ways."""
    section = context.section
    if not (section.relay_through or section.policies or section.transports or settings.client):
        return None
    word = section.relay_through.certificate if section.relay_through else None
    own = server_of(context.entry)
    is_own = context.presented(word) == CertificateReference(CertificateKind.SERVER, own or "")
    client = ClientSettings(
        **{**settings.client, **_relay_through(section)},
        ca_file=context.has_roots,
        present_server_certificate=is_own,
        policies=tuple(_policies(section)),
        transports=tuple(_transports(context)),
    )
    file_name = context.file_name(word)
    return ClientSide(client, (file_name,) if file_name and not is_own else ())


def _relay_through(section: HostSection) -> dict[str, Any]:
    relay_through = section.relay_through
    if not relay_through:
        return {}
    match = relay_through.smtp_tls_fingerprint_cert_match
    return {
        "relayhost": relay_through.relayhost,
        "smtp_tls_security_level": relay_through.smtp_tls_security_level or ("fingerprint" if match else "secure"),
        "smtp_tls_fingerprint_cert_match": match,
    }


def _policies(section: HostSection) -> Iterator[DestinationPolicy]:
    for destination, policy in section.policies.items():
        yield DestinationPolicy(destination, policy.level, _match(policy.level, policy.match))


def _transports(context: _Context) -> Iterator[Transport]:
    for name, section in context.section.transports.items():
        level = section.smtp_tls_security_level
        yield Transport(
            name=name,
            destinations=section.destinations,
            certificate=context.file_name(section.certificate),
            smtp_tls_security_level=level,
            match=_match(level, section.match),
            next_hop=section.next_hop,
        )


def _match(level: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a level matches; fingerprints in the one form Postfix's tables know, if they are any."""
    return tuple(map(_colon_form, words)) if level == "fingerprint" else words


def _colon_form(word: str) -> str:
    try:
        return parse_fingerprint_sha256(word)
    except ValueError:
        return word
