"""Compare a declaration with the previous one and make the demand that `decide` takes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pki.declared import changed_content, named, policy_of
from pki.fields import DeclaredCertificate
from pki.generations import Demand, IssuerWindow
from pki.model import Profile, SlotId
from pki.records import IssuerArgs
from postseal_core.values import Maybe

__all__ = ["SAME", "Basis", "Differences", "below_issuer", "demand_of", "differences_of"]


@dataclass(frozen=True, slots=True)
class Basis:
    """The inputs of a certificate: declaration, issuer, and the key that was handed in for it.

    `issuer`: label for readers. `issuer_key`, `private_key`: digests of public halves, empty for none.
    """

    declared: DeclaredCertificate
    profile: Profile
    issuer: str
    issuer_key: Maybe[str]
    private_key: Maybe[str] = ""


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences between a declaration and the one the current certificate was issued for.

    `changes`: words for what a new certificate is needed for. `is_key_changed`: another algorithm, or another key that
    was handed in. `is_issuer_changed`: another key signs; an authority that is merely renamed or renewed is the same.
    `is_validity_edited`: another lifetime is declared, for the certificates to come.
    """

    changes: tuple[str, ...] = ()
    is_key_changed: bool = False
    is_issuer_changed: bool = False
    is_validity_edited: bool = False


SAME: Final = Differences()
"""Nothing differs, or there is nothing to differ from."""


def below_issuer(declared: DeclaredCertificate, issuer: IssuerArgs | None) -> DeclaredCertificate:
    """Complete a declaration with the default common name and the issuer's CRL addresses."""
    crl_urls = declared.crl_urls or (issuer.crl_urls if issuer else ())
    return replace(named(declared), crl_urls=crl_urls)


def demand_of(
    declared: DeclaredCertificate,
    profile: Profile,
    issuer: IssuerWindow | None,
    differences: Differences = SAME,
    *,
    is_key_handed_in: bool = False,
    is_key_elsewhere: bool = False,
    distrusted: tuple[SlotId, ...] = (),
    is_distrusted: bool = False,
) -> Demand:
    """Combine a declaration, its issuer and its differences into the demand that `decide` takes."""
    return Demand(
        policy=policy_of(declared, profile),
        issuer=issuer,
        changes=differences.changes,
        is_key_changed=differences.is_key_changed,
        is_issuer_changed=differences.is_issuer_changed,
        is_key_handed_in=is_key_handed_in,
        is_key_elsewhere=is_key_elsewhere,
        distrusted=distrusted,
        is_distrusted=is_distrusted,
        confirm=declared.confirm,
        confirmed_generation=declared.confirmed_generation,
        revoke_reason=declared.revoke,
        issue_again=declared.issue_again,
        fail_beyond_issuer=declared.fail_beyond_issuer,
        is_validity_edited=differences.is_validity_edited,
    )


def differences_of(new: Basis, old: Basis) -> Differences:
    """Compare two declarations; an unknown issuer key counts as a change."""
    one, other = new.declared, old.declared
    return Differences(
        changes=tuple(_changes(new, old)),
        is_key_changed=(one.key_algorithm, new.private_key) != (other.key_algorithm, old.private_key),
        is_issuer_changed=new.issuer_key != old.issuer_key,
        is_validity_edited=policy_of(one, new.profile).validity_hours != policy_of(other, old.profile).validity_hours,
    )


def _changes(new: Basis, old: Basis) -> Iterator[str]:
    if new.profile is not old.profile:
        yield "profile"
    yield from changed_content(new.declared, old.declared)
    if new.issuer_key != old.issuer_key:
        yield f"issuer is now {new.issuer}"
