"""Only the user who runs the plugin, and root, are answered; each call is looked up anew."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import grpc
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


@pytest.mark.parametrize(("uid", "verdict"), [(0, "ours"), (1, "foreign"), (1000, "ours"), (1001, "foreign")])
def test_a_plugin_of_a_user_answers_that_user_and_root(uid: int, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert guard_on(Machine(uid)).verdict(PEER) == verdict


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


def _echo(request: bytes, _context: grpc.ServicerContext) -> bytes:
    return b"heard " + request


@contextmanager
def served(uid: int) -> Iterator[grpc.Channel]:
    """Serve one method behind the guard, to callers that all belong to a user."""
    guard = OwnUserOnly(lambda _local, _remote: uid)
    server = grpc.server(ThreadPoolExecutor(max_workers=1), interceptors=[guard])
    methods: dict[str, Any] = {"Echo": grpc.unary_unary_rpc_method_handler(_echo)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("Test", methods)])
    guard.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{guard.port}") as channel:
            yield channel
    finally:
        server.stop(grace=None).wait()


@pytest.mark.parametrize(
    ("uid", "messages", "answer"),
    [
        (os.geteuid(), [b"me"], b"heard me"),
        (os.geteuid(), [], grpc.StatusCode.INVALID_ARGUMENT),
        (OTHER, [b"me"], grpc.StatusCode.PERMISSION_DENIED),
        (OTHER, [], grpc.StatusCode.PERMISSION_DENIED),
    ],
    ids=["ours", "ours without a message", "a stranger", "a stranger without a message"],
)
def test_a_call_without_a_message_is_refused_after_its_caller_was_looked_at(
    uid: int, messages: list[bytes], answer: bytes | grpc.StatusCode, capsys: pytest.CaptureFixture[str]
) -> None:
    """The method is never called with nothing; a stranger learns no more than that it is one."""
    with served(uid) as channel:
        call: Any = channel.stream_unary("/Test/Echo")
        if isinstance(answer, bytes):
            assert call(iter(messages), timeout=60) == answer
        else:
            with pytest.raises(grpc.RpcError) as caught:
                call(iter(messages), timeout=60)
            assert cast("grpc.Call", caught.value).code() is answer
    assert ("refused a caller of another user: foreign" in capsys.readouterr().err) == (uid == OTHER)


def test_methods_that_cannot_be_guarded_are_returned_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One that does not exist, one that streams, and each where the system does not tell; elsewhere it is wrapped."""
    method: Any = grpc.unary_unary_rpc_method_handler(_echo)
    stream: Any = grpc.stream_stream_rpc_method_handler(_echo)
    found: list[Callable[[Any], Any]] = [lambda _, each=each: each for each in (None, stream, method)]  # type: ignore[misc]
    guard = guard_on(Machine(OTHER))
    kept = [guard.intercept_service(each, None) is each(None) for each in found]
    assert kept == [True, True, False]
    monkeypatch.setattr(sockets, "_TABLES", (tmp_path / "tcp", tmp_path / "tcp6"))
    blind = guard_on(Machine(OTHER))
    assert [blind.intercept_service(each, None) is each(None) for each in found] == [True, True, True]
    assert "does not tell whose connection" in capsys.readouterr().err
