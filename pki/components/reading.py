"""Read a component's certificate fields and lifetime from its keyword arguments."""

from dataclasses import replace
from math import isfinite
from typing import Final

from pki.declared import with_lifetime
from pki.fields import FIELDS, NOTHING_SAID, DeclaredCertificate, Group, SaidBy
from pki.lifetime import LifetimePolicy, parse_fraction
from pki.reading import declared_arguments
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.reading import Raw
from postseal_core.values import is_deferred

__all__ = ["AN_AUTHORITY", "is_missing", "read_fields"]

AN_AUTHORITY: Final = "an authority, as pki.CertificateAuthority(...)"
_A_LIFETIME: Final = "pki.LifetimePolicy(...)"
_GROUPS: Final = {
    Group.LIFETIME: f"it is part of the lifetime: write lifetime={_A_LIFETIME}",
    Group.NAME_CONSTRAINTS: "it is part of the name constraints: write name_constraints=pki.NameConstraints(...)",
}


def read_fields(
    arguments: Arguments, surface: SaidBy, fields: Raw, lifetime: LifetimePolicy | None
) -> DeclaredCertificate:
    """Return the declaration that these fields make; problems are added to `arguments`."""
    grouped = {name: _GROUPS[FIELDS[name].group] for name in fields if name in FIELDS and FIELDS[name].group}
    arguments.add(Problem(name, message) for name, message in grouped.items())
    given = {name: value for name, value in fields.items() if name not in grouped}
    declared = arguments.read(lambda: declared_arguments(surface, arguments.path, given), NOTHING_SAID)
    policy = arguments.record("lifetime", _with_exact_fraction(lifetime), LifetimePolicy, _A_LIFETIME)
    return with_lifetime(declared, policy) if isinstance(policy, LifetimePolicy) else declared


def is_missing(fields: Raw, name: str) -> bool:
    """Return whether a required field is absent or empty."""
    value = fields.get(name)
    return not is_deferred(value) and not value


def _with_exact_fraction(lifetime: LifetimePolicy | None) -> LifetimePolicy | None:
    """Return a policy with an exact fraction; Python's `2/3` is a float with rounded digits."""
    fraction: object = lifetime.renew_fraction if isinstance(lifetime, LifetimePolicy) else None
    if lifetime is None or not isinstance(fraction, float) or not isfinite(fraction):
        return lifetime
    return replace(lifetime, renew_fraction=parse_fraction(fraction))
