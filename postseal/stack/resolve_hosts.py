"""Turn the host sections into Postfix declarations and resolve the certificates that they name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pki.fingerprint_text import parse_fingerprint_sha256
from postfix.foreign_clients import foreign_client
from postfix.host import ClientSide, HostDeclaration, OnHost, Ownership, ServerSide, public_names_of
from postfix.parameters import PostfixVersion
from postfix.preflight import checked_host
from postfix.settings import ClientSettings, DestinationPolicy, RelayPolicy, Submission, SubmissionName, Transport
from postfix.tables import ClientRow
from postfix.target import Drift, HostTarget, TargetKind, target_of
from postseal.stack.host_sections import (
    CertificateSection,
    ExtraRelayClientSection,
    HostSection,
    RelaySection,
    RelayThroughSection,
    SubmissionSection,
    TargetSection,
    TrustSection,
)
from postseal.stack.host_settings import SortedSettings, sort_settings
from postseal.stack.model import (
    Admitted,
    Authority,
    CertificateKind,
    CertificateReference,
    Host,
    StackConfig,
)
from postseal.stack.reading import Declared, DeclaredStack
from postseal.stack.receiving_sections import domains_of, maps_of, restrictions_of
from postseal_core.errors import CertificateError

__all__ = ["default_directory", "resolve_hosts"]


def resolve_hosts(stack: DeclaredStack, config: StackConfig) -> dict[str, Host]:
    """Return the hosts; references that lead nowhere are left out, `problems_of_hosts` names them.

    `config`: the stack with everything that a host can refer to.
    """
    return {name: _resolve(each, config) for name, each in stack.hosts.items()}


def _resolve(each: Declared[HostSection], config: StackConfig) -> Host:
    section = each.section
    trust = section.trust or TrustSection()
    trusted = _trusted(trust, config.authorities)
    file_names = _file_names(_references(each, config))
    target = _target(each, config.out)
    context = _Context(each, config, file_names, has_roots=bool(trusted or trust.roots_pem))
    return Host(
        name=each.name,
        checked=checked_host(_declaration(context, target.ownership)),
        target=target,
        certificates={file_name: reference for reference, file_name in file_names.items()},
        relaying=_admitted(section, config),
        submitting={name: _admitted(service, config) for name, service in section.services.items()},
        trusted_authorities=trusted,
        trusted_roots_pem=trust.roots_pem,
    )


def _admitted(section: HostSection | SubmissionSection, config: StackConfig) -> Admitted:
    return Admitted(
        clients=tuple(filter(None, map(config.named, section.relay_clients))),
        rosters=tuple(name for name in section.relay_rosters if name in config.rosters),
        extra=tuple(filter(None, map(_extra, section.extra_relay_clients))),
    )


@dataclass(frozen=True, slots=True)
class _Context:
    """Inputs that all parts of one host's declaration need."""

    host: Declared[HostSection]
    config: StackConfig
    file_names: Mapping[CertificateReference, str]
    has_roots: bool

    @property
    def section(self) -> HostSection:
        return self.host.section

    @property
    def own_servers(self) -> tuple[str, ...]:
        return self.section.served(self.host.name)

    def presented(self, word: str | None) -> CertificateReference | None:
        return next(iter(self.config.presentable(word, self.own_servers)), None) if word else None

    def is_own(self, word: str | None) -> bool:
        """Return whether a word means everything that the host serves."""
        served = tuple(CertificateReference(CertificateKind.SERVER, name) for name in self.own_servers)
        return bool(word and served) and self.config.presentable(word or "", self.own_servers) == served

    def file_name(self, word: str | None) -> str:
        reference = self.presented(word)
        return self.file_names[reference] if reference else ""


def _references(host: Declared[HostSection], config: StackConfig) -> Iterator[CertificateReference]:
    """Name every certificate whose key the host needs, its own server's first."""
    own, section = host.section.served(host.name), host.section
    yield from (CertificateReference(CertificateKind.SERVER, name) for name in own)
    words = [section.relay_through.certificate] if section.relay_through else []
    words += [transport.certificate for transport in section.transports.values()]
    yield from (each for word in words if word for each in config.presentable(word, own)[:1])


def _file_names(references: Iterable[CertificateReference]) -> dict[CertificateReference, str]:
    """Return the file name of each certificate; a client that shares a server's name gets `-client`."""
    unique = dict.fromkeys(references)
    servers = {reference.name for reference in unique if reference.kind is CertificateKind.SERVER}
    return {
        reference: f"{reference.name}-client"
        if reference.kind is CertificateKind.CLIENT and reference.name in servers
        else reference.name
        for reference in unique
    }


def _trusted(trust: TrustSection, authorities: Mapping[str, Authority]) -> tuple[str, ...]:
    roots = [name for name, authority in authorities.items() if authority.has_trusted_roots]
    return tuple(roots if trust.authorities is None else [name for name in trust.authorities if name in roots])


def _extra(section: ExtraRelayClientSection) -> ClientRow | None:
    """Return a client from its fingerprint or certificate; None if both are missing or unreadable."""
    try:
        return foreign_client(section.name, section.fingerprint_sha256 or section.certificate_pem or "")
    except CertificateError:
        return None


def default_directory(out: str, host: str) -> str:
    """Return where the files of a host go that names no target."""
    return f"{out}/{host}/postfix"


def _target(host: Declared[HostSection], out: str) -> HostTarget:
    section = host.section.target or TargetSection()
    default = (TargetKind.DIRECTORY, default_directory(out, host.name))
    kind, path = next(reversed(section.said.items()), default)
    # Of several kinds, and of an ownership that a kind cannot have, the check tells.
    is_chosen = kind is not TargetKind.DIRECTORY
    return target_of(
        kind,
        path,
        section.said_ownership if is_chosen else None,
        section.take_over,
        Drift(section.drift),
        section.kept_generations,
        section.ssh.target if section.ssh else None,
    )


def _declaration(context: _Context, ownership: Ownership) -> HostDeclaration:
    section, settings = context.section, sort_settings(context.section.settings)
    version = section.postfix_version
    return HostDeclaration(
        name=context.host.name,
        myhostname=section.myhostname or "",
        server=_server_side(context, settings),
        client=_client_side(context, settings),
        domains=domains_of(section.domains),
        maps=maps_of(section.maps),
        restrictions=restrictions_of(section.restrictions),
        parameters=settings.parameters,
        unchecked=section.unchecked,
        ownership=ownership,
        table_type=_word(section.table_type),
        postfix_version=PostfixVersion.from_text(version) if version else None,
        compatibility_level=section.compatibility_level,
        accept=section.accept,
    )


def _server_side(context: _Context, settings: SortedSettings) -> ServerSide | None:
    own, section = context.own_servers, context.section
    if not own and not section.is_on_host:
        return None
    ca_path = bool(context.section.trust and context.section.trust.ca_path)
    relay = _relay_policy(context.section)
    server = replace(settings.server, ca_file=context.has_roots and not ca_path, ca_path=ca_path, relay=relay)
    files = tuple(context.file_names[CertificateReference(CertificateKind.SERVER, name)] for name in own)
    return ServerSide(
        server,
        files,
        on_host=_on_host(section.certificate),
        public_names=_public_names(context),
        submission=_submission(section),
    )


def _on_host(section: CertificateSection | None) -> OnHost | None:
    if section is None or not section.is_on_host:
        return None
    return OnHost(section.on_host.chain_files if section.on_host else ())


def _public_names(context: _Context) -> tuple[str, ...]:
    """Return the names that are said, else those of certificates that are named and have other ones than the host."""
    section, servers = context.section, context.config.servers
    if section.public_names or section.certificate is None or not section.myhostname:
        return section.public_names
    names = [servers[name].declared.dns_names for name in context.own_servers if name in servers]
    return public_names_of(section.myhostname, names) or ()


def _admits(section: HostSection | SubmissionSection) -> bool:
    return bool(section.relay_clients or section.relay_rosters or section.extra_relay_clients)


def _submission(section: HostSection) -> dict[SubmissionName, Submission]:
    return {
        name: Submission(client_certificates=_admits(each), sasl=each.sasl, needs_both=each.needs_both)
        for name, each in section.services.items()
    }


def _relay_policy(section: HostSection) -> RelayPolicy:
    relay = section.relay or RelaySection()
    return RelayPolicy(
        client_certificates=_admits(section),
        sasl=relay.sasl,
        networks=RelayPolicy().networks if relay.networks is None else relay.networks,
        wide_networks=relay.wide_networks,
        restrict_recipients=relay.restrict_recipients,
    )


def _client_side(context: _Context, settings: SortedSettings) -> ClientSide | None:
    """Return the sending side; None where nothing is said about sending, so that the host keeps its own ways."""
    section = context.section
    if not (section.relay_through or section.policies or section.transports or settings.client):
        return None
    word = section.relay_through.certificate if section.relay_through else None
    is_own = context.is_own(word)
    client = replace(
        _with_relay(settings.client or ClientSettings(), section.relay_through),
        ca_file=context.has_roots,
        present_server_certificate=is_own,
        policies=tuple(_policies(section)),
        transports=tuple(_transports(context)),
    )
    file_name = context.file_name(word)
    return ClientSide(client, (file_name,) if file_name and not is_own else ())


def _with_relay(settings: ClientSettings, relay_through: RelayThroughSection | None) -> ClientSettings:
    """Return settings with the values of `relay_through` in place of their own."""
    if not relay_through:
        return settings
    match = relay_through.smtp_tls_fingerprint_cert_match
    return replace(
        settings,
        relayhost=relay_through.relayhost,
        smtp_tls_security_level=_word(relay_through.smtp_tls_security_level or ("fingerprint" if match else "secure")),
        smtp_tls_fingerprint_cert_match=match,
        smtp_tls_wrappermode=relay_through.smtp_tls_wrappermode,
    )


def _policies(section: HostSection) -> Iterator[DestinationPolicy]:
    for destination, policy in section.policies.items():
        yield DestinationPolicy(
            destination,
            _word(policy.level),
            _match(policy.level, policy.match),
            protocols=policy.protocols,
            ciphers=policy.ciphers,
            exclude=policy.exclude,
            servername=policy.servername,
            connection_reuse=policy.connection_reuse,
            tafile=policy.tafile,
        )


def _transports(context: _Context) -> Iterator[Transport]:
    for name, section in context.section.transports.items():
        level = section.smtp_tls_security_level
        yield Transport(
            name=name,
            destinations=section.destinations,
            certificate=context.file_name(section.certificate),
            smtp_tls_security_level=_word(level),
            match=_match(level, section.match),
            next_hop=section.next_hop,
            smtp_tls_wrappermode=section.smtp_tls_wrappermode,
        )


def _word(text: str) -> Any:
    """Return a word unchanged; its value is checked later with the whole host."""
    return text


def _match(level: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the match words of a level, fingerprints in the colon form of Postfix's tables."""
    return tuple(map(_colon_form, words)) if level == "fingerprint" else words


def _colon_form(word: str) -> str:
    try:
        return parse_fingerprint_sha256(word)
    except ValueError:
        return word
