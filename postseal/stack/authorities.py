"""Authorities: what their declarations mean, and what is wrong with how they stand above each other."""

from collections.abc import Iterator, Mapping

from cryptography import x509

from pki.errors import CertificateError, Problem
from pki.extensions import is_authority, is_self_issued
from pki.issuing import subject_name
from pki.keys import algorithm_of
from pki.model import CertificateDeclaration, KeyAlgorithm, NameConstraints, Profile, Subject
from pki.names import problems_of_declaration, problems_of_subject
from pki.verification import load_certificate
from postseal.stack.authority_config import AdoptSection, AuthoritySection
from postseal.stack.lifetime_config import KEY_OF_AUTHORITY, ResolvedLifetime, problems_of_lifetime, resolve_lifetime
from postseal.stack.model import Adoption, Authority
from postseal.stack.problems import nearest_hint, unknown_name
from postseal.stack.reading import DeclaredStack, Entry

__all__ = ["default_authority", "problems_of_authorities", "problems_of_authority_choice", "resolve_authorities"]

_BELOW_NAME_CONSTRAINTS = ("permitted_dns", "excluded_dns", "permitted_email", "excluded_email")


def resolve_authorities(declared: DeclaredStack) -> dict[str, Authority]:
    """Return the authorities, issuers first; one whose issuers form a circle stands at the end."""
    waiting = {name: _resolve(entry, declared) for name, entry in declared.authorities.items()}
    ordered: dict[str, Authority] = {}
    while waiting:
        ready = {name: each for name, each in waiting.items() if each.issuer not in waiting} or waiting
        ordered |= ready
        waiting = {name: each for name, each in waiting.items() if name not in ready}
    return ordered


def _resolve(entry: Entry[AuthoritySection], declared: DeclaredStack) -> Authority:
    section = entry.section
    return Authority(
        name=entry.name,
        declaration=_declaration(section),
        key_algorithm=section.key_algorithm or _adopted_algorithm(section.adopt) or KeyAlgorithm.ECDSA_P256,
        lifetime=_lifetime(entry, declared).policy,
        issuer=section.issuer,
        is_protected=section.protect,
        adopt=Adoption(section.adopt.certificate_pem, section.adopt.private_key_secret) if section.adopt else None,
    )


def _declaration(section: AuthoritySection) -> CertificateDeclaration:
    constraints = section.name_constraints
    return CertificateDeclaration(
        profile=_profile(section),
        subject=Subject(
            common_name=section.common_name or "",
            organization=section.organization,
            organizational_unit=section.organizational_unit,
            locality=section.locality,
            state_or_province=section.state_or_province,
            country=section.country,
        ),
        path_length=0 if section.issuer and section.path_length is None else section.path_length,
        name_constraints=NameConstraints(**constraints.model_dump()) if constraints else NameConstraints(),
        crl_urls=section.crl_urls,
    )


def _profile(section: AuthoritySection) -> Profile:
    return Profile.INTERMEDIATE if section.issuer else Profile.ROOT


def _lifetime(entry: Entry[AuthoritySection], declared: DeclaredStack) -> ResolvedLifetime:
    section = entry.section
    return resolve_lifetime(_profile(section), declared.lifetime, section.lifetime, f"{entry.path}.lifetime")


def problems_of_authorities(declared: DeclaredStack, authorities: Mapping[str, Authority]) -> Iterator[Problem]:
    """Find what is wrong with each authority and with the tree they form."""
    for entry in declared.authorities.values():
        authority = authorities[entry.name]
        yield from _problems_of_content(entry, authority)
        yield from _problems_of_issuer(entry, authority, authorities)
        issuer = authorities.get(authority.issuer or "")
        lifetime = _lifetime(entry, declared)
        yield from problems_of_lifetime(_profile(entry.section), lifetime, issuer.lifetime if issuer else None)
        if entry.section.lifetime and entry.section.lifetime.renew_key is not None:
            yield Problem(f"{entry.path}.lifetime.renew_key", KEY_OF_AUTHORITY)
        if entry.section.adopt:
            yield from _problems_of_adoption(entry, entry.section.adopt, authority)


def _problems_of_content(entry: Entry[AuthoritySection], authority: Authority) -> Iterator[Problem]:
    for problem in problems_of_declaration(authority.declaration):
        is_constraint = problem.path.startswith(_BELOW_NAME_CONSTRAINTS)
        yield problem.below(f"{entry.path}.name_constraints" if is_constraint else entry.path)


def _ancestors(authority: Authority, authorities: Mapping[str, Authority]) -> Iterator[Authority]:
    """Walk up from an authority's issuer; stops before meeting one for the second time."""
    seen: set[str] = set()
    issuer = authorities.get(authority.issuer or "")
    while issuer and issuer.name not in seen:
        yield issuer
        seen.add(issuer.name)
        issuer = authorities.get(issuer.issuer or "")


def _problems_of_issuer(
    entry: Entry[AuthoritySection], authority: Authority, authorities: Mapping[str, Authority]
) -> Iterator[Problem]:
    path = f"{entry.path}.issuer"
    if authority.issuer and authority.issuer not in authorities:
        yield unknown_name(path, "authority", authority.issuer, set(authorities) - {authority.name})
    ancestors = list(_ancestors(authority, authorities))
    if authority in ancestors:
        circle = " -> ".join((authority.name, *(each.name for each in ancestors)))
        yield Problem(path, f"the issuers form a circle: {circle}; one of them must be a root, without issuer")
        return
    for depth, ancestor in enumerate(ancestors, start=1):
        yield from _problems_of_depth(entry.path, authority, ancestor, depth)


def _problems_of_depth(path: str, authority: Authority, ancestor: Authority, depth: int) -> Iterator[Problem]:
    """Check that an authority may stand `depth` below another, and promises no more than is left there."""
    limit, own = ancestor.declaration.path_length, authority.declaration.path_length
    if limit is not None and limit < depth:
        yield Problem(
            f"{path}.issuer",
            f"{ancestor.name} has path_length {limit}, and this authority stands {depth} below it; "
            f"set path_length of {ancestor.name} to {depth}, or let another authority sign",
        )
    elif limit is not None and own is not None and own > limit - depth:
        yield Problem(
            f"{path}.path_length",
            f"got {own}, expected at most {limit - depth}, which is what path_length {limit} of {ancestor.name} leaves",
        )


def _adopted_certificate(adopt: AdoptSection | None) -> x509.Certificate | None:
    try:
        return load_certificate(adopt.certificate_pem, what="certificate") if adopt else None
    except CertificateError:
        return None


def _adopted_algorithm(adopt: AdoptSection | None) -> KeyAlgorithm | None:
    certificate = _adopted_certificate(adopt)
    try:
        return algorithm_of(certificate.public_key()) if certificate else None
    except CertificateError:
        return None


def _problems_of_adoption(
    entry: Entry[AuthoritySection], adopt: AdoptSection, authority: Authority
) -> Iterator[Problem]:
    path = f"{entry.path}.adopt.certificate_pem"
    certificate = _adopted_certificate(adopt)
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
    if authority.key_algorithm != _adopted_algorithm(adopt):
        found = _adopted_algorithm(adopt) or f"none of {', '.join(KeyAlgorithm)}"
        yield Problem(f"{entry.path}.key_algorithm", f"the adopted certificate's key is {found}; leave this out")


def default_authority(named: str | None, authorities: Mapping[str, Authority]) -> str | None:
    """Return the authority that is named, or the only one there is; None where there is no telling."""
    return named or (next(iter(authorities)) if len(authorities) == 1 else None)


def problems_of_authority_choice(
    path: str, named: str | None, authorities: Mapping[str, Authority]
) -> Iterator[Problem]:
    """Find a choice of authority that leads nowhere; `path` is where it is, or should be, declared."""
    if named and named not in authorities:
        yield unknown_name(path, "authority", named, authorities)
    elif not authorities:
        yield Problem(path, "there is no authority to sign this; declare one under authority")
    elif not default_authority(named, authorities):
        yield Problem(path, f"missing, and there are several authorities; {nearest_hint('', authorities)}")
