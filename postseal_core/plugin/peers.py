"""Answer only callers whose process belongs to the plugin's own user or to root.

The plugin listens on loopback, where every user of the machine can connect. Whose socket the other end is stands in
proc(5): `/proc/net/tcp` and `/proc/net/tcp6` list each socket with the user it belongs to.
"""

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import grpc

__all__ = ["OwnUserOnly", "Verdict", "owners_of_sockets", "user_of_peer"]

_PEER: Final = re.compile(r"ipv(?P<family>[46]):\[?(?P<address>[0-9a-fA-F.:]+)\]?:(?P<port>[0-9]+)")
_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED: Final = "01"
# A look-up reads every socket of the machine; the engine asks hundreds of times over one connection.
_REMEMBERED_SECONDS: Final = 1.0
_ROOT: Final = 0


class Verdict(StrEnum):
    """The result of checking a caller."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def owners_of_sockets(table: str) -> Iterator[tuple[int, int, int]]:
    """Yield local port, remote port and owner's uid of each established socket in the text of `/proc/net/tcp`."""
    for line in table.splitlines()[1:]:
        _, local, remote, state, _, _, _, uid, *_ = line.split()
        if state == _ESTABLISHED:
            yield int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16), int(uid)


def user_of_peer(peer: str, own_port: int, tables: Callable[[], list[str]]) -> int | None:
    """Return the uid behind a peer as gRPC names it (`ipv4:127.0.0.1:4711`); None where it is not to be found.

    `own_port`: the port it is connected to. `tables`: returns the texts of the tables of sockets.
    """
    match = _PEER.fullmatch(peer)
    if match is None:
        return None
    wanted = (int(match["port"]), own_port)
    found = {uid for table in tables() for local, remote, uid in owners_of_sockets(table) if (local, remote) == wanted}
    return found.pop() if len(found) == 1 else None


class OwnUserOnly(grpc.ServerInterceptor):
    """Refuses every call of a process that belongs to another user; root may always call.

    Where the system has no such tables (macOS), all callers are answered, and a warning says so once.
    """

    def __init__(self) -> None:
        self.port = 0
        self._is_able = all(table.exists() for table in _TABLES[:1])
        self._known: dict[str, tuple[float, Verdict]] = {}
        self._lock = threading.Lock()
        if not self._is_able:
            print(
                "postseal: this system does not tell whose connection it is: other users of this machine can speak to "
                "the plugin while it runs",
                file=sys.stderr,
                flush=True,
            )

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        """Return the method with the check in front of it."""
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None or not self._is_able:
            return handler
        method = handler.unary_unary

        def checked(request: Any, context: grpc.ServicerContext) -> Any:
            self._refuse_others(context)
            return method(request, context)

        return grpc.unary_unary_rpc_method_handler(checked, handler.request_deserializer, handler.response_serializer)

    def _refuse_others(self, context: grpc.ServicerContext) -> None:
        verdict = self._verdict(context.peer())
        if verdict is not Verdict.OURS:
            print(f"postseal: refused a caller of another user: {verdict}", file=sys.stderr, flush=True)
            context.abort(
                grpc.StatusCode.PERMISSION_DENIED, "the plugin answers only the user who runs it; this is another one"
            )

    def _verdict(self, peer: str) -> Verdict:
        now = time.monotonic()
        with self._lock:
            looked_up_at, known = self._known.get(peer, (0.0, Verdict.UNKNOWN))
        if known is Verdict.OURS and now - looked_up_at < _REMEMBERED_SECONDS:
            return known
        verdict = self._look_up(peer)
        with self._lock:
            self._known[peer] = (now, verdict)
        return verdict

    def _look_up(self, peer: str) -> Verdict:
        uid = user_of_peer(peer, self.port, _read_tables)
        if uid is None:
            return Verdict.UNKNOWN
        return Verdict.OURS if uid in (os.geteuid(), _ROOT) else Verdict.FOREIGN


def _read_tables() -> list[str]:
    return [table.read_text() for table in _TABLES if table.exists()]
