"""Send something to a command and read what it says, within bounds of time and size."""

import os
import select
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Final

__all__ = ["Ended", "TooLateError", "TooMuchError", "exchange"]

MOST_BYTES: Final = 256 * 2**20
"""More than the largest table and main.cf in base64; a host that says more is not ours."""
_MOST_COMPLAINTS: Final = 64 * 2**10
_PIECE: Final = 2**16


class TooLateError(Exception):
    """The command did not end in time; it was killed."""


class TooMuchError(Exception):
    """The command said more than anybody could want to know; it was killed."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said; of its complaints only the end."""

    returncode: int
    stdout: bytes = field(repr=False)
    stderr: str


def exchange(
    command: Sequence[str],
    said: bytes,
    environment: dict[str, str],
    *,
    timeout_seconds: float,
    most_bytes: int = MOST_BYTES,
) -> Ended:
    """Run a command with this input; an interrupt kills it as well.

    Raises:
        TooLateError: it took longer.
        TooMuchError: it said more.
        FileNotFoundError: there is no such command.
    """
    until = time.monotonic() + timeout_seconds
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("all three are pipes")
        complaints = bytearray()
        helpers = [
            threading.Thread(target=_feed, args=(process.stdin, said), daemon=True),
            threading.Thread(target=_listen, args=(process.stderr, complaints), daemon=True),
        ]
        for each in helpers:
            each.start()
        try:
            stdout = _read(process.stdout, until, most_bytes)
            process.wait(max(0.0, until - time.monotonic()))
        except BaseException as error:
            process.kill()
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise TooLateError from error
            raise
        finally:
            for each in helpers:
                each.join(1.0)
    return Ended(process.returncode, stdout, bytes(complaints).decode(errors="replace"))


def _feed(pipe: IO[bytes], said: bytes) -> None:
    # Whoever has heard enough closes its end.
    with suppress(OSError):
        pipe.write(said)
    with suppress(OSError):
        pipe.close()


def _listen(pipe: IO[bytes], complaints: bytearray) -> None:
    with suppress(OSError, ValueError):
        while piece := os.read(pipe.fileno(), _PIECE):
            complaints += piece
            del complaints[:-_MOST_COMPLAINTS]


def _read(pipe: IO[bytes], until: float, most_bytes: int) -> bytes:
    # Not select(2), which takes no handle above 1023.
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN | select.POLLHUP)
    pieces: list[bytes] = []
    size = 0
    while True:
        if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
            raise TooLateError
        piece = os.read(pipe.fileno(), _PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > most_bytes:
            raise TooMuchError
