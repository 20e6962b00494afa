"""States of stacks as `pulumi stack export` prints them, made by the provider's own handlers; days count from NOW."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from pki.imported_certificate.records import ImportedCertificateArgs
from pki.keys import private_key_pem
from pki.lifetime import BEGINS_BEFORE_HOURS
from pki.model import KeyAlgorithm, Profile, RevocationReason, SlotId, Subject, SubjectAltNames, Validity
from pki.roster.rows import RosterRow
from tests.support.running_stack import SECRET, RunningStack, row, slot_key_pem
from tests.support.specimens import issue_leaf, key_of, make_authority

__all__ = [
    "MAIL_CA",
    "NOW",
    "SECRET",
    "accepted_of",
    "certificate",
    "damaged",
    "day",
    "export",
    "imported",
    "large_stack",
    "mail_stack",
    "member",
    "requested",
    "revocation_list",
    "roster",
    "waiting",
]

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
MAIL_ROOT, MAIL_CA = SlotId("mail-root"), SlotId("mail-ca")
_AUTHORITIES = (MAIL_ROOT.name, MAIL_CA.name)


def day(days: float) -> datetime:
    """Return the instant that many days after NOW, to the second."""
    return NOW + timedelta(seconds=round(days * 86400))


def issued_on(days: float) -> datetime:
    """Return the instant of a run that issues what begins on that day."""
    return day(days) + timedelta(hours=BEGINS_BEFORE_HOURS)


def certificate(
    name: str,
    *,
    not_before: float = -100,
    not_after: float = 265,
    renew_at: float | None = None,
    previous: Sequence[float] = (),
    revoked: float | None = None,
    profile: str = "client",
    **declared: Any,
) -> dict[str, Any]:
    """Return the resource of a certificate that was issued 100 days ago for 365 days, unless said otherwise.

    `previous`: on which days generations before it retire. `revoked`: on which day it was revoked.
    """
    stack = _with_authorities()
    _declare(stack, name, profile, not_after - not_before, None if renew_at is None else not_after - renew_at, declared)
    _live(stack, name, not_before, previous)
    if revoked is not None:
        stack.change(name, revoke=RevocationReason.KEY_COMPROMISE)
        stack.up(day(revoked), name)
    return _made(stack, name)


def _declare(
    stack: RunningStack, name: str, profile: str, days: float, renew_before: float | None, declared: Mapping[str, Any]
) -> None:
    kind = Profile(profile)
    names: dict[str, Any] = {"common_name": name}
    if kind is Profile.CLIENT:
        names["email"] = "somebody@example.net"
    elif not kind.is_authority:
        names["dns_names"] = (f"{name}.example.org",)
    lifetime = {"validity_hours": round(days * 24)}
    if renew_before is not None:
        lifetime["renew_before_hours"] = round(renew_before * 24)
    issuer = None if kind is Profile.ROOT or "is_interim" in declared else MAIL_CA
    stack.certificate(name, kind, issuer, **names | lifetime | dict(declared))


def _live(stack: RunningStack, name: str, not_before: float, previous: Sequence[float]) -> None:
    """Issue the generations that retire on the days of `previous`, on each of the days before, and then the last."""
    for number, retires in enumerate(previous, start=1):
        issued = not_before - len(previous) + number
        stack.up(issued_on(issued - 1), name)
        overlap = round((day(retires) - issued_on(issued)) / timedelta(hours=1))
        stack.change(name, overlap_hours=overlap, crl_urls=(f"http://crl.example.org/{number}",))
    stack.up(issued_on(not_before), name)


def waiting(name: str, **more: Any) -> dict[str, Any]:
    """Return the resource that stands in for a server's certificate which a third party has not signed yet."""
    key_pem = slot_key_pem(SlotId(name))
    return certificate(name, profile="server", is_interim=True, private_key_pem=key_pem, **more)


def requested(name: str, **more: Any) -> dict[str, Any]:
    """Return the resource of a client's certificate by request: its key was made elsewhere."""
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = request.sign(key_of(KeyAlgorithm.ECDSA_P256), SHA256())
    return certificate(name, request_pem=signed.public_bytes(Encoding.PEM).decode(), **more)


def imported(name: str, *, not_after: float = 40, renew_at: float = 10) -> dict[str, Any]:
    """Return the resource of an imported certificate that was signed elsewhere 50 days ago."""
    stack = RunningStack()
    stack.imported(_signed_elsewhere(name, not_after, renew_at))
    stack.up(day(-49))
    return _made(stack, name)


def _signed_elsewhere(name: str, not_after: float, renew_at: float) -> ImportedCertificateArgs:
    host = f"{name}.example.org"
    other = make_authority(subject=Subject("Other CA"), validity=Validity(day(-900), day(900)))
    leaf = issue_leaf(
        other,
        validity=Validity(day(-50), day(not_after)),
        subject=Subject(host),
        alt_names=SubjectAltNames(dns_names=(host,)),
    )
    return ImportedCertificateArgs(
        name=name,
        dns_names=(host,),
        chain_pem=leaf.public_bytes(Encoding.PEM).decode(),
        private_key_pem=private_key_pem(key_of(KeyAlgorithm.ECDSA_P256)),
        renew_before_hours=round((not_after - renew_at) * 24),
    )


def revocation_list(name: str, *, this_update: float = -3, next_update: float = 27, renew_at: float = 17) -> Any:
    """Return the resource of an authority's twelfth revocation list, signed 3 days ago for 30 days."""
    stack = _with_authorities()
    _declare_list(stack, name, (), this_update, next_update, renew_at)
    stack.up(day(this_update), name)
    return _made(stack, name)


def _declare_list(
    stack: RunningStack, name: str, listed: Sequence[str], this_update: float, next_update: float, renew_at: float
) -> None:
    stack.revocation_list(
        name,
        MAIL_CA,
        listed,
        lifetime_hours=round((next_update - this_update) * 24),
        renew_before_hours=round((next_update - renew_at) * 24),
        first_crl_number=12,
    )


def member(
    name: str,
    *,
    not_after: float = 265,
    renew_at: float | None = None,
    retires: float | None = None,
    is_revoked: bool = False,
    **said: Any,
) -> tuple[RosterRow, RosterRow]:
    """Return the rows of a client of `roster`, before and since the day on which it was issued what it has now.

    `retires`: on which day a generation retires that was issued a day earlier.
    """
    fields: dict[str, Any] = {"common_name": name, "validity_hours": round((not_after + 100) * 24)} | said
    if renew_at is not None:
        fields["renew_before_hours"] = round((not_after - renew_at) * 24)
    before = row(name, **fields)
    if retires is not None:
        fields |= {
            "overlap_hours": round((day(retires) - issued_on(-100)) / timedelta(hours=1)),
            "organization": "Example",
        }
    if is_revoked:
        fields["revoke"] = RevocationReason.KEY_COMPROMISE
    return before, row(name, **fields)


def roster(name: str, members: Sequence[tuple[RosterRow, RosterRow]], **shared: Any) -> dict[str, Any]:
    """Return the resource of a roster 100 days old, whose clients are good for 365 days unless they say otherwise."""
    stack = _with_authorities()
    _declare_roster(stack, name, members, shared)
    return _made(stack, name)


def _declare_roster(
    stack: RunningStack, name: str, members: Sequence[tuple[RosterRow, RosterRow]], shared: Mapping[str, Any]
) -> None:
    """A client that has not changed is as old as the roster: it comes on the second of its two days."""
    earlier = [before for before, now in members if before != now]
    stack.roster(name, MAIL_CA, earlier, **shared)
    if earlier:
        stack.up(issued_on(-101), name)
    stack.change_rows(name, [now for _, now in members])
    stack.up(issued_on(-100), name)


@cache
def _authorities() -> RunningStack:
    """Return a root 900 days old, and 20 days younger the authority that signs everything here."""
    stack = RunningStack()
    stack.authority(MAIL_ROOT)
    stack.up(issued_on(-900))
    stack.authority(MAIL_CA, MAIL_ROOT)
    stack.up(issued_on(-880), MAIL_CA.name)
    return stack


def _with_authorities() -> RunningStack:
    return deepcopy(_authorities())


def _made(stack: RunningStack, name: str) -> dict[str, Any]:
    resource = stack.resources[name]
    assert not resource.is_refused, resource.reported
    return resource.exported()


def accepted_of(resource: Mapping[str, Any], by: str = "fingerprint_sha256") -> list[str]:
    """Return the fingerprints in the state of a certificate: of its current generation, and of those before it."""
    outputs = resource["outputs"]
    return [each[by] for each in (outputs, *outputs["previous"])]


def damaged(resource: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a resource with other values among its outputs; None takes one away."""
    outputs = {name: value for name, value in (resource["outputs"] | changes).items() if value is not None}
    return {**resource, "outputs": outputs}


def export(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of a stack that holds these resources and the usual others."""
    stack = {"urn": "urn:pulumi:prod::mail-pki::pulumi:pulumi:Stack::mail-pki-prod", "type": "pulumi:pulumi:Stack"}
    return {"version": 3, "deployment": {"manifest": {}, "resources": [stack, *resources]}}


@cache
def _mail_resources() -> list[dict[str, Any]]:
    stack = _with_authorities()
    single = [
        certificate("mx1", profile="server"),
        certificate("relay2", profile="server_and_client", renew_at=14, dns_names=("relay2.example.org",)),
        certificate("alice", not_before=-4, not_after=361, renew_at=239, previous=(10,), email="alice@example.org"),
        certificate("bob", not_before=-300, not_after=65, renew_at=-57),
        certificate("carol, \\ \"quoted\"; = 'ü'", not_before=-380, not_after=-15, renew_at=-137),
        certificate("dave", revoked=-3),
        imported("www"),
        waiting("partner"),
        revocation_list("mail-ca-crl"),
        roster("branches", [member("branch-1"), member("branch-2", retires=-1, match="public_key", renew_key_every=0)]),
    ]
    return [*(_made(stack, name) for name in _AUTHORITIES), *single]


def mail_stack() -> dict[str, Any]:
    """Return a stack with something in every state and of every kind."""
    return export(*deepcopy(_mail_resources()))


@cache
def _large_resources(clients: int) -> list[dict[str, Any]]:
    return [certificate("mx1", profile="server"), roster("branches", [_branch(index) for index in range(clients)])]


def large_stack(clients: int) -> dict[str, Any]:
    """Return a stack with a server and a roster of that many clients: two expired, one in ten overdue, others fine."""
    return export(*_large_resources(clients))


def _branch(index: int) -> tuple[RosterRow, RosterRow]:
    name = f"client-{index:05d}"
    host = f"{name}.branch.example.org"
    if index in (1, 2):
        dates: dict[str, Any] = {"not_after": -35}
    elif index % 10 == 0:
        dates = {"not_after": 115, "renew_at": -7}
    else:
        dates = {"not_after": 265 + index % 200}
    return member(name, common_name=host, dns_names=(host,), email="", **dates)
