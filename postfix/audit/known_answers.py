"""Answer questions about a host from the files that were read of it, so that nobody has to ask the host."""

from collections.abc import Iterable, Mapping

from cryptography import x509

from pki.extensions import is_self_issued
from pki.verification import load_chain
from postfix.effective.visitors import AUTHORITIES, CHAIN, Answer, Asked, Kind, Question, Visitor
from postfix.on_host import Source
from postfix.public_file import FAULTS, PublicFile
from postfix.sighting import chains_in
from postseal_core.errors import CertificateError

__all__ = ["MANY_AUTHORITIES", "authorities_in", "fault_of_source", "known_answer", "sources_in_question"]

MANY_AUTHORITIES = 20
"""So many roots in one file are those of the public: nobody runs as many authorities."""


def sources_in_question(question: Question) -> tuple[Source, ...]:
    """Return the files with keys that a question is about."""
    if question.asked is not Asked.LOADS or question.key == AUTHORITIES:
        return ()
    if question.key == CHAIN:
        return (Source(tuple(question.where.split(" "))),)
    return (Source((question.beside, question.where), is_pair=True),)


def known_answer(
    question: Question, files: Mapping[str, PublicFile], listing: Iterable[str], visitors: Iterable[Visitor]
) -> Answer | None:
    """Return what the files answer; None where they do not.

    `listing`: tables as main.cf names them in which the listed visitor is taken to stand.
    """
    if question.asked is Asked.LOADS:
        return _loads(question, files)
    if question.asked is Asked.TRUSTED:
        return _trusted(question, files)
    is_listed = question.asked is Asked.LOOKUP and question.where in {*listing}
    if is_listed and question.key in {key for each in visitors for key in _prints(each)}:
        return Answer.YES
    return None


def _prints(visitor: Visitor) -> Iterable[str]:
    return (each for keys in visitor.prints.values() for each in keys if visitor.kind is Kind.LISTED)


def _loads(question: Question, files: Mapping[str, PublicFile]) -> Answer | None:
    sources = sources_in_question(question)
    paths = [path for source in sources for path in source.files] or [question.where]
    if any(path not in files for path in paths):
        return None
    if any(files[path].is_hidden for path in paths):
        return Answer.UNKNOWN
    if not sources:
        return _has_authorities(files[question.where])
    return Answer.BROKEN if fault_of_source(sources[0], files) else Answer.YES


def _has_authorities(file: PublicFile) -> Answer:
    """Return whether OpenSSL finds a certificate; it reads more than we do, so what we cannot read is not broken."""
    if file.fault == FAULTS["absent"]:
        return Answer.BROKEN
    return Answer.YES if authorities_in(file) else Answer.UNKNOWN


def fault_of_source(source: Source, files: Mapping[str, PublicFile]) -> str:
    """Return why Postfix cannot serve what files hold, all of which were read; empty where it can."""
    for path in source.files:
        if files[path].fault:
            return f"{path} {files[path].fault}"
    chains, fault = chains_in(source, files)
    mismatched = (each for each in chains if each.leaf.public_key() != each.public_key)
    if not fault and (chain := next(mismatched, None)):
        fault = f"{', '.join(chain.files)}: the certificate does not belong to the private key"
    return fault


def authorities_in(file: PublicFile) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a file; none where it cannot be read."""
    try:
        return tuple(load_chain(file.pem, what=file.path))
    except CertificateError:
        return ()


def _trusted(question: Question, files: Mapping[str, PublicFile]) -> Answer | None:
    """Return whether a file trusts the certificate of a visitor: the own authority's, but no foreign one's."""
    if question.where not in files:
        return None
    file = files[question.where]
    if file.is_hidden:
        return Answer.UNKNOWN
    is_public = sum(1 for each in authorities_in(file) if is_self_issued(each)) >= MANY_AUTHORITIES
    if question.key == Kind.FOREIGN:
        return Answer.YES if is_public else Answer.NO
    return Answer.YES if authorities_in(file) else Answer.NO
