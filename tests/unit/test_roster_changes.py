"""What a reviewer reads of a roster: a line per client, fewer lines for many, one summary."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.declared import Said
from pki.fields import DeclaredCertificate
from pki.generations import AcceptedGeneration, Cause, RevokedGeneration, Schedule
from pki.model import HOLD, SlotId, Validity
from pki.roster.changes import (
    MAX_SINGLE_LINES,
    Touch,
    TouchKind,
    change_lines,
    describe_addition,
    describe_change,
    describe_removal,
    summary_line,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def schedule(generation: int = 1, cause: Cause = Cause.FIRST, **fields: Any) -> Schedule:
    """Return a schedule of a certificate that is valid for a year."""
    validity = Validity(START, START + YEAR)
    return Schedule(generation, generation, validity, START + YEAR / 2, cause, "because", SlotId("ca"), **fields)


def test_up_to_the_limit_every_client_has_a_line_of_its_own() -> None:
    """A reviewer sees who changes and how."""
    touches = [Touch(f"c{number}", TouchKind.RENEWED, "g1 -> g2") for number in range(MAX_SINGLE_LINES)]
    assert change_lines(touches) == {f"c{number}": "g1 -> g2" for number in range(MAX_SINGLE_LINES)}


def test_above_the_limit_clients_with_one_sentence_share_a_line_that_names_them_all() -> None:
    """A first `up` of many clients is a few lines, and nobody is missing from them."""
    names = [f"c{number}" for number in range(MAX_SINGLE_LINES)]
    touches = [Touch(name, TouchKind.ADDED, "added") for name in names] + [Touch("z", TouchKind.REMOVED, "removed")]
    assert change_lines(touches) == {"added": f"500 clients: {', '.join(names)}", "removed": "1 client: z"}


def test_the_summary_counts_in_a_fixed_order_and_says_when_something_is_due() -> None:
    """Kinds that do not occur are left out."""
    touches = [Touch("a", TouchKind.REMOVED, ""), Touch("b", TouchKind.RENEWED, ""), Touch("c", TouchKind.RENEWED, "")]
    assert summary_line(10_000, touches, datetime(2027, 3, 1, 10, tzinfo=UTC)) == (
        "10,000 clients: 2 renewed, 1 removed; next due 2027-03-01"
    )
    assert summary_line(1, [], None) == "1 client: none touched"


@given(st.lists(st.sampled_from(TouchKind)))
def test_the_summary_counts_every_touch_once(kinds: list[TouchKind]) -> None:
    """The numbers add up to the clients that are touched."""
    summary = summary_line(0, [Touch("", kind, "") for kind in kinds], None)
    numbers = [int(part.split()[0]) for part in summary.partition(": ")[2].split(", ") if part != "none touched"]
    assert sum(numbers) == len(kinds)


def test_a_certificate_that_is_taken_over_keeps_its_generation_in_the_sentence() -> None:
    """Taking over is not issuing, and if something must be issued at once both is said."""
    before = schedule(3)
    assert describe_addition("alice", before, before).sentence == "taken over as it is, g3 until 2027-01-01"
    replaced = schedule(4, accepted=(AcceptedGeneration(3, START, START + YEAR, START + YEAR / 12),))
    touch = describe_addition("alice", replaced, before)
    assert (touch.kind, touch.sentence) == (
        TouchKind.TAKEN_OVER,
        "taken over, g3 -> g4 until 2027-01-01, because; g3 accepted until 2026-01-31",
    )


def test_removing_a_revoked_client_takes_nothing_away_from_anybody() -> None:
    """Its certificate was not accepted any more, so the line does not pretend that it was."""
    revoked = schedule(revoked=(RevokedGeneration(1, START, START + YEAR, START, HOLD),))
    assert describe_removal("alice", revoked).sentence == "removed"


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (Cause.RENEWAL_DUE, TouchKind.RENEWED),
        (Cause.EXPIRED, TouchKind.RENEWED),
        (Cause.CHANGED, TouchKind.CHANGED),
        (Cause.KEY_CHANGED, TouchKind.CHANGED),
    ],
)
def test_a_new_generation_is_counted_by_its_cause(cause: Cause, kind: TouchKind) -> None:
    """The words of the reason do not matter."""
    touch = describe_change("alice", schedule(), schedule(2, cause), Said(), Said())
    assert touch is not None
    assert touch.kind is kind


def test_a_field_that_moves_no_date_is_named_whether_it_comes_goes_or_changes() -> None:
    """Also where a client now says what the roster said already."""
    old = Said(DeclaredCertificate(overlap_hours=1, confirm=True), frozenset({"overlap_hours", "confirm"}))
    new = Said(DeclaredCertificate(overlap_hours=2), frozenset({"overlap_hours", "match"}))
    touch = describe_change("alice", schedule(), schedule(), old, new)
    assert touch is not None
    assert touch.sentence == "g1 stays, changed: confirm, match, overlap_hours"
    assert describe_change("alice", schedule(), schedule(), old, old) is None
