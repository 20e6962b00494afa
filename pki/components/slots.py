"""The slots of an authority as resources: a key and a certificate each, and the certificate that joins two of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi
import pulumi_tls as tls

from pki.components.wiring import certificate_args, subject_properties
from pki.keys import tls_private_key_arguments
from pki.model import KeyAlgorithm, Profile, Subject
from pki.profiles import PROFILES
from pki.resources import Certificate
from pki.rollover import FIRST_SLOT, Slots, room_below, slot_name

__all__ = ["AdoptedAuthority", "AuthoritySlot", "DeclaredAuthority", "cross_certificate", "new_slot"]

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


@dataclass(frozen=True, slots=True)
class DeclaredAuthority:
    """What the slots of an authority have in common."""

    subject: Subject
    content: dict[str, Any]
    key_algorithm: KeyAlgorithm
    slots: Slots
    crl_urls: tuple[str, ...]
    adopt: AdoptedAuthority | None

    @property
    def path_length(self) -> int | None:
        """How many authorities may stand below, None for no limit."""
        return self.content.get("path_length")

    def subject_of(self, number: int) -> Subject:
        """Return the subject of a slot; two authorities of one name would be hard to tell apart."""
        if number == FIRST_SLOT:
            return self.subject
        return replace(self.subject, common_name=f"{self.subject.common_name} {number}")


def new_slot(
    authority: str,
    number: int,
    declared: DeclaredAuthority,
    issuer: Mapping[str, Any],
    options: pulumi.ResourceOptions,
) -> AuthoritySlot:
    """Register the key and the certificate of a slot; `issuer`: properties of who signs it, none for a root."""
    name = slot_name(authority, number)
    adopt = declared.adopt if number == FIRST_SLOT else None
    key_pem = _key(name, declared.key_algorithm, adopt, options)
    args = certificate_args(
        name,
        Profile.INTERMEDIATE if issuer else Profile.ROOT,
        {"key_algorithm": declared.key_algorithm.value, "private_key_pem": key_pem},
        subject_properties(declared.subject_of(number)),
        declared.content,
        issuer,
        {"adopt_certificate_pem": adopt.certificate_pem} if adopt else {},
    )
    return AuthoritySlot(number, name, key_pem, Certificate(name, args, options))


def cross_certificate(
    declared: DeclaredAuthority, active: AuthoritySlot, by: AuthoritySlot, options: pulumi.ResourceOptions
) -> AuthoritySlot:
    """Let the retiring root certify the key of the active one, for parties that do not know the active one yet."""
    name = f"{active.name}-by-{by.name}"
    args = certificate_args(
        name,
        Profile.INTERMEDIATE,
        {"key_algorithm": declared.key_algorithm.value, "private_key_pem": active.private_key_pem},
        subject_properties(declared.subject_of(active.number)),
        _cross_content(declared),
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
    return AuthoritySlot(active.number, name, active.private_key_pem, Certificate(name, args, options))


def _cross_content(declared: DeclaredAuthority) -> dict[str, Any]:
    """Return what the root says of itself, with a path_length and a validity that fit below the other root."""
    content = {key: value for key, value in declared.content.items() if key not in _LIFETIME}
    if declared.path_length is not None:
        content["path_length"] = room_below(declared.path_length)
    default = PROFILES[Profile.INTERMEDIATE].default_validity_hours
    return content | {"validity_hours": min(default, declared.content.get("validity_hours", default))}


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
