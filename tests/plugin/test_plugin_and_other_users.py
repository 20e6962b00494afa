"""Another user of the machine gets nothing out of the plugin: no key, no certificate, no file."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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
