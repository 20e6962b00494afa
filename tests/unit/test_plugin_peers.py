"""Only the user who runs the plugin, and root, are answered; each call is looked up anew."""

import os
from ipaddress import ip_address
from pathlib import Path

import pytest

from postseal_core.plugin import sockets
from postseal_core.plugin.peers import OwnUserOnly, end_of_peer
from postseal_core.plugin.sockets import End

PEER = "ipv4:127.0.0.1:4711"
LOOPBACK = ip_address("127.0.0.1")
OTHER = os.geteuid() + 1000


@pytest.mark.parametrize(
    ("peer", "end"),
    [
        (PEER, End(LOOPBACK, 4711)),
        ("ipv6:[::1]:4711", End(ip_address("::1"), 4711)),
        ("ipv6:%5B::1%5D:4711", End(ip_address("::1"), 4711)),
        ("ipv4:127.0.0.1:4711 ", None),
        ("ipv4:1:4711", None),
        ("unix:", None),
        ("", None),
    ],
)
def test_a_peer_is_read_as_grpc_names_it(peer: str, end: End | None) -> None:
    """What is no address and port is nobody."""
    assert end_of_peer(peer) == end


class Machine:
    """A machine with one connection to port 8000, whose owner may change."""

    def __init__(self, uid: int | None) -> None:
        self.uid = uid

    def owner(self, local: End, remote: End) -> int | None:
        """Return who owns the socket at the other end of this connection."""
        return self.uid if (local, remote) == (End(LOOPBACK, 4711), End(LOOPBACK, 8000)) else None


def guard_on(machine: Machine, port: int = 8000) -> OwnUserOnly:
    """Return what guards the port of the connection."""
    guard = OwnUserOnly(machine.owner)
    guard.port = port
    return guard


@pytest.mark.parametrize(
    ("uid", "port", "verdict"),
    [
        (0, 8000, "ours"),  # root could read the plugin's memory anyway
        (os.geteuid(), 8000, "ours"),
        (OTHER, 8000, "foreign"),
        (None, 8000, "unknown"),
        (os.geteuid(), 8001, "unknown"),
    ],
)
def test_root_and_the_own_user_are_ours(uid: int | None, port: int, verdict: str) -> None:
    """And what cannot be told is not."""
    assert guard_on(Machine(uid), port).verdict(PEER) == verdict


def test_nothing_is_remembered_of_a_port() -> None:
    """The next call from it may be another user's, and the one after that our engine's again."""
    machine = Machine(os.geteuid())
    guard = guard_on(machine)
    verdicts = []
    for uid in (os.geteuid(), OTHER, os.geteuid()):
        machine.uid = uid
        verdicts.append(guard.verdict(PEER))
    assert verdicts == ["ours", "foreign", "ours"]


def test_a_machine_that_does_not_tell_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Once, on standard error, where the engine shows it."""
    monkeypatch.setattr(sockets, "_TABLES", (tmp_path / "tcp", tmp_path / "tcp6"))
    guard = OwnUserOnly()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "postseal: this system does not tell whose connection it is: other users of this machine can speak to "
        "the plugin while it runs\n"
    )
    assert not guard._is_able


def test_one_table_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without IPv6 has no second one."""
    (tmp_path / "tcp").write_text("header\n")
    monkeypatch.setattr(sockets, "_TABLES", (tmp_path / "tcp", tmp_path / "tcp6"))
    assert sockets.are_owners_told()
    assert sockets._read_tables() == ["header\n"]
