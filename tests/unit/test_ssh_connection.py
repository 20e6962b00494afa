"""How a connection is made, waited for, given up, shared and closed; a script plays the part of ssh(1)."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from postfix.deploy.session import LostError, UnreachableError
from postfix.deploy.sessions import host_keys, ssh_connection
from postfix.deploy.sessions.exchange import exchange
from postfix.deploy.sessions.host_keys import host_keys_of
from postfix.deploy.sessions.ssh_connection import SshConnection, close_all, connection_to
from postfix.ssh_access import SshAccess, Sudo
from postseal_core.errors import DeployError

pytestmark = pytest.mark.takes_long

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpSaA4mPS6pd7nzktvzYmZHvxfrKtaNmW5JcvoqSqRH"
ACCESS = SshAccess(host="mx1.example.org", user="root", host_keys=(KEY,), sudo=Sudo.NONE)
REFUSED = "ssh: connect to host mx1.example.org port 22: Connection refused"
DROPPED = "kex_exchange_identification: Connection closed by remote host"
WRONG_KEY = "Host key for mx1.example.org has changed"
# A line of `failures` is a connection that is not made.
PLAYED = """#!/bin/sh
here=${0%/*}
case " $* " in
    *" -O exit "*) echo exit >>"$here/calls" ;;
    *" -f -N "*)
        echo connect >>"$here/calls"
        if [ -s "$here/failures" ]; then
            sed -n 1p "$here/failures" >&2
            sed -i 1d "$here/failures"
            exit 255
        fi ;;
    *)
        echo request >>"$here/calls"
        for last; do :; done
        exec sh -c "$last" ;;
esac
"""


@dataclass(slots=True)
class Played:
    """The directory of the script, and what it was called for."""

    place: Path

    @property
    def calls(self) -> list[str]:
        """What was asked of ssh, in order."""
        path = self.place / "calls"
        return path.read_text().split() if path.exists() else []

    def fail(self, *causes: str) -> None:
        """Have as many connections fail, each for its cause."""
        (self.place / "failures").write_text("".join(f"{each}\n" for each in causes))


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """Return what is played; nothing is waited for longer than a moment."""
    for name in ("ssh", "ssh-keyscan"):
        (tmp_path / name).write_text(PLAYED)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(ssh_connection, "_PAUSE_SECONDS", 0.02)
    yield Played(tmp_path)
    close_all()


def test_a_request_is_sent_and_answered(played: Played) -> None:
    """What is sent, what is said, and what is complained of."""
    connection = SshConnection(ACCESS)
    assert connection.request("cat; echo why >&2", b"hello", timeout_seconds=60) == (b"hello", "why\n")
    assert played.calls == ["connect", "request"]
    connection.close()


def test_a_broken_connection_and_a_silent_one_are_lost(played: Played) -> None:
    """The one at once, the other when its time is over; the next request connects anew."""
    connection = SshConnection(ACCESS)
    with pytest.raises(LostError, match=r"the connection to mx1\.example\.org broke: Connection reset"):
        connection.request("echo Connection reset >&2; exit 255", b"", timeout_seconds=60)
    with pytest.raises(LostError, match="did not answer within"):
        connection.request("exec sleep 60", b"", timeout_seconds=0.5)
    assert connection.request("echo ok", b"", timeout_seconds=60)[0] == b"ok\n"
    assert played.calls.count("connect") == 3  # as nothing keeps this one open
    connection.close()


def test_a_host_that_says_too_much_is_told(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is that answers there."""
    real = exchange
    monkeypatch.setattr(ssh_connection, "exchange", lambda *some, **more: real(*some, **more, most_bytes=100))
    connection = SshConnection(ACCESS)
    with pytest.raises(DeployError, match="says more than any host of ours would"):
        connection.request("exec yes", b"", timeout_seconds=60)
    assert played.calls
    connection.close()


@pytest.mark.parametrize(
    ("causes", "wait_seconds", "connects", "is_reached"),
    [
        ([], 0, 1, True),
        ([REFUSED], 0, 1, False),
        ([REFUSED] * 3, 30, 4, True),
        ([WRONG_KEY] * 3, 30, 1, False),
        ([REFUSED, WRONG_KEY], 30, 2, False),
        ([DROPPED] * 3, 0, 4, True),
        ([DROPPED] * 4, 0, 4, False),
    ],
)
def test_who_may_answer_later_is_waited_for_and_nobody_else(
    played: Played, causes: list[str], wait_seconds: float, connects: int, *, is_reached: bool
) -> None:
    """A machine that is starting, within the time that is given; a full antechamber, a few times."""
    played.fail(*causes)
    connection = SshConnection(ACCESS)
    if is_reached:
        assert connection.request("echo ok", b"", timeout_seconds=60, wait_seconds=wait_seconds)[0] == b"ok\n"
    else:
        with pytest.raises(UnreachableError, match="nothing was changed"):
            connection.request("echo ok", b"", timeout_seconds=60, wait_seconds=wait_seconds)
    assert played.calls.count("connect") == connects
    connection.close()


def test_a_host_that_was_away_is_not_tried_again_at_once_unless_somebody_insists(played: Played) -> None:
    """A diff and a preview follow each other closely."""
    played.fail(REFUSED, REFUSED)
    connection = SshConnection(ACCESS)
    for _ in range(3):
        with pytest.raises(UnreachableError, match="nothing listens on mx1"):
            connection.request("echo ok", b"", timeout_seconds=60)
    assert played.calls == ["connect"]
    connection.insist()
    with pytest.raises(UnreachableError):
        connection.request("echo ok", b"", timeout_seconds=60)
    connection.insist()
    assert connection.request("echo ok", b"", timeout_seconds=60)[0] == b"ok\n"
    connection.close()


def test_an_open_connection_is_shared_and_closed_at_the_end(played: Played) -> None:
    """As long as something listens on its socket."""
    connection = connection_to(ACCESS)
    assert connection_to(replace(ACCESS)) is connection
    connection.request("true", b"", timeout_seconds=60)
    directory = Path(connection._directory)  # what it leaves is looked at
    assert directory.stat().st_mode & 0o077 == 0
    assert (directory / "known_hosts").read_text() == f"mx1.example.org {KEY}\n"
    with socket.socket(socket.AF_UNIX) as master:
        master.bind(f"{directory}/c")
        master.listen()
        for _ in range(3):
            connection.request("true", b"", timeout_seconds=60)
        assert played.calls.count("connect") == 1
        close_all()
    assert played.calls[-1] == "exit"
    assert not directory.exists()
    assert connection_to(ACCESS) is not connection


def test_no_more_hosts_are_worked_on_at_once_than_ten(played: Played) -> None:
    """The others wait for their turn."""
    (played.place / "at_work").mkdir()
    work = f"cd {played.place}/at_work; : >$$; ls | wc -l; sleep 0.3; rm $$"
    counts: list[int] = []

    def ask(number: int) -> None:
        connection = connection_to(replace(ACCESS, port=1000 + number))
        counts.append(int(connection.request(work, b"", timeout_seconds=60)[0]))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(25)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(counts) == len(threads)
    assert 1 < max(counts) <= 10


def test_a_machine_without_ssh_is_told_what_it_lacks(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything else."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(UnreachableError, match="there is no ssh on this machine"):
        SshConnection(ACCESS).request("true", b"", timeout_seconds=60)
    with pytest.raises(UnreachableError, match="there is no ssh-keyscan on this machine"):
        host_keys_of("mx1", 22)
    assert played.calls == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f'echo "# mx1:22 SSH-2.0"; echo "mx1 {KEY}"', (KEY,)),
        (f'echo "mx1 {KEY}"; echo "mx1 ssh-dss AAAA"; echo "mx1 ssh-rsa AAAA"', (KEY,)),
        ("echo Connection refused >&2; exit 1", "shows no host key: Connection refused"),
        ('echo "mx1 ssh-ed25519 AAAA"', "shows no host key: it does not answer"),
        ("exec sleep 60", "took the connection and does not answer"),
    ],
)
def test_keys_that_a_host_shows_are_read_or_it_is_told_why_there_are_none(
    played: Played, monkeypatch: pytest.MonkeyPatch, script: str, expected: tuple[str, ...] | str
) -> None:
    """A key that is none is no key."""
    (played.place / "ssh-keyscan").write_text(f"#!/bin/sh\n{script}\n")
    monkeypatch.setattr(host_keys, "_SECONDS", 1)
    began = time.monotonic()
    if isinstance(expected, str):
        with pytest.raises(UnreachableError, match=expected):
            host_keys_of("mx1", 22)
    else:
        assert host_keys_of("mx1", 22) == expected
    assert time.monotonic() - began < 30
