"""Another user of the machine gets nothing out of the plugin: no key, no certificate, no file."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from postseal.provider import REGISTRY
from postseal_core.plugin.server import start
from tests.support.provider import encode
from tests.support.resource_properties import root

NOBODY = 65534
URN = "urn:pulumi:test::project::postseal:index:{}::{}"
ASK = """
import os
import sys
import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

# Everything is loaded, by the first channel the rest of it: the interpreter may lie where the other user may not read.
grpc.insecure_channel("127.0.0.1:1").close()
user = int(sys.argv[3])
os.setgroups([])
os.setgid(user)
os.setuid(user)
stub = ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}"))
for call in (
    lambda: stub.GetPluginInfo(empty_pb2.Empty(), timeout=20),
    lambda: stub.Create(pb.CreateRequest(urn=sys.argv[2]), timeout=20),
    lambda: stub.Delete(pb.DeleteRequest(urn=sys.argv[2]), timeout=20),
):
    try:
        call()
        print("answered")
    except grpc.RpcError as error:
        print(error.code().name)
"""


@pytest.fixture
def port() -> Iterator[int]:
    """Return the port of a running plugin."""
    server, port = start(REGISTRY, version="0.0.0")
    yield port
    server.stop(grace=None).wait()


def ask_as(uid: int, port: int) -> list[str]:
    """Return what three calls of a process of this user come to."""
    command = [sys.executable, "-c", ASK, str(port), URN.format("Pkcs12", "alice"), str(uid)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.needs_root
def test_another_user_is_refused_and_the_own_one_is_answered(port: int) -> None:
    """The same process as another user, and as the one who runs the plugin: the negative control."""
    assert ask_as(NOBODY, port) == ["PERMISSION_DENIED"] * 3
    assert ask_as(0, port)[0] == "answered"


def test_inputs_that_check_has_not_returned_make_nothing(port: int, tmp_path: Path) -> None:
    """Not even for the own user: a key in memory is not to be had for whoever can compute its digest."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = ResourceProviderStub(channel)
        stub.Configure(pb.ConfigureRequest(args=encode({})))
        urn = URN.format("Certificate", "mail-ca")
        checked = stub.Check(pb.CheckRequest(urn=urn, news=encode(root())))
        assert stub.Create(pb.CreateRequest(urn=urn, properties=checked.inputs)).id == "mail-ca"
        forged = pb.CreateRequest(
            urn=URN.format("HandOut", "x"),
            properties=encode({"directory": str(tmp_path), "folders": {"a": "x"}, "content": {"a": "sha256:00"}}),
        )
        altered = pb.CreateRequest(urn=urn, properties=checked.inputs)
        altered.properties["name"] = "another"
        for request in (forged, altered):
            with pytest.raises(grpc.RpcError) as caught:
                stub.Create(request)
            assert "did not pass through Check" in str(caught.value)
        assert not list(tmp_path.iterdir())
        assert stub.GetPluginInfo(empty_pb2.Empty()).version == "0.0.0"


RELAY = """
import os, socket, struct, sys, threading
address, source, port, user = sys.argv[1], *map(int, sys.argv[2:])
os.setgroups([])
os.setgid(user)
os.setuid(user)
inner = socket.socket()
inner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
# When this ends its connection is torn down, and its port is free at once.
inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
inner.bind((address, source))
inner.connect(("127.0.0.1", port))
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
outer, _ = listener.accept()

def forward(giver, taker):
    while data := giver.recv(65536):
        taker.sendall(data)

threading.Thread(target=forward, args=(outer, inner), daemon=True).start()
forward(inner, outer)
"""


class Relay:
    """A process of a user that forwards one connection to the plugin, from an address and port of its choice."""

    def __init__(self, uid: int, port: int, source: int, address: str = "127.0.0.1") -> None:
        command = [sys.executable, "-c", RELAY, address, str(source), str(port), str(uid)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.stub = ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{int(self._process.stdout.readline())}"))

    def tear_down(self) -> None:
        """End the process and with it the connection; the port may be taken by the next."""
        self._process.kill()
        if self._process.stdout:
            self._process.stdout.close()
        self._process.wait()


@pytest.fixture
def relay() -> Iterator[Callable[..., Relay]]:
    """Start relays that end with the test."""
    started: list[Relay] = []

    def start_one(*arguments: Any) -> Relay:
        started.append(Relay(*arguments))
        return started[-1]

    yield start_one
    for each in started:
        each.tear_down()


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        port: int = candidate.getsockname()[1]
        return port


@pytest.mark.needs_root
@pytest.mark.parametrize(("uid", "answer"), [(0, "mail-ca"), (NOBODY, "PERMISSION_DENIED")])
def test_a_port_that_our_engine_has_left_gives_another_user_nothing(
    port: int, relay: Callable[..., Relay], uid: int, answer: str
) -> None:
    """Everybody sees in /proc/net/tcp which port it was, can take it at once, and gRPC would name both alike."""
    source, urn = free_port(), URN.format("Certificate", "mail-ca")
    engine = relay(0, port, source)
    engine.stub.Configure(pb.ConfigureRequest(args=encode({})))
    checked = engine.stub.Check(pb.CheckRequest(urn=urn, news=encode(root())))
    engine.tear_down()
    follower = relay(uid, port, source)
    try:
        said = follower.stub.Create(pb.CreateRequest(urn=urn, properties=checked.inputs), timeout=20).id
    except grpc.RpcError as error:
        said = error.code().name
    assert said == answer


@pytest.mark.needs_root
def test_another_user_cannot_have_the_own_one_refused(port: int, relay: Callable[..., Relay]) -> None:
    """Not with a connection from the same port of another address, which looks alike in a table of ports."""
    source = free_port()
    engine = relay(0, port, source)
    relay(NOBODY, port, source, "127.0.0.2")
    assert engine.stub.GetPluginInfo(empty_pb2.Empty(), timeout=20).version == "0.0.0"


SEND_MUCH = """
import os
import sys
import grpc
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

grpc.insecure_channel("127.0.0.1:1").close()
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
stub = ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}"))
try:
    stub.Create(pb.CreateRequest(urn="x" * 200_000_000), timeout=60)
except grpc.RpcError as error:
    print(error.code().name)
"""


def peak_megabytes() -> int:
    """Return the most memory that this process has had."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


@pytest.mark.needs_root
def test_nothing_that_another_user_sends_is_read(port: int) -> None:
    """A message may be as large as a roster of ten thousand; a stranger's must not take the memory for one."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak_megabytes()
    done = subprocess.run([sys.executable, "-c", SEND_MUCH, str(port)], capture_output=True, text=True, check=True)
    assert done.stdout == "PERMISSION_DENIED\n"
    assert peak_megabytes() - before < 50
