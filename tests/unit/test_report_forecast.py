"""What the forecast tells about the runs to come."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.model import Profile, RevocationReason, SlotId
from postseal.report.forecast import BLOCKED, Event, forecast
from postseal.report.forecast_document import render_forecast
from postseal.report.table import TableStyle
from postseal_core.errors import ConfigError
from postseal_core.packing import pack
from tests.support.running_stack import RunningStack
from tests.support.stack_state import (
    NOW,
    certificate,
    damaged,
    day,
    export,
    imported,
    member,
    revocation_list,
    roster,
    waiting,
)

HOUR = timedelta(hours=1)


def ahead(days: float, *resources: dict[str, Any]) -> list[tuple[float, str, str]]:
    """Return day, action and name of every event within so many days."""
    events = forecast(export(*resources), NOW, NOW + timedelta(days=days))
    return [(round((event.at - NOW) / timedelta(days=1), 1), event.action, event.name) for event in events]


def test_a_certificate_is_renewed_then_its_predecessor_retires_and_so_on() -> None:
    """With 365 days, two thirds and an overlap of 14 days a client events every 243 days."""
    assert ahead(400, certificate("alice")) == [
        (143.3, "renew", "alice"),
        (157.3, "retire generation 1", "alice"),
        (386.6, "renew", "alice"),
    ]


def test_what_is_overdue_happens_at_the_next_run() -> None:
    """A renewal and a retirement that were missed happen now, not in the past."""
    late = certificate("bob", not_before=-300, not_after=65, renew_at=-56)
    stale = certificate("eve", previous=(-3,))
    assert ahead(1, late, stale) == [(0, "renew", "bob"), (0, "retire generation 1", "eve")]


def test_of_two_earlier_generations_each_retires_on_its_own_day() -> None:
    """The later one stays accepted when the earlier one leaves."""
    assert ahead(20, certificate("eve", previous=(3, 9))) == [
        (3, "retire generation 1", "eve"),
        (9, "retire generation 2", "eve"),
    ]


def test_a_renewal_says_its_generation_end_and_reason() -> None:
    """The event carries what the preview of that day will show."""
    (event,) = forecast(export(certificate("alice")), NOW, NOW + timedelta(days=150))
    assert (event.generation, event.not_after) == (2, NOW - HOUR + timedelta(hours=round((143 + 1 / 3 + 365) * 24)))
    assert event.reason.startswith("renewal due since 2027-04-15T04:00:00Z: two thirds of 365 d")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"overlap_hours": 24}, [(143.3, "renew"), (144.3, "retire generation 1")]),
        ({"renew_before_hours": 240}, [(255.0, "renew"), (265.0, "retire generation 1")]),
        ({"renew_fraction": Fraction(1, 2)}, [(82.5, "renew"), (96.5, "retire generation 1"), (265.0, "renew")]),
        ({"confirm": True}, [(143.3, "renew"), (265.0, "retire generation 1")]),
        ({"revoked": -3}, []),
        ({"revoked": -3, "previous": (10,)}, []),
    ],
)
def test_declared_policies_are_those_of_the_provider(
    declared: dict[str, Any], expected: list[tuple[float, str]]
) -> None:
    """The dates follow what the stack declares, for a certificate of its own and for all clients of a roster."""
    found = ahead(270, certificate("alice", **declared))
    assert [(day, action) for day, action, _ in found] == expected


def test_clients_of_a_roster_follow_the_rosters_policy() -> None:
    """What is declared once for a roster holds for each of its clients."""
    clients = [member(name) for name in ("b1", "b2")]
    assert ahead(146, roster("branches", clients, overlap_hours=48)) == [
        (143.3, "renew", "b1"),
        (143.3, "renew", "b2"),
        (145.3, "retire generation 1", "b1"),
        (145.3, "retire generation 1", "b2"),
    ]


def test_a_clients_own_entry_takes_the_place_of_the_rosters_policy() -> None:
    """One client keeps a longer overlap than the others, and one asks for its renewal in another way."""
    clients = [member("b1"), member("b2", overlap_hours=96), member("b3", renew_fraction=Fraction(4, 5))]
    assert ahead(260, roster("branches", clients, overlap_hours=48, renew_before_hours=2640)) == [
        (155.0, "renew", "b1"),
        (155.0, "renew", "b2"),
        (157.0, "retire generation 1", "b1"),
        (159.0, "retire generation 1", "b2"),
        (192.0, "renew", "b3"),
        (194.0, "retire generation 1", "b3"),
    ]


def test_lists_are_signed_again_in_their_rhythm() -> None:
    """A list of 30 days that is renewed after 20 is due every 20 days."""
    events = ahead(60, revocation_list("crl"))
    assert events == [(17, "re-sign CRL", "crl"), (37, "re-sign CRL", "crl"), (57, "re-sign CRL", "crl")]


def test_imported_certificates_are_fetched_once() -> None:
    """What others sign is due once, what comes after it nobody knows; until it arrives, what stands in is renewed."""
    assert ahead(250, imported("www"), waiting("partner")) == [
        (10, "fetch", "www"),
        (143.3, "renew", "partner"),
        (157.3, "retire generation 1", "partner"),
    ]


CA = SlotId("mail-ca")


def below(ends: float, renew_before: float, *, leaf_hours: int, leaf_ends: float = 200, **leaf: Any) -> RunningStack:
    """Return a stack with a root that ends so many days after NOW, and alice, whom it has issued until `leaf_ends`.

    alice was issued 100 days ago for 300 days or until the root's end, and declares `leaf_hours` since.
    """
    stack = RunningStack()
    stack.authority(CA, validity_hours=round((ends + 900) * 24), renew_before_hours=round(renew_before * 24))
    stack.certificate(
        "alice", Profile.CLIENT, CA, email="alice@example.org", validity_hours=round((leaf_ends + 100) * 24)
    )
    stack.up(day(-900), CA.name)
    stack.up(day(-100), "alice")
    stack.change("alice", validity_hours=leaf_hours, **leaf)
    stack.up(day(-99), "alice")
    assert not stack.resources["alice"].is_refused
    return stack


def test_a_leaf_never_outlives_its_issuer() -> None:
    """A renewal that would gain nothing, because the issuer ends first, is blocked until that is renewed."""
    found = forecast(export(*below(200, 1, leaf_hours=7200).exported()), NOW, NOW + timedelta(days=198))
    assert [(event.action, event.name) for event in found] == [(BLOCKED, "alice")]
    assert "renew or roll over the issuer first" in found[0].reason


def test_a_renewal_near_the_issuers_end_is_shortened_to_it() -> None:
    """What is issued then ends with the issuer, as the provider would have it."""
    stack = below(200, 1, leaf_hours=4800, leaf_ends=100, renew_before_hours=2160)
    event = forecast(export(*stack.exported()), NOW, NOW + timedelta(days=11))[0]
    assert (event.at, event.action, event.not_after) == (day(10) - HOUR, "renew", day(200) - HOUR)


def test_a_blocked_leaf_is_renewed_once_its_issuer_was() -> None:
    """As soon as the authority has new dates, the leaf gets its own."""
    found = ahead(151, *below(200, 50, leaf_hours=7200).exported())
    assert [(action, name) for _, action, name in found] == [
        (BLOCKED, "alice"),
        ("renew", "alice"),
        ("renew", "mail-ca"),
    ]
    assert [day for day, action, _ in found if action == "renew"] == [150.0, 150.0]


def test_a_leaf_whose_issuer_has_ended_is_blocked_until_there_is_another() -> None:
    """What the provider would refuse is told once, not for every day on which it would be refused."""
    stack = below(20, 1, leaf_hours=4800, leaf_ends=20)
    stack.change(CA.name, revoke=RevocationReason.CA_COMPROMISE)
    stack.up(day(-1), CA.name)
    no_gain, ended = forecast(export(*stack.exported()), NOW, NOW + timedelta(days=90))
    assert (no_gain.at, no_gain.action) == (NOW, BLOCKED)
    assert (ended.at, ended.action) == (day(20) - HOUR, BLOCKED)
    assert "expired on" in ended.reason


def test_all_that_waits_for_a_root_is_renewed_on_its_day_however_deep_it_is() -> None:
    """The names are no help: an authority may be called like a label that readers see."""
    stack = RunningStack()
    slots = [SlotId("ca generation 1"), SlotId("ca generation 1 below"), SlotId("ca"), SlotId("ca-2")]
    above = None
    for slot in slots:
        stack.authority(slot, above, validity_hours=1000, renew_before_hours=900 if above else 300)
        above = slot
    stack.certificate("alice", Profile.CLIENT, above, email="a@example.org", validity_hours=1000)
    stack.up(NOW)
    resources = stack.exported()
    found = forecast(export(*reversed(resources)), NOW + 150 * HOUR, NOW + 700 * HOUR)
    assert {event.name for event in found if event.action == BLOCKED} == {*(slot.name for slot in slots[1:]), "alice"}
    renewed = [event for event in found if event.action == "renew"]
    assert {event.name for event in renewed} == {*(slot.name for slot in slots), "alice"}
    assert {(event.at, event.not_after) for event in renewed} == {(NOW + 699 * HOUR, NOW + 1698 * HOUR)}


def test_everything_that_cannot_be_read_is_named() -> None:
    """Damage in one resource, in a roster's rows and in its schedules is told with the paths of all of them."""
    branches = roster("branches", [member("b1")])
    mixed_up = {**branches, "inputs": branches["inputs"] | {"clients": pack('{"name":"b1","match":"both"}')}}
    cut_off = {**roster("others", [member("b1")]), "urn": branches["urn"].replace("branches", "others")}
    cut_off["inputs"] = cut_off["inputs"] | {"schedules": "!"}
    lost = {**branches, "urn": branches["urn"].replace("branches", "lost")}
    lost["inputs"] = branches["inputs"] | {"clients": ""}
    with pytest.raises(ConfigError) as caught:
        forecast(export(damaged(certificate("alice"), match=1), mixed_up, cut_off, lost), NOW, NOW)
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"alice.match", "branches.clients.b1.match", "others.schedules", "lost.clients.b1"}


@given(st.integers(3, 2000), st.integers(1, 2000), st.integers(0, 300))
def test_forecasts_are_ordered_lie_in_their_span_and_agree_with_shorter_ones(
    validity_hours: int, overlap_hours: int, days: int
) -> None:
    """Looking further ahead adds events at the end and alters none before."""
    end_day = validity_hours / 24
    state = export(certificate("a", overlap_hours=overlap_hours, not_before=0, not_after=end_day))
    until = NOW + timedelta(days=days / 10)
    longer = forecast(state, NOW, until + timedelta(days=3))
    assert forecast(state, NOW, until) == tuple(event for event in longer if event.at <= until)
    assert list(longer) == sorted(longer, key=lambda event: event.at)
    assert all(event.at >= NOW for event in longer)


@given(st.integers(3, 2000), st.integers(0, 100))
def test_a_certificate_that_is_renewed_in_time_never_expires(validity_hours: int, days: int) -> None:
    """Between two renewals of a forecast there is never a moment without a valid certificate."""
    end_day = validity_hours / 24
    end: datetime = NOW + timedelta(hours=validity_hours)
    events = forecast(export(certificate("a", not_before=0, not_after=end_day)), NOW, NOW + timedelta(days=days))
    for event in events:
        if event.not_after is not None:
            assert event.at < end < event.not_after + HOUR
            end = event.not_after


def test_many_changes_of_a_day_stand_in_one_line() -> None:
    """A thousand clients that are renewed on one day take one line."""
    events = tuple(Event(NOW, "client", "branches", f"b{index:04d}", "renew") for index in range(1000))
    text = render_forecast(events, NOW, NOW, TableStyle(width=100))
    assert text.splitlines()[-1] == "2026-11-22  renew   roster branches: b0000, b0001, b0002 and 997 more"


def test_a_forecast_without_changes_says_so() -> None:
    """An empty forecast is a sentence, not an empty table."""
    text = render_forecast((), NOW, NOW + timedelta(days=1), TableStyle())
    assert text == "`pulumi up` would change nothing from 2026-11-22 to 2026-11-23.\n"


@pytest.mark.parametrize("resource", ["certificate", "revocation list"])
def test_a_day_with_too_many_decisions_before_it_is_refused(resource: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there may be are made; what asks every hour would go on for hours."""
    made = certificate("alice", not_before=-1, not_after=9) if resource == "certificate" else revocation_list("crl")
    monkeypatch.setattr("postseal.report.forecast._MOST_DECISIONS", 3)
    assert ahead(1, made) is not None
    with pytest.raises(ConfigError, match="is too far ahead: more than 3 decisions would be made until then"):
        ahead(4_000, made)


def test_a_century_is_told_and_no_more() -> None:
    """Also of a stack in which nothing is ever due."""
    assert forecast(export(), NOW, NOW.replace(year=NOW.year + 100)) == ()
    with pytest.raises(ConfigError, match="is too far ahead: what happens in more than 100 years nobody plans"):
        forecast(export(), NOW, NOW.replace(year=NOW.year + 101))
