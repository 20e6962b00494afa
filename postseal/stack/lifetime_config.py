"""Lifetimes in the stack file: policies from the general to the special, and what they come to for one certificate."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pki.lifetime import KEEP_KEY, LifetimePolicy, format_hours
from pki.model import Profile
from pki.profiles import PROFILES
from postseal.stack.field_types import Hours, RenewFraction, RenewKey, Section
from postseal_core.errors import Problem

__all__ = [
    "KEY_OF_AUTHORITY",
    "LifetimeSection",
    "ResolvedLifetime",
    "StackLifetimeSection",
    "problems_of_lifetime",
    "problems_of_policies",
    "resolve_lifetime",
]

KEY_OF_AUTHORITY = "an authority keeps its key as long as it lives; leave this out, and replace the authority instead"


class LifetimeSection(Section):
    """One policy; what it leaves out comes from the next more general one.

    `validity`, `renew_before`, `overlap`: durations (`365d`, `36h`, or hours); `renew_fraction`: `2/3`;
    `renew_key`: `always`, `never` or n.
    """

    validity: Hours | None = None
    renew_fraction: RenewFraction | None = None
    renew_before: Hours | None = None
    overlap: Hours | None = None
    renew_key: RenewKey | None = None


class StackLifetimeSection(Section):
    """Policies for all certificates (`default`), for a group (`authority`, `leaf`) and for a kind."""

    default: LifetimeSection | None = None
    authority: LifetimeSection | None = None
    leaf: LifetimeSection | None = None
    root: LifetimeSection | None = None
    intermediate: LifetimeSection | None = None
    server: LifetimeSection | None = None
    client: LifetimeSection | None = None


@dataclass(frozen=True, slots=True)
class ResolvedLifetime:
    """The policy of one certificate; `origins` says for each of its fields where in the file it was declared."""

    policy: LifetimePolicy
    origins: Mapping[str, str]
    kind: str

    def origin(self, field: str) -> str:
        """Return the path to correct when `field` of the policy is wrong; for a default, that of all of its kind."""
        return self.origins.get(field, f"lifetime.{self.kind}.{_WORDS[field]}")


_FIELDS = {
    "validity": "validity_hours",
    "renew_fraction": "renew_fraction",
    "renew_before": "renew_before_hours",
    "overlap": "overlap_hours",
    "renew_key": "renew_key_every",
}
_WORDS = {field: word for word, field in _FIELDS.items()}
_RIVALS = {"renew_fraction": "renew_before_hours", "renew_before": "renew_fraction"}

# Which policies apply to a profile, from the general to the special.
_LAYERS: Mapping[Profile, tuple[str, ...]] = {
    Profile.ROOT: ("default", "authority", "root"),
    Profile.INTERMEDIATE: ("default", "authority", "intermediate"),
    Profile.SERVER: ("default", "leaf", "server"),
    Profile.SERVER_AND_CLIENT: ("default", "leaf", "server"),
    Profile.CLIENT: ("default", "leaf", "client"),
}
_OF_AUTHORITIES = frozenset(f"lifetime.{name}" for name in ("authority", "root", "intermediate"))


def resolve_lifetime(
    profile: Profile, stack: StackLifetimeSection, own: LifetimeSection | None, path: str, *, is_key_kept: bool = False
) -> ResolvedLifetime:
    """Return the policy of a certificate whose own lifetime stands at `path`.

    `is_key_kept`: where nothing says otherwise, the key is never renewed (authorities; clients matched by key).
    """
    layers = [(f"lifetime.{name}", getattr(stack, name)) for name in _LAYERS[profile]]
    declared: dict[str, tuple[Any, str]] = {}
    for layer_path, section in (*layers, (path, own)):
        declared = _overlaid(declared, section or LifetimeSection(), layer_path)
    if profile.is_authority:
        declared.pop("renew_key_every", None)
    values: dict[str, Any] = {"validity_hours": PROFILES[profile].default_validity_hours}
    values |= {"renew_key_every": KEEP_KEY} if is_key_kept or profile.is_authority else {}
    values |= {field: value for field, (value, _) in declared.items()}
    origins = {field: origin for field, (_, origin) in declared.items()}
    return ResolvedLifetime(LifetimePolicy(**values), origins, _LAYERS[profile][-1])


def _overlaid(
    declared: Mapping[str, tuple[Any, str]], section: LifetimeSection, path: str
) -> dict[str, tuple[Any, str]]:
    """Lay a more special policy over what is declared; one way to say when to renew replaces the other."""
    words = [word for word in _FIELDS if getattr(section, word) is not None]
    replaced = {_RIVALS.get(word) for word in words}
    kept = {field: entry for field, entry in declared.items() if field not in replaced}
    return kept | {_FIELDS[word]: (getattr(section, word), f"{path}.{word}") for word in words}


def problems_of_lifetime(profile: Profile, lifetime: ResolvedLifetime, issuer: LifetimePolicy | None) -> list[Problem]:
    """Return what is wrong with a policy by itself, for its profile, and below its issuer's, at the right paths."""
    found = lifetime.policy.problems()
    if any(problem.path == "validity_hours" for problem in found):
        # Where nothing lives, no point of renewal is right.
        found = [problem for problem in found if not problem.path.startswith("renew_")]
    own = [Problem(lifetime.origin(problem.path), problem.message) for problem in found]
    return own + list(_too_long(profile, lifetime, issuer))


def _too_long(profile: Profile, lifetime: ResolvedLifetime, issuer: LifetimePolicy | None) -> Iterator[Problem]:
    validity_hours, path = lifetime.policy.validity_hours, lifetime.origin("validity_hours")
    limit = PROFILES[profile].max_validity_hours
    if validity_hours > limit:
        yield Problem(
            path, f"got {format_hours(validity_hours)}, expected at most {format_hours(limit)} for profile {profile}"
        )
    if issuer and validity_hours > issuer.validity_hours:
        yield Problem(
            path,
            f"got {format_hours(validity_hours)}, but its authority lives only {format_hours(issuer.validity_hours)}: "
            "shorten this one, or lengthen the authority's lifetime",
        )


def problems_of_policies(
    stack: StackLifetimeSection, own: Iterable[tuple[str, LifetimeSection | None]]
) -> list[Problem]:
    """Return what is wrong with policies as they are declared, before they are laid over each other.

    `own`: the policies of single certificates and their paths.
    """
    shared = [(f"lifetime.{name}", getattr(stack, name)) for name in StackLifetimeSection.model_fields]
    found = [
        Problem(f"{path}.renew_before", "declared beside renew_fraction, which it replaces; declare one of the two")
        for path, section in (*shared, *own)
        if section and section.renew_fraction is not None and section.renew_before is not None
    ]
    return found + [
        Problem(f"{path}.renew_key", KEY_OF_AUTHORITY)
        for path, section in shared
        if path in _OF_AUTHORITIES and section and section.renew_key is not None
    ]
