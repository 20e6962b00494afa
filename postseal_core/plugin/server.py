"""Start the plugin: listen on loopback, say the port, end with the engine."""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from pulumi.runtime.proto.provider_pb2_grpc import add_ResourceProviderServicer_to_server

from postseal_core.clear_logs import clear_log_switches
from postseal_core.plugin.handler import AnyHandler
from postseal_core.plugin.peers import OwnUserOnly
from postseal_core.plugin.replacement import called_with, patterns_of
from postseal_core.plugin.waiting import WaitingServicer

__all__ = ["engine_address_of", "serve", "start"]

_MAX_MESSAGE_BYTES = 1 << 30  # A roster of ten thousand clients is far over gRPC's default of 4 MiB.
_WORKERS = 16
_PARENT_POLL_SECONDS = 1.0


def serve(handlers: Mapping[str, AnyHandler], *, version: str, load_first: str) -> None:
    """Serve until the engine ends; never returns before. Prints the port as the first line of stdout, then nothing.

    Also ends at an interrupt: that is how an engine ends its plugins, and Ctrl-C one that was started by hand.

    `handlers`: by type token. `load_first`: the type that is asked for first; it is looked up once the port is out, so
    that a handler which is loaded at its first use is loaded while the engine is still busy with its greeting.
    """
    _heed_interrupts()
    engine_address = engine_address_of(sys.argv[1:])
    server, port = start(handlers, version=version, engine_address=engine_address)
    try:
        print(port, flush=True)
        _stop_with_parent(server)
        _warn_of_clear_logs(engine_address)
        handlers.get(load_first)
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(grace=None)


def _heed_interrupts() -> None:
    """Let an interrupt end this process even where it was started with interrupts ignored.

    Shells without job control start background jobs so, and some build servers everything. The engine would wait 5
    seconds for the plugin at the end of every command, and then kill it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def engine_address_of(arguments: Sequence[str]) -> str:
    """Return where the engine takes lines: the last argument, behind the flags that it hands on; empty for none."""
    last = arguments[-1] if arguments else ""
    return "" if last.startswith("-") else last


def _warn_of_clear_logs(engine_address: str) -> None:
    """Say that this engine writes secrets in clear: the plugin cannot keep it from that."""
    switches = clear_log_switches(sys.argv[1:], os.environ)
    if switches:
        message = (
            f"{', '.join(switches)}: the engine writes private keys and passphrases in clear; protect or remove what "
            "it writes, and leave this out where keys matter"
        )
        _EngineLog(engine_address)("", message, severity=engine_pb2.WARNING)


def start(handlers: Mapping[str, AnyHandler], *, version: str, engine_address: str = "") -> tuple[grpc.Server, int]:
    """Start a server for handlers by type token on a free loopback port and return both."""
    servicer = WaitingServicer(
        handlers,
        version=version,
        report=_EngineLog(engine_address),
        connect=_attach,
        replaced=patterns_of(called_with()) if engine_address else (),
    )
    guard = OwnUserOnly()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=_WORKERS),
        interceptors=[guard],
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ],
    )
    add_ResourceProviderServicer_to_server(servicer, server)
    port = guard.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


class _EngineLog:
    """Shows lines through the engine's log service; without an engine they go to stderr."""

    def __init__(self, address: str) -> None:
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None

    def __call__(
        self,
        urn: str,
        message: str,
        severity: "engine_pb2.LogSeverity.ValueType" = engine_pb2.INFO,
        *,
        is_passing: bool = False,
    ) -> None:
        if self._stub is None:
            print(message, file=sys.stderr, flush=True)
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=is_passing)
        try:
            self._stub.Log(request, timeout=5)
        except grpc.RpcError:
            # A line that cannot be shown must not fail a deployment.
            print(message, file=sys.stderr, flush=True)


def _attach(address: str) -> _EngineLog:
    """Return what shows lines in the engine that has attached, and tell whoever started this plugin by hand."""
    print(f"postseal: serving the engine at {address}", file=sys.stderr, flush=True)
    return _EngineLog(address)


def _stop_with_parent(server: grpc.Server) -> None:
    """End when the engine is gone: it may be killed without telling its plugins, which would live on as orphans."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL_SECONDS)
        server.stop(grace=None)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
