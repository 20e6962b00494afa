"""Answer only callers whose process belongs to the plugin's own user or to root.

The plugin listens on loopback, where every user of the machine can connect. So each call begins with the question whose
socket is at the other end (`sockets`). The answer is kept for nobody: a port that our engine has left may be another
user's a moment later, and gRPC would name both callers alike. Nothing that a stranger sends is read.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Final

import grpc

from postseal_core.plugin.sockets import End, are_owners_told, owner_of

__all__ = ["OwnUserOnly", "Verdict", "end_of_peer"]

_PEER: Final = re.compile(r"ipv[46]:(?:\[|%5B)?(?P<address>[0-9a-fA-F.:]+)(?:\]|%5D)?:(?P<port>[0-9]{1,5})")
_LOOPBACK: Final = ip_address("127.0.0.1")
_ROOT: Final = 0


class Verdict(StrEnum):
    """The result of checking a caller."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def end_of_peer(peer: str) -> End | None:
    """Return the end of a connection that gRPC names `ipv4:127.0.0.1:4711`; None for what is no such name."""
    match = _PEER.fullmatch(peer)
    try:
        return End(ip_address(match["address"]), int(match["port"])) if match else None
    except ValueError:
        return None


class OwnUserOnly(grpc.ServerInterceptor):
    """Refuses every call of a process that belongs to another user; root may always call.

    Where the system does not tell whose a socket is (macOS), all callers are answered, and a warning says so once.
    """

    def __init__(self, owner: Callable[[End, End], int | None] = owner_of) -> None:
        self.port = 0
        self._owner = owner
        self._is_able = are_owners_told()
        if not self._is_able:
            print(
                "postseal: this system does not tell whose connection it is: other users of this machine can speak to "
                "the plugin while it runs",
                file=sys.stderr,
                flush=True,
            )

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        """Return the method with the check in front of it, also in front of reading what it is asked."""
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None or not self._is_able:
            return handler
        method = handler.unary_unary

        # To gRPC a stream of one message is the same as one message, except that the method itself reads it.
        def checked(requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
            self._refuse_others(context)
            request = next(requests, None)
            if request is None:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call holds no message that can be read")
            return method(request, context)

        return grpc.stream_unary_rpc_method_handler(checked, handler.request_deserializer, handler.response_serializer)

    def _refuse_others(self, context: grpc.ServicerContext) -> None:
        verdict = self.verdict(context.peer())
        if verdict is not Verdict.OURS:
            print(f"postseal: refused a caller of another user: {verdict}", file=sys.stderr, flush=True)
            context.abort(
                grpc.StatusCode.PERMISSION_DENIED, "the plugin answers only the user who runs it; this is another one"
            )

    def verdict(self, peer: str) -> Verdict:
        """Return whose a caller is now; `peer`: its end of the connection as gRPC names it."""
        end = end_of_peer(peer)
        uid = None if end is None else self._owner(end, End(_LOOPBACK, self.port))
        if uid is None:
            return Verdict.UNKNOWN
        return Verdict.OURS if uid in (os.geteuid(), _ROOT) else Verdict.FOREIGN
