"""Whether changes on hosts far away took no longer than is allowed, beside two peers and by themselves."""

import pytest

from benchmarks.far_limits import Limit, verdicts
from benchmarks.figures import Record

ROW, CHECK = "row", "check"
TO_SCRIPT, ALONE = Limit(ROW, 1.2, "script", ROW), Limit(CHECK, 1.0)


def record(program: str, step: str, seconds: float, size: int = 2) -> Record:
    """Return what one run took."""
    return Record("far", program, size, step, 0, seconds, 0, 0)


@pytest.mark.parametrize(
    ("ours", "word"),
    [(12.0, "pass: 2 hosts, row: 1.20 of script"), (12.1, "FAIL: 2 hosts, row: 1.21 of script")],
)
def test_a_step_is_judged_by_its_ratio_to_a_peer(ours: float, word: str) -> None:
    """Up to what is allowed, and not beyond."""
    (line,) = verdicts([record("postseal", ROW, ours), record("script", ROW, 10.0)], [TO_SCRIPT], [""])
    assert line == f"{word} ({ours:.2f} s beside 10.00 s); allowed are 1.2"


@pytest.mark.parametrize(("ours", "word"), [(2.0, "pass"), (2.1, "FAIL")])
def test_a_check_is_judged_by_its_seconds_a_host(ours: float, word: str) -> None:
    """However many there are."""
    (line,) = verdicts([record("postseal", CHECK, ours)], [ALONE], [""])
    assert line == f"{word}: 2 hosts, check: {ours / 2:.2f} s a host; allowed are 1.0 s"


def test_runs_count_by_their_median_and_each_way_and_size_by_itself() -> None:
    """One slow run is no verdict; what is far away is beside what is far away."""
    near = [record("postseal", ROW, each) for each in (1.0, 99.0, 1.1)] + [record("script", ROW, 1.0)]
    far = [record("postseal", f"{ROW}, far", 5.0), record("script", f"{ROW}, far", 2.0)]
    one = [record("postseal", ROW, 1.0, 1), record("script", ROW, 1.0, 1)]
    lines = list(verdicts([*near, *far, *one], [TO_SCRIPT], ["", ", far"]))
    assert [line.partition(" (")[0] for line in lines] == [
        "pass: 2 hosts, row: 1.10 of script",
        "FAIL: 2 hosts, row, far: 2.50 of script",
        "pass: 1 host, row: 1.00 of script",
        "not measured: 1 host, row, far: postseal is missing; allowed are 1.2 of script",
    ]


def test_a_peer_that_is_not_there_is_no_pass() -> None:
    """Nobody can tell then."""
    (line,) = verdicts([record("postseal", ROW, 1.0)], [TO_SCRIPT], [""])
    assert line == "not measured: 2 hosts, row: script is missing; allowed are 1.2 of script"
