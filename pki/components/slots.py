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
from pki.rollover import room_below
from pki.tls_keys import tls_private_key_arguments
from postseal_core.program import later

__all__ = ["cross_certificate", "new_private_key", "new_slot"]


def new_slot(
    slot: SlotId, declared: DeclaredAuthority, issuer: IssuerArgs | None, options: pulumi.ResourceOptions
) -> AuthoritySlot:
    """Register the key and the certificate of a slot; `issuer`: None for a root."""
    adopt, slots = declared.adopt if slot.number == FIRST_SLOT else None, declared.slots
    is_crossed = slots.cross_sign and slot.number == slots.active
    key_pem = (
        adopt.opened_key_pem()
        if adopt
        else new_private_key(slot.name, declared.content.key_algorithm, options).private_key_pem
    )
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
    return AuthoritySlot(slot, key_pem, Certificate(slot.name, args, options))


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
