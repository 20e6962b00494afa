"""Measure a command from outside: wall time, processor time and memory of everything that it starts.

Linux only: processes are watched through proc(5). A command runs in a session of its own, and all processes of that
session count, whatever process group they put themselves into (the engine does so with its plugins).
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["Measurement", "MeasurementError", "ProcessSample", "Watch", "measure", "parse_stat"]

TIME_LIMIT_SECONDS: Final = 1200.0
_SAMPLE_SECONDS: Final = 0.1
_KILL_ROUNDS: Final = 50
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class MeasurementError(Exception):
    """A measurement is invalid: a command failed, had to be killed, or made something else than intended."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The time and memory that one run of a command took.

    `cpu_seconds`: user and system time of all its processes. `peak_rss_bytes`: the largest sum of their resident sets
    seen at one moment, ten looks a second; pages that processes share count in each of them.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """One line of `/proc/PID/stat`, as far as it matters here."""

    pid: int
    session: int
    is_zombie: bool
    cpu_ticks: int
    rss_pages: int


@dataclass(slots=True)
class Watch:
    """Adds up what is seen of the processes of one session."""

    session: int
    peak_rss_bytes: int = 0
    ticks_by_pid: dict[int, int] = field(default_factory=dict)

    def look(self, samples: Iterator[ProcessSample]) -> None:
        """Take one look at all processes."""
        own = [sample for sample in samples if sample.session == self.session]
        self.ticks_by_pid |= {sample.pid: sample.cpu_ticks for sample in own}
        self.peak_rss_bytes = max(self.peak_rss_bytes, _PAGE_BYTES * sum(sample.rss_pages for sample in own))

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all processes, each as far as it was last seen."""
        return sum(self.ticks_by_pid.values()) / _TICKS_PER_SECOND


def parse_stat(text: str) -> ProcessSample:
    """Return the sample of one `/proc/PID/stat`; the command in it may hold blanks and parentheses (proc(5))."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    # Counted from the state, which is field 3 of proc(5): session 6, utime 14, stime 15, rss 24.
    return ProcessSample(
        pid=int(head.split(maxsplit=1)[0]),
        session=int(fields[3]),
        is_zombie=fields[0] == "Z",
        cpu_ticks=int(fields[11]) + int(fields[12]),
        rss_pages=int(fields[21]),
    )


def measure(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    log: Path,
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
) -> Measurement:
    """Run a command to its end and return what it took; its output goes to the file `log`.

    Raises:
        MeasurementError: it did not end with 0, or not in time; then everything that it started was killed.
    """
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch = Watch(process.pid)
        try:
            _watch_until_end(process.pid, watch, started + time_limit_seconds)
        except BaseException:
            _kill_session(process.pid)
            raise
        wall_seconds = time.monotonic() - started
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise MeasurementError(f"{' '.join(command)} ended with {process.returncode}\n{_tail(log)}")
    # The kernel adds up processes whose parent waited for them; the watch has those that were left alone.
    cpu_seconds = max(usage.ru_utime + usage.ru_stime, watch.cpu_seconds)
    return Measurement(wall_seconds, cpu_seconds, watch.peak_rss_bytes)


def _watch_until_end(pid: int, watch: Watch, deadline: float) -> None:
    ended = select.poll()
    descriptor = os.pidfd_open(pid)
    try:
        ended.register(descriptor, select.POLLIN)
        while not ended.poll(_SAMPLE_SECONDS * 1000):
            watch.look(_processes())
            if time.monotonic() > deadline:
                raise MeasurementError("a measured command did not end in time and was killed")
        watch.look(_processes())
    finally:
        os.close(descriptor)


def _processes() -> Iterator[ProcessSample]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield parse_stat(path.read_text())


def _kill_session(session: int) -> None:
    """Kill all processes of a session, again and again until none is left: they may start others meanwhile."""
    for _ in range(_KILL_ROUNDS):
        living = [sample.pid for sample in _processes() if sample.session == session and not sample.is_zombie]
        for pid in living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not living:
            return
        time.sleep(_SAMPLE_SECONDS)


def _tail(log: Path, length: int = 4000) -> str:
    return log.read_text(errors="replace")[-length:]
