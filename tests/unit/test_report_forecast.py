"""What the forecast tells about the runs to come."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.report.forecast import BLOCKED, Change, forecast
from postseal.report.forecast_document import render_forecast
from postseal.report.table import TableStyle
from postseal_core.errors import ConfigError
from tests.support.stack_state import (
    NOW,
    at,
    certificate,
    certificate_outputs,
    export,
    imported,
    previous_generation,
    revocation_list,
    roster,
    waiting,
)

HOUR = timedelta(hours=1)


def ahead(days: float, *resources: dict[str, Any]) -> list[tuple[float, str, str]]:
    """Return day, action and name of every change within so many days."""
    changes = forecast(export(*resources), NOW, NOW + timedelta(days=days))
    return [(round((change.at - NOW) / timedelta(days=1), 1), change.action, change.name) for change in changes]


def test_a_certificate_is_renewed_then_its_predecessor_retires_and_so_on() -> None:
    """With 365 days, two thirds and an overlap of 14 days a client changes every 243 days."""
    assert ahead(400, certificate("alice")) == [
        (143.3, "renew", "alice"),
        (157.3, "retire generation 1", "alice"),
        (386.7, "renew", "alice"),
    ]


def test_what_is_overdue_happens_at_the_next_run() -> None:
    """A renewal and a retirement that were missed happen now, not in the past."""
    late = certificate("bob", not_before=at(-300), not_after=at(65), renew_at=at(-56))
    stale = certificate("eve", generation=2, previous=[previous_generation("eve", 1, -3)])
    assert ahead(1, late, stale) == [(0, "renew", "bob"), (0, "retire generation 1", "eve")]


def test_of_two_earlier_generations_each_retires_on_its_own_day() -> None:
    """The later one stays accepted when the earlier one leaves."""
    earlier = [previous_generation("eve", 1, 3), previous_generation("eve", 2, 9)]
    assert ahead(20, certificate("eve", generation=3, previous=earlier)) == [
        (3, "retire generation 1", "eve"),
        (9, "retire generation 2", "eve"),
    ]


def test_a_renewal_says_its_generation_end_and_reason() -> None:
    """The change carries what the preview of that day will show."""
    (change,) = forecast(export(certificate("alice", generation=4)), NOW, NOW + timedelta(days=150))
    assert (change.generation, change.not_after) == (5, NOW + timedelta(hours=round((143 + 1 / 3 + 365) * 24)))
    assert change.reason.startswith("renewal due since 2027-04-15T04:00:00Z: two thirds of 365 d")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"overlap_hours": 24}, [(143.3, "renew"), (144.3, "retire generation 1")]),
        ({"renew_before_hours": 240}, [(255.0, "renew"), (265.0, "retire generation 1")]),
        ({"renew_fraction": "1/2"}, [(82.5, "renew"), (96.5, "retire generation 1"), (265.0, "renew")]),
        ({"confirm": True}, [(143.3, "renew"), (265.0, "retire generation 1")]),
        ({"revoked_at": at(-3), "revocation_reason": "keyCompromise"}, []),
        ({"revoked_at": at(-3), "revocation_reason": "keyCompromise", "revoke": "keyCompromise"}, []),
    ],
)
def test_declared_policies_are_those_of_the_provider(
    declared: dict[str, Any], expected: list[tuple[float, str]]
) -> None:
    """The dates follow what the stack declares, for a certificate of its own and for all clients of a roster."""
    dates = {"renew_at": at({"renew_before_hours": 255, "renew_fraction": 82.5}.get(next(iter(declared)), 143 + 1 / 3))}
    found = ahead(270, certificate("alice", **dates, **declared))
    assert [(day, action) for day, action, _ in found] == expected


def test_clients_of_a_roster_follow_the_rosters_policy() -> None:
    """What is declared once for a roster holds for each of its clients."""
    clients = [certificate_outputs(name) for name in ("b1", "b2")]
    assert ahead(146, roster("branches", clients, overlap_hours=48)) == [
        (143.3, "renew", "b1"),
        (143.3, "renew", "b2"),
        (145.3, "retire generation 1", "b1"),
        (145.3, "retire generation 1", "b2"),
    ]


def test_a_clients_own_entry_takes_the_place_of_the_rosters_policy() -> None:
    """One client keeps a longer overlap than the others, and one asks for its renewal in another way."""
    clients = [certificate_outputs(name) for name in ("b1", "b2", "b3")]
    entries: list[dict[str, Any]] = [
        {"name": "b1"},
        {"name": "b2", "overlap_hours": 96},
        {"name": "b3", "renew_fraction": "4/5"},
    ]
    assert ahead(260, roster("branches", clients, entries, overlap_hours=48, renew_before_hours=2640)) == [
        (155.0, "renew", "b1"),
        (155.0, "renew", "b2"),
        (157.0, "retire generation 1", "b1"),
        (159.0, "retire generation 1", "b2"),
        (192.0, "renew", "b3"),
        (194.0, "retire generation 1", "b3"),
    ]


def test_lists_are_signed_again_in_their_rhythm() -> None:
    """A list of 30 days that is renewed after 20 is due every 20 days."""
    changes = ahead(60, revocation_list("crl"))
    assert changes == [(17, "re-sign CRL", "crl"), (37, "re-sign CRL", "crl"), (57, "re-sign CRL", "crl")]


def test_imported_certificates_are_fetched_once() -> None:
    """What others sign is due once; what comes after it nobody knows, and what is waited for has no date."""
    assert ahead(400, imported("www"), waiting("partner")) == [(10, "fetch", "www")]


def authority(not_after: float, **changes: Any) -> dict[str, Any]:
    """Return an authority that ends so many days after NOW and is renewed at `renew_at`."""
    return certificate(
        "mail-ca", profile="root", issuer="itself", not_before=at(-900), not_after=at(not_after), **changes
    )


def test_a_leaf_never_outlives_its_issuer() -> None:
    """A renewal near the issuer's end is shortened to it, and one that would gain nothing is blocked until then."""
    ca = authority(200, renew_before_hours=24, renew_at=at(199), validity_hours=26400)
    changes = forecast(
        export(ca, certificate("alice", not_after=at(100), renew_at=at(10), validity_hours=4800)), NOW, NOW
    )
    assert changes == ()
    leaf = certificate("alice", not_before=at(-100), not_after=at(200), renew_at=at(100), validity_hours=7200)
    found = forecast(export(ca, leaf), NOW, NOW + timedelta(days=198))
    assert [(change.action, change.name) for change in found] == [(BLOCKED, "alice")]
    assert "renew or roll over the issuer first" in found[0].reason


def test_a_blocked_leaf_is_renewed_once_its_issuer_was() -> None:
    """As soon as the authority has new dates, the leaf gets its own."""
    ca = authority(200, renew_before_hours=50 * 24, renew_at=at(150), validity_hours=26400)
    leaf = certificate("alice", not_before=at(-100), not_after=at(200), renew_at=at(100), validity_hours=7200)
    found = ahead(151, ca, leaf)
    assert [(action, name) for _, action, name in found] == [
        (BLOCKED, "alice"),
        ("renew", "alice"),
        ("renew", "mail-ca"),
    ]
    assert [day for day, action, _ in found if action == "renew"] == [150.0, 150.0]


def test_a_leaf_whose_issuer_has_ended_is_blocked_until_there_is_another() -> None:
    """What the provider would refuse is told once, not for every day on which it would be refused."""
    ca = authority(20, revoked_at=at(-1), revocation_reason="cACompromise")
    leaf = certificate("alice", not_after=at(100), renew_at=at(40), validity_hours=200 * 24, renew_before_hours=1440)
    (change,) = forecast(export(ca, leaf), NOW, NOW + timedelta(days=90))
    assert (change.at, change.action) == (NOW + timedelta(days=40), BLOCKED)
    assert "expired on" in change.reason


def test_every_wrong_policy_is_named() -> None:
    """A word that the provider does not know is an error with the path of the entry."""
    with pytest.raises(ConfigError) as caught:
        forecast(export(certificate("alice", match="both"), certificate("bob", renew_fraction="x")), NOW, NOW)
    assert {problem.path for problem in caught.value.problems} == {"alice.match", "bob.renew_fraction"}


@given(st.integers(2, 2000), st.integers(1, 2000), st.integers(0, 300))
def test_forecasts_are_ordered_lie_in_their_span_and_agree_with_shorter_ones(
    validity_hours: int, overlap_hours: int, days: int
) -> None:
    """Looking further ahead adds changes at the end and alters none before."""
    dates = {"not_before": at(0), "not_after": at(validity_hours / 24), "renew_at": at(validity_hours / 36)}
    state = export(certificate("a", validity_hours=validity_hours, overlap_hours=overlap_hours, **dates))
    until = NOW + timedelta(days=days / 10)
    longer = forecast(state, NOW, until + timedelta(days=3))
    assert forecast(state, NOW, until) == tuple(change for change in longer if change.at <= until)
    assert list(longer) == sorted(longer, key=lambda change: change.at)
    assert all(change.at >= NOW for change in longer)


@given(st.integers(2, 2000), st.integers(0, 100))
def test_a_certificate_that_is_renewed_in_time_never_expires(validity_hours: int, days: int) -> None:
    """Between two renewals of a forecast there is never a moment without a valid certificate."""
    dates = {"not_before": at(0), "not_after": at(validity_hours / 24), "renew_at": at(validity_hours / 36)}
    end: datetime = NOW + timedelta(hours=validity_hours)
    changes = forecast(
        export(certificate("a", validity_hours=validity_hours, **dates)), NOW, NOW + timedelta(days=days)
    )
    for change in changes:
        if change.not_after is not None:
            assert change.at < end < change.not_after + HOUR
            end = change.not_after


def test_many_changes_of_a_day_stand_in_one_line() -> None:
    """A thousand clients that are renewed on one day take one line."""
    changes = tuple(Change(NOW, "client", "branches", f"b{index:04d}", "renew") for index in range(1000))
    text = render_forecast(changes, NOW, NOW, TableStyle(width=100))
    assert text.splitlines()[-1] == "2026-11-22  renew   roster branches: b0000, b0001, b0002 and 997 more"


def test_a_forecast_without_changes_says_so() -> None:
    """An empty forecast is a sentence, not an empty table."""
    text = render_forecast((), NOW, NOW + timedelta(days=1), TableStyle())
    assert text == "`pulumi up` would change nothing from 2026-11-22 to 2026-11-23.\n"
