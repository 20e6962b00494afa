"""Check authorities: each by itself, and the tree they form."""

from collections.abc import Iterator, Mapping

from pki.constraints import problems_under_limits
from pki.crl_urls import problems_of_declared_crl_urls
from pki.declared_checks import problems_of_declared
from pki.extensions import is_authority, is_self_issued
from pki.fields import FIELDS, Group
from pki.issuing import subject_name
from pki.model import FIRST_SLOT, KeyAlgorithm, SlotId
from pki.names import problems_of_subject
from pki.rollover import problems_below_cross_certificate, problems_of_cross_signing, room_below, room_below_root
from postseal.stack.lifetimes import KEY_OF_AUTHORITY, problems_of_lifetime, resolve_lifetime
from postseal.stack.model import Authority
from postseal.stack.reading import DeclaredStack
from postseal.stack.references import adopted_algorithm, adopted_certificate, ancestors, issuing_limits, unknown_name
from postseal.stack.sections import said_of_lifetime
from postseal_core.errors import Problem

__all__ = ["problems_of_authorities"]


def problems_of_authorities(stack: DeclaredStack, authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    """Find what is wrong with each authority and with the tree they form."""
    for declared in stack.authorities.values():
        authority = authorities[declared.name]
        issuer = authorities.get(authority.issuer or "")
        lifetime = resolve_lifetime(authority.profile, stack.lifetime, declared.section, declared.path)
        of_authority = [
            *_problems_of_content(authority),
            *_problems_of_issuer(authority, authorities),
            *_problems_of_adoption(authority),
            *_problems_of_slots(authority, authorities),
            *_problems_of_crl(authority),
        ]
        yield from (problem.below(declared.path) for problem in of_authority)
        yield from problems_of_lifetime(lifetime, issuer.lifetime if issuer else None)
        if "renew_key_every" in said_of_lifetime(declared.section.lifetime).names:
            yield Problem(f"{declared.path}.lifetime.renew_key", KEY_OF_AUTHORITY)


def _problems_of_content(authority: Authority) -> Iterator[Problem]:
    for problem in (
        *problems_of_declared(authority.declared, authority.profile),
        *problems_of_declared_crl_urls(authority.crl_urls, authority.name, authority.slots),
    ):
        field = FIELDS[problem.path.partition("[")[0]]
        if field.group is not Group.LIFETIME:
            yield problem.below(field.group.value) if field.group else problem


def _problems_of_issuer(authority: Authority, authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    if authority.issuer and authority.issuer not in authorities:
        yield unknown_name("issuer", "authority", authority.issuer, set(authorities) - {authority.name})
    above = list(ancestors(authority, authorities))
    if authority in above:
        circle = " -> ".join((authority.name, *(each.name for each in above)))
        yield Problem("issuer", f"the issuers form a circle: {circle}; one of them must be a root, without issuer")
        return
    for problem in problems_under_limits(authority.declaration, issuing_limits(authority.issuer, authorities)):
        yield Problem(problem.path if problem.path in FIELDS else "issuer", problem.message)


def _problems_of_slots(authority: Authority, authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    slots = authority.slots
    yield from (problem.below("slots") for problem in slots.problems())
    if authority.adopt and FIRST_SLOT not in slots.numbers:
        yield Problem("adopt", f"slot {FIRST_SLOT}, which was taken over, is withdrawn; leave this out")
    path_length, is_root = authority.declaration.path_length, authority.is_root
    yield from (each.below("slots") for each in problems_of_cross_signing(slots, path_length, is_root=is_root))
    root = next(reversed(list(ancestors(authority, authorities))), authority)
    room = _room(authorities.get(authority.issuer or ""), authorities)
    yield from problems_below_cross_certificate(path_length, room, root.name)
    other, _, number = authority.name.rpartition("-")
    if other in authorities and number.isdecimal() and SlotId(other, int(number)).name == authority.name:
        yield Problem("", f"this is what slot {number} of authority {other} is called; choose another name")


def _room(authority: Authority | None, authorities: Mapping[str, Authority]) -> int | None:
    """Return the largest path_length that fits below this authority if its root is cross-signed; None: any."""
    if authority is None:
        return None
    *between, root = authority, *ancestors(authority, authorities)
    room = room_below_root(root.declaration.path_length, is_cross_signed=root.slots.cross_sign)
    for _ in between:
        room = room_below(room)
    return room


def _problems_of_crl(authority: Authority) -> Iterator[Problem]:
    if authority.crl is None:
        return
    for problem in authority.crl.policy.problems():
        yield Problem(f"crl.{problem.path.removesuffix('_hours')}", problem.message)
    number = authority.crl.first_crl_number
    if number < 1:
        yield Problem("crl.first_crl_number", f"got {number}, expected a number from 1 up")


def _problems_of_adoption(authority: Authority) -> Iterator[Problem]:
    if authority.adopt is None:
        return
    path = "adopt.certificate_pem"
    certificate = adopted_certificate(authority.adopt)
    if certificate is None:
        yield Problem(path, "expected one certificate, the authority's own; leave the rest of the chain out")
        return
    subject = certificate.subject.rfc4514_string()
    if not is_authority(certificate):
        yield Problem(path, f"{subject} is no authority's certificate: it may sign nothing; adopt the one that may")
    if is_self_issued(certificate) is not authority.is_root:
        above = "issuer" if authority.issuer else "third_party"
        here = "name its issuer under issuer, or its root under third_party.roots_file if that is not here"
        fix = here if authority.is_root else f"leave {above} out"
        yield Problem(path, f"{subject} was signed by {certificate.issuer.rfc4514_string()}; {fix}")
    is_well_formed = not problems_of_subject(authority.declaration.subject)
    if is_well_formed and certificate.subject != subject_name(authority.declaration.subject):
        yield Problem(
            "common_name",
            f"the adopted certificate's subject is {subject}; declare exactly this, part by part, or the first renewal "
            "would rename the authority",
        )
    if authority.declared.key_algorithm != adopted_algorithm(authority.adopt):
        found = adopted_algorithm(authority.adopt) or f"none of {', '.join(KeyAlgorithm)}"
        yield Problem("key_algorithm", f"the adopted certificate's key is {found}; leave this out")
