"""How the benchmarks compare runs that took turns."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Record
from benchmarks.pairs import Spread, render_ratios, spread

OURS = Record("hosts", "ours", 10, "up", 0, wall_seconds=2.0, cpu_seconds=1.0, peak_rss_bytes=0)
THEN = replace(OURS, program="ours then", wall_seconds=4.0, cpu_seconds=4.0)


def test_a_ratio_is_taken_pair_by_pair_and_not_of_medians() -> None:
    """The machine was ten times slower in the second pair: the ratio of the medians would be 0.91, no run's ratio."""
    assert spread([(1.0, 2.0), (10.0, 20.0), (30.0, 11.0)]) == Spread(0.5, 0.5, 30 / 11)


@given(
    slowdowns=st.lists(st.floats(0.1, 50), min_size=1, max_size=9),
    ratio=st.floats(0.01, 10),
)
def test_a_machine_that_drifts_between_pairs_changes_no_ratio(slowdowns: list[float], ratio: float) -> None:
    """Whatever both runs of a pair are slowed down by falls out."""
    found = spread([(ratio * slowdown, slowdown) for slowdown in slowdowns])
    assert (found.smallest, found.middle, found.largest) == pytest.approx((ratio, ratio, ratio))


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.016, "0.016"), (0.0999, "0.100"), (0.1, "0.10"), (0.5, "0.50"), (12.345, "12.35")]
)
def test_small_ratios_keep_their_digits(ratio: float, text: str) -> None:
    """0.016 must not be shown as 0.02."""
    assert Spread(ratio, ratio, ratio).cells == (text, text, text)


def test_each_size_and_step_has_a_line_with_minimum_median_and_maximum() -> None:
    """Wall and processor time are told apart, and the number of pairs is told."""
    records = [
        OURS,
        THEN,
        replace(OURS, run=1, wall_seconds=3.0),
        replace(THEN, run=1),
        replace(OURS, size=1_000, cpu_seconds=0.1),
        replace(THEN, size=1_000),
    ]
    assert render_ratios(records, "ours", "hosts").splitlines() == [
        "hosts  step  ratio             pairs  seconds min  median   max  processor s min  median    max",
        "   10  up    ours / ours then      2         0.50    0.62  0.75             0.25    0.25   0.25",
        "1,000  up    ours / ours then      1         0.50    0.50  0.50            0.025   0.025  0.025",
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(THEN, size=20), id="another size"),
        pytest.param(replace(THEN, step="preview"), id="another step"),
        pytest.param(replace(THEN, run=1), id="another turn"),
    ],
)
def test_runs_that_do_not_belong_together_have_no_ratio(other: Record) -> None:
    """A ratio of different things would look like any other."""
    assert render_ratios([OURS, other], "ours", "hosts") == ""
