"""Certificate authorities: a protected key and a certificate of its own, root or intermediate."""

from collections.abc import Iterator, Sequence

import pulumi

from pki.components.slots import AdoptedAuthority, AuthoritySlot, DeclaredAuthority, cross_certificate, new_slot
from pki.components.wiring import (
    child_options,
    issuer_properties,
    lifetime_properties,
    name_constraints_properties,
    present,
)
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, NameConstraints, Subject
from pki.names import problems_of_crl_urls
from pki.rollover import Slots, problems_below_cross_certificate, problems_of_cross_signing, room_below
from postseal_core.errors import ConfigError, Problem

__all__ = ["AdoptedAuthority", "AuthoritySlot", "CertificateAuthority", "IntermediateAuthority"]


class CertificateAuthority(pulumi.ComponentResource):
    """A root of trust with its own key: signs what names it as `authority`.

    Protected unless `opts` says `protect=False`: losing its key means a new certificate for everybody.
    `path_length` 0 forbids authorities below it, None sets no limit. `key_algorithm` ECDSA-P256 by default. Validity
    10 years, renewed with the same key after two thirds of it, unless `lifetime` says otherwise. `slots`: for a
    rollover to another key; slots after the first have their number behind the common name. `crl_urls`: where the
    `RevocationList` of this authority can be fetched, `http://` addresses; they are written into every certificate that
    it issues, and into none of its own. Another address means that all of them are issued anew.
    Its certificate is checked by the plugin before anything is made; a wrong name or limit fails the preview.
    """

    certificate_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        common_name: str,
        organization: str = "",
        organizational_unit: str = "",
        locality: str = "",
        state_or_province: str = "",
        country: str = "",
        key_algorithm: KeyAlgorithm | str = KeyAlgorithm.ECDSA_P256,
        path_length: int | None = None,
        name_constraints: NameConstraints | None = None,
        crl_urls: Sequence[str] = (),
        lifetime: LifetimePolicy | None = None,
        slots: Slots | None = None,
        adopt: AdoptedAuthority | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        subject = Subject(common_name, organization, organizational_unit, locality, state_or_province, country)
        content = present(path_length=path_length) | lifetime_properties(lifetime)
        content |= name_constraints_properties(name_constraints or NameConstraints())
        algorithm = KeyAlgorithm(key_algorithm)
        declared = DeclaredAuthority(subject, content, algorithm, slots or Slots(), tuple(crl_urls), adopt)
        self._declare(name, declared, None, opts)

    def _declare(
        self,
        name: str,
        declared: DeclaredAuthority,
        issuer: "CertificateAuthority | None",
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Register the component, and for each slot a key and a certificate."""
        problems = list(_problems(declared, issuer))
        if problems:
            raise ConfigError(problem.below(f"authorities.{name}") for problem in problems)
        options = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(protect=True), opts)
        kind = "IntermediateAuthority" if issuer else "CertificateAuthority"
        super().__init__(f"postseal:index:{kind}", name, {}, options)
        self.name, self.issuer, self.standby_hours = name, issuer, declared.slots.standby_hours
        self.crl_urls, self.room = declared.crl_urls, _room(declared, issuer)
        self.slots = {number: self._slot(number, declared) for number in declared.slots.numbers}
        self.active = self.slots[declared.slots.active]
        self.certificate, self.private_key_pem = self.active.certificate, self.active.private_key_pem
        self.certificate_pem = self.certificate.certificate_pem
        self.fingerprint_sha256 = self.certificate.fingerprint_sha256
        self.root: CertificateAuthority = issuer.root if issuer else self
        self.links_above = self._links_above(declared)
        self.issuing_chain_pem = self._issuing_chain()
        self.register_outputs({"fingerprint_sha256": self.fingerprint_sha256})

    @property
    def trusted_pem(self) -> dict[str, pulumi.Output[str]]:
        """The certificates by which this authority is trusted, by slot: of the active, standby and retiring ones."""
        return {slot.name: slot.certificate.certificate_pem for slot in self.slots.values()}

    def _slot(self, number: int, declared: DeclaredAuthority) -> AuthoritySlot:
        # What is retiring will be deleted by the next step, and the engine asks the state for the protection then.
        options = child_options(self, protect=False) if number == declared.slots.retiring else child_options(self)
        return new_slot(self.name, number, declared, issuer_properties(self.issuer) if self.issuer else {}, options)

    def _links_above(self, declared: DeclaredAuthority) -> list[AuthoritySlot]:
        """Return what stands above this authority in a chain that is sent to others: everything but the roots."""
        if self.issuer:
            return [*([self.issuer.active] if self.issuer.issuer else []), *self.issuer.links_above]
        if declared.slots.cross_sign and declared.slots.retiring is not None:
            retiring = self.slots[declared.slots.retiring]
            return [cross_certificate(declared, self.active, retiring, child_options(self, protect=False))]
        return []

    def _issuing_chain(self) -> pulumi.Output[str]:
        """Return the active certificate, and what leads from it to a root that everybody knows."""
        if self.issuer:
            return pulumi.Output.concat(self.certificate_pem, self.issuer.issuing_chain_pem)
        above = [each.certificate.certificate_pem for each in self.links_above]
        return pulumi.Output.concat(self.certificate_pem, *above) if above else self.certificate_pem


def _problems(declared: DeclaredAuthority, issuer: CertificateAuthority | None) -> Iterator[Problem]:
    for problem in declared.slots.problems():
        yield problem.below("slots")
    for problem in problems_of_cross_signing(declared.slots, declared.path_length, is_root=issuer is None):
        yield problem.below("slots")
    if issuer:
        yield from problems_below_cross_certificate(declared.path_length, issuer.room, issuer.root.name)
    yield from problems_of_crl_urls(declared.crl_urls)


def _room(declared: DeclaredAuthority, issuer: CertificateAuthority | None) -> int | None:
    """Return the largest path_length that a cross certificate above leaves to an authority below; None: any."""
    if issuer:
        return room_below(issuer.room)
    return room_below(room_below(declared.path_length)) if declared.slots.cross_sign else None


class IntermediateAuthority(CertificateAuthority):
    """An authority that another one vouches for; to any depth that the path lengths above it allow.

    Validity 5 years, renewed with the same key after two thirds of it, unless `lifetime` says otherwise.
    """

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        common_name: str,
        organization: str = "",
        organizational_unit: str = "",
        locality: str = "",
        state_or_province: str = "",
        country: str = "",
        key_algorithm: KeyAlgorithm | str = KeyAlgorithm.ECDSA_P256,
        path_length: int | None = 0,
        name_constraints: NameConstraints | None = None,
        crl_urls: Sequence[str] = (),
        lifetime: LifetimePolicy | None = None,
        slots: Slots | None = None,
        adopt: AdoptedAuthority | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        subject = Subject(common_name, organization, organizational_unit, locality, state_or_province, country)
        content = present(path_length=path_length) | lifetime_properties(lifetime)
        content |= name_constraints_properties(name_constraints or NameConstraints())
        algorithm = KeyAlgorithm(key_algorithm)
        declared = DeclaredAuthority(subject, content, algorithm, slots or Slots(), tuple(crl_urls), adopt)
        self._declare(name, declared, authority, opts)
