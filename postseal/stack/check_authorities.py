"""Check authorities: each by itself, and the tree they form."""

from collections.abc import Iterator, Mapping

from cryptography import x509

from pki.adoptable import faults_of_authority
from pki.adoption import changes_made, judged, problems_of_differences
from pki.constraints import problems_under_limits
from pki.crl_urls import problems_of_declared_crl_urls
from pki.declared_checks import problems_of_declared
from pki.extensions import is_self_issued, name_text
from pki.fields import FIELDS, DeclaredCertificate, Group
from pki.model import FIRST_SLOT, SlotId
from pki.rollover import (
    Slots,
    problems_below_cross_certificate,
    problems_of_cross_signing,
    problems_of_revoked_slot,
    problems_of_slot_names,
    room_below,
    room_below_root,
)
from postseal.stack.lifetimes import KEY_OF_AUTHORITY, problems_of_lifetime, resolve_lifetime
from postseal.stack.model import Adoption, Authority
from postseal.stack.reading import Declared, DeclaredStack
from postseal.stack.references import adopted_algorithm, adopted_certificate, ancestors, issuing_limits, unknown_name
from postseal.stack.sections import AuthorityKeys, said_of_lifetime
from postseal_core.errors import Problem

__all__ = ["problems_of_authorities"]


def problems_of_authorities(stack: DeclaredStack, authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    """Find what is wrong with each authority and with the tree they form."""
    for declared in stack.authorities.values():
        authority = authorities[declared.name]
        issuer = authorities.get(authority.issuer or "")
        lifetime = resolve_lifetime(authority.profile, stack.lifetime, declared.section, declared.path)
        of_authority = [
            *_problems_of_content(authority, declared),
            *_problems_of_issuer(authority, authorities),
            *_problems_of_adoption(authority, declared.section.said.values),
            *_problems_of_slots(authority, authorities),
            *_problems_of_crl(authority),
        ]
        yield from (problem.below(declared.path) for problem in of_authority)
        yield from problems_of_lifetime(lifetime, issuer.lifetime if issuer else None)
        if "renew_key_every" in said_of_lifetime(declared.section.lifetime).names:
            yield Problem(f"{declared.path}.lifetime.renew_key", KEY_OF_AUTHORITY)


def _problems_of_content(authority: Authority, written: Declared[AuthorityKeys]) -> Iterator[Problem]:
    certificate, declared = adopted_certificate(authority.adopt), authority.declared
    if certificate and authority.adopt:
        declared = judged(declared, changes_made(written.section.said.values, certificate, authority.adopt.change))
    elif authority.adopt or any(each.startswith("adopt") for each in written.unread):
        declared = judged(declared, ())  # what it is called stands in a certificate that cannot be read
    for problem in (
        *problems_of_declared(declared, authority.profile),
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
    yield from (each.below("slots") for each in problems_of_revoked_slot(slots, is_root=authority.is_root))
    if not authority.adopt:  # the number of a later slot is fitted into the name that exists
        yield from problems_of_slot_names(authority.declared.common_name, slots)
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


def _problems_of_adoption(authority: Authority, said: DeclaredCertificate) -> Iterator[Problem]:
    adopt = authority.adopt
    if adopt is None:
        return
    yield from _problems_of_adopted_key(adopt, authority.slots)
    path, certificate = "adopt.certificate_pem", adopted_certificate(adopt)
    if certificate is None:
        yield Problem(path, "expected one certificate, the authority's own; leave the rest of the chain out")
        return
    faults = list(faults_of_authority(certificate, signs_lists=authority.crl is not None))
    yield from (Problem(path, fault) for fault in faults)
    if is_self_issued(certificate) is not authority.is_root:
        above = "issuer" if authority.issuer else "third_party"
        here = "name its issuer under issuer, or its root under third_party.roots_file if that is not here"
        fix = here if authority.is_root else f"leave {above} out"
        yield Problem(path, f"{name_text(certificate.subject)} was signed by {name_text(certificate.issuer)}; {fix}")
    yield from _problems_of_what_differs(adopt, said, certificate)
    algorithm = adopted_algorithm(adopt)
    if algorithm and authority.declared.key_algorithm != algorithm:
        yield Problem("key_algorithm", f"the adopted certificate's key is {algorithm}; leave this out")


def _problems_of_adopted_key(adopt: Adoption, slots: Slots) -> Iterator[Problem]:
    is_there = FIRST_SLOT in slots.numbers
    if is_there and not adopt.private_key_secret:
        yield Problem("adopt.private_key_secret", "missing; add it")
    for key in ("private_key_secret", "private_key_passphrase_secret"):
        if getattr(adopt, key) and not is_there:
            yield Problem(f"adopt.{key}", f"slot {FIRST_SLOT}, which it was for, is withdrawn; leave this out")


def _problems_of_what_differs(
    adopt: Adoption, said: DeclaredCertificate, certificate: x509.Certificate
) -> Iterator[Problem]:
    for problem in problems_of_differences(said, certificate, adopt.change):
        group = FIELDS[problem.path].group
        yield problem.below(group.value) if group else problem
    made = changes_made(said, certificate, adopt.change)
    for change in adopt.change:
        if change not in made:
            yield Problem("adopt.change", f"{change}: the certificate has what is declared; leave it out")
