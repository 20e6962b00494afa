"""The geometry of the timeline: dates to percent, ticks, densities."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.report.inventory import build_inventory
from postseal.report.timeline import Scale, measure_density, scale_of, ticks_of
from tests.support.stack_state import NOW, certificate, export, member, roster

YEAR = timedelta(days=365)
STARTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(("day", "percent"), [(0, 0), (25, 25), (50, 50), (100, 100), (-10, -10), (120, 120)])
def test_dates_are_drawn_true_to_scale(day: int, percent: float) -> None:
    """A quarter of the time is a quarter of the width, also outside of the picture."""
    scale = Scale(NOW, NOW + timedelta(days=100))
    assert scale.percent(NOW + timedelta(days=day)) == percent
    assert scale.clipped(NOW + timedelta(days=day)) == min(max(percent, 0), 100)


@given(STARTS, st.integers(30, 20_000))
def test_axis_has_few_ticks_and_each_lies_on_the_first_of_a_month(start: datetime, days: int) -> None:
    """However long the span, at most 14 ticks are drawn, at most 5 on a narrow screen, in order, at month starts."""
    scale = Scale(start, start + timedelta(days=days))
    ticks = ticks_of(scale)
    assert len(ticks) <= 14
    assert sum(tick.is_major for tick in ticks) <= 5
    assert [tick.instant for tick in ticks] == sorted({tick.instant for tick in ticks})
    for tick in ticks:
        assert (tick.instant.day, tick.instant.hour) == (1, 0)
        assert scale.start <= tick.instant <= scale.end


def test_labels_show_a_year_at_january_and_where_none_is_near() -> None:
    """A reader can tell the year from any axis of months."""
    start = datetime(2026, 2, 10, tzinfo=UTC)
    labels = [tick.label for tick in ticks_of(Scale(start, start + YEAR))]
    assert labels[:3] == ["Mar 2026", "Apr", "May"]
    assert labels[10:] == ["2027", "Feb"]
    start = datetime(2026, 10, 10, tzinfo=UTC)
    assert [tick.label for tick in ticks_of(Scale(start, start + YEAR))][:4] == ["Nov", "Dec", "2027", "Feb"]


def test_a_scale_shows_all_entries_within_its_limits() -> None:
    """The scale ends with the last item, but never further ahead than its limit."""
    items = build_inventory(export(certificate("a"), certificate("b", profile="root", not_after=5000)), NOW).items
    wide = scale_of(items, NOW, past=10 * YEAR, future=20 * YEAR)
    assert wide.percent(NOW + timedelta(days=5000)) < 100
    assert wide.percent(NOW - timedelta(days=100)) > 0
    narrow = scale_of(items, NOW, past=timedelta(days=50), future=YEAR)
    assert narrow.percent(NOW + timedelta(days=5000)) > 100
    assert narrow.percent(NOW + YEAR) < 100


def test_density_counts_what_is_valid_week_by_week() -> None:
    """Fresh plus due is valid, every renewal falls into one week, and revoked certificates do not count."""
    clients = [member(f"c{index}", renew_at=index, not_after=100) for index in range(20)]
    gone = certificate("gone", revoked=-3)
    items = build_inventory(export(roster("branches", clients), gone), NOW).items
    scale = Scale(NOW - timedelta(days=14), NOW + timedelta(days=112))
    density = measure_density(items, scale)
    assert sum(density.renewals) == 20
    assert density.busiest == (NOW, 7)
    assert density.fresh[:6] == (20, 20, 20, 13, 6, 0)
    assert density.valid[:17] == (20,) * 17
    assert density.valid[17:] == (0,)
