"""Whose connection it is stands in /proc/net/tcp; only the user who runs the plugin, and root, are answered."""

import os
import time
from pathlib import Path

import pytest

from postseal_core.plugin import peers
from postseal_core.plugin.peers import owners_of_sockets, user_of_peer

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def line(local: int, remote: int, uid: int, state: str = "01") -> str:
    """Return a line of /proc/net/tcp for two ports of loopback."""
    return (
        f"   0: 0100007F:{local:04X} 0100007F:{remote:04X} {state} 00000000:00000000 00:00000000 00000000 {uid} 0 1 1\n"
    )


def test_established_sockets_are_read_with_ports_and_owner() -> None:
    """Listening sockets and those that are closing are none of a peer's."""
    table = HEADER + line(4711, 8000, 65534) + line(8000, 0, 0, "0A") + line(4712, 8000, 5, "06")
    assert list(owners_of_sockets(table)) == [(4711, 8000, 65534)]


@pytest.mark.parametrize(
    ("peer", "uid"),
    [
        ("ipv4:127.0.0.1:4711", 65534),
        ("ipv6:[::1]:4711", 65534),
        ("ipv4:127.0.0.1:4713", None),
        ("unix:", None),
        ("", None),
    ],
)
def test_the_peer_is_the_owner_of_the_socket_at_its_end(peer: str, uid: int | None) -> None:
    """The plugin's own end of the same connection, ports the other way round, says nothing of the peer."""
    table = HEADER + line(4711, 8000, 65534) + line(8000, 4711, 0) + line(4711, 9000, 7)
    assert user_of_peer(peer, 8000, lambda: [table, HEADER]) == uid


def test_two_owners_of_one_end_are_nobody() -> None:
    """What cannot be told is not taken for one of the two."""
    table = HEADER + line(4711, 8000, 65534)
    assert user_of_peer("ipv4:127.0.0.1:4711", 8000, lambda: [table, HEADER + line(4711, 8000, 0)]) is None


PEER = "ipv4:127.0.0.1:4711"


class Machine:
    """A machine with one connection to the plugin, and a clock; counts how often its sockets are read."""

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self.now = 100.0
        self.looked_up = 0

    def tables(self) -> list[str]:
        """Return the table of sockets."""
        self.looked_up += 1
        return [HEADER + line(4711, 8000, self.uid)]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine on which we ourselves are connected."""
    machine = Machine(os.geteuid())
    monkeypatch.setattr(peers, "_read_tables", machine.tables)
    monkeypatch.setattr(time, "monotonic", lambda: machine.now)
    return machine


@pytest.fixture
def guard(machine: Machine) -> peers.OwnUserOnly:
    """Return what guards the port of the connection."""
    guard = peers.OwnUserOnly()
    guard.port = 8000
    return guard


@pytest.mark.parametrize(("seconds", "looked_up"), [(0.0, 1), (0.999, 1), (1.0, 2), (60.0, 2)])
def test_a_good_caller_is_looked_up_once_a_second(
    machine: Machine, guard: peers.OwnUserOnly, seconds: float, looked_up: int
) -> None:
    """A port may have gone to somebody else by then."""
    assert guard._verdict(PEER) == "ours"
    machine.now += seconds
    assert guard._verdict(PEER) == "ours"
    assert machine.looked_up == looked_up


def test_a_port_that_has_gone_to_somebody_else_is_refused_after_a_second(
    machine: Machine, guard: peers.OwnUserOnly
) -> None:
    """What was known of it is forgotten."""
    assert guard._verdict(PEER) == "ours"
    machine.uid, machine.now = os.geteuid() + 1000, machine.now + 1.0
    assert guard._verdict(PEER) == "foreign"


@pytest.mark.parametrize(("port", "verdict"), [(8000, "foreign"), (8001, "unknown")])
def test_whoever_was_refused_is_looked_up_each_time(
    machine: Machine, guard: peers.OwnUserOnly, port: int, verdict: str
) -> None:
    """A refusal is remembered for nobody: the own engine may have that port next."""
    guard.port, machine.uid = port, os.geteuid() + 1000
    assert guard._verdict(PEER) == guard._verdict(PEER) == verdict
    assert machine.looked_up == 2
    guard.port, machine.uid = 8000, os.geteuid()
    assert guard._verdict(PEER) == "ours"


@pytest.mark.parametrize("uid", [0, os.geteuid()])
def test_root_and_the_own_user_are_answered(machine: Machine, guard: peers.OwnUserOnly, uid: int) -> None:
    """Root could read the plugin's memory anyway."""
    machine.uid = uid
    assert guard._verdict(PEER) == "ours"


def test_a_machine_without_such_tables_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Once, on standard error, where the engine shows it."""
    monkeypatch.setattr(peers, "_TABLES", (tmp_path / "tcp", tmp_path / "tcp6"))
    guard = peers.OwnUserOnly()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "postseal: this system does not tell whose connection it is: other users of this machine can speak to "
        "the plugin while it runs\n"
    )
    assert not guard._is_able


def test_one_table_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without IPv6 has no second one."""
    (tmp_path / "tcp").write_text(HEADER)
    monkeypatch.setattr(peers, "_TABLES", (tmp_path / "tcp", tmp_path / "tcp6"))
    assert peers.OwnUserOnly()._is_able
    assert peers._read_tables() == [HEADER]
