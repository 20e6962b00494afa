"""Revocation lists: the revoked certificates of an authority, signed by it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, get_args

import pulumi
from pydantic import StrictInt

from pki.certificate.resource import Certificate
from pki.components.authority import CertificateAuthority, IntermediateAuthority
from pki.components.client import ClientCertificate
from pki.components.reading import AN_AUTHORITY
from pki.components.roster import ClientRoster
from pki.components.server import ServerCertificate
from pki.components.signing import AuthoritySlot, slot_issuer_args
from pki.components.waiting import unless_waiting
from pki.model import SlotId
from pki.revocation_list.records import ListedCertificate, RevocationListArgs, RevocationListState
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import RecordResource, later
from postseal_core.reading import Section

__all__ = ["RevocationList"]

_CERTIFICATE: Final = (
    "a certificate, as pki.ClientCertificate(...) or pki.ServerCertificate(...), or an authority below, as "
    "pki.IntermediateAuthority(...)"
)
_Issued = ClientCertificate | ServerCertificate | IntermediateAuthority
_ROSTER: Final = "a roster, as pki.ClientRoster(...)"


class _OwnArguments(Section):
    """The plain arguments."""

    lifetime_hours: StrictInt = 168
    renew_before_hours: StrictInt | None = None
    first_crl_number: StrictInt = 1
    slot: StrictInt | None = None


class RevocationList(RecordResource):
    """The revocation list of an authority (RFC 5280 section 5), signed anew at `pulumi up` when that is due.

        crl = pki.RevocationList("mail-ca", authority=ca, certificates=[alice, mx1], rosters=[staff])

    An entry stays until its certificate has expired, also when the client is no longer declared; only certificateHold
    can be taken back. A client that is removed without having been revoked is not listed. Each slot of the authority
    signs a list of its own, which names what that slot has issued, until it is withdrawn. Publishing the files that
    `HandOut` writes is left to you.

    Args:
        name: Name of the resource.
        authority: Whose list it is.
        certificates: Single certificates that the authority has issued, and authorities that it has signed, of which a
            retiring slot may be revoked; what is revoked of them is listed, in the same `pulumi up`. One of another
            authority is refused. Default: none.
        rosters: Rosters of the authority, likewise. Default: none.
        lifetime_hours: For how long a list may be used, in hours. Whoever checks lists refuses everybody once the list
            has expired: run `pulumi up` more often than that. Default: 168, 7 days.
        renew_before_hours: How many hours before its end the next `pulumi up` signs another one. Default: half of the
            lifetime.
        first_crl_number: Where the numbers begin (RFC 5280 section 5.2.3), if lists were signed elsewhere before.
            Default: 1.
        slot: Number of the slot that signs; only that one's list is made. Default: the active one, and a further list
            for each other slot that is declared.
        opts: Options of Pulumi. Default: none.

    Attributes:
        name: The name that was given.
        authority: Whose list it is.
        by_slot: This list and those of the other slots, by the name of the slot.
        crl_pem: The list in PEM.
        crl_number: Its number.
        this_update: When it was signed, as `2026-11-26T02:00:00Z` (RFC 3339).
        next_update: When it expires, as `this_update`.
        renew_at: From when on `pulumi up` signs the next one, as `this_update`.
        revoked: Its entries; each a mapping with `name`, `serial_number`, `revoked_at` and `reason`.

    Raises:
        ConfigError: everything that is wrong with the arguments, also a certificate of another authority.
    """

    resource_type = "RevocationList"
    state = RevocationListState

    crl_pem: pulumi.Output[str]
    crl_number: pulumi.Output[int]
    this_update: pulumi.Output[str]
    next_update: pulumi.Output[str]
    renew_at: pulumi.Output[str]
    revoked: pulumi.Output[list[Any]]

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        certificates: Sequence[ClientCertificate | ServerCertificate | IntermediateAuthority] = (),
        rosters: Sequence[ClientRoster] = (),
        lifetime_hours: int = 168,
        renew_before_hours: int | None = None,
        first_crl_number: int = 1,
        slot: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = Arguments("revocation_lists", name, opts)
        arguments.expect("authority", authority, CertificateAuthority, AN_AUTHORITY)
        arguments.expect_each("certificates", certificates, get_args(_Issued), _CERTIFICATE)
        arguments.expect_each("rosters", rosters, ClientRoster, _ROSTER)
        numbers = {
            "lifetime_hours": lifetime_hours,
            "renew_before_hours": renew_before_hours,
            "first_crl_number": first_crl_number,
            "slot": slot,
        }
        own = arguments.section(numbers, _OwnArguments)
        arguments.refuse()
        arguments.add(_problems_of_slot(authority, slot))
        arguments.add(_foreign("certificates", authority, certificates))
        arguments.add(_foreign("rosters", authority, rosters))
        arguments.refuse()
        signer = authority.active if slot is None else authority.slots[slot]
        args = _args(SlotId(name, signer.id.number).name, authority, signer, own)
        listed = tuple(_listed(each) for issued in certificates for each in _single(issued))
        packed = {each.name: later(each.issued) for each in rosters}
        whole = replace(args, certificates=listed, rosters=packed)
        super().__init__(args.name, unless_waiting(authority, whole), opts)
        self.name, self.authority = name, authority
        self.by_slot: Mapping[str, RevocationList] = {signer.name: self} | {
            each.name: RevocationList(
                name,
                authority=authority,
                certificates=certificates,
                rosters=rosters,
                lifetime_hours=lifetime_hours,
                renew_before_hours=renew_before_hours,
                first_crl_number=first_crl_number,
                slot=each.id.number,
                opts=opts,
            )
            for each in (_other_slots(authority) if slot is None else ())
        }


def _args(name: str, authority: CertificateAuthority, signer: AuthoritySlot, own: _OwnArguments) -> RevocationListArgs:
    """Return the declaration of a slot's list, still without anything that it lists."""
    return RevocationListArgs(
        name=name,
        authority=authority.name,
        certificates=(),
        issuer=slot_issuer_args(signer, authority.links_above),
        lifetime_hours=own.lifetime_hours,
        renew_before_hours=own.renew_before_hours,
        first_crl_number=own.first_crl_number,
    )


def _other_slots(authority: CertificateAuthority) -> list[AuthoritySlot]:
    """Return the slots beside the active one that sign lists."""
    return [authority.slots[number] for number in authority.listing if authority.slots[number] is not authority.active]


def _problems_of_slot(authority: CertificateAuthority, slot: int | None) -> Iterator[Problem]:
    if slot is not None and slot not in authority.slots:
        declared = ", ".join(map(str, authority.slots))
        yield Problem("slot", f"got {slot}, expected a slot of {authority.name}: {declared}")


def _foreign(
    argument: str,
    authority: CertificateAuthority,
    issued: Sequence[_Issued] | Sequence[ClientRoster],
) -> Iterator[Problem]:
    for each in issued:
        above = each.issuer if isinstance(each, IntermediateAuthority) else each.authority
        if above is not authority:
            signer = above.name if above else "itself"
            yield Problem(
                f"{argument}.{each.name}",
                f"was signed by {signer}, and this is the list of {authority.name}: put it on the list of its signer",
            )


def _single(issued: _Issued) -> list[Certificate]:
    """Return the certificates of an authority's slots, or the one that it is."""
    if isinstance(issued, IntermediateAuthority):
        certificates = (slot.certificate for slot in issued.slots.values())
        return [each for each in certificates if isinstance(each, Certificate)]
    return [issued]


def _listed(each: Certificate) -> ListedCertificate:
    return ListedCertificate(
        name=each.name,
        serial_number=later(each.serial_number),
        previous=later(each.previous),
        revoked=later(each.revoked),
    )
