"""Resolve names in a stack file: authorities, issuers, and the mailboxes and hosts of clients.

Limits of authorities are those that are declared, before any is made; an adopted one is judged by its certificate.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from pki.constraints import IssuerLimits, limits_of_adopted, limits_of_certificate, limits_of_declaration
from pki.declared_issuer import comparable_subject
from pki.fields import DeclaredCertificate
from pki.identities import Claims, identities_of, taken_sentence
from pki.keys import algorithm_of
from pki.model import KeyAlgorithm
from pki.rollover import common_name_of_slot
from pki.third_party_answer import read_answer
from pki.verification import is_issued_by, load_certificate, load_chain
from postseal.stack.model import Adoption, Authority, StackConfig
from postseal_core.errors import CertificateError, Problem
from postseal_core.wording import nearest_hint, shown

__all__ = [
    "adopted_algorithm",
    "adopted_certificate",
    "ancestors",
    "default_authority",
    "issuing_limits",
    "problems_of_authority_choice",
    "problems_of_kind",
    "repeated_identities",
    "signed_chain",
    "unknown_name",
]


def unknown_name(path: str, what: str, name: str, known: Collection[str]) -> Problem:
    """Return the problem of a reference to something that is not declared; `what` is its kind (`client`)."""
    return Problem(path, f"there is no {what} {shown(name)}; {nearest_hint(name, known)}")


def default_authority(named: str | None, authorities: Collection[str]) -> str | None:
    """Return the named authority, or the only one there is; None if the choice is ambiguous."""
    return named or (next(iter(authorities)) if len(authorities) == 1 else None)


def problems_of_authority_choice(path: str, named: str | None, authorities: Collection[str]) -> Iterator[Problem]:
    """Report a missing, ambiguous or unknown authority; `path` is where it should be declared."""
    if named and named not in authorities:
        yield unknown_name(path, "authority", named, authorities)
    elif not authorities:
        yield Problem(path, "there is no authority to sign this; declare one under authority")
    elif not default_authority(named, authorities):
        yield Problem(path, f"missing, and there are several authorities; {nearest_hint('', authorities)}")


def problems_of_kind(path: str, server: str, config: StackConfig) -> Iterator[Problem]:
    """Report a server where a client is expected, if its certificate is for servers only."""
    if not config.servers[server].is_client:
        yield Problem(
            path,
            f"{server} is a server's certificate, which does not authenticate clients; set also_client of server "
            f"{server} to true, or name a client",
        )


def adopted_certificate(adopt: Adoption | None) -> x509.Certificate | None:
    """Return the certificate that is taken over; None where there is none, or more than one."""
    try:
        return load_certificate(adopt.certificate_pem, what="certificate") if adopt else None
    except CertificateError:
        return None


def adopted_algorithm(adopt: Adoption | None) -> KeyAlgorithm | None:
    """Return the algorithm of an adopted authority's key; None if unsupported or unreadable."""
    certificate = adopted_certificate(adopt)
    try:
        return algorithm_of(certificate.public_key()) if certificate else None
    except (CertificateError, UnsupportedAlgorithm):
        return None


def ancestors(authority: Authority, authorities: Mapping[str, Authority]) -> Iterator[Authority]:
    """Walk up from an authority's issuer; stops before meeting one for the second time."""
    seen: set[str] = set()
    issuer = authorities.get(authority.issuer or "")
    while issuer and issuer.name not in seen:
        yield issuer
        seen.add(issuer.name)
        issuer = authorities.get(issuer.issuer or "")


def issuing_limits(name: str | None, authorities: Mapping[str, Authority]) -> list[IssuerLimits]:
    """Return what the authority of that name and those above it allow, the issuer first; nothing for an unknown one."""
    issuer = authorities.get(name or "")
    line = (issuer, *ancestors(issuer, authorities)) if issuer else ()
    return [limits for each in line for limits in (_limits_of_signed(each) or [_limits(each)])]


def signed_chain(authority: Authority, slot: int | None = None) -> list[x509.Certificate]:
    """Return what a third party has signed for a slot, without the root; empty where it is awaited.

    `slot`: its number; by default the one that signs.
    """
    third_party = authority.third_party
    text = third_party.signed_chains_pem.get(slot or authority.slots.active, "") if third_party else ""
    try:
        chain = read_answer(text, what="certificate", roots=_roots(authority)) if text else []
    except CertificateError:
        return []
    # What is no single chain without the key is judged where the key is.
    return chain if all(is_issued_by(each, above) for each, above in pairwise(chain)) else []


def _limits_of_signed(authority: Authority) -> list[IssuerLimits]:
    """Return the limits of a certificate that a third party has signed, and of those above it, the root included."""
    chain = signed_chain(authority)
    roots = [root for root in _roots(authority) if chain and is_issued_by(chain[-1], root)]
    return [limits_of_certificate(each) for each in (*chain, *roots[:1])]


def _roots(authority: Authority) -> list[x509.Certificate]:
    text = authority.third_party.roots_pem if authority.third_party else ""
    try:
        return load_chain(text, what="roots") if text else []
    except CertificateError:
        return []


def _limits(authority: Authority) -> IssuerLimits:
    """Return the limits of the certificate that signs: an adopted one is taken as it is; later slots carry it on."""
    certificate = adopted_certificate(authority.adopt)
    limits = (
        limits_of_adopted(certificate, authority.declaration, authority.adopt.change)
        if certificate and authority.adopt
        else limits_of_declaration(authority.name, authority.declaration)
    )
    subject = authority.declaration.subject
    names = (common_name_of_slot(subject.common_name, number) for number in authority.slots.numbers)
    subjects = (comparable_subject(replace(subject, common_name=name)) for name in names)
    return replace(limits, subjects=(*limits.subjects, *subjects))


def repeated_identities(declared: DeclaredCertificate, itself: str, claims: Claims) -> Iterator[Problem]:
    """Find mailboxes, hosts and addresses that another one has; its own are claimed for `itself`."""
    for identity, other in claims.taken(identities_of(declared), itself):
        yield Problem(identity.field, taken_sentence(identity, other))
