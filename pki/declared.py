"""Interpret declared fields: certificate content, lifetime, differences between two declarations."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from pki.fields import FIELDS, NOTHING_SAID, DeclaredCertificate, FieldOf, Group, Match
from pki.lifetime import KEEP_KEY, LifetimePolicy
from pki.model import CertificateDeclaration, NameConstraints, Profile, Subject, SubjectAltNames
from pki.profiles import PROFILES

__all__ = [
    "Said",
    "changed_content",
    "declaration_of",
    "is_key_lost",
    "moved_differences",
    "named",
    "policy_of",
    "with_lifetime",
]

_RIVALS: Final = MappingProxyType({"renew_fraction": "renew_before_hours", "renew_before_hours": "renew_fraction"})
_SUBJECT: Final = tuple(each.name for each in fields(Subject))
_LIFETIME: Final = tuple(name for name, each in FIELDS.items() if each.group is Group.LIFETIME)
_NAME_CONSTRAINTS: Final = tuple(name for name, each in FIELDS.items() if each.group is Group.NAME_CONSTRAINTS)


@dataclass(frozen=True, slots=True)
class Said:
    """A partial declaration: `names` are the fields that were given, `values` holds them."""

    values: DeclaredCertificate = NOTHING_SAID
    names: frozenset[str] = frozenset()

    def over(self, general: "Said") -> "Said":
        """Override more general fields with these; renew_before and renew_fraction replace each other."""
        if not general.names:
            return self
        names = {*general.names} - {_RIVALS[name] for name in self.names & _RIVALS.keys()}
        kept = {name: getattr(general.values, name) for name in names - self.names}
        own = {name: getattr(self.values, name) for name in self.names}
        return Said(DeclaredCertificate(**kept, **own), frozenset(names | self.names))


def named(declared: DeclaredCertificate) -> DeclaredCertificate:
    """Fill in the default common name, which is the first alternative name of a leaf."""
    return declared if declared.common_name else replace(declared, common_name=_common_name(declared))


def _common_name(declared: DeclaredCertificate) -> str:
    return declared.common_name or declared.email or next(iter(declared.dns_names), "")


def declaration_of(declared: DeclaredCertificate, profile: Profile) -> CertificateDeclaration:
    """Return the content of a certificate of this profile, with defaults filled in."""
    parts = {name: getattr(declared, name) for name in _SUBJECT if name != "common_name"}
    return CertificateDeclaration(
        profile=profile,
        subject=Subject(_common_name(declared), **parts),
        alt_names=SubjectAltNames(
            dns_names=declared.dns_names,
            email_addresses=(declared.email,) if declared.email else (),
            ip_addresses=declared.ip_addresses,
        ),
        path_length=declared.path_length,
        name_constraints=NameConstraints(**{name: getattr(declared, name) for name in _NAME_CONSTRAINTS}),
        crl_urls=declared.crl_urls,
    )


def policy_of(declared: DeclaredCertificate, profile: Profile) -> LifetimePolicy:
    """Return the lifetime policy, with the profile's defaults for everything that is not declared."""
    return _policy(profile, *(getattr(declared, name) for name in _LIFETIME))


@lru_cache(maxsize=1024)
def _policy(profile: Profile, *said: Any) -> LifetimePolicy:
    """Build a policy once; thousands of clients of a roster share the same few."""
    default = LifetimePolicy(validity_hours=PROFILES[profile].default_validity_hours)
    given = {name: value for name, value in zip(_LIFETIME, said, strict=True) if value is not None}
    return replace(default, **given)


def is_key_lost(declared: DeclaredCertificate, profile: Profile) -> bool:
    """Return whether a renewal may change the key of a client that relays recognise by its key."""
    is_by_key = declared.match is Match.PUBLIC_KEY and not profile.is_authority
    return is_by_key and policy_of(declared, profile).renew_key_every != KEEP_KEY


def with_lifetime(declared: DeclaredCertificate, policy: LifetimePolicy) -> DeclaredCertificate:
    """Copy every field of a lifetime policy into a declaration."""
    is_before = policy.renew_before_hours is not None
    return replace(
        declared,
        validity_hours=policy.validity_hours,
        renew_fraction=None if is_before else policy.renew_fraction,
        renew_before_hours=policy.renew_before_hours,
        overlap_hours=policy.overlap_hours,
        renew_key_every=policy.renew_key_every,
    )


def changed_content(new: DeclaredCertificate, old: DeclaredCertificate) -> tuple[str, ...]:
    """Return the names of differing fields that are part of the certificate; they require a new one."""
    return _differing(new, old, lambda each: each.is_content)


def moved_differences(here: DeclaredCertificate, there: DeclaredCertificate) -> tuple[str, ...]:
    """Return the differing fields that prevent a move: the new owner would re-issue the certificate at once.

    The order of names does not matter: those of a certificate that is there stay as they are.
    """
    return _differing(_unordered(here), _unordered(there), lambda each: each.is_compared)


def _unordered(declared: DeclaredCertificate) -> DeclaredCertificate:
    said = named(declared)
    values: Any = {name: getattr(said, name) for name in FIELDS}
    lists: Any = {name: tuple(sorted(each)) for name, each in values.items() if isinstance(each, tuple)}
    return replace(said, **lists)


def _differing(
    one: DeclaredCertificate, other: DeclaredCertificate, is_looked_at: Callable[[FieldOf], bool]
) -> tuple[str, ...]:
    names = (name for name, each in FIELDS.items() if is_looked_at(each))
    here, there = named(one), named(other)
    return tuple(name for name in names if getattr(here, name) != getattr(there, name))
