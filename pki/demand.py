"""Compare what is declared about a certificate with what was declared before: the demand that `decide` answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pki.declared import CONTENT_PROPERTIES, DeclaredCertificate
from pki.schedule import Demand, IssuerWindow

__all__ = ["SAME", "Differences", "demand_of", "differences_of"]


@dataclass(frozen=True, slots=True)
class Differences:
    """How a declaration differs from the one that the current certificate was issued for.

    `changes`: words for what a new certificate is needed for. `is_key_changed`: another algorithm, or another key that
    was handed in. `is_issuer_changed`: another key signs; an authority that is merely renamed or renewed is the same.
    """

    changes: tuple[str, ...] = ()
    is_key_changed: bool = False
    is_issuer_changed: bool = False


SAME = Differences()
"""Nothing differs, or there is nothing to differ from."""


def demand_of(declared: DeclaredCertificate, issuer: IssuerWindow | None, differences: Differences = SAME) -> Demand:
    """Return the demand of a declaration that differs so from what was issued."""
    return Demand(
        policy=declared.policy,
        issuer=issuer,
        changes=differences.changes,
        is_key_changed=differences.is_key_changed,
        is_issuer_changed=differences.is_issuer_changed,
        confirm=declared.confirm,
        confirmed_generation=declared.confirmed_generation,
        revoke_reason=declared.revoke,
        issue_again=declared.issue_again,
        fail_beyond_issuer=declared.fail_beyond_issuer,
    )


def differences_of(new: Mapping[str, Any], old: Mapping[str, Any]) -> Differences:
    """Return how two declarations differ; an unknown issuer key is one that will change.

    `new` and `old` are properties of a certificate with `issuer` (a label for the reader) and `issuer_key` (a digest).
    """
    changed = [name for name in CONTENT_PROPERTIES if (new.get(name) or None) != (old.get(name) or None)]
    if new.get("path_length") != old.get("path_length") and "path_length" not in changed:
        changed.append("path_length")
    is_issuer_changed = new.get("issuer_key") != old.get("issuer_key")
    if is_issuer_changed:
        changed.append(f"issuer is now {new['issuer']}")
    is_key_changed = any(new.get(name) != old.get(name) for name in ("key_algorithm", "private_key"))
    return Differences(tuple(changed), is_key_changed, is_issuer_changed)
