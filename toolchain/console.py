"""Tells the user what is being done, and shows that a long step is alive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

__all__ = ["run_logged", "say"]

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
    report = _reporter(sys.stdout, title)
    started = time.monotonic()
    while True:
        try:
            process.wait(timeout=TICK_SECONDS)
        except subprocess.TimeoutExpired:
            report(int(time.monotonic() - started))
        else:
            report(-1)
            return


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _reporter(stream: TextIO, title: str) -> Callable[[int], None]:
    """Return what shows elapsed seconds: one line kept up to date on a terminal, a line now and then elsewhere.

    A negative number of seconds ends the line.
    """

    def on_terminal(seconds: int) -> None:
        stream.write(f"\r    {title}: {seconds} s " if seconds >= 0 else "\r\033[K")
        stream.flush()

    def on_pipe(seconds: int) -> None:
        if seconds > 0 and seconds % REPORT_SECONDS == 0:
            print(f"    {title}: {seconds} s", file=stream, flush=True)

    return on_terminal if stream.isatty() else on_pipe
