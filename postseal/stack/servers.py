"""Servers' certificates: what their declarations mean, those included that hosts get without declaring them."""

from collections.abc import Iterator, Mapping

from pki.model import CertificateDeclaration, KeyAlgorithm, Profile, Subject, SubjectAltNames
from pki.names import problems_of_declaration
from pki.verification import load_chain
from postseal.stack.authorities import default_authority, problems_of_authority_choice
from postseal.stack.files import NO_FILE
from postseal.stack.host_config import HostSection
from postseal.stack.issuing_limits import problems_below
from postseal.stack.leaf_config import ServerSection, ThirdPartySection
from postseal.stack.lifetime_config import ResolvedLifetime, problems_of_lifetime, resolve_lifetime
from postseal.stack.model import Authority, Server, ServerSigner
from postseal.stack.reading import DeclaredStack, Entry
from postseal_core.errors import CertificateError, Problem

__all__ = ["NO_CERTIFICATE", "problems_of_servers", "resolve_servers"]

NO_CERTIFICATE = "none"
"""What a host's `certificate` says when it receives no mail over TLS; so no server may be called that."""


def resolve_servers(declared: DeclaredStack, authorities: Mapping[str, Authority]) -> dict[str, Server]:
    """Return the declared servers, and one for each host that names none and has none of its own name."""
    entries = {**declared.servers, **_implied(declared)}
    return {name: _resolve(entry, declared, authorities) for name, entry in entries.items()}


def _implied(declared: DeclaredStack) -> dict[str, Entry[ServerSection]]:
    return {
        host.name: Entry(host.name, f"{host.path}.certificate", _implied_section(host.section))
        for host in declared.hosts.values()
        if host.section.certificate is None and host.name not in declared.servers
    }


def _implied_section(host: HostSection) -> ServerSection:
    return ServerSection(dns_names=(host.myhostname,) if host.myhostname else ())


def _signer(section: ServerSection) -> ServerSigner:
    if section.third_party:
        return ServerSigner.THIRD_PARTY
    return ServerSigner.SELF if section.self_signed else ServerSigner.AUTHORITY


def _profile(section: ServerSection) -> Profile:
    return Profile.SERVER_AND_CLIENT if section.also_client else Profile.SERVER


def _resolve(entry: Entry[ServerSection], declared: DeclaredStack, authorities: Mapping[str, Authority]) -> Server:
    section, signer = entry.section, _signer(entry.section)
    third_party = section.third_party or ThirdPartySection()
    return Server(
        name=entry.name,
        declaration=_declaration(section),
        key_algorithm=section.key_algorithm or KeyAlgorithm.ECDSA_P256,
        lifetime=_lifetime(entry, declared).policy,
        signer=signer,
        authority=default_authority(section.authority, authorities) if signer is ServerSigner.AUTHORITY else None,
        signed_chain_pem=third_party.signed_chain_pem or _chain_in_file(third_party, declared),
    )


def _chain_in_file(third_party: ThirdPartySection, declared: DeclaredStack) -> str | None:
    file = third_party.signed_chain_file
    return declared.files.get(file, NO_FILE).text if file else None


def _declaration(section: ServerSection) -> CertificateDeclaration:
    return CertificateDeclaration(
        profile=_profile(section),
        subject=Subject(section.common_name or next(iter(section.dns_names), ""), section.organization),
        alt_names=SubjectAltNames(dns_names=section.dns_names, ip_addresses=section.ip_addresses),
    )


def _lifetime(entry: Entry[ServerSection], declared: DeclaredStack) -> ResolvedLifetime:
    section = entry.section
    return resolve_lifetime(_profile(section), declared.lifetime, section.lifetime, f"{entry.path}.lifetime")


def problems_of_servers(
    declared: DeclaredStack, servers: Mapping[str, Server], authorities: Mapping[str, Authority]
) -> Iterator[Problem]:
    """Find what is wrong with each server's certificate; a host's own name is checked where the host is."""
    for entry in declared.servers.values():
        if entry.name == NO_CERTIFICATE:
            yield Problem(entry.path, f"{NO_CERTIFICATE} means a host without a certificate; choose another name")
        yield from _problems_of_names(entry, servers[entry.name])
        yield from _problems_of_signer(entry)
        yield from _problems_of_chain_file(entry, declared)
        yield from _problems_below_authority(entry, servers[entry.name], declared, authorities)
    for entry in _implied(declared).values():
        yield from _problems_below_authority(entry, servers[entry.name], declared, authorities)


def _problems_of_names(entry: Entry[ServerSection], server: Server) -> Iterator[Problem]:
    found = problems_of_declaration(server.declaration)
    is_told = not entry.section.common_name and len(found) > 1
    yield from (problem.below(entry.path) for problem in found if not (is_told and problem.path == "common_name"))


def _problems_of_signer(entry: Entry[ServerSection]) -> Iterator[Problem]:
    section, third_party = entry.section, entry.section.third_party
    signers = [word for word in ("authority", "self_signed", "third_party") if getattr(section, word)]
    yield from (
        Problem(f"{entry.path}.{word}", f"declared beside {signers[0]}; only one can sign: leave one of them out")
        for word in signers[1:]
    )
    if third_party and third_party.signed_chain_pem and third_party.signed_chain_file:
        yield Problem(f"{entry.path}.third_party.signed_chain_file", "declared beside signed_chain_pem; give one")
    if third_party is not None:
        yield from (
            Problem(f"{entry.path}.{word}", "a request to a third party does not carry this; leave it out")
            for word in ("ip_addresses", "also_client")
            if getattr(section, word)
        )


def _problems_of_chain_file(entry: Entry[ServerSection], declared: DeclaredStack) -> Iterator[Problem]:
    third_party = entry.section.third_party or ThirdPartySection()
    file = third_party.signed_chain_file
    if not file or third_party.signed_chain_pem:
        return
    content, path = declared.files.get(file, NO_FILE), f"{entry.path}.third_party.signed_chain_file"
    try:
        if not content.fault:
            load_chain(content.text, what="certificate")
    except CertificateError as error:
        yield Problem(path, f"{file}: {error}")
    if content.fault:
        yield Problem(path, f"{file} {content.fault}")


def _problems_below_authority(
    entry: Entry[ServerSection], server: Server, declared: DeclaredStack, authorities: Mapping[str, Authority]
) -> Iterator[Problem]:
    is_implied = entry.name not in declared.servers
    path = entry.path if is_implied else f"{entry.path}.authority"
    if server.signer is ServerSigner.AUTHORITY:
        yield from problems_of_authority_choice(path, entry.section.authority, authorities)
    for problem in problems_below(server.declaration, server.authority, authorities):
        yield Problem(f"hosts.{entry.name}.myhostname", problem.message) if is_implied else problem.below(entry.path)
    issuer = authorities.get(server.authority or "")
    lifetime = _lifetime(entry, declared)
    yield from problems_of_lifetime(_profile(entry.section), lifetime, issuer.lifetime if issuer else None)
