"""Certificate authorities: protected keys with certificates of their own, root or intermediate."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Unpack

import pulumi

from pki.arguments import AuthorityFields, Texts
from pki.certificate.resource import Certificate
from pki.components.declared_authority import AdoptedAuthority, DeclaredAuthority, read_authority
from pki.components.distrusted_slots import add_distrusted
from pki.components.field_texts import describes_fields
from pki.components.reading import AN_AUTHORITY
from pki.components.signing import AuthoritySlot, issuer_args
from pki.components.slots import cross_certificate, new_slot
from pki.declared import declaration_of, policy_of
from pki.declared_issuer import DeclaredIssuer, problems_below_issuer
from pki.lifetime import LifetimePolicy
from pki.model import FIRST_SLOT, NameConstraints, Profile, SlotId
from pki.requested_authority.resource import RequestedAuthority
from pki.rollover import Slots, problems_below_cross_certificate, room_below, room_below_root
from postseal_core.arguments import Arguments

__all__ = ["AdoptedAuthority", "AuthoritySlot", "CertificateAuthority", "IntermediateAuthority"]


@describes_fields(AuthorityFields)
class CertificateAuthority(pulumi.ComponentResource):
    """A root of trust with its own key; it signs the certificates that name it as `authority`.

        ca = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA", path_length=0)

    An authority is protected unless `opts` say `protect=False`: losing its key means a new certificate for everybody.

    Args:
        name: Name of the resource, of its key and of its files.
        name_constraints: Which names it can vouch for (RFC 5280 section 4.2.1.10). Default: any.
        crl_urls: Where its `RevocationList` can be fetched: `http://` addresses, for a list is signed and needs no TLS.
            They are written into every certificate that it issues, and into none of its own; another address means
            that all are issued anew. `{slot}` becomes the name of the slot that signs, for each slot has a list of its
            own. Default: none.
        lifetime: How long its certificate is valid and when it is renewed. Default: 10 years, renewed with the same key
            after two thirds of it.
        slots: Which of its keys signs, for a rollover to another key. Default: the first one, and no other.
        adopt: Key and certificate that were made elsewhere, for the first slot. Default: they are made.
        opts: Options of Pulumi; what they say goes before the protection. Default: none.
        **fields: The fields of its certificate; `AuthorityFields` says what each means.

    Attributes:
        name: Name of the authority.
        profile: `root`, or `intermediate` of an `IntermediateAuthority`.
        certificate: The certificate of the slot that signs.
        certificate_pem: That certificate in PEM.
        fingerprint_sha256: Its SHA-256: 32 upper-case hex pairs with colons.
        private_key_pem: Its key in PEM; a secret.
        active: The slot that signs.
        slots: Every slot that is declared, by its number.
        issuer: The authority above it, None for a root.
        root: The root above it; a root itself.
        trusted_pem: The certificates by which it is trusted, in PEM, by the name of their slot: of the active, the
            standby and the retiring one. Of a root that was adopted and renewed, the certificate before as well, until
            it expires.
        issuing_chain_pem: Its certificate and what leads from there to a root that everybody knows, in PEM.
        links_above: The certificates above it in a chain that is sent to others: all but roots.
        crl_urls: Where its revocation list can be fetched.
        standby_hours: How long a standby must have been published before it may sign.
        declared_issuer: What its declaration means for the certificates that it signs.
        distrusted: Those of its slots that are distrusted.
        listing: The numbers of its slots that sign revocation lists.
        room: The largest `path_length` of an authority below, where a cross certificate above sets a limit; else None.
        is_root: Whether it signs itself; not so where another one signs, in this program or elsewhere.
        awaits: What it waits for, if it or one above has no certificate yet and can issue nothing; empty otherwise.

    Raises:
        ConfigError: everything that is wrong with the arguments, before anything is registered. What the certificate
            itself must not say (a country that is none, a limit of the authority above) fails the preview.
    """

    profile: ClassVar[Profile] = Profile.ROOT

    certificate_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        name_constraints: NameConstraints | None = None,
        crl_urls: Texts = (),
        lifetime: LifetimePolicy | None = None,
        slots: Slots | None = None,
        adopt: AdoptedAuthority | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **fields: Unpack[AuthorityFields],
    ) -> None:
        arguments = Arguments("authorities", name, opts)
        declared = read_authority(
            arguments,
            fields,
            name=name,
            name_constraints=name_constraints,
            crl_urls=crl_urls,
            lifetime=lifetime,
            slots=slots,
            adopt=adopt,
            is_root=True,
        )
        arguments.refuse()
        self._declare(name, declared, None, opts)

    def _declare(
        self,
        name: str,
        declared: DeclaredAuthority,
        issuer: "CertificateAuthority | None",
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Register the component, and for each slot a key and a certificate."""
        options = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(protect=True), opts)
        super().__init__(f"postseal:index:{type(self).__name__}", name, {}, options)
        self._is_adopted = declared.adopt is not None
        self.name, self.issuer, self.standby_hours = name, issuer, declared.slots.standby_hours
        self._trusted = declared.slots.trusted
        self.listing = declared.listing
        self.distrusted = tuple(SlotId(name, number) for number in declared.slots.distrusted)
        self.crl_urls, self.room = declared.crl_urls, _room(declared, issuer)
        self.declared_issuer = _declared_issuer(name, declared, self.profile)
        self.is_root, self.awaits = not (issuer or declared.third_party), _awaits(name, declared, issuer)
        self.slots: Mapping[int, AuthoritySlot] = {each: self._slot(each, declared) for each in declared.slots.numbers}
        add_distrusted({each: self.slots[each.number].certificate.certificate_pem for each in self.distrusted})
        if self.is_root and declared.slots.lifts_standby:
            pulumi.log.warn(
                f"{name}: slot {declared.slots.active} signs whether everybody has its root or not, as the time that a "
                "standby waits is 0 hours (slots.standby_for)",
                self,
            )
        self.active = self.slots[declared.slots.active]
        self.certificate, self.private_key_pem = self.active.certificate, self.active.private_key_pem
        self.certificate_pem = self.certificate.certificate_pem
        self.fingerprint_sha256 = self.certificate.fingerprint_sha256
        self.root: CertificateAuthority = issuer.root if issuer else self
        self.links_above = self._links_above(declared)
        self.issuing_chain_pem = self._issuing_chain()
        self.register_outputs({"fingerprint_sha256": self.fingerprint_sha256})

    @property
    def trusted_pem(self) -> Mapping[str, pulumi.Output[str]]:
        """The certificates by which this authority is trusted, by slot: of the active, standby and retiring ones."""
        return {self.slots[each].name: self._roots_of(self.slots[each]) for each in self._trusted}

    def _roots_of(self, slot: AuthoritySlot) -> pulumi.Output[str]:
        certificate = slot.certificate
        is_adopted_root = self._is_adopted and self.issuer is None and slot.id.number == FIRST_SLOT
        if is_adopted_root and isinstance(certificate, Certificate):
            return certificate.trusted_pem
        return certificate.certificate_pem

    def _slot(self, number: int, declared: DeclaredAuthority) -> AuthoritySlot:
        # What is retiring will be deleted by the next step, and the engine asks the state for the protection then.
        is_protected = False if number in (declared.slots.retiring, *declared.slots.distrusted) else None
        options = pulumi.ResourceOptions(parent=self, protect=is_protected)
        issuer = issuer_args(self.issuer) if self.issuer else None
        return new_slot(SlotId(self.name, number), declared, issuer, options, awaits=self.awaits)

    def _links_above(self, declared: DeclaredAuthority) -> Sequence[Certificate | RequestedAuthority]:
        if self.issuer:
            return [*([] if self.issuer.is_root else [self.issuer.certificate]), *self.issuer.links_above]
        if declared.slots.cross_sign and declared.slots.retiring is not None:
            retiring, options = self.slots[declared.slots.retiring], pulumi.ResourceOptions(parent=self, protect=False)
            return [cross_certificate(declared, self.active, retiring, options)]
        return []

    def _issuing_chain(self) -> pulumi.Output[str]:
        """Return the active certificate, followed by its issuers or the cross certificate above it."""
        if self.awaits:
            return pulumi.Output.from_input("")
        if self.issuer:
            return pulumi.Output.concat(self.certificate_pem, self.issuer.issuing_chain_pem)
        if isinstance(self.certificate, RequestedAuthority):
            return self.certificate.chain_pem
        above = [each.certificate_pem for each in self.links_above]
        return pulumi.Output.concat(self.certificate_pem, *above) if above else self.certificate_pem


def _declared_issuer(name: str, declared: DeclaredAuthority, profile: Profile) -> DeclaredIssuer:
    """Return what the declaration of an authority means for what it signs, with any of its slots."""
    subjects = (declaration_of(declared.content_of(each), profile).subject for each in declared.slots.numbers)
    return DeclaredIssuer(name, tuple(subjects), policy_of(declared.content, profile).validity_hours)


def _awaits(name: str, declared: DeclaredAuthority, issuer: CertificateAuthority | None) -> str:
    """Return what an authority waits for: its own certificate, or that of one above."""
    is_own = declared.third_party is not None and declared.third_party.is_waiting(declared.slots)
    return f"the certificate of {name}" if is_own else issuer.awaits if issuer else ""


def _room(declared: DeclaredAuthority, issuer: CertificateAuthority | None) -> int | None:
    if issuer:
        return room_below(issuer.room)
    return room_below_root(declared.content.path_length, is_cross_signed=declared.slots.cross_sign)


@describes_fields(AuthorityFields)
class IntermediateAuthority(CertificateAuthority):
    """An authority that another one signs, nested as deep as the path lengths above it allow.

        office = pki.IntermediateAuthority("office-ca", authority=ca, common_name="Example Office CA")

    Its attributes are those of a `CertificateAuthority`, and it is protected as one.

    Args:
        name: Name of the resource, of its key and of its files.
        authority: Who vouches for it.
        name_constraints: Which names it can vouch for, within those of the authorities above (RFC 5280 section
            4.2.1.10). Default: what they allow.
        crl_urls: Where its `RevocationList` can be fetched: `http://` addresses, written into every certificate that it
            issues, with `{slot}` as of a root. Default: none.
        lifetime: How long its certificate is valid and when it is renewed. Default: 5 years, renewed with the same key
            after two thirds of it.
        slots: Which of its keys signs, for a rollover to another key. Default: the first one, and no other.
        adopt: Key and certificate that were made elsewhere, for the first slot. Default: they are made.
        opts: Options of Pulumi; what they say goes before the protection. Default: none.
        **fields: The fields of its certificate; `AuthorityFields` says what each means.

    Raises:
        ConfigError: as of a `CertificateAuthority`.
    """

    profile: ClassVar[Profile] = Profile.INTERMEDIATE

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        name_constraints: NameConstraints | None = None,
        crl_urls: Texts = (),
        lifetime: LifetimePolicy | None = None,
        slots: Slots | None = None,
        adopt: AdoptedAuthority | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **fields: Unpack[AuthorityFields],
    ) -> None:
        arguments = Arguments("authorities", name, opts)
        arguments.expect("authority", authority, CertificateAuthority, AN_AUTHORITY)
        declared = read_authority(
            arguments,
            fields,
            name=name,
            name_constraints=name_constraints,
            crl_urls=crl_urls,
            lifetime=lifetime,
            slots=slots,
            adopt=adopt,
            is_root=False,
        )
        length, above = declared.content.path_length, authority.root.name
        arguments.add(problems_below_cross_certificate(length, authority.room, above))
        arguments.add(problems_below_issuer(declared.content, self.profile, authority.declared_issuer))
        arguments.refuse()
        self._declare(name, declared, authority, opts)
