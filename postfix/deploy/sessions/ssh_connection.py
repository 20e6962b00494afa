"""One connection a host by OpenSSH's own client, shared by all that is asked of it, and closed with the process.

What is sent and what comes goes through pipes: nothing of it is an argument, in an environment, or in a file.
"""

import atexit
import os
import random
import re
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from postfix.deploy.session import LostError, UnreachableError
from postfix.deploy.sessions.exchange import Ended, TooLateError, TooMuchError, exchange
from postfix.deploy.sessions.private_directory import private_directory
from postfix.deploy.ssh_command import (
    SILENCE_SECONDS,
    close_command,
    connect_command,
    environment_of,
    known_hosts_of,
    request_command,
)
from postfix.deploy.ssh_failures import Failure, FailureKind, failure_of_connection, sentence_of_silence, shown_end
from postfix.ssh_access import SshAccess
from postseal_core.errors import DeployError

__all__ = ["SshConnection", "close_all", "connection_to"]

_PREFIX: Final = "postseal-ssh-"
# The path of a socket has room for about a hundred characters, and ssh(1) adds some of its own meanwhile.
_GOOD_PARENT: Final = re.compile(r"/[A-Za-z0-9_./-]{0,48}", re.ASCII)
_FAILED: Final = 255

# How many hosts are worked on at once, and how many are connected to: sshd, and a jump host before it, lets only some
# wait at its door.
_AT_WORK = threading.BoundedSemaphore(10)
_CONNECTING = threading.BoundedSemaphore(5)
_DROPS: Final = 4
_PAUSE_SECONDS: Final = 2.0
# Preview and diff of one run ask one after the other: a host that is away is not waited for each time.
_REMEMBERED_SECONDS: Final = 10.0


class SshConnection:
    """The way to one host; made at the first request, and again where it was lost."""

    def __init__(self, access: SshAccess) -> None:
        self._access = replace(
            access, identity_file=_expanded(access.identity_file), config_file=_expanded(access.config_file)
        )
        self._lock = threading.Lock()
        self._held = ExitStack()
        self._directory = ""
        self._failed_at = 0.0
        self._failure = ""

    def request(
        self, remote: str, said: bytes, *, timeout_seconds: float, wait_seconds: float = 0
    ) -> tuple[bytes, str]:
        """Run a command on the host with this input; return what it prints, and what it complains of.

        `wait_seconds`: how long to wait for a host that does not answer yet.

        Raises:
            UnreachableError: no connection was made, so nothing was asked.
            LostError: the connection broke, or took longer than `timeout_seconds`.
        """
        with _AT_WORK:
            self._open(wait_seconds)
            ended = self._run(request_command(self._access, self._directory, remote), said, timeout_seconds)
        if ended.returncode == _FAILED:
            raise LostError(f"the connection to {self._access.name} broke: {shown_end(ended.stderr) or 'it was cut'}")
        return ended.stdout, ended.stderr

    def insist(self) -> None:
        """Try again where a moment ago nobody got through."""
        self._failure = ""

    def close(self) -> None:
        """Close the connection, and remove what belongs to it."""
        with self._lock:
            if self._directory and self._is_open():
                with suppress(OSError, subprocess.SubprocessError):
                    subprocess.run(
                        close_command(self._access, self._directory),
                        env=environment_of(os.environ),
                        stdin=subprocess.DEVNULL,
                        capture_output=True,
                        check=False,
                        timeout=SILENCE_SECONDS,
                    )
            self._held.close()
            self._directory = ""

    def _open(self, wait_seconds: float) -> None:
        with self._lock:
            if self._is_open():
                return
            if self._failure and time.monotonic() - self._failed_at < _REMEMBERED_SECONDS:
                raise UnreachableError(self._failure)
            if not self._directory:
                self._directory = self._held.enter_context(private_directory(_PREFIX, _parent()))
                Path(self._directory, "known_hosts").write_text(known_hosts_of(self._access))
            self._connect(time.monotonic() + wait_seconds)

    def _is_open(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PAUSE_SECONDS)
            probe.connect(f"{self._directory}/c")
            return bool(self._directory)
        return False

    def _connect(self, until: float) -> None:
        drops = 0
        while failure := self._try():
            drops += failure.kind is FailureKind.DROPPED
            is_crowded = failure.kind is FailureKind.DROPPED and drops < _DROPS
            if not is_crowded and not (failure.may_pass and time.monotonic() + _PAUSE_SECONDS < until):
                self._failure, self._failed_at = failure.sentence, time.monotonic()
                raise UnreachableError(f"{failure.sentence}; nothing was changed")
            # Those who were turned away together shall not come back together.
            time.sleep(_PAUSE_SECONDS * random.uniform(0.2, 1.0))  # noqa: S311  # no secret
        self._failure = ""

    def _try(self) -> Failure | None:
        """Make the connection; return why there is none."""
        # Also after the greeting a host may fall silent.
        seconds = self._access.connect_seconds + SILENCE_SECONDS
        Path(self._directory, "c").unlink(missing_ok=True)
        # Not a pipe: what keeps the connection open keeps this open as well.
        with _CONNECTING, tempfile.TemporaryFile(dir=self._directory) as said:
            try:
                ended = subprocess.run(
                    connect_command(self._access, self._directory),
                    env=environment_of(os.environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    check=False,
                    timeout=seconds,
                )
            except subprocess.TimeoutExpired:
                return Failure(FailureKind.SILENT, sentence_of_silence(self._access, seconds))
            except FileNotFoundError as error:
                raise UnreachableError("there is no ssh on this machine; install OpenSSH's client") from error
            if ended.returncode == 0:
                return None
            said.seek(0)
            return failure_of_connection(self._access, said.read().decode(errors="replace"))

    def _run(self, command: list[str], said: bytes, seconds: float) -> Ended:
        try:
            return exchange(command, said, environment_of(os.environ), timeout_seconds=seconds)
        except TooLateError as error:
            raise LostError(sentence_of_silence(self._access, seconds)) from error
        except TooMuchError as error:
            raise DeployError(
                f"{self._access.name} says more than any host of ours would; see what runs there"
            ) from error


def _expanded(path: str) -> str:
    """Return a path without a tilde: of the options of ssh(1) not all expand one."""
    return str(Path(path).expanduser()) if path else ""


def _parent() -> str:
    """Return where a short and plain name for a socket can be had."""
    usual = tempfile.gettempdir()
    return usual if _GOOD_PARENT.fullmatch(usual) else "/tmp"  # noqa: S108  # a fresh private directory is made there


_connections: dict[SshAccess, SshConnection] = {}
_registry = threading.Lock()


def connection_to(access: SshAccess) -> SshConnection:
    """Return the connection that all of this process share."""
    with _registry:
        return _connections.setdefault(access, SshConnection(access))


@atexit.register
def close_all() -> None:
    """Close all connections of this process."""
    with _registry:
        while _connections:
            _connections.popitem()[1].close()
