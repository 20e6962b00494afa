"""What is declared about a certificate, as plain properties and as a value; for single ones and for rosters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pki.lifetime import LifetimePolicy, parse_fraction
from pki.model import CertificateDeclaration, KeyAlgorithm, NameConstraints, Profile, Subject, SubjectAltNames
from pki.names import problems_of_declaration
from pki.profiles import PROFILES
from pki.revocation import REVOCATION_REASONS
from postseal_core.errors import Problem

__all__ = [
    "CONTENT_PROPERTIES",
    "DeclaredCertificate",
    "decode_declared",
    "problems_of_declared",
    "problems_of_steps",
    "problems_of_words",
]

_SUBJECT = ("common_name", "organization", "organizational_unit", "locality", "state_or_province", "country")
_ALT_NAMES = ("dns_names", "email_addresses", "ip_addresses", "uris")
_NAME_CONSTRAINTS = ("permitted_dns", "excluded_dns", "permitted_email", "excluded_email")
_FLAGS_AND_WORDS = ("match", "confirm", "confirmed_generation", "revoke", "issue_again", "fail_beyond_issuer")

CONTENT_PROPERTIES = ("profile", *_SUBJECT, *_ALT_NAMES, "path_length", *_NAME_CONSTRAINTS, "crl_urls")
"""Properties that stand in the certificate itself: a change of one of them needs a new certificate."""

_WORDS: Mapping[str, tuple[str, ...]] = {
    "profile": tuple(Profile),
    "key_algorithm": tuple(KeyAlgorithm),
    "match": ("certificate", "public_key"),
    "revoke": ("", *REVOCATION_REASONS),
}


@dataclass(frozen=True, slots=True)
class DeclaredCertificate:
    """A certificate as declared: what stands in it, its key algorithm, its lifetime and how it is matched."""

    name: str
    declaration: CertificateDeclaration
    key_algorithm: KeyAlgorithm
    policy: LifetimePolicy
    match: str = "certificate"
    confirm: bool = False
    confirmed_generation: int = 0
    revoke: str = ""
    issue_again: bool = False
    fail_beyond_issuer: bool = False


def problems_of_words(properties: Mapping[str, Any]) -> list[Problem]:
    """Return what keeps these properties from being decoded: unknown words where one of a few is expected."""
    problems = [
        Problem(name, f"got {properties[name]!r}, expected one of: {', '.join(word for word in allowed if word)}")
        for name, allowed in _WORDS.items()
        if properties.get(name, allowed[0]) not in allowed
    ]
    try:
        parse_fraction(properties.get("renew_fraction", "2/3"))
    except ValueError as error:
        problems.append(Problem("renew_fraction", str(error)))
    return problems


def decode_declared(properties: Mapping[str, Any]) -> DeclaredCertificate:
    """Return the declaration of properties in which `problems_of_words` finds nothing."""
    profile = Profile(properties["profile"])
    return DeclaredCertificate(
        name=properties["name"],
        declaration=_declaration(profile, properties),
        key_algorithm=KeyAlgorithm(properties.get("key_algorithm", KeyAlgorithm.ECDSA_P256)),
        policy=_policy(profile, properties),
        **{name: properties[name] for name in _FLAGS_AND_WORDS if name in properties},
    )


def problems_of_declared(declared: DeclaredCertificate) -> list[Problem]:
    """Return everything that is wrong with a declaration: its names, its profile's rules, its lifetime, its steps."""
    steps = problems_of_steps(
        confirm=declared.confirm,
        confirmed_generation=declared.confirmed_generation,
        revoke=declared.revoke,
        issue_again=declared.issue_again,
    )
    return problems_of_declaration(declared.declaration) + _lifetime_problems(declared) + steps


def problems_of_steps(*, confirm: bool, confirmed_generation: int, revoke: str, issue_again: bool) -> list[Problem]:
    """Return what is declared of a client's next step and would do nothing, so that somebody waits for it in vain."""
    problems = []
    if confirmed_generation < 0:
        problems.append(Problem("confirmed_generation", "expected the number of a generation, 1 or more"))
    if confirmed_generation and not confirm:
        message = "nothing waits for a confirmation; set confirm to true, or leave this out"
        problems.append(Problem("confirmed_generation", message))
    if issue_again and not revoke:
        problems.append(Problem("issue_again", "nothing is revoked; leave this out"))
    return problems


def _declaration(profile: Profile, properties: Mapping[str, Any]) -> CertificateDeclaration:
    return CertificateDeclaration(
        profile=profile,
        subject=Subject(**{name: properties.get(name, "") for name in _SUBJECT}),
        alt_names=SubjectAltNames(**_lists(properties, _ALT_NAMES)),
        path_length=properties.get("path_length"),
        name_constraints=NameConstraints(**_lists(properties, _NAME_CONSTRAINTS)),
        crl_urls=tuple(properties.get("crl_urls", ())),
    )


def _policy(profile: Profile, properties: Mapping[str, Any]) -> LifetimePolicy:
    default = LifetimePolicy()
    return LifetimePolicy(
        validity_hours=properties.get("validity_hours", PROFILES[profile].default_validity_hours),
        renew_fraction=parse_fraction(properties.get("renew_fraction", "2/3")),
        renew_before_hours=properties.get("renew_before_hours"),
        overlap_hours=properties.get("overlap_hours", default.overlap_hours),
        renew_key_every=properties.get("renew_key_every", default.renew_key_every),
    )


def _lifetime_problems(declared: DeclaredCertificate) -> list[Problem]:
    problems, profile = declared.policy.problems(), declared.declaration.profile
    limit = PROFILES[profile].max_validity_hours
    if declared.policy.validity_hours > limit:
        problems.append(
            Problem(
                "validity_hours",
                f"got {declared.policy.validity_hours}, expected at most {limit} for a {profile.value} certificate",
            )
        )
    if declared.match == "public_key" and declared.policy.renew_key_every != 0 and not profile.is_authority:
        problems.append(
            Problem("match", "`public_key` needs a key that stays: set renew_key_every to 0, or match by certificate")
        )
    return problems


def _lists(properties: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(properties.get(name, ())) for name in names}
