"""What is wrong with authorities: each by itself, and how they stand above each other."""

from collections.abc import Iterator, Mapping

from pki.constraints import problems_under_limits
from pki.extensions import is_authority, is_self_issued
from pki.issuing import subject_name
from pki.model import KeyAlgorithm
from pki.names import problems_of_declaration, problems_of_subject
from pki.rollover import FIRST_SLOT, problems_below_cross_certificate, problems_of_cross_signing, room_below
from postseal.stack.authorities import adopted_algorithm, adopted_certificate, lifetime_of_authority
from postseal.stack.authority_config import AdoptSection, AuthoritySection
from postseal.stack.issuing_limits import ancestors, issuing_limits
from postseal.stack.lifetime_config import KEY_OF_AUTHORITY, problems_of_lifetime
from postseal.stack.model import Authority
from postseal.stack.problems import unknown_name
from postseal.stack.reading import DeclaredStack, Entry
from postseal_core.errors import Problem

__all__ = ["problems_of_authorities"]

_BELOW_NAME_CONSTRAINTS = ("permitted_dns", "excluded_dns", "permitted_email", "excluded_email")


def problems_of_authorities(declared: DeclaredStack, authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    """Find what is wrong with each authority and with the tree they form."""
    for entry in declared.authorities.values():
        authority = authorities[entry.name]
        yield from _problems_of_content(entry, authority)
        yield from _problems_of_issuer(entry, authority, authorities)
        issuer = authorities.get(authority.issuer or "")
        lifetime = lifetime_of_authority(entry, declared)
        yield from problems_of_lifetime(authority.declaration.profile, lifetime, issuer.lifetime if issuer else None)
        if entry.section.lifetime and entry.section.lifetime.renew_key is not None:
            yield Problem(f"{entry.path}.lifetime.renew_key", KEY_OF_AUTHORITY)
        if entry.section.adopt:
            yield from _problems_of_adoption(entry, entry.section.adopt, authority)
        yield from (problem.below(entry.path) for problem in _problems_of_slots(authority, authorities))
        yield from _problems_of_crl(entry, authority)


def _problems_of_content(entry: Entry[AuthoritySection], authority: Authority) -> Iterator[Problem]:
    for problem in problems_of_declaration(authority.declaration):
        is_constraint = problem.path.startswith(_BELOW_NAME_CONSTRAINTS)
        yield problem.below(f"{entry.path}.name_constraints" if is_constraint else entry.path)


def _problems_of_issuer(
    entry: Entry[AuthoritySection], authority: Authority, authorities: Mapping[str, Authority]
) -> Iterator[Problem]:
    path = f"{entry.path}.issuer"
    if authority.issuer and authority.issuer not in authorities:
        yield unknown_name(path, "authority", authority.issuer, set(authorities) - {authority.name})
    above = list(ancestors(authority, authorities))
    if authority in above:
        circle = " -> ".join((authority.name, *(each.name for each in above)))
        yield Problem(path, f"the issuers form a circle: {circle}; one of them must be a root, without issuer")
        return
    for problem in problems_under_limits(authority.declaration, issuing_limits(authority.issuer, authorities)):
        place = problem.path if problem.path in AuthoritySection.model_fields else "issuer"
        yield Problem(f"{entry.path}.{place}", problem.message)


def _problems_of_slots(authority: Authority, authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    slots = authority.slots
    yield from (problem.below("slots") for problem in slots.problems())
    if authority.adopt and FIRST_SLOT not in slots.numbers:
        yield Problem("adopt", f"slot {FIRST_SLOT}, which was taken over, is withdrawn; leave this out")
    path_length, is_root = authority.declaration.path_length, authority.issuer is None
    yield from (each.below("slots") for each in problems_of_cross_signing(slots, path_length, is_root=is_root))
    root = next(reversed(list(ancestors(authority, authorities))), authority)
    room = _room(authorities.get(authority.issuer or ""), authorities)
    yield from problems_below_cross_certificate(path_length, room, root.name)
    other, _, number = authority.name.rpartition("-")
    if other in authorities and number.isdecimal():
        yield Problem("", f"this is what slot {number} of authority {other} is called; choose another name")


def _room(authority: Authority | None, authorities: Mapping[str, Authority]) -> int | None:
    """Return the largest path_length that a cross certificate above leaves below this authority; None: any."""
    above = [authority, *ancestors(authority, authorities)] if authority else []
    if not above or not above[-1].slots.cross_sign:
        return None
    room = above[-1].declaration.path_length
    for _ in (*above, "the cross certificate"):
        room = room_below(room)
    return room


def _problems_of_crl(entry: Entry[AuthoritySection], authority: Authority) -> Iterator[Problem]:
    if authority.crl is None:
        return
    for problem in authority.crl.policy.problems():
        yield Problem(f"{entry.path}.crl.{problem.path.removesuffix('_hours')}", problem.message)
    number = authority.crl.first_crl_number
    if number < 1:
        yield Problem(f"{entry.path}.crl.first_crl_number", f"got {number}, expected a number from 1 up")


def _problems_of_adoption(
    entry: Entry[AuthoritySection], adopt: AdoptSection, authority: Authority
) -> Iterator[Problem]:
    path = f"{entry.path}.adopt.certificate_pem"
    certificate = adopted_certificate(adopt)
    if certificate is None:
        yield Problem(path, "expected one certificate, the authority's own; leave the rest of the chain out")
        return
    subject = certificate.subject.rfc4514_string()
    if not is_authority(certificate):
        yield Problem(path, f"{subject} is no authority's certificate: it may sign nothing; adopt the one that may")
    if is_self_issued(certificate) == bool(authority.issuer):
        fix = "leave issuer out" if authority.issuer else "name its issuer under issuer"
        yield Problem(path, f"{subject} was signed by {certificate.issuer.rfc4514_string()}; {fix}")
    is_well_formed = not problems_of_subject(authority.declaration.subject)
    if is_well_formed and certificate.subject != subject_name(authority.declaration.subject):
        yield Problem(
            f"{entry.path}.common_name",
            f"the adopted certificate's subject is {subject}; declare exactly this, part by part, or the first renewal "
            "would rename the authority",
        )
    if authority.key_algorithm != adopted_algorithm(adopt):
        found = adopted_algorithm(adopt) or f"none of {', '.join(KeyAlgorithm)}"
        yield Problem(f"{entry.path}.key_algorithm", f"the adopted certificate's key is {found}; leave this out")
