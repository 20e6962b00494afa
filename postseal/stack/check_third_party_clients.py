"""Check certificates that hosts present and somebody else signed: nothing about them is decided in this stack."""

from collections.abc import Iterator

from pki.third_party_answer import read_answer
from postseal.stack.model import OWN_SERVER
from postseal.stack.reading import Declared, DeclaredStack
from postseal.stack.screening import NO_FILE
from postseal.stack.sections import ClientKeys, ThirdPartyClientSection
from postseal_core.errors import CertificateError, Problem

__all__ = ["problems_of_third_party_clients"]

_OURS = ("authority", "request_pem", "request_file", "pkcs12", "take_over_from", "lifetime")


def problems_of_third_party_clients(stack: DeclaredStack) -> Iterator[Problem]:
    """Find what is wrong with each certificate that was signed elsewhere for a client."""
    for declared in stack.third_party_clients.values():
        if declared.name == OWN_SERVER:
            yield Problem(declared.path, f"{OWN_SERVER} means a host's own certificate; choose another name")
        for problem in (*_said_beside(declared.section), *_problems_of_parts(declared, stack)):
            yield problem.below(declared.path)


def _said_beside(section: ClientKeys) -> Iterator[Problem]:
    said = [*sorted(section.said.names), *(word for word in _OURS if getattr(section, word) is not None)]
    for word in said:
        yield Problem(word, "somebody else decided it when this certificate was signed; leave this out")


def _problems_of_parts(declared: Declared[ClientKeys], stack: DeclaredStack) -> Iterator[Problem]:
    section = declared.section.third_party or ThirdPartyClientSection()
    if not section.private_key_secret:
        yield Problem("third_party.private_key_secret", "missing; name the secret key of the stack that holds its key")
    file, path = section.signed_chain_file, "third_party.signed_chain_file"
    if section.signed_chain_pem and file:
        yield Problem(path, "declared beside signed_chain_pem; give one")
    elif not section.signed_chain_pem and not file:
        yield Problem("third_party", "the certificate is missing; give signed_chain_file, or signed_chain_pem")
    elif file:
        yield from (Problem(path, f"{file}{fault}") for fault in _faults_of_file(file, stack))


def _faults_of_file(file: str, stack: DeclaredStack) -> Iterator[str]:
    content = stack.files.get(file, NO_FILE)
    if content.fault:
        yield f" {content.fault}"
        return
    try:
        read_answer(content.text, what="certificate")
    except CertificateError as error:
        yield f": {error}"
