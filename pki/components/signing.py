"""Arguments about an authority: how it signs, and which of its keys may not be removed yet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pulumi

from pki.certificate.resource import Certificate
from pki.components.distrusted_slots import distrusted_slots
from pki.crl_urls import crl_urls_of_slot
from pki.model import FIRST_SLOT, SlotId
from pki.records import Dependent, IssuerArgs, Link, Withdrawal
from pki.requested_authority.resource import RequestedAuthority
from postseal_core.program import later

__all__ = ["AuthoritySlot", "Signer", "issuer_args", "slot_issuer_args", "withdrawal"]


@dataclass(frozen=True, slots=True)
class AuthoritySlot:
    """One numbered key of an authority with its certificate.

    Attributes:
        id: The authority's name and the number; as text `mail-ca/1`.
        private_key_pem: The key in PEM; a secret.
        certificate: The certificate of that key.
    """

    id: SlotId
    private_key_pem: pulumi.Output[str] = field(repr=False)
    certificate: Certificate | RequestedAuthority

    @property
    def name(self) -> str:
        """The name of its key and certificate."""
        return self.id.name


class Signer(Protocol):
    """An authority that can sign; `CertificateAuthority` documents each member."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def issuer(self) -> "Signer | None": ...  # noqa: D102

    @property
    def slots(self) -> Mapping[int, AuthoritySlot]: ...  # noqa: D102

    @property
    def active(self) -> AuthoritySlot: ...  # noqa: D102

    @property
    def issuing_chain_pem(self) -> pulumi.Output[str]: ...  # noqa: D102

    @property
    def links_above(self) -> Sequence[Certificate | RequestedAuthority]: ...  # noqa: D102

    @property
    def standby_hours(self) -> int: ...  # noqa: D102

    @property
    def crl_urls(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def distrusted(self) -> tuple[SlotId, ...]: ...  # noqa: D102


def issuer_args(authority: Signer) -> IssuerArgs:
    """Return the signing arguments of an authority's active key."""
    active = authority.active
    has_standby_rule = not authority.issuer and authority.standby_hours and active.id.number > FIRST_SLOT
    return IssuerArgs(
        slot=active.id,
        generation=later(active.certificate.generation),
        not_before=later(active.certificate.not_before),
        not_after=later(active.certificate.not_after),
        chain_pem=later(authority.issuing_chain_pem),
        private_key_pem=later(active.private_key_pem),
        above=_links(authority.links_above),
        standby_hours=authority.standby_hours if has_standby_rule else None,
        crl_urls=crl_urls_of_slot(authority.crl_urls, active.id),
        distrusted=_distrusted(authority),
        slots=tuple(sorted(slot.id for slot in authority.slots.values())),
    )


def slot_issuer_args(slot: AuthoritySlot, above: Sequence[Certificate | RequestedAuthority] = ()) -> IssuerArgs:
    """Return the signing arguments of any slot, for cross certificates and revocation lists."""
    return IssuerArgs(
        slot=slot.id,
        generation=later(slot.certificate.generation),
        not_before=later(slot.certificate.not_before),
        not_after=later(slot.certificate.not_after),
        chain_pem=later(slot.certificate.certificate_pem),
        private_key_pem=later(slot.private_key_pem),
        above=_links(above),
    )


def withdrawal(authorities: Iterable[Signer], dependents: Iterable[Certificate] = ()) -> Withdrawal:
    """Return the facts that prevent removal of a slot while certificates it signed are still accepted.

    `authorities`: those that sign the dependents; the ones above them and their own certificates are added.
    """
    line = {each.name: each for authority in authorities for each in _with_issuers(authority)}
    slots = [(each, slot) for each in line.values() for slot in each.slots.values()]
    signed = [slot.certificate for each, slot in slots if isinstance(slot.certificate, Certificate) and each.issuer]
    return Withdrawal(
        issuers=tuple(sorted(slot.id for _, slot in slots)),
        authorities=tuple(sorted(line)),
        dependents={each.name: Dependent(previous=later(each.previous)) for each in (*signed, *dependents)},
    )


def _distrusted(authority: Signer) -> tuple[SlotId, ...]:
    """Return the distrusted slots of an authority and of those above, and of all that the program has declared so far.

    What one authority signs now may have been signed by another before.
    """
    own = (slot for each in _with_issuers(authority) for slot in each.distrusted)
    return tuple(sorted({*own, *distrusted_slots()}))


def _links(above: Sequence[Certificate | RequestedAuthority]) -> tuple[Link, ...]:
    return tuple(Link(name=each.name, generation=later(each.generation)) for each in above)


def _with_issuers(authority: Signer | None) -> Iterator[Signer]:
    while authority:
        yield authority
        authority = authority.issuer
