"""What the benchmarks compute from their measurements."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Record, grouped, growth_exponent, growth_lines, render_table, summarise

RECORD = Record("singles", "ours", 10, "up", 0, wall_seconds=2.0, cpu_seconds=1.0, peak_rss_bytes=5_000_000)


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
    runs = [
        replace(RECORD, wall_seconds=1.0, cpu_seconds=9.0, peak_rss_bytes=300),
        replace(RECORD, run=1, wall_seconds=5.0, cpu_seconds=8.0, peak_rss_bytes=100),
        replace(RECORD, run=2, wall_seconds=3.0, cpu_seconds=1.0, peak_rss_bytes=200),
    ]
    assert summarise(runs) == replace(RECORD, wall_seconds=3.0, cpu_seconds=8.0, peak_rss_bytes=200)


def test_runs_that_took_turns_are_grouped_by_size_then_step_then_program() -> None:
    """A table shows the programs of one step below each other, whatever order they were measured in."""
    first = [
        replace(RECORD, program=program, run=run, step=step)
        for run in (0, 1)
        for program in ("ours", "peer")
        for step in ("up", "preview")
    ]
    larger = replace(RECORD, size=20)
    assert [
        [(each.size, each.step, each.program, each.run) for each in runs] for runs in grouped([*first, larger])
    ] == [
        [(10, "up", "ours", 0), (10, "up", "ours", 1)],
        [(10, "up", "peer", 0), (10, "up", "peer", 1)],
        [(10, "preview", "ours", 0), (10, "preview", "ours", 1)],
        [(10, "preview", "peer", 0), (10, "preview", "peer", 1)],
        [(20, "up", "ours", 0)],
    ]


def test_growth_is_told_for_what_was_measured_at_several_sizes() -> None:
    """What was multiplied grows linearly by construction, and one size has no growth: both stay out."""
    records = [
        RECORD,
        replace(RECORD, size=100, wall_seconds=20.0, cpu_seconds=100.0),
        replace(RECORD, program="once"),
        replace(RECORD, step="preview"),
        replace(RECORD, program="loop", is_extrapolated=True),
        replace(RECORD, program="loop", size=100, is_extrapolated=True),
    ]
    assert list(growth_lines(records)) == ["growth exponent of up: ours 1.00 (processor time 2.00)"]


def test_growth_takes_the_median_of_the_runs_of_each_size() -> None:
    """Two of three runs were regular at 100 clients; the third one must not count."""
    larger = replace(RECORD, size=100, wall_seconds=20.0, cpu_seconds=10.0)
    records = [RECORD, larger, replace(larger, run=1), replace(larger, run=2, wall_seconds=500.0, cpu_seconds=500.0)]
    assert list(growth_lines(records)) == ["growth exponent of up: ours 1.00 (processor time 1.00)"]


def test_the_table_aligns_numbers_and_marks_what_was_multiplied() -> None:
    """Words stand left, numbers right, and a program without a state has none."""
    records = [
        replace(RECORD, size=1_000, state_bytes=1_180_000),
        replace(RECORD, size=1_000, run=1, wall_seconds=4.0),
        replace(RECORD, program="easy-rsa", wall_seconds=120.0, is_extrapolated=True),
    ]
    assert render_table(records, "clients").splitlines() == [
        "clients  step  program   seconds  processor s  peak MB  state MB  runs",
        "  1,000  up    ours          3.0          1.0        5      1.18     2",
        "     10  up    easy-rsa   ~120.0         ~1.0        5         -     1",
    ]
