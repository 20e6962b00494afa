"""Compare what is declared about a certificate with what was declared before: the demand that `decide` answers."""

from collections.abc import Mapping
from typing import Any

from pki.declared import CONTENT_PROPERTIES, DeclaredCertificate
from pki.schedule import Demand, IssuerWindow

__all__ = ["changed_content", "demand_of", "is_key_changed"]


def demand_of(
    declared: DeclaredCertificate,
    issuer: IssuerWindow | None,
    *,
    changes: tuple[str, ...] = (),
    is_key_changed: bool = False,
) -> Demand:
    """Return the demand of a declaration; `changes` and `is_key_changed` say what differs from what was issued."""
    return Demand(
        policy=declared.policy,
        issuer=issuer,
        changes=changes,
        is_key_changed=is_key_changed,
        confirm=declared.confirm,
        confirmed_generation=declared.confirmed_generation,
        revoke_reason=declared.revoke,
        issue_again=declared.issue_again,
        fail_beyond_issuer=declared.fail_beyond_issuer,
    )


def changed_content(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words for what a new certificate is needed for; an unknown issuer key is one that will change.

    `new` and `old` are properties of a certificate with `issuer` (a label for the reader), `issuer_id`, `issuer_key`.
    """
    changed = [name for name in CONTENT_PROPERTIES if (new.get(name) or None) != (old.get(name) or None)]
    if new.get("path_length") != old.get("path_length") and "path_length" not in changed:
        changed.append("path_length")
    if new.get("issuer_id") != old.get("issuer_id") or new.get("issuer_key") != old.get("issuer_key"):
        changed.append(f"issuer is now {new['issuer']}")
    return tuple(changed)


def is_key_changed(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Return whether another key is declared: another algorithm, or another key that was handed in."""
    return any(new.get(name) != old.get(name) for name in ("key_algorithm", "private_key"))
