"""What a deployment asks of this machine: its files, its commands, and the certificates that it serves already."""

import errno
import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from postfix.deploy.looking import look_at_certificates
from postfix.deploy.sessions.local import CommandResult, LocalSession
from postfix.on_host import CertificateOnHost
from postseal_core.errors import DeployError
from tests.support.played_host import play
from tests.support.test_authority import ThrowAwayAuthority

NAME = "mx1.example.org"
SERVER = ThrowAwayAuthority("A public authority").issue_server(NAME)


@pytest.mark.parametrize(
    ("uid", "number", "fault", "is_hidden"),
    [
        (0, errno.EACCES, "cannot be read by root", False),
        (1000, errno.EACCES, "", True),
        (1000, errno.EPERM, "", True),
        (1000, errno.EIO, "cannot be read: Input/output error", False),
        (1000, errno.ENOENT, "is not there", False),
    ],
)
def test_a_file_that_only_root_may_read_is_hidden_and_to_root_it_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uid: int, number: int, fault: str, *, is_hidden: bool
) -> None:
    """Postfix reads keys as root: where root cannot, as on some network disks, Postfix cannot either."""
    path = str(tmp_path / "chain.pem")
    session = LocalSession(tmp_path)
    SERVER.write_chain(Path(path)).chmod(0o600)
    assert session.read_public(path).fault == ""  # the control
    assert not session.read_public(path).is_hidden

    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        patched.setattr(os, "geteuid", lambda: uid)
        file = session.read_public(path)
    assert (file.fault, file.is_hidden) == (fault, is_hidden)


def test_a_command_says_what_it_says_and_where_it_was_run(tmp_path: Path) -> None:
    """Output, complaint and status are those of the program; the control of the two below."""
    result = LocalSession(tmp_path).run(["sh", "-c", "pwd; echo oops >&2; exit 3"], timeout_seconds=60)
    assert result == CommandResult(3, f"{tmp_path.resolve()}\n", "oops\n")


def test_a_command_that_is_not_there_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    """A machine without Postfix is told what to do, before anything is started."""
    with pytest.raises(DeployError, match=r"no command postsnarf in .*/usr/sbin.*; install Postfix"):
        LocalSession(tmp_path).run(["postsnarf", "reload"], timeout_seconds=60)


def test_a_command_that_does_not_end_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    """What it started holds its output open, and would go on after us."""
    script = "sleep 300 & echo $! >child; wait"
    began = time.monotonic()
    with pytest.raises(DeployError, match=r"sh -c .* did not end within 0\.5 s and was stopped"):
        LocalSession(tmp_path).run(["sh", "-c", script], timeout_seconds=0.5)
    assert time.monotonic() - began < 60
    assert _has_ended(int((tmp_path / "child").read_text()))


def _has_ended(pid: int) -> bool:
    """Return whether a process is gone, or waits only to be collected."""
    for _ in range(100):
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if status.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("script", ["sleep 300", "sleep 0.3"], ids=["one that goes on", "one that ends meanwhile"])
def test_an_interrupt_stays_an_interrupt_and_the_command_is_stopped(tmp_path: Path, script: str) -> None:
    """Also where the command has ended by itself before it could be stopped: then there is nothing left to kill."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    timer.start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            LocalSession(tmp_path).run(["sh", "-c", f"exec {script}"], timeout_seconds=60)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 30


def _nothing(_: str) -> None:
    pass


def _remove_certificate(path: str) -> None:
    Path(path).unlink()


LOOKED_AT: dict[str, tuple[bool, Callable[[str], None], str]] = {
    "good": (False, _nothing, ""),
    "one of ours": (True, _nothing, "was written by this stack and will be removed"),
    "one that is gone": (False, _remove_certificate, "is not there"),
}


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_certificate_that_a_host_keeps_is_looked_at(tmp_path: Path, name: str) -> None:
    """One that this stack has written would go with the change that begins to serve it."""
    is_ours, change, words = LOOKED_AT[name]
    path = str(SERVER.write_chain(tmp_path / "chain.pem"))
    change(path)
    session, script = LocalSession(tmp_path), CertificateOnHost(chain_files=(path,), public_names=(NAME,))
    sighting = look_at_certificates(session, script, ours=[path] if is_ours else [])
    assert [words in each for each in sighting.faults] == [True] * bool(words)
    assert sighting.cannot_tell == ""
    assert len(sighting.certificates) == (not words)


@pytest.mark.parametrize("path", ["chain.pem", "/etc/ssl/m\N{REPLACEMENT CHARACTER}ller.pem"])
def test_a_path_that_is_another_file_for_postfix_is_not_looked_at(tmp_path: Path, path: str) -> None:
    """Postfix works in its queue_directory, and knows bytes where its answer here has none; nothing is a fault."""
    SERVER.write_chain(tmp_path / "chain.pem")
    declared = CertificateOnHost(chain_files=(path,), public_names=(NAME,))
    sighting = look_at_certificates(LocalSession(tmp_path), declared)
    assert sighting.cannot_tell.startswith(f"{path} is no absolute path in UTF-8")
    assert (sighting.faults, sighting.certificates) == ((), ())


def test_where_postconf_does_not_answer_nothing_is_known_and_nothing_is_a_fault(tmp_path: Path) -> None:
    """That nobody can tell is not that main.cf names none."""
    declared = CertificateOnHost(public_names=(NAME,), keeps_parameters=True)
    host = play(tmp_path)
    host.complain("postconf", "fatal: open main.cf")
    sighting = look_at_certificates(host, declared)
    assert "fatal: open main.cf" in sighting.cannot_tell
    assert (sighting.faults, sighting.certificates) == ((), ())
    host.is_at_peace()
    sighting = look_at_certificates(host, declared)
    assert sighting.cannot_tell == ""
    assert ["names no server certificate" in each for each in sighting.faults] == [True]


def test_a_scratch_directory_is_never_taken_for_an_abandoned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run clears up at the very moment at which this one has made its own and not yet locked it."""
    lock = fcntl.flock

    def clear_up_first(file: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        with LocalSession(tmp_path).scratch():
            lock(file, how)

    abandoned = tmp_path / "postseal-scratch-abandoned"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(fcntl, "flock", clear_up_first)
    with LocalSession(tmp_path).scratch() as scratch:
        assert Path(scratch.root).is_dir()
        abandoned.mkdir()
        (abandoned / ".alive").touch()
        with LocalSession(tmp_path).scratch():
            assert Path(scratch.root).is_dir()
            assert not abandoned.exists()
