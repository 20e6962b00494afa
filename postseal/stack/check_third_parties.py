"""Check authorities that a third party signs: what is said of the answer, and what cannot stand beside it."""

from collections.abc import Iterator, Mapping

from pki.extensions import is_authority, name_in_words
from pki.third_party_answer import read_answer
from pki.verification import load_chain
from postseal.stack.model import Authority
from postseal.stack.reading import Declared, DeclaredStack
from postseal.stack.references import signed_chain
from postseal.stack.screening import NO_FILE
from postseal.stack.sections import AuthorityKeys, SignedElsewhereSection, said_of_lifetime
from postseal_core.errors import CertificateError, Problem

__all__ = ["problems_of_third_parties"]

_PATHS = {"signed_chain": "third_party.signed_chain_file", "roots": "third_party.roots_file", "slots": "slots"}


def problems_of_third_parties(stack: DeclaredStack, authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    """Find what is wrong with the answers of third parties, as far as they can be judged without key and clock."""
    for declared in stack.authorities.values():
        section = declared.section.third_party
        if section is None or declared.unread & {"third_party"}:
            continue
        found = [
            *_problems_of_rivals(declared),
            *_problems_of_pairs(section),
            *(_problems_of_files(section, stack) or _problems_of_answers(authorities[declared.name])),
        ]
        yield from (problem.below(declared.path) for problem in found)


def _problems_of_rivals(declared: Declared[AuthorityKeys]) -> Iterator[Problem]:
    section = declared.section
    if section.issuer:
        yield Problem("third_party", "declared beside issuer; only one can sign: leave one of them out")
    if "validity_hours" in said_of_lifetime(section.lifetime).names:
        yield Problem("lifetime.validity", "the signer decides how long the certificate is valid; leave this out")


def _problems_of_pairs(section: SignedElsewhereSection) -> Iterator[Problem]:
    for word in ("signed_chain", "roots"):
        if getattr(section, f"{word}_pem") and getattr(section, f"{word}_file"):
            yield Problem(f"third_party.{word}_file", f"declared beside {word}_pem; give one")


def _problems_of_files(section: SignedElsewhereSection, stack: DeclaredStack) -> list[Problem]:
    answers = (section.signed_chain_file or {}).values()
    files = [("signed_chain_file", file) for file in answers]
    files += [("roots_file", section.roots_file)] if section.roots_file else []
    found = []
    for word, file in files:
        content = stack.files.get(file, NO_FILE)
        fault = content.fault and f"{file} {content.fault}"
        try:
            if not fault:
                (load_chain if word == "roots_file" else read_answer)(content.text, what=file)
        except CertificateError as error:
            fault = str(error)
        found += [Problem(f"third_party.{word}", fault)] if fault else []
    return found


def _problems_of_answers(authority: Authority) -> Iterator[Problem]:
    if authority.third_party:
        for problem in authority.third_party.problems(authority.slots):
            yield Problem(_PATHS[problem.path], problem.message)
        if authority.crl:
            yield from _problems_of_lists(authority)


def _problems_of_lists(authority: Authority) -> Iterator[Problem]:
    """Report a signed certificate that may sign no list, of each slot: each signs a list of its own."""
    for number in authority.third_party.signed_chains_pem if authority.third_party else ():
        chain = signed_chain(authority, number)
        if chain and is_authority(chain[0]) and not is_authority(chain[0], signs="crl_sign"):
            yield Problem(
                "crl",
                f"{name_in_words(chain[0].subject)} may sign no revocation lists: its keyUsage lacks cRLSign, which "
                "the request asks for; have it signed with that, or leave crl out",
            )
