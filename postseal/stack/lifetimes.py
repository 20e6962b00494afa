"""Merge the lifetime policies of a stack file for one certificate, from general to special."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pki.declared import Said, policy_of
from pki.fields import DeclaredCertificate, Match
from pki.lifetime import KEEP_KEY, LifetimePolicy, format_hours
from pki.model import Profile
from pki.profiles import PROFILES
from postseal.stack.sections import LIFETIME_FIELDS, CertificateKeys, StackLifetimeSection, said_of_lifetime
from postseal_core.errors import Problem
from postseal_core.reading import Section

__all__ = [
    "KEY_OF_AUTHORITY",
    "ResolvedLifetime",
    "problems_of_lifetime",
    "problems_of_policies",
    "resolve_lifetime",
    "without_renewal_of_nothing",
]

KEY_OF_AUTHORITY: Final = (
    "an authority keeps its key as long as it lives; leave this out, and replace the authority instead"
)

# Which policies apply to a profile, from the general to the special.
_LAYERS: Final[Mapping[Profile, tuple[str, ...]]] = {
    Profile.ROOT: ("default", "authority", "root"),
    Profile.INTERMEDIATE: ("default", "authority", "intermediate"),
    Profile.SERVER: ("default", "leaf", "server"),
    Profile.SERVER_AND_CLIENT: ("default", "leaf", "server"),
    Profile.CLIENT: ("default", "leaf", "client"),
}
_OF_AUTHORITIES: Final = frozenset(f"lifetime.{name}" for name in ("authority", "root", "intermediate"))
_KEY_KEPT: Final = Said(DeclaredCertificate(renew_key_every=KEEP_KEY), frozenset({"renew_key_every"}))


@dataclass(frozen=True, slots=True)
class ResolvedLifetime:
    """The lifetime of one certificate; `origins` says for each of its fields where in the file it was declared."""

    profile: Profile
    said: Said
    origins: Mapping[str, str]

    @property
    def policy(self) -> LifetimePolicy:
        """The complete policy, with every default filled in."""
        return policy_of(self.said.values, self.profile)

    def origin(self, field: str) -> str:
        """Return the path to correct when `field` of the policy is wrong; for a default, that of all of its kind."""
        return self.origins.get(field, f"lifetime.{_LAYERS[self.profile][-1]}.{LIFETIME_FIELDS[field]}")


def resolve_lifetime(profile: Profile, stack: Section, section: CertificateKeys, path: str) -> ResolvedLifetime:
    """Return the lifetime of the certificate that a section at `path` declares; `stack`: policies of the whole stack.

    A client that is known by its key keeps it where nothing says otherwise, an authority whatever is said.
    """
    layers = [(f"lifetime.{name}", said_of_lifetime(getattr(stack, name))) for name in _LAYERS[profile]]
    layers.append((f"{path}.lifetime", said_of_lifetime(section.lifetime)))
    said = _KEY_KEPT if section.said.values.match is Match.PUBLIC_KEY else Said()
    origins: dict[str, str] = {}
    for layer_path, layer in layers:
        said = layer.over(said)
        origins |= {name: f"{layer_path}.{LIFETIME_FIELDS[name]}" for name in layer.names}
    return ResolvedLifetime(profile, _KEY_KEPT.over(said) if profile.is_authority else said, origins)


def problems_of_lifetime(lifetime: ResolvedLifetime, issuer: LifetimePolicy | None) -> list[Problem]:
    """Return what is wrong with a policy by itself, for its profile, and below its issuer's, at the right paths."""
    found = without_renewal_of_nothing(lifetime.policy.problems())
    own = [Problem(lifetime.origin(problem.path), problem.message) for problem in found]
    return own + list(_too_long(lifetime, issuer))


def without_renewal_of_nothing(problems: Iterable[Problem]) -> list[Problem]:
    """Drop problems of the point of renewal if the lifetime itself is wrong."""
    found = list(problems)
    is_nothing = any(problem.path == "validity_hours" for problem in found)
    return [problem for problem in found if not (is_nothing and problem.path.startswith("renew_"))]


def _too_long(lifetime: ResolvedLifetime, issuer: LifetimePolicy | None) -> Iterator[Problem]:
    validity_hours, path = lifetime.policy.validity_hours, lifetime.origin("validity_hours")
    limit = PROFILES[lifetime.profile].max_validity_hours
    if validity_hours > limit:
        yield Problem(
            path,
            f"got {format_hours(validity_hours)}, expected at most {format_hours(limit)} for profile "
            f"{lifetime.profile}",
        )
    if issuer and validity_hours > issuer.validity_hours:
        yield Problem(
            path,
            f"got {format_hours(validity_hours)}, but its authority lives only {format_hours(issuer.validity_hours)}: "
            "shorten this one, or lengthen the authority's lifetime",
        )


def problems_of_policies(stack: Section, own: Iterable[tuple[str, Section | None]]) -> list[Problem]:
    """Check each declared policy by itself, before they are merged.

    `own`: the policies of single certificates and their paths.
    """
    shared = [(f"lifetime.{name}", getattr(stack, name)) for name in StackLifetimeSection.model_fields]
    said = {path: said_of_lifetime(section).names for path, section in (*shared, *own)}
    found = [
        Problem(f"{path}.renew_before", "declared beside renew_fraction, which it replaces; declare one of the two")
        for path, names in said.items()
        if {"renew_fraction", "renew_before_hours"} <= names
    ]
    return found + [
        Problem(f"{path}.renew_key", KEY_OF_AUTHORITY)
        for path, names in said.items()
        if path in _OF_AUTHORITIES and "renew_key_every" in names
    ]
