"""Resources of an authority's slots: a key and a certificate each, and a cross certificate between two of them."""

from dataclasses import replace

import pulumi
import pulumi_tls as tls

from pki.certificate.records import CarriedArgs, CertificateArgs
from pki.certificate.resource import Certificate
from pki.components.declared_authority import DeclaredAuthority
from pki.components.signing import AuthoritySlot, slot_issuer_args
from pki.fields import DeclaredCertificate
from pki.model import FIRST_SLOT, AuthorityChange, KeyAlgorithm, Profile, SlotId
from pki.profiles import PROFILES
from pki.records import IssuerArgs
from pki.requested_authority.records import RequestedAuthorityArgs
from pki.requested_authority.resource import RequestedAuthority
from pki.rollover import room_below
from pki.third_party import ThirdParty
from pki.tls_keys import tls_private_key_arguments
from postseal_core.program import later
from postseal_core.waiting import Awaiting

__all__ = ["cross_certificate", "new_private_key", "new_slot"]


def new_slot(
    slot: SlotId,
    declared: DeclaredAuthority,
    issuer: IssuerArgs | None,
    options: pulumi.ResourceOptions,
    *,
    awaits: str = "",
) -> AuthoritySlot:
    """Register the key and the certificate of a slot.

    `issuer`: None for a root, and where somebody else signs. `awaits`: of one above that waits for its certificate.
    """
    if declared.third_party:
        return _requested_slot(slot, declared, declared.third_party, options)
    adopt, slots = declared.adopt if slot.number == FIRST_SLOT else None, declared.slots
    is_crossed = slots.cross_sign and slot.number == slots.active
    key_pem = _key_pem(slot, declared, options)
    args = CertificateArgs(
        name=slot.name,
        profile=Profile.INTERMEDIATE if issuer else Profile.ROOT,
        declared=declared.content_of(slot.number),
        slot=slot,
        issuer=issuer,
        private_key_pem=later(key_pem),
        adopt_certificate_pem=adopt.certificate_pem if adopt else "",
        carries_on=None if adopt else _carried(declared, slot.number),
        change=_changes(declared),
        is_distrusted=slot.number in slots.distrusted,
        cross_signers=(replace(slot, number=slots.retiring),) if is_crossed and slots.retiring else (),
        trusted_slots=tuple(replace(slot, number=each) for each in sorted(slots.trusted)) if slots.distrusted else (),
    )
    return AuthoritySlot(slot, key_pem, Certificate(slot.name, Awaiting(awaits) if awaits else args, options))


def _key_pem(slot: SlotId, declared: DeclaredAuthority, options: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Return the key of a slot: the one that was adopted for the first, else a new one."""
    if declared.adopt and slot.number == FIRST_SLOT:
        return declared.adopt.opened_key_pem()
    return new_private_key(slot.name, declared.content.key_algorithm, options).private_key_pem


def _requested_slot(
    slot: SlotId, declared: DeclaredAuthority, third_party: ThirdParty, options: pulumi.ResourceOptions
) -> AuthoritySlot:
    """Register a key and the request for it, with what was signed if that is here."""
    key_pem = _key_pem(slot, declared, options)
    args = RequestedAuthorityArgs(
        name=slot.name,
        slot=slot,
        declared=replace(
            # How long it is valid, the signer decides; what it signs is replaced by the rules of each.
            declared.content_of(slot.number),
            validity_hours=None,
            overlap_hours=None,
            renew_key_every=None,
        ),
        purposes=third_party.extended_key_usage,
        private_key_pem=later(key_pem),
        signed_chain_pem=third_party.signed_chains_pem.get(slot.number, ""),
        roots_pem=third_party.roots_pem,
        carries_on=_carried(declared, slot.number) if slot.number != FIRST_SLOT else None,
    )
    return AuthoritySlot(slot, key_pem, RequestedAuthority(slot.name, args, options))


def cross_certificate(
    declared: DeclaredAuthority, active: AuthoritySlot, by: AuthoritySlot, options: pulumi.ResourceOptions
) -> Certificate:
    """Let the retiring root certify the key of the active one, for parties that do not know the active one yet."""
    args = CertificateArgs(
        name=f"{active.name}-by-{by.name}",
        profile=Profile.INTERMEDIATE,
        declared=_cross_content(declared.content_of(active.id.number)),
        issuer=slot_issuer_args(by),
        private_key_pem=later(active.private_key_pem),
        carries_on=_carried(declared, active.id.number),
        change=(*_changes(declared), AuthorityChange.PATH_LENGTH) if declared.adopt else (),
    )
    return Certificate(args.name, args, options)


def _carried(declared: DeclaredAuthority, number: int) -> CarriedArgs | None:
    """Return the certificate whose name and extensions a later slot has: that of the authority that was adopted."""
    return CarriedArgs(certificate_pem=declared.adopt.certificate_pem, number=number) if declared.adopt else None


def _changes(declared: DeclaredAuthority) -> tuple[AuthorityChange, ...]:
    return tuple(map(AuthorityChange, declared.adopt.change)) if declared.adopt else ()


def _cross_content(content: DeclaredCertificate) -> DeclaredCertificate:
    """Adapt a root's declaration for its cross certificate, which must fit below the other root."""
    default = PROFILES[Profile.INTERMEDIATE].default_validity_hours
    return replace(
        content,
        path_length=room_below(content.path_length),
        validity_hours=min(default, content.validity_hours or default),
        renew_fraction=None,
        renew_before_hours=None,
        overlap_hours=None,
        renew_key_every=None,
    )


def new_private_key(name: str, algorithm: KeyAlgorithm, options: pulumi.ResourceOptions) -> tls.PrivateKey:
    """Register a key that the engine keeps."""
    arguments = tls_private_key_arguments(algorithm)
    return tls.PrivateKey(
        f"{name}-key",
        algorithm=arguments.algorithm,
        ecdsa_curve=arguments.ecdsa_curve,
        rsa_bits=arguments.rsa_bits,
        opts=options,
    )
