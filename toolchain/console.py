"""Tells the user what is being done, and shows that a long step is alive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

__all__ = ["Progress", "run_logged", "say"]

REPORT_SECONDS = 30
"""How often a running step writes a line, where the output is no terminal."""

TICK_SECONDS = 1


def say(text: str) -> None:
    """Write one line of progress to standard output at once, also into a pipe."""
    print(f"==> {text}", flush=True)


def run_logged(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], log: Path, title: str) -> bool:
    """Run a command with its output in the file `log`, show the elapsed seconds, and return whether it succeeded.

    The command is stopped when this process is interrupted.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A group of its own, so that compilers which the command has started can be ended with it.
            start_new_session=True,
        )
        try:
            _wait(process, title)
        finally:
            _stop(process)
    return process.returncode == 0


def _wait(process: "subprocess.Popen[bytes]", title: str) -> None:
    progress = Progress(title, sys.stdout)
    started = time.monotonic()
    while True:
        try:
            process.wait(timeout=TICK_SECONDS)
        except subprocess.TimeoutExpired:
            progress.show(f"{time.monotonic() - started:.0f} s")
        else:
            progress.end()
            return


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Progress:
    """How far a long step is: one line that is kept up to date on a terminal, a line now and then elsewhere."""

    def __init__(self, title: str, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._stream = stream
        self._clock = clock
        self._shown_at = clock()

    def show(self, text: str) -> None:
        """Say how far it is; may be called at any rate."""
        is_terminal = self._stream.isatty()
        if self._clock() - self._shown_at < (TICK_SECONDS if is_terminal else REPORT_SECONDS):
            return
        self._shown_at = self._clock()
        self._stream.write(f"\r    {self._title}: {text} " if is_terminal else f"    {self._title}: {text}\n")
        self._stream.flush()

    def end(self) -> None:
        """Make room for what comes next."""
        if self._stream.isatty():
            self._stream.write("\r\033[K")
            self._stream.flush()
