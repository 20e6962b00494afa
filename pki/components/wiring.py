"""Turn the values of a component's arguments into the properties of its resources."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import pulumi

from pki.lifetime import LifetimePolicy
from pki.model import NameConstraints, Profile, Subject
from pki.resources import Certificate, CertificateArgs

if TYPE_CHECKING:
    from pki.components.authority import CertificateAuthority
    from pki.components.slots import AuthoritySlot

__all__ = [
    "certificate_args",
    "child_options",
    "issuer_properties",
    "lifetime_properties",
    "name_constraints_properties",
    "present",
    "signer_properties",
    "subject_properties",
    "withdrawal_properties",
]


def present(**properties: Any) -> dict[str, Any]:
    """Return the properties that were given: empty texts, lists, None and False are left out, so state stays small."""
    return {
        name: list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        for name, value in properties.items()
        if isinstance(value, pulumi.Output) or value or (isinstance(value, int) and not isinstance(value, bool))
    }


def certificate_args(name: str, profile: Profile, *parts: Mapping[str, Any]) -> CertificateArgs:
    """Return the arguments of a certificate, put together from parts that each set other properties."""
    properties: dict[str, Any] = {"name": name, "profile": profile.value}
    for part in parts:
        properties |= part
    return cast("CertificateArgs", properties)


def subject_properties(subject: Subject) -> dict[str, Any]:
    """Return the properties of a subject."""
    return present(
        common_name=subject.common_name,
        organization=subject.organization,
        organizational_unit=subject.organizational_unit,
        locality=subject.locality,
        state_or_province=subject.state_or_province,
        country=subject.country,
    )


def name_constraints_properties(constraints: NameConstraints) -> dict[str, Any]:
    """Return the properties of name constraints."""
    return present(
        permitted_dns=constraints.permitted_dns,
        excluded_dns=constraints.excluded_dns,
        permitted_email=constraints.permitted_email,
        excluded_email=constraints.excluded_email,
    )


def lifetime_properties(lifetime: LifetimePolicy | None) -> dict[str, Any]:
    """Return the properties of a policy; none where the profile's own defaults hold."""
    if lifetime is None:
        return {}
    properties: dict[str, Any] = {
        "validity_hours": lifetime.validity_hours,
        "overlap_hours": lifetime.overlap_hours,
        "renew_key_every": lifetime.renew_key_every,
    }
    if lifetime.renew_before_hours is None:
        return properties | {"renew_fraction": str(lifetime.renew_fraction)}
    return properties | {"renew_before_hours": lifetime.renew_before_hours}


def issuer_properties(authority: "CertificateAuthority") -> dict[str, Any]:
    """Return what a certificate needs of the authority that issues it."""
    return signer_properties(authority) | present(crl_urls=authority.crl_urls)


def signer_properties(authority: "CertificateAuthority") -> dict[str, Any]:
    """Return what is needed of an authority to sign with its key."""
    active = authority.active
    properties: dict[str, Any] = {
        "issuer_name": active.name,
        "issuer_id": active.name,
        "issuer_generation": active.certificate.generation,
        "issuer_not_before": active.certificate.not_before,
        "issuer_not_after": active.certificate.not_after,
        "issuer_chain_pem": authority.issuing_chain_pem,
        "issuer_private_key_pem": active.private_key_pem,
    }
    if authority.links_above:
        properties["issuer_below"] = pulumi.Output.concat(*map(_link_label, authority.links_above))
    if not authority.issuer and authority.standby_hours and active.number > 1:
        properties["issuer_standby_hours"] = authority.standby_hours
    return properties


def _link_label(link: "AuthoritySlot") -> pulumi.Output[str]:
    """Return what names one generation of a certificate in a chain, so that a chain that changes is noticed."""
    generation = link.certificate.generation.apply(lambda number: str(int(number)))
    return pulumi.Output.concat(" below ", link.name, " generation ", generation)


def withdrawal_properties(
    authorities: "Iterable[CertificateAuthority]", dependents: Mapping[str, Certificate]
) -> dict[str, Any]:
    """Return what is needed to refuse that a slot is withdrawn while something it signed is still accepted.

    `authorities`: those that sign the dependents; the ones above them and their own certificates are added.
    """
    line = {each.name: each for authority in authorities for each in _with_issuers(authority)}
    slots = [(each, slot) for each in line.values() for slot in each.slots.values()]
    certificates = {slot.name: slot.certificate for each, slot in slots if each.issuer} | dict(dependents)
    return {
        "issuers": sorted(slot.name for _, slot in slots),
        "authorities": sorted(line),
        "dependents": {name: {"previous": certificate.previous} for name, certificate in certificates.items()},
    }


def _with_issuers(authority: "CertificateAuthority | None") -> "Iterator[CertificateAuthority]":
    while authority:
        yield authority
        authority = authority.issuer


def child_options(parent: pulumi.Resource, **options: Any) -> pulumi.ResourceOptions:
    """Return options of a child resource."""
    return pulumi.ResourceOptions(parent=parent, **options)
