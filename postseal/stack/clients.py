"""Clients' certificates: what their declarations mean, and that no two of them are the same person or host."""

from collections.abc import Iterator, Mapping

from pki.declared import problems_of_steps
from pki.lifetime import KEEP_KEY
from pki.model import CertificateDeclaration, KeyAlgorithm, Profile, Subject, SubjectAltNames
from pki.names import problems_of_declaration
from pki.pkcs12 import Pkcs12Profile
from postseal.stack.authorities import default_authority, problems_of_authority_choice
from postseal.stack.issuing_limits import problems_below
from postseal.stack.leaf_config import ClientSection, Pkcs12Section
from postseal.stack.lifetime_config import ResolvedLifetime, problems_of_lifetime, resolve_lifetime
from postseal.stack.model import Authority, Client, Pkcs12
from postseal.stack.reading import DeclaredStack, Entry
from postseal_core.errors import Problem

__all__ = ["OWN_SERVER", "identities_of_clients", "problems_of_clients", "resolve_clients"]

OWN_SERVER = "server"
"""What a host says to present its own server's certificate; so no client may be called that."""


def resolve_clients(declared: DeclaredStack, authorities: Mapping[str, Authority]) -> dict[str, Client]:
    """Return the clients in the order of the file."""
    return {name: _resolve(entry, declared, authorities) for name, entry in declared.clients.items()}


def _resolve(entry: Entry[ClientSection], declared: DeclaredStack, authorities: Mapping[str, Authority]) -> Client:
    section = entry.section
    return Client(
        name=entry.name,
        declaration=_declaration(section),
        key_algorithm=section.key_algorithm or KeyAlgorithm.ECDSA_P256,
        lifetime=_lifetime(entry, declared).policy,
        authority=default_authority(section.authority, authorities) or "",
        match=section.match,
        confirm=section.confirm,
        confirmed_generation=section.confirmed_generation,
        revoke=section.revoke or "",
        issue_again=section.issue_again,
        pkcs12=_pkcs12(section.pkcs12) if section.pkcs12 else None,
        take_over_from=section.take_over_from or "",
    )


def _pkcs12(section: Pkcs12Section) -> Pkcs12:
    return Pkcs12(Pkcs12Profile(section.profile), section.passphrase_secret)


def _declaration(section: ClientSection) -> CertificateDeclaration:
    emails = (section.email,) if section.email else ()
    return CertificateDeclaration(
        profile=Profile.CLIENT,
        subject=Subject(
            common_name=section.common_name or next(iter((*emails, *section.dns_names)), ""),
            organization=section.organization,
            organizational_unit=section.organizational_unit,
            locality=section.locality,
            state_or_province=section.state_or_province,
            country=section.country,
        ),
        alt_names=SubjectAltNames(dns_names=section.dns_names, email_addresses=emails),
    )


def _lifetime(entry: Entry[ClientSection], declared: DeclaredStack) -> ResolvedLifetime:
    section = entry.section
    return resolve_lifetime(
        Profile.CLIENT,
        declared.lifetime,
        section.lifetime,
        f"{entry.path}.lifetime",
        is_key_kept=section.match == "public_key",
    )


def problems_of_clients(
    declared: DeclaredStack, clients: Mapping[str, Client], authorities: Mapping[str, Authority]
) -> Iterator[Problem]:
    """Find what is wrong with each client, and who is there twice."""
    for entry in declared.clients.values():
        client = clients[entry.name]
        issuer = authorities.get(client.authority)
        lifetime = _lifetime(entry, declared)
        yield from _problems_of_names(entry, client, authorities)
        of_client = [*_problems_of_match(client), *_problems_of_steps(client)]
        yield from (problem.below(entry.path) for problem in of_client)
        yield from problems_of_authority_choice(f"{entry.path}.authority", entry.section.authority, authorities)
        yield from problems_of_lifetime(Profile.CLIENT, lifetime, issuer.lifetime if issuer else None)
    yield from _repeated_names(declared)
    yield from _repeated_identities(declared)


def _problems_of_match(client: Client) -> Iterator[Problem]:
    if client.match == "public_key" and client.lifetime.renew_key_every != KEEP_KEY:
        message = "needs a key that stays: set lifetime.renew_key of this client to never, or match by certificate"
        yield Problem("match", f"public_key {message}")


def _problems_of_steps(client: Client) -> list[Problem]:
    return problems_of_steps(
        confirm=client.confirm,
        confirmed_generation=client.confirmed_generation,
        revoke=client.revoke,
        issue_again=client.issue_again,
    )


def _problems_of_names(
    entry: Entry[ClientSection], client: Client, authorities: Mapping[str, Authority]
) -> Iterator[Problem]:
    if entry.name == OWN_SERVER:
        yield Problem(entry.path, f"{OWN_SERVER} means a host's own certificate; choose another name")
    if not client.declaration.alt_names and entry.unread & {"email", "dns_names"}:
        return
    if not client.declaration.alt_names:
        yield Problem(f"{entry.path}.email", "missing; give the client's email, or dns_names for a host")
        return
    found = problems_of_declaration(client.declaration)
    found += problems_below(client.declaration, client.authority, authorities)
    is_told = not entry.section.common_name and len(found) > 1
    for problem in found:
        if not (is_told and problem.path == "common_name"):
            path = "email" if problem.path.startswith("email_addresses") else problem.path
            yield Problem(f"{entry.path}.{path}", problem.message)


def _repeated_names(declared: DeclaredStack) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, entry in declared.clients.items():
        other = first.setdefault(name.lower(), name)
        if other != name:
            yield Problem(entry.path, f"differs from {other} only in case; give each client a name of its own")


def _repeated_identities(declared: DeclaredStack) -> Iterator[Problem]:
    """Compare without case throughout: mail hosts hardly ever tell Alice@ and alice@ apart, and readers never."""
    first: dict[str, str] = {}
    for name, path, identity in identities_of_clients(declared):
        other = first.setdefault(identity.lower(), name)
        if other != name:
            yield Problem(path, f"{identity!r} is client {other} already; give each its own, or remove one of them")


def identities_of_clients(declared: DeclaredStack) -> Iterator[tuple[str, str, str]]:
    """Return what each client is known by, mailboxes and hosts: its name, the path, and the identity."""
    for name, entry in declared.clients.items():
        if entry.section.email:
            yield name, f"{entry.path}.email", entry.section.email
        for index, host in enumerate(entry.section.dns_names):
            yield name, f"{entry.path}.dns_names[{index}]", host
