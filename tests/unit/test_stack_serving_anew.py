"""Who is told to be served anew after an authority's key was distrusted, from outputs and from a report."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from pki.generations import Cause, RevokedGeneration
from pki.model import RevocationReason, SlotId
from pki.records import NOT_ISSUED, IssuedCertificate, RevokedIssue
from pki.roster.records import IssuedRow
from postseal.report.model import Expiring, Kind
from postseal.report.selection import to_serve_anew
from postseal.stack.serving_anew import Issued, names_to_serve
from postseal_core.packing import pack_records
from postseal_core.records import encode
from tests.support.specimens import NOW, VALIDITY

STOLEN, ANOTHER = SlotId("mail-ca", 1), SlotId("office-ca", 1)


def revoked(generation: int = 1, slot: SlotId = STOLEN, *, is_distrusted: bool = True) -> RevokedIssue:
    """Return a revoked generation that this slot has signed."""
    entry = RevokedGeneration(
        generation,
        VALIDITY.not_before,
        VALIDITY.not_after,
        NOW,
        RevocationReason.CA_COMPROMISE,
        slot,
        is_distrusted,
    )
    return RevokedIssue(schedule=entry, identity=NOT_ISSUED)


def single(generation: int, *entries: RevokedIssue) -> Issued:
    """Return the two outputs of a single certificate that count here."""
    return generation, [encode(each) for each in entries]


def row(name: str, generation: int, *entries: RevokedIssue) -> IssuedRow:
    """Return a client of a roster."""
    issued = IssuedCertificate(
        subject=f"CN={name}",
        issuer="mail-ca/2 generation 1",
        issuer_slot=SlotId("mail-ca", 2),
        generation=generation,
        key_generation=generation,
        validity=VALIDITY,
        renew_at=VALIDITY.not_after - timedelta(days=30),
        cause=Cause.CHANGED,
        reason="issuer is now mail-ca/2",
        revoked=entries,
    )
    return IssuedRow(name=name, issued=issued)


KINDS: dict[str, tuple[int, Sequence[RevokedIssue], bool]] = {
    "signed by the stolen key until now": (2, [revoked(1)], True),
    "beside an older revocation": (3, [revoked(1, is_distrusted=False), revoked(2)], True),
    "never revoked": (2, [], False),
    "renewed once more since": (3, [revoked(1)], False),
    "revoked by its own declaration": (2, [revoked(1, is_distrusted=False)], False),
    "signed by another stolen key": (2, [revoked(1, ANOTHER)], False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_who_lost_a_certificate_to_this_slot_is_named(kind: str) -> None:
    """A single certificate and the client of a roster are judged alike; each section has its own names."""
    generation, entries, is_named = KINDS[kind]
    sections = {"servers": {"mx1": single(generation, *entries)}, "clients": {"alice": single(1)}}
    rosters = {"staff": pack_records([row("anna", generation, *entries), row("ben", 1)])}
    expected = {"servers": ["mx1"], "rosters.staff": ["anna"]} if is_named else {}
    assert names_to_serve("mail-ca", sections, rosters) == expected


def test_each_slot_names_its_own_and_all_of_them() -> None:
    """In the order in which they are declared; the other slot has other names."""
    sections = {"clients": {name: single(2, revoked(1)) for name in ("bob", "alice")}}
    sections["clients"]["carol"] = single(2, revoked(1, ANOTHER))
    assert names_to_serve("mail-ca", sections, {}) == {"clients": ["bob", "alice"]}
    assert names_to_serve("office-ca", sections, {}) == {"clients": ["carol"]}
    assert names_to_serve("mail-ca-2", sections, {}) == {}


def item(kind: Kind, name: str, *, distrusted: str = "mail-ca", roster: str = "") -> Expiring:
    """Return a line of a report."""
    end = VALIDITY.not_after
    return Expiring(kind, name, NOW, end, renew_at=end, roster=roster, distrusted=distrusted)


def test_a_report_says_in_one_line_for_each_slot_who_must_be_served_anew() -> None:
    """Servers and clients with their rosters; an authority below gets its certificate without anybody's help."""
    items = [
        item(Kind.SERVER, "mx1"),
        item(Kind.SERVER_AND_CLIENT, "relay"),
        item(Kind.CLIENT, "anna", roster="staff"),
        item(Kind.CLIENT, "alice"),
        item(Kind.CLIENT, "carol", distrusted="office-ca"),
        item(Kind.INTERMEDIATE, "issuing"),
        item(Kind.CLIENT, "bob", distrusted=""),
    ]
    expected = (
        "mail-ca is distrusted; to be served anew: client alice, client staff/anna, server mx1, server relay",
        "office-ca is distrusted; to be served anew: client carol",
    )
    assert to_serve_anew(items) == to_serve_anew(reversed(items)) == expected
    assert to_serve_anew(items[-2:]) == ()
