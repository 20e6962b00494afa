"""How the benchmarks add up what they see in proc(5)."""

import pytest

from benchmarks.measuring import ProcessSample, Watch, parse_stat

STAT = "4711 ({command}) {state} 1 4700 4690 0 -1 4194560 99 0 0 0 250 50 7 8 20 0 9 0 1234 56789 321 184467 1 1"


@pytest.mark.parametrize("command", ["pulumi", "tmux: server", "a) R 1 (b"])
def test_a_command_may_hold_blanks_and_parentheses(command: str) -> None:
    """The fields are counted from the last parenthesis; user and system time are added."""
    assert parse_stat(STAT.format(command=command, state="S")) == ProcessSample(
        pid=4711, session=4690, is_zombie=False, cpu_ticks=300, rss_pages=321
    )


def test_a_zombie_is_recognised() -> None:
    """It cannot be killed again, so nobody should wait for it to go."""
    assert parse_stat(STAT.format(command="sh", state="Z")).is_zombie


def test_only_processes_of_the_session_count_and_the_largest_moment_is_kept() -> None:
    """The peak is a sum over processes that live at the same time, not a sum of peaks."""
    watch = Watch(session=1)

    def sample(pid: int, session: int, pages: int) -> ProcessSample:
        return ProcessSample(pid, session, is_zombie=False, cpu_ticks=100, rss_pages=pages)

    watch.look(iter([sample(1, 1, 10), sample(2, 1, 20), sample(3, 9, 500)]))
    watch.look(iter([sample(1, 1, 25)]))
    other = Watch(session=1)
    other.look(iter([sample(1, 1, 30)]))
    assert watch.peak_rss_bytes == other.peak_rss_bytes > 0


def test_the_time_of_a_process_that_has_ended_still_counts() -> None:
    """Each process counts with the time it had when it was last seen."""
    watch = Watch(session=1)
    watch.look(iter([ProcessSample(1, 1, is_zombie=False, cpu_ticks=100, rss_pages=1)]))
    before = watch.cpu_seconds
    watch.look(iter([ProcessSample(2, 1, is_zombie=False, cpu_ticks=100, rss_pages=1)]))
    assert watch.cpu_seconds == 2 * before > 0
