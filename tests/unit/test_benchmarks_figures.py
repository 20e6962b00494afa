"""What the benchmarks compute from their measurements."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Record, growth_exponent, growth_line, ratio, ratio_line, render_table, summarise
from benchmarks.measuring import Measurement

RECORD = Record("singles", "ours", 10, "up", 1, wall_seconds=2.0, cpu_seconds=1.0, peak_rss_bytes=5_000_000)


@given(
    exponent=st.floats(-1, 3),
    factor=st.floats(0.001, 100),
    sizes=st.lists(st.integers(1, 50_000), min_size=2, max_size=6, unique=True),
)
def test_the_exponent_of_a_power_law_is_found_again(exponent: float, factor: float, sizes: list[int]) -> None:
    """Points that lie on a power law give exactly its exponent."""
    points = [(float(size), factor * size**exponent) for size in sizes]
    assert growth_exponent(points) == pytest.approx(exponent, abs=1e-6)


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([(10.0, 1.0)], id="one point"),
        pytest.param([(10.0, 1.0), (10.0, 2.0)], id="one size twice"),
        pytest.param([(10.0, 1.0), (0.0, 2.0)], id="no clients"),
        pytest.param([(10.0, 1.0), (20.0, 0.0)], id="no time"),
    ],
)
def test_points_without_a_slope_are_refused(points: list[tuple[float, float]]) -> None:
    """A figure without meaning must not be printed."""
    with pytest.raises(ValueError, match="two or more different sizes"):
        growth_exponent(points)


def test_each_quantity_has_its_own_median() -> None:
    """One run that was slow and another that was large must not decide about both."""
    runs = [Measurement(1.0, 9.0, 300), Measurement(5.0, 8.0, 100), Measurement(3.0, 1.0, 200)]
    assert summarise(runs) == Measurement(3.0, 8.0, 200)


@pytest.mark.parametrize(
    ("ours", "peer", "text"),
    [(1.0, 2.0, "0.50"), (3.0, 2.0, "1.50"), (1.0, 64.0, "0.016")],
)
def test_small_ratios_keep_their_digits(ours: float, peer: float, text: str) -> None:
    """0.016 must not be shown as 0.02."""
    assert ratio(ours, peer) == text


def test_ratios_are_given_where_both_programs_were_measured_at_the_same_size() -> None:
    """A size that only one program was measured at, and another step, have no ratio."""
    records = [
        RECORD,
        replace(RECORD, program="peer", wall_seconds=4.0, cpu_seconds=4.0),
        replace(RECORD, clients=1_000),
        replace(RECORD, program="peer", step="preview", clients=1_000),
    ]
    assert ratio_line(records, "ours", "peer", "up") == ("up, ours / peer: 0.50 at 10 clients (processor time 0.25)")
    assert ratio_line(records, "ours", "other", "up") == ""


def test_growth_is_told_for_what_was_measured_at_several_sizes() -> None:
    """What was multiplied grows linearly by construction, and one size has no growth: both stay out."""
    records = [
        RECORD,
        replace(RECORD, clients=100, wall_seconds=20.0, cpu_seconds=100.0),
        replace(RECORD, program="once"),
        replace(RECORD, program="loop", is_extrapolated=True),
        replace(RECORD, program="loop", clients=100, is_extrapolated=True),
    ]
    assert growth_line(records, "up") == "growth exponent of up: ours 1.00 (processor time 2.00)"
    assert growth_line(records, "preview") == ""


def test_the_table_aligns_numbers_and_marks_what_was_multiplied() -> None:
    """Words stand left, numbers right, and a program without a state has none."""
    records = [
        replace(RECORD, clients=1_000, state_bytes=1_180_000),
        replace(RECORD, program="easy-rsa", wall_seconds=120.0, is_extrapolated=True),
    ]
    assert render_table(records).splitlines() == [
        "clients  step  program   seconds  processor s  peak MB  state MB  runs",
        "  1,000  up    ours          2.0          1.0        5      1.18     1",
        "     10  up    easy-rsa   ~120.0         ~1.0        5         -     1",
    ]
