"""Authorities: what their declarations mean, and which of them signs where none is named."""

from collections.abc import Iterator, Mapping

from cryptography import x509

from pki.crl_schedule import CrlPolicy
from pki.keys import algorithm_of
from pki.model import CertificateDeclaration, KeyAlgorithm, NameConstraints, Profile, Subject
from pki.rollover import Slots
from pki.verification import load_certificate
from postseal.stack.authority_config import AdoptSection, AuthoritySection, CrlSection, SlotsSection
from postseal.stack.lifetime_config import ResolvedLifetime, resolve_lifetime
from postseal.stack.model import Adoption, Authority, Crl
from postseal.stack.problems import nearest_hint, unknown_name
from postseal.stack.reading import DeclaredStack, Entry
from postseal_core.errors import CertificateError, Problem

__all__ = [
    "adopted_algorithm",
    "adopted_certificate",
    "default_authority",
    "lifetime_of_authority",
    "problems_of_authority_choice",
    "resolve_authorities",
]


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
        key_algorithm=section.key_algorithm or adopted_algorithm(section.adopt) or KeyAlgorithm.ECDSA_P256,
        lifetime=lifetime_of_authority(entry, declared).policy,
        issuer=section.issuer,
        is_protected=section.protect,
        adopt=Adoption(section.adopt.certificate_pem, section.adopt.private_key_secret) if section.adopt else None,
        slots=_slots(section.slots),
        crl=_crl(section.crl) if section.crl else None,
    )


def _slots(section: SlotsSection) -> Slots:
    return Slots(section.active, section.standby, section.retiring, section.standby_for, section.cross_sign)


def _crl(section: CrlSection) -> Crl:
    policy = CrlPolicy(section.lifetime or CrlPolicy().lifetime_hours, section.renew_before)
    return Crl(policy, section.first_crl_number)


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


def lifetime_of_authority(entry: Entry[AuthoritySection], declared: DeclaredStack) -> ResolvedLifetime:
    """Return the lifetime of an authority, and where in the file it comes from."""
    section = entry.section
    return resolve_lifetime(_profile(section), declared.lifetime, section.lifetime, f"{entry.path}.lifetime")


def adopted_certificate(adopt: AdoptSection | None) -> x509.Certificate | None:
    """Return the certificate that is taken over; None where there is none, or more than one."""
    try:
        return load_certificate(adopt.certificate_pem, what="certificate") if adopt else None
    except CertificateError:
        return None


def adopted_algorithm(adopt: AdoptSection | None) -> KeyAlgorithm | None:
    """Return the algorithm of the key that is taken over; None where it is none of those we know."""
    certificate = adopted_certificate(adopt)
    try:
        return algorithm_of(certificate.public_key()) if certificate else None
    except CertificateError:
        return None


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
