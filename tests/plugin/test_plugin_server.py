"""The plugin as a process: its port, its lines in the engine's output, and its end with the engine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2
from pulumi.runtime.proto.provider_pb2 import GetSchemaRequest
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from postseal.provider import REGISTRY
from postseal.version import VERSION
from postseal_core.plugin.handler import AnyHandler
from postseal_core.plugin.server import serve, start
from tests.support.provider import Provider
from tests.support.resource_properties import root

PLUGIN = Path(sys.executable).with_name("pulumi-resource-postseal")
CHANGED = "mail-ca: generation 1 -> 2, changed on "


class Engine(engine_pb2_grpc.EngineServicer):
    """Keeps what plugins log."""

    def __init__(self) -> None:
        self.logged: list[engine_pb2.LogRequest] = []

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Keep one line."""
        self.logged.append(request)
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[tuple[Engine, str, grpc.Server]]:
    """Return an engine that only logs, its address, and its server to stop it."""
    engine, server = Engine(), grpc.server(ThreadPoolExecutor(max_workers=1))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield engine, f"127.0.0.1:{port}", server
    server.stop(grace=None).wait()


@contextmanager
def plugin(engine_address: str = "") -> Iterator[ResourceProviderStub]:
    """Serve in this process, and connect to it as an engine does."""
    server, port = start(REGISTRY, version="1.2.3", engine_address=engine_address)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield ResourceProviderStub(channel)
    finally:
        server.stop(grace=None).wait()


def make_and_change(stub: ResourceProviderStub) -> None:
    """Make an authority and change it, which is worth a line."""
    authority = Provider(stub).resource("postseal:index:Certificate", "mail-ca")
    authority.up(root())
    authority.apply(authority.check(root(crl_urls=["http://example.org/ca.crl"])))


def own_lines(printed: str) -> list[str]:
    """Return the plugin's lines about its resources; the gRPC library writes to stderr, too, when it pleases."""
    return [line for line in printed.splitlines() if line.startswith("mail-ca")]


def test_lines_are_shown_beside_their_resource_by_the_engine(
    engine: tuple[Engine, str, grpc.Server], capfd: pytest.CaptureFixture[str]
) -> None:
    """The engine gets each line with the name of its resource; nothing is printed."""
    with plugin(engine[1]) as stub:
        make_and_change(stub)
    (request,) = engine[0].logged
    assert request.message.startswith(CHANGED)
    assert request.urn == "urn:pulumi:test::project::postseal:index:Certificate::mail-ca"
    assert request.severity == engine_pb2.INFO
    printed = capfd.readouterr()
    assert printed.out == ""
    assert own_lines(printed.err) == []


@pytest.mark.parametrize("has_engine", [True, False])
def test_a_line_that_no_engine_takes_goes_to_stderr_and_fails_nothing(
    engine: tuple[Engine, str, grpc.Server], capfd: pytest.CaptureFixture[str], *, has_engine: bool
) -> None:
    """Without an engine, or with one that is gone, the work is done all the same."""
    engine[2].stop(grace=None).wait()
    with plugin(engine[1] if has_engine else "") as stub:
        make_and_change(stub)
    printed = capfd.readouterr()
    assert printed.out == ""
    (line,) = own_lines(printed.err)
    assert line.startswith(CHANGED)


def test_a_plugin_that_was_started_by_hand_serves_the_engine_that_attaches(
    engine: tuple[Engine, str, grpc.Server], capfd: pytest.CaptureFixture[str]
) -> None:
    """From then on its lines go to that engine; whoever started it sees which one it is."""
    with plugin() as stub:
        stub.Attach(plugin_pb2.PluginAttach(address=engine[1]))
        make_and_change(stub)
    assert [request.message.startswith(CHANGED) for request in engine[0].logged] == [True]
    printed = capfd.readouterr()
    assert f"postseal: serving the engine at {engine[1]}" in printed.err.splitlines()
    assert own_lines(printed.err) == []


@pytest.mark.parametrize(("address", "is_another_run"), [("127.0.0.1:9", True), ("127.0.0.1:8", False)])
def test_another_engine_finds_nothing_of_an_earlier_run(address: str, *, is_another_run: bool) -> None:
    """A preview's clock and what it handed in are gone for the next run; one run may attach twice."""
    with plugin() as stub:
        stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:8"))
        provider = Provider(stub)
        provider.set_clock(datetime(2027, 3, 1, tzinfo=UTC))
        authority = provider.resource("postseal:index:Certificate", "mail-ca")
        checked = authority.check(root())
        assert checked["not_before"] == "2027-02-28T23:00:00Z"
        stub.Attach(plugin_pb2.PluginAttach(address=address))
        if is_another_run:
            with pytest.raises(grpc.RpcError, match="did not pass through Check in this run"):
                authority.apply(checked)
        assert (authority.check(root())["not_before"] == checked["not_before"]) is not is_another_run


@pytest.mark.parametrize("arguments", [[], ["127.0.0.1:9"]])
def test_serving_prints_the_port_and_ends_when_the_parent_is_gone(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """The port is the first and only line of stdout, with and without an engine's address; a new parent ends it all."""
    parents = chain([1, 1], repeat(2))
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(sys, "argv", ["pulumi-resource-postseal", *arguments])
    serve(REGISTRY, version="1.2.3", load_first="postseal:index:Certificate")
    assert capfd.readouterr().out.strip().isdecimal()


@contextmanager
def started(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", ResourceProviderStub]]:
    """Start the plugin as an engine does, and connect to it."""
    command = [str(PLUGIN), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                yield process, ResourceProviderStub(channel)
        finally:
            process.kill()


def test_a_plugin_that_an_engine_starts_is_one_of_its_version_and_logs_to_it(
    engine: tuple[Engine, str, grpc.Server],
) -> None:
    """The engine's address is its argument."""
    with started(engine[1]) as (_, stub):
        assert stub.GetPluginInfo(empty_pb2.Empty(), timeout=60).version == VERSION
        assert json.loads(stub.GetSchema(GetSchemaRequest()).schema) == {"name": "postseal", "version": VERSION}
        make_and_change(stub)
    assert [request.message.startswith(CHANGED) for request in engine[0].logged] == [True]


class Registry(dict[str, AnyHandler]):
    """Keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__(REGISTRY)
        self.asked: list[str] = []

    def get(self, key: str, default: Any = None) -> Any:
        """Return a handler."""
        self.asked.append(key)
        return super().get(key, default)


def test_the_handler_that_is_needed_first_is_loaded_before_it_is_asked_for(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the engine is still busy with its greeting; the port is out by then."""
    parents = chain([1, 1], repeat(2))
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(sys, "argv", ["pulumi-resource-postseal"])
    registry = Registry()
    serve(registry, version="1.2.3", load_first="postseal:index:HandOut")
    assert registry.asked == ["postseal:index:HandOut"]
    assert capfd.readouterr().out.strip().isdecimal()


def test_an_interrupt_ends_the_plugin_where_interrupts_were_ignored_at_its_start() -> None:
    """A background job of a shell without job control starts so; the engine ends plugins with an interrupt."""
    command = ["sh", "-c", 'trap "" INT; exec "$0"', str(PLUGIN)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip().isdecimal()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "Traceback" not in said


def test_the_plugin_does_not_outlive_an_engine_that_is_killed() -> None:
    """A killed engine says nothing to its plugins; this one notices, and stdout held the port and nothing else."""
    program = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    with subprocess.Popen([sys.executable, "-c", program, str(PLUGIN)], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        port = int(engine.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            info = ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=60)
        assert info.version == VERSION
        engine.kill()
        # The plugin holds the other end of this pipe: reading ends when it has.
        assert engine.stdout.read() == ""
