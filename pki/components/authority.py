"""Certificate authorities: a protected key and a certificate of its own, root or intermediate."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi
import pulumi_tls as tls

from pki.components.wiring import (
    certificate_args,
    child_options,
    issuer_properties,
    lifetime_properties,
    name_constraints_properties,
    present,
    subject_properties,
)
from pki.errors import ConfigError
from pki.keys import tls_private_key_arguments
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, NameConstraints, Profile, Subject
from pki.names import problems_of_crl_urls
from pki.resources import Certificate
from pki.rollover import FIRST_SLOT, Slots, slot_name

__all__ = ["AdoptedAuthority", "AuthoritySlot", "CertificateAuthority", "IntermediateAuthority"]


_LIFETIME = ("validity_hours", "renew_fraction", "renew_before_hours", "overlap_hours", "renew_key_every")


@dataclass(frozen=True, slots=True)
class AdoptedAuthority:
    """An authority that was made elsewhere (with openssl, easy-rsa) and is taken over with its key and certificate.

    Both PEM; the key unencrypted and secret. The subject must be declared exactly as the certificate has it. The
    certificate stays as it is until its renewal is due.
    """

    certificate_pem: str
    private_key_pem: pulumi.Input[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthoritySlot:
    """One numbered key of an authority with its certificate."""

    number: int
    name: str
    private_key_pem: pulumi.Output[str] = field(repr=False)
    certificate: Certificate


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
        declared = _Declared(subject, content, algorithm, slots or Slots(), tuple(crl_urls), adopt)
        self._declare(name, declared, None, opts)

    def _declare(
        self,
        name: str,
        declared: "_Declared",
        issuer: "CertificateAuthority | None",
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Register the component, and for each slot a key and a certificate."""
        problems = [problem.below("slots") for problem in declared.slots.problems()]
        problems += problems_of_crl_urls(declared.crl_urls)
        if problems:
            raise ConfigError(problem.below(f"authorities.{name}") for problem in problems)
        options = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(protect=True), opts)
        kind = "IntermediateAuthority" if issuer else "CertificateAuthority"
        super().__init__(f"postseal:index:{kind}", name, {}, options)
        self.name, self.issuer, self.standby_hours = name, issuer, declared.slots.standby_hours
        self.crl_urls = declared.crl_urls
        self.slots = {number: self._slot(number, declared) for number in declared.slots.numbers}
        self.active = self.slots[declared.slots.active]
        self.certificate, self.private_key_pem = self.active.certificate, self.active.private_key_pem
        self.certificate_pem = self.certificate.certificate_pem
        self.fingerprint_sha256 = self.certificate.fingerprint_sha256
        self.root: CertificateAuthority = issuer.root if issuer else self
        self.issuing_chain_pem = self._issuing_chain(declared)
        self.register_outputs({"fingerprint_sha256": self.fingerprint_sha256})

    @property
    def trusted_pem(self) -> dict[str, pulumi.Output[str]]:
        """The certificates by which this authority is trusted, by slot: of the active, standby and retiring ones."""
        return {slot.name: slot.certificate.certificate_pem for slot in self.slots.values()}

    @property
    def label_below(self) -> pulumi.Output[str]:
        """What is put behind the name of an authority below this one, so that a changed chain is noticed."""
        generation = self.certificate.generation.apply(lambda number: str(int(number)))
        above = self.issuer.label_below if self.issuer and self.issuer.issuer else ""
        return pulumi.Output.concat(" below ", self.active.name, " generation ", generation, above)

    def _slot(self, number: int, declared: "_Declared") -> AuthoritySlot:
        name = slot_name(self.name, number)
        adopt = declared.adopt if number == FIRST_SLOT else None
        # What is retiring will be deleted by the next step, and the engine asks the state for the protection then.
        options = child_options(self, protect=False) if number == declared.slots.retiring else child_options(self)
        key_pem = _key(name, declared.key_algorithm, adopt, options)
        args = certificate_args(
            name,
            Profile.INTERMEDIATE if self.issuer else Profile.ROOT,
            {"key_algorithm": declared.key_algorithm.value, "private_key_pem": key_pem},
            subject_properties(declared.subject_of(number)),
            declared.content,
            issuer_properties(self.issuer) if self.issuer else {},
            {"adopt_certificate_pem": adopt.certificate_pem} if adopt else {},
        )
        return AuthoritySlot(number, name, key_pem, Certificate(name, args, options))

    def _issuing_chain(self, declared: "_Declared") -> pulumi.Output[str]:
        """Return the active certificate, and what leads from it to a root that everybody knows."""
        if self.issuer:
            return pulumi.Output.concat(self.certificate_pem, self.issuer.issuing_chain_pem)
        if declared.slots.cross_sign and declared.slots.retiring is not None:
            cross = self._cross_certificate(declared, self.slots[declared.slots.retiring])
            return pulumi.Output.concat(self.certificate_pem, cross.certificate_pem)
        return self.certificate_pem

    def _cross_certificate(self, declared: "_Declared", by: AuthoritySlot) -> Certificate:
        """Let the retiring root certify the active one, for parties that do not know the active one yet."""
        name = f"{self.active.name}-by-{by.name}"
        args = certificate_args(
            name,
            Profile.INTERMEDIATE,
            {"key_algorithm": declared.key_algorithm.value, "private_key_pem": self.active.private_key_pem},
            subject_properties(declared.subject_of(self.active.number)),
            {key: value for key, value in declared.content.items() if key not in _LIFETIME},
            {
                "issuer_name": by.name,
                "issuer_id": by.name,
                "issuer_generation": by.certificate.generation,
                "issuer_not_before": by.certificate.not_before,
                "issuer_not_after": by.certificate.not_after,
                "issuer_chain_pem": by.certificate.certificate_pem,
                "issuer_private_key_pem": by.private_key_pem,
            },
        )
        return Certificate(name, args, child_options(self, protect=False))


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the slots of an authority have in common."""

    subject: Subject
    content: dict[str, Any]
    key_algorithm: KeyAlgorithm
    slots: Slots
    crl_urls: tuple[str, ...]
    adopt: AdoptedAuthority | None

    def subject_of(self, number: int) -> Subject:
        """Return the subject of a slot; two authorities of one name would be hard to tell apart."""
        if number == FIRST_SLOT:
            return self.subject
        return replace(self.subject, common_name=f"{self.subject.common_name} {number}")


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
        declared = _Declared(subject, content, algorithm, slots or Slots(), tuple(crl_urls), adopt)
        self._declare(name, declared, authority, opts)


def _key(
    name: str, key_algorithm: KeyAlgorithm, adopt: AdoptedAuthority | None, options: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Return the key that is adopted, or the one that the engine keeps for this authority."""
    if adopt:
        return pulumi.Output.secret(adopt.private_key_pem)
    arguments = tls_private_key_arguments(key_algorithm)
    key = tls.PrivateKey(
        f"{name}-key",
        algorithm=arguments.algorithm,
        ecdsa_curve=arguments.ecdsa_curve,
        rsa_bits=arguments.rsa_bits,
        opts=options,
    )
    return key.private_key_pem
