"""Faults on the way to a host: keys that do not fit, doors that are closed, connections that break, others at work.

After each the error says what it was, the next run ends right, and nothing is left behind on either side.
"""

import os
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from postfix.deploy.bundle import request
from postfix.deploy.session import UnreachableError
from postfix.deploy.sessions.ssh import SshSession, carried_program
from postfix.deploy.sessions.ssh_connection import close_all, connection_to
from postfix.deploy.ssh_command import remote_command
from postfix.deploy.transaction import Reloading
from postfix.ssh_access import SshAccess, Sudo
from postseal.cli import main
from postseal.report.model import ExitCode
from tests.support.far_relay import FarRelay, far_relay
from tests.support.loopback import free_ports, until
from tests.support.relay import ALICE, BOB, NEW, OLD, SERVERS, failure_of
from tests.support.ssh_server import SshServer, ssh_server
from tests.support.watching import KeyWatch

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.needs_sshd, pytest.mark.takes_long]

SECONDS = 30.0
TEMPORARY = Path("/tmp")  # noqa: S108  # where the program passes through
# Each place of the journal's life: before it, open, half-way through the changes, after them, and when all is told.
STEPS = ("stage", "open", "swap:3", "reload", "probe", "commit", "publish")


@pytest.fixture(scope="module")
def server() -> Iterator[SshServer]:
    """Return a server that lets root in."""
    with ssh_server() as started:
        yield started


@pytest.fixture
def relay(server: SshServer, tmp_path: Path) -> Iterator[FarRelay]:
    """Return a Postfix behind it, as OLD says."""
    with far_relay(tmp_path, server) as started:
        started.connect(has_trial=False)
        started.up(OLD)
        started.connect(has_trial=False)
        yield started


def look(access: SshAccess) -> dict[str, str]:
    """Look at a directory of the host once."""
    try:
        return SshSession(access, "/etc").present(["./"])
    finally:
        close_all()


def programs_left() -> list[Path]:
    """Return what is left of a program on its way through."""
    return [*TEMPORARY.glob("postseal-program.*")]


def test_a_host_with_another_key_is_no_host_of_ours(server: SshServer) -> None:
    """The pinned key is named with its fingerprint, and what to do; the right key is let through."""
    assert look(server.access) == {"./": "directory"}
    pinned = server.public_key("stranger")
    with pytest.raises(UnreachableError, match=r"another host key than the pinned ssh-ed25519 SHA256:.*on its console"):
        look(replace(server.access, host_keys=(pinned,)))
    both = replace(server.access, host_keys=(pinned, server.host_key))
    assert look(both) == {"./": "directory"}


def test_a_type_of_key_that_the_host_does_not_have_is_told(server: SshServer) -> None:
    """A pinned RSA key says nothing about a host that shows Ed25519."""
    pinned = server.public_key("rsa", "rsa")
    with pytest.raises(UnreachableError, match=r"no host key of the type that is pinned|another host key"):
        look(replace(server.access, host_keys=(pinned,)))


def test_a_user_whose_key_is_refused_is_told_where_it_belongs(server: SshServer) -> None:
    """Neither a password is asked for nor another key tried."""
    stranger = server.key("unknown_user")
    with pytest.raises(UnreachableError, match=r"refuses the key of root .*Permission denied.*authorized_keys"):
        look(replace(server.access, identity_file=str(stranger)))


def test_a_closed_port_a_silent_one_and_a_name_of_nobody_are_told_apart(server: SshServer) -> None:
    """Each within its time, and each with what ssh says."""
    with pytest.raises(UnreachableError, match=r"nothing listens on .*Connection refused"):
        look(replace(server.access, port=next(free_ports())))
    with silent_listener() as port, pytest.raises(UnreachableError, match=r"does not answer within 2 s: .*timed out"):
        look(replace(server.access, port=port, connect_seconds=2))
    with pytest.raises(UnreachableError, match=r"no name that leads to an address"):
        look(replace(server.access, host="postseal.invalid"))


@contextmanager
def silent_listener() -> Iterator[int]:
    """Give a port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_an_sshd_that_stands_still_is_given_up(server: SshServer) -> None:
    """One that is stopped says nothing to a new connection."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(UnreachableError, match=r"does not answer within 2 s"):
            look(replace(server.access, connect_seconds=2))
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert look(server.access) == {"./": "directory"}


def test_a_connection_that_stands_still_is_given_up_and_made_anew(server: SshServer) -> None:
    """A session that stops in the middle is noticed by its silence, in less than half a minute."""
    access = replace(server.access, connect_seconds=5)
    session = SshSession(access, "/etc")
    assert session.present(["./"])
    stopped = server.sessions()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        assert session.present(["passwd"])
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        close_all()
    assert 10 < time.monotonic() - began < SECONDS


def test_the_first_deployment_waits_for_a_machine_that_is_just_starting(server: SshServer, tmp_path: Path) -> None:
    """Nothing listens at first; without waiting it is an error at once."""
    with far_relay(tmp_path, server) as relay:
        server.stop()
        assert "nothing listens on" in failure_of(lambda: relay.up(OLD))
        relay.session.insist(SECONDS)  # type: ignore[attr-defined]
        starting = threading.Timer(3, server.start)
        starting.start()
        try:
            assert relay.up(OLD).reloading is Reloading.DONE
        finally:
            starting.join()
        assert relay.is_old()


@pytest.mark.parametrize("step", STEPS)
def test_a_run_whose_connection_is_cut_goes_on_and_is_asked_how_it_ended(relay: FarRelay, step: str) -> None:
    """Whether sshd's session or the client here is killed, the same `up` ends committed, and nothing is left."""
    kill: Callable[[], None] = kill_server_sessions(relay.server) if STEPS.index(step) % 2 else kill_clients
    with cut_at(relay, step, kill):
        outcome = relay.up(NEW)
    assert outcome.reloading is Reloading.DONE
    assert relay.is_new()
    assert relay.leftovers() == []
    relay.connect()
    assert relay.up(NEW).reloading is Reloading.NOT_NEEDED
    assert programs_left() == []


@contextmanager
def cut_at(relay: FarRelay, step: str, act: Callable[[], None]) -> Iterator[None]:
    """Have the program wait at a step until something was done."""
    reached, go_on = relay.place / "reached", relay.place / "go"
    wait = f"n=0; while [ ! -e '{go_on}' ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done"
    relay.connect(step, f": >'{reached}'; {wait}", has_trial=False)

    def play() -> None:
        if until(reached.exists, SECONDS):
            act()
        go_on.touch()

    player = threading.Thread(target=play)
    player.start()
    try:
        yield
    finally:
        player.join()
    assert reached.exists()


def kill_server_sessions(server: SshServer) -> Callable[[], None]:
    """Return what kills the processes of sshd that serve connections."""

    def kill() -> None:
        for pid in server.sessions():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    return kill


def kill_clients() -> None:
    """Kill the ssh processes that this one has started, and what holds the connection open."""
    for pid in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for child in pid.read_text().split():
            with suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text().strip() == "ssh":
                    os.kill(int(child), signal.SIGKILL)


@pytest.mark.needs_mounts
@pytest.mark.parametrize("step", ["stage", "swap:3", "probe"])
def test_a_run_whose_sudo_is_killed_goes_on_and_is_asked_how_it_ended(tmp_path: Path, step: str) -> None:
    """It has begun, and needs its caller no more."""
    with ssh_server(user="postseal", sudo=Sudo.PROGRAM) as server, far_relay(tmp_path, server) as relay:
        relay.connect(has_trial=False)
        relay.up(OLD)

        def kill() -> None:
            killed = server.sudos()
            assert killed
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

        with cut_at(relay, step, kill):
            outcome = relay.up(NEW)
        assert outcome.reloading is Reloading.DONE
        assert relay.is_new()
        assert relay.leftovers() == []


@pytest.mark.parametrize("step", ["stage", "swap:2", "reload", "commit"])
def test_a_run_that_is_killed_with_its_connection_is_finished_or_undone_by_the_next(relay: FarRelay, step: str) -> None:
    """The error says that it was cut off; the next run finds the journal and says what became of it."""
    relay.connect(step, "kill -9 -$$", has_trial=False)
    assert "run again" in failure_of(lambda: relay.up(NEW))
    relay.connect()
    outcome = relay.up(NEW)
    assert outcome.recovered or step == "stage"
    assert relay.is_new()
    assert relay.leftovers() == []
    assert programs_left() == []


def test_half_a_bundle_changes_nothing_and_leaves_nothing(relay: FarRelay) -> None:
    """The connection ends in the middle of what is sent, be it the program or the bundle."""
    said = request("run", str(relay.instance.config_directory), "a" * 32, b"x" * 100_000)
    access = relay.server.access
    remote, program = remote_command(access, len(carried_program())), carried_program()
    connection = connection_to(access)
    for sent in (program[: len(program) // 2], program, program + said[:50_000]):
        output, _ = connection.request(remote, sent, timeout_seconds=SECONDS)
        assert b"committed" not in output
    assert relay.is_old()
    assert relay.leftovers() == []
    assert programs_left() == []
    assert relay.up(NEW).reloading is Reloading.DONE


def test_two_runs_from_two_machines_are_one_after_the_other(relay: FarRelay) -> None:
    """The second is told that another one is at work, changes nothing, and ends right later."""
    sentences: list[str] = []
    other = FarRelay(relay.instance, relay.session, relay.deployed)
    other.server, other.place = relay.server, relay.place
    access = replace(relay.server.access, connect_seconds=6)
    other.session = SshSession(access, str(relay.instance.config_directory))  # type: ignore[assignment]
    with cut_at(relay, "open", lambda: sentences.append(failure_of(lambda: other.up(NEW)))):
        relay.up(NEW)
    assert "another run is at work" in sentences[0]
    assert relay.is_new()
    other.connect()
    other.deployed = relay.deployed
    assert other.up(NEW).reloading is Reloading.NOT_NEEDED


def test_no_key_is_in_an_argument_an_environment_or_an_open_file(relay: FarRelay) -> None:
    """Not on this side nor on that, while a key is brought there."""
    directories = (relay.instance.config_directory, *TEMPORARY.glob("postseal-ssh-*"))
    with KeyWatch(*directories, keys=(*SERVERS, ALICE, BOB)) as watch:
        relay.up(NEW)
    assert watch.found == set()
    assert watch.rounds > 5


def test_an_sshd_with_a_full_antechamber_is_asked_again(tmp_path: Path) -> None:
    """Connections beyond MaxStartups are dropped without a word; a moment later there is room."""
    with ssh_server("MaxStartups 2:100:2\nLoginGraceTime 60") as server, ExitStack() as held:
        waiting = [held.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(2)]
        for each in waiting:
            each.recv(100)
        leaving = threading.Timer(1, held.close)
        leaving.start()
        try:
            assert look(server.access) == {"./": "directory"}
        finally:
            leaving.join()


def test_an_sshd_that_allows_one_session_a_connection_is_used_all_the_same() -> None:
    """What finds no room on the shared connection makes one of its own."""
    with ssh_server("MaxSessions 1") as server:
        connection, remote = connection_to(server.access), "sleep 2; echo complete"
        answers: list[bytes] = []

        def ask() -> None:
            answers.append(connection.request(remote, b"", timeout_seconds=SECONDS)[0])

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        close_all()
        assert answers == [b"complete\n"] * 3


HOSTILE = """\
Host target
    HostName 127.0.0.1
    User nobody
    ProxyCommand ssh -F none -i {place}/user_key -o UserKnownHostsFile={place}/jump_hosts -p {port} -W %h:%p root@{jump}
    StrictHostKeyChecking no
    KnownHostsCommand /bin/echo target {other}
    UserKnownHostsFile {place}/user_hosts
    ForwardAgent yes
    PermitLocalCommand yes
    LocalCommand touch {place}/local_command
    RemoteCommand false
    RequestTTY force
    LocalForward 127.0.0.1:{free} 127.0.0.1:1
    ControlMaster no
    ControlPath {place}/theirs
    PasswordAuthentication yes
    ConnectTimeout 1000
"""


def test_a_configuration_leads_through_a_jump_host_and_weakens_nothing(tmp_path: Path) -> None:
    """It says how to get there; whose key counts, and what is run here and there, it does not."""
    with ssh_server() as jump, ssh_server() as target:
        (jump.place / "jump_hosts").write_text(f"[127.0.0.1]:{jump.port} {jump.host_key}\n")
        other, config = target.public_key("stranger"), tmp_path / "config"
        config.write_text(
            HOSTILE.format(
                jump="127.0.0.1", place=jump.place, port=jump.port, other=target.host_key, free=next(free_ports())
            )
        )
        access = replace(target.access, host="target", config_file=str(config))
        assert look(access) == {"./": "directory"}
        assert "Accepted publickey" in (jump.place / "sshd.log").read_text()
        with pytest.raises(UnreachableError, match="another host key than the pinned"):
            look(replace(access, host_keys=(other,)))
        assert not (jump.place / "local_command").exists()
        assert not (jump.place / "user_hosts").exists()


@pytest.mark.needs_mounts
def test_a_user_without_sudo_without_the_program_or_with_an_old_one_is_told_what_to_do() -> None:
    """Nothing is done as another user, and the sentence has the line or the command that is lacking."""
    with ssh_server(user="postseal", sudo=Sudo.PROGRAM) as server:
        with pytest.raises(UnreachableError, match=r"there is no .*postseal-host.*postseal host-program"):
            look(server.access)
        server.put_program(b"#!/bin/sh\necho complete\n")
        with pytest.raises(UnreachableError, match=r"is another version .*postseal host-program"):
            look(server.access)
        server.put_program(carried_program())
        assert look(server.access) == {"./": "directory"}
        with pytest.raises(UnreachableError, match=r"may not run a shell by sudo.*NOPASSWD: /bin/sh"):
            look(replace(server.access, sudo=Sudo.SHELL))


def test_what_is_to_be_pinned_is_printed_with_its_fingerprint(
    server: SshServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """As ssh-keygen writes it on the host, with the line for the stack file; of a host that is away one sentence."""
    assert main(["host-key", "127.0.0.1", "--port", str(server.port)]) == 0
    printed = capsys.readouterr().out
    listed = subprocess.run(
        ["ssh-keygen", "-lf", str(server.key("host_key")) + ".pub"], capture_output=True, text=True, check=True
    )
    assert f"# {listed.stdout.split()[1]}\nhost_key: {server.host_key}\n" in printed
    assert "On its console" in printed
    assert main(["host-key", "127.0.0.1", "--port", str(next(free_ports()))]) == ExitCode.ERROR
    assert capsys.readouterr().err.startswith("postseal: 127.0.0.1 port ")
    assert main(["host-key", "mx1;id"]) == ExitCode.ERROR
    assert capsys.readouterr().err.startswith("postseal: host: got 'mx1;id'")


def test_nothing_of_a_connection_is_left_when_it_is_closed(server: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Socket and known hosts go with it, and so does what another run has left that was killed."""
    with tempfile.TemporaryDirectory(dir=TEMPORARY) as parent:
        monkeypatch.setattr(tempfile, "tempdir", parent)
        killed = Path(parent, "postseal-ssh-killed")
        killed.mkdir()
        (killed / ".alive").touch()
        SshSession(server.access, "/etc").present(["./"])
        (made,) = Path(parent).iterdir()
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
        assert {path.name for path in made.iterdir()} == {".alive", "c", "known_hosts"}
        close_all()
        assert [*Path(parent).iterdir()] == []
