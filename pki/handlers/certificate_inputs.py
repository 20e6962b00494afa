"""Decode what is declared about a certificate; everything wrong with it is reported at once."""

from dataclasses import dataclass
from typing import Any

from pki.errors import Problem
from pki.lifetime import LifetimePolicy, parse_fraction
from pki.model import CertificateDeclaration, KeyAlgorithm, NameConstraints, Profile, Subject, SubjectAltNames
from pki.names import problems_of_declaration
from pki.plugin.values import Properties, is_unknown
from pki.profiles import PROFILES
from pki.revocation import REVOCATION_REASONS

__all__ = ["CONTENT_PROPERTIES", "PASSED_THROUGH", "DeclaredCertificate", "decode_declared", "problems_of_declared"]

_SUBJECT = ("common_name", "organization", "organizational_unit", "locality", "state_or_province", "country")
_ALT_NAMES = ("dns_names", "email_addresses", "ip_addresses", "uris")
_NAME_CONSTRAINTS = ("permitted_dns", "excluded_dns", "permitted_email", "excluded_email")

CONTENT_PROPERTIES = ("profile", *_SUBJECT, *_ALT_NAMES, "path_length", *_NAME_CONSTRAINTS, "crl_urls")
"""Properties that stand in the certificate itself: a change of one of them needs a new certificate."""

PASSED_THROUGH = (
    *CONTENT_PROPERTIES,
    "name",
    "key_algorithm",
    "match",
    "validity_hours",
    "renew_fraction",
    "renew_before_hours",
    "overlap_hours",
    "renew_key_every",
    "confirm",
    "confirmed_generation",
    "revoke",
    "issue_again",
    "fail_beyond_issuer",
    "issuer_id",
)
"""Properties that are stored as they were declared."""


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


def problems_of_declared(properties: Properties) -> list[Problem]:
    """Return what cannot even be decoded: unknown words where one of a few is expected, unknown values."""
    problems = [
        Problem(name, "must be known before `pulumi up`, not the output of another resource")
        for name in PASSED_THROUGH
        if is_unknown(properties.get(name))
    ]
    problems += _word_problem(properties, "profile", tuple(Profile))
    problems += _word_problem(properties, "key_algorithm", tuple(KeyAlgorithm))
    problems += _word_problem(properties, "match", ("certificate", "public_key"))
    problems += _word_problem(properties, "revoke", ("", *REVOCATION_REASONS))
    try:
        parse_fraction(properties.get("renew_fraction", "2/3"))
    except ValueError as error:
        problems.append(Problem("renew_fraction", str(error)))
    return problems


def decode_declared(properties: Properties) -> tuple[DeclaredCertificate, list[Problem]]:
    """Return the declaration and everything that is wrong with it; call `problems_of_declared` first."""
    profile = Profile(properties["profile"])
    declared = DeclaredCertificate(
        name=properties["name"],
        declaration=_declaration(profile, properties),
        key_algorithm=KeyAlgorithm(properties.get("key_algorithm", KeyAlgorithm.ECDSA_P256)),
        policy=_policy(profile, properties),
        **{
            name: properties[name]
            for name in ("match", "confirm", "confirmed_generation", "revoke", "issue_again", "fail_beyond_issuer")
            if name in properties
        },
    )
    return declared, problems_of_declaration(declared.declaration) + _lifetime_problems(profile, declared)


def _declaration(profile: Profile, properties: Properties) -> CertificateDeclaration:
    return CertificateDeclaration(
        profile=profile,
        subject=Subject(**_texts(properties, _SUBJECT)),
        alt_names=SubjectAltNames(**_lists(properties, _ALT_NAMES)),
        path_length=properties.get("path_length"),
        name_constraints=NameConstraints(**_lists(properties, _NAME_CONSTRAINTS)),
        crl_urls=tuple(properties.get("crl_urls", ())),
    )


def _policy(profile: Profile, properties: Properties) -> LifetimePolicy:
    return LifetimePolicy(
        validity_hours=properties.get("validity_hours", PROFILES[profile].default_validity_hours),
        renew_fraction=parse_fraction(properties.get("renew_fraction", "2/3")),
        renew_before_hours=properties.get("renew_before_hours"),
        overlap_hours=properties.get("overlap_hours", LifetimePolicy().overlap_hours),
        renew_key_every=properties.get("renew_key_every", LifetimePolicy().renew_key_every),
    )


def _lifetime_problems(profile: Profile, declared: DeclaredCertificate) -> list[Problem]:
    problems = declared.policy.problems()
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
            Problem(
                "match",
                "`public_key` needs a key that stays: set renew_key_every to 0, or match by certificate",
            )
        )
    return problems


def _texts(properties: Properties, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: properties.get(name, "") for name in names}


def _lists(properties: Properties, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: tuple(properties.get(name, ())) for name in names}


def _word_problem(properties: Properties, name: str, allowed: tuple[str, ...]) -> list[Problem]:
    value = properties.get(name, allowed[0])
    if is_unknown(value) or value in allowed:
        return []
    return [Problem(name, f"got {value!r}, expected one of: {', '.join(word for word in allowed if word)}")]
