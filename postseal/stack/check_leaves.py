"""Check servers and clients: each by itself, against its authorities, and for repeated identities."""

from collections.abc import Iterator, Mapping
from typing import Final

from pki.arguments import RequestFields
from pki.declared import is_key_lost
from pki.declared_checks import problems_of_declared
from pki.fields import FIELDS
from pki.identities import Claims
from pki.third_party_answer import read_answer
from postseal.stack.host_sections import NO_CERTIFICATE
from postseal.stack.lifetimes import problems_of_lifetime, resolve_lifetime
from postseal.stack.model import OWN_SERVER, Client, Server, ServerSigner, StackConfig
from postseal.stack.reading import Declared, DeclaredStack
from postseal.stack.references import issuing_limits, problems_of_authority_choice, repeated_identities
from postseal.stack.screening import NO_FILE
from postseal.stack.sections import LIFETIME_FIELDS, ClientKeys, ServerKeys, ThirdPartySection
from postseal_core.errors import CertificateError, Problem

__all__ = ["problems_of_clients", "problems_of_implied_servers", "problems_of_servers"]

# Told at the policies they come from, and in the words of the file.
_TOLD_ELSEWHERE: Final = frozenset({*LIFETIME_FIELDS, "match"})
# Where an authority stands wrongly is told there, not once more for each certificate below it.
_OF_AUTHORITIES: Final = frozenset({"", "profile"})
_OF_CLIENTS: Final = ("match", "confirm", "confirmed_generation")
_OF_REQUESTS: Final = frozenset(RequestFields.__annotations__)


def problems_of_servers(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Find what is wrong with each declared server's certificate."""
    for declared in stack.servers.values():
        server = config.servers[declared.name]
        if declared.name == NO_CERTIFICATE:
            yield Problem(declared.path, f"{NO_CERTIFICATE} means a host without a certificate; choose another name")
        of_signer = list(_problems_of_signer(declared.section))
        told = {problem.path for problem in of_signer}
        of_fields = [each for each in _problems_of_fields(server, config) if each.path.partition("[")[0] not in told]
        of_server = [*of_fields, *of_signer, *_problems_of_chain_file(declared.section, stack)]
        if server.signer is ServerSigner.AUTHORITY:
            of_server += problems_of_authority_choice("authority", declared.section.authority, config.authorities)
        yield from (problem.below(declared.path) for problem in of_server)
        yield from _problems_of_lifetime(declared, server, stack, config)


def problems_of_implied_servers(
    implied: Mapping[str, Declared[ServerKeys]], stack: DeclaredStack, config: StackConfig
) -> Iterator[Problem]:
    """Find what is wrong with servers that hosts get without declaring them; the host's name is checked with it."""
    for declared in implied.values():
        server = config.servers[declared.name]
        yield from problems_of_authority_choice(declared.path, None, config.authorities)
        if not problems_of_declared(server.declared, server.profile):
            for problem in _problems_of_fields(server, config):
                yield Problem(f"hosts.{declared.name}.myhostname", problem.message)
        yield from _problems_of_lifetime(declared, server, stack, config)


def _problems_of_fields(leaf: Server | Client, config: StackConfig) -> Iterator[Problem]:
    """Report problems of a certificate's fields, alone and against the constraints of its authorities."""
    limits = issuing_limits(leaf.authority, config.authorities)
    for problem in problems_of_declared(leaf.declared, leaf.profile, limits):
        if problem.path not in _TOLD_ELSEWHERE | _OF_AUTHORITIES:
            yield problem
    if is_key_lost(leaf.declared, leaf.profile):
        kind = "server" if isinstance(leaf, Server) else "client"
        message = f"set lifetime.renew_key of this {kind} to never, or match by certificate"
        yield Problem("match", f"public_key needs a key that stays: {message}")


def _problems_of_lifetime(
    declared: Declared[ServerKeys] | Declared[ClientKeys],
    leaf: Server | Client,
    stack: DeclaredStack,
    config: StackConfig,
) -> list[Problem]:
    issuer = config.authorities.get(leaf.authority or "")
    lifetime = resolve_lifetime(leaf.profile, stack.lifetime, declared.section, declared.path)
    return problems_of_lifetime(lifetime, issuer.lifetime if issuer else None)


def _problems_of_signer(section: ServerKeys) -> Iterator[Problem]:
    third_party, said = section.third_party, section.said.names
    signers = [word for word in ("authority", "self_signed", "third_party") if getattr(section, word)]
    for word in signers[1:]:
        yield Problem(word, f"declared beside {signers[0]}; only one can sign: leave one of them out")
    if third_party and third_party.signed_chain_pem and third_party.signed_chain_file:
        yield Problem("third_party.signed_chain_file", "declared beside signed_chain_pem; give one")
    if third_party is not None:
        others = [name for name in FIELDS if name in said - _OF_REQUESTS]
        for word in others:
            yield Problem(word, "a request to a third party does not carry this; leave it out")
    elif not section.also_client:
        for word in _OF_CLIENTS:
            if word in said:
                yield Problem(
                    word, "counts only for a server that is a client too; set also_client to true, or leave this out"
                )


def _problems_of_chain_file(section: ServerKeys, stack: DeclaredStack) -> Iterator[Problem]:
    third_party = section.third_party or ThirdPartySection()
    file = third_party.signed_chain_file
    if not file or third_party.signed_chain_pem:
        return
    content, path = stack.files.get(file, NO_FILE), "third_party.signed_chain_file"
    try:
        if not content.fault:
            read_answer(content.text, what="certificate")
    except CertificateError as error:
        yield Problem(path, f"{file}: {error}")
    if content.fault:
        yield Problem(path, f"{file} {content.fault}")


def problems_of_clients(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Report problems of each client, and repeated identities."""
    for declared in stack.clients.values():
        client = config.clients[declared.name]
        if declared.name == OWN_SERVER:
            yield Problem(declared.path, f"{OWN_SERVER} means a host's own certificate; choose another name")
        of_client = [
            *_problems_of_client(declared, client, config),
            *problems_of_authority_choice("authority", declared.section.authority, config.authorities),
        ]
        yield from (problem.below(declared.path) for problem in of_client)
        yield from _problems_of_lifetime(declared, client, stack, config)
    yield from _repeated_names(stack)
    yield from _repeated_identities(stack)


def _problems_of_client(declared: Declared[ClientKeys], client: Client, config: StackConfig) -> Iterator[Problem]:
    has_names = bool(client.declared.email or client.declared.dns_names)
    names = ("email", "dns_names")
    if not has_names and not declared.unread & {*names}:
        yield Problem("email", "missing; give the client's email, or dns_names for a host")
    for problem in _problems_of_fields(client, config):
        if has_names or not problem.path.startswith(names):
            yield problem


def _repeated_names(stack: DeclaredStack) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, declared in stack.clients.items():
        other = first.setdefault(name.lower(), name)
        if other != name:
            yield Problem(declared.path, f"differs from {other} only in case; give each client a name of its own")


def _repeated_identities(stack: DeclaredStack) -> Iterator[Problem]:
    """Report clients that have the mailbox of another person, or the host of another client."""
    claims = Claims()
    for name, declared in stack.clients.items():
        repeated = repeated_identities(declared.section.said.values, f"client {name}", claims)
        yield from (problem.below(declared.path) for problem in repeated)
