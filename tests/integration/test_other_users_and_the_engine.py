"""Another user of the machine attacks a running engine: in a network of its own it is out of reach.

The negative control is the engine in the machine's network: there the same attack takes the authority's key from the
engine, which no provider can prevent; from the plugin it gets nothing in either.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.engine import REPOSITORY, Stack, prepare_home, run_limited, write_project
from tests.support.loopback import until

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_root]

NOBODY = 65534
PROGRAM = """
import time
from pathlib import Path
import pulumi_tls
from pki.certificate.records import CertificateArgs
from pki.certificate.resource import Certificate
from pki.fields import DeclaredCertificate
from pki.model import Profile

def held(pem):
    Path("waiting").touch()
    for _ in range(600):
        if Path("attacked").exists():
            break
        time.sleep(0.1)
    return pem

key = pulumi_tls.PrivateKey("key", algorithm="ECDSA", ecdsa_curve="P256")
declared = DeclaredCertificate(common_name="Attacked CA")
root = Certificate("root", CertificateArgs(
    name="root", profile=Profile.ROOT, declared=declared, private_key_pem=key.private_key_pem))
root.chain_pem.apply(held)
"""
KEY_URN = "urn:pulumi:test::engine-test::tls:index/privateKey:PrivateKey::key"
# As whoever is root runs it: enter a network namespace the way the toolchain does, then become the engine.
IN_PRIVATE = """
import os
import sys
from toolchain.private_network import enter_private_network
reason = enter_private_network()
if reason:
    sys.exit(f"no network namespace can be had, so that this cannot be tested: {reason}")
os.execv(sys.argv[1], sys.argv[1:])
"""
ATTACK = """
import os
import sys
import grpc
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub

# Everything is loaded, by the first channel the rest of it: the interpreter may lie where the other user may not read.
grpc.insecure_channel("127.0.0.1:1").close()
user, monitor, plugin, urn = int(sys.argv[1]), *sys.argv[2:]
os.setgroups([])
os.setgid(user)
os.setuid(user)
arguments = Struct()
arguments["urn"] = urn
request = resource_pb2.ResourceInvokeRequest(tok="pulumi:pulumi:getResource", args=arguments, acceptResources=True)
try:
    answer = ResourceMonitorStub(grpc.insecure_channel(monitor)).Invoke(request, timeout=5)
    print("key" if "PRIVATE KEY" in str(answer) else "no key")
except grpc.RpcError as error:
    print(error.code().name)
try:
    ResourceProviderStub(grpc.insecure_channel(plugin)).GetPluginInfo(empty_pb2.Empty(), timeout=5)
    print("answered")
except grpc.RpcError as error:
    print(error.code().name)
"""


DEMO = """
import os
from pathlib import Path
from toolchain.demo import COMMANDS, ROOT
from toolchain.environment import engine_environment
from toolchain.private_network import isolate
environment = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
before = os.readlink("/proc/self/ns/net")
arguments = [*COMMANDS["preview"], "--stack", "dev", "--config-file", str(ROOT / "stacks/Pulumi.dev.yaml")]
print(isolate(ROOT, arguments, ROOT, engine_environment(ROOT, environment)).sentence)
print(os.readlink("/proc/self/ns/net") != before)
"""


def test_the_demo_has_a_network_of_its_own() -> None:
    """Its stack writes directories, its state is here, and `make` has installed everything; else it says why not."""
    done = subprocess.run([sys.executable, "-c", DEMO], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["the engine has a network of its own, out of reach for other users", "True"]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Return a stack whose program makes a key and an authority, and then waits to be attacked."""
    home = prepare_home(tmp_path / "home")
    return Stack(write_project(tmp_path / "project", PROGRAM), tmp_path / "backend", home).init()


@pytest.mark.parametrize(
    ("prefix", "takes"),
    [
        pytest.param([], ["key", "PERMISSION_DENIED"], id="shared"),
        pytest.param([sys.executable, "-c", IN_PRIVATE], ["UNAVAILABLE", "UNAVAILABLE"], id="private"),
    ],
)
def test_another_user_reaches_the_engine_only_in_the_network_of_the_machine(
    stack: Stack, prefix: list[str], takes: list[str]
) -> None:
    """The run of root succeeds in both; the ports are no secret, they stand in the command lines of processes."""
    up = [str(REPOSITORY / "toolchain/pulumi"), "up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test"]
    environment = stack.environment() | {"PYTHONPATH": str(REPOSITORY)}
    with ThreadPoolExecutor(1) as background:
        run = background.submit(run_limited, [*prefix, *up], stack.project, environment, 60)
        try:
            until(lambda: run.done() or (stack.project / "waiting").exists(), 50)
            taken = attack(stack) if not run.done() else []
        finally:
            (stack.project / "attacked").touch()
        run.result().expect_success()
    assert taken == takes


def attack(stack: Stack) -> list[str]:
    """Return what a process of another user gets from the engine and from the plugin of a running stack."""
    monitor = next(value for arguments in _processes(stack) for value in _following("--monitor", arguments))
    command = [sys.executable, "-c", ATTACK, str(NOBODY), monitor, f"127.0.0.1:{_plugin_port(stack)}", KEY_URN]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def _following(option: str, arguments: list[str]) -> list[str]:
    return [arguments[index + 1] for index, each in enumerate(arguments[:-1]) if each == option]


def _processes(stack: Stack) -> Iterator[list[str]]:
    """Yield the command lines of the processes that work in the project's directory."""
    for process in _of_project(stack):
        yield (process / "cmdline").read_text().split("\0")


def _of_project(stack: Stack) -> list[Path]:
    processes = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve(strict=True) == stack.project.resolve():
                processes.append(process)
        except OSError:
            continue
    return processes


def _plugin_port(stack: Stack) -> int:
    """Return the port on which the plugin listens, in whatever network it is."""
    (plugin,) = [each for each in _of_project(stack) if b"pulumi-resource-postseal" in (each / "cmdline").read_bytes()]
    sockets = {str(each.readlink()) for each in (plugin / "fd").iterdir()}
    tables = [(plugin / "net" / name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    listening = [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    (port,) = {int(row[1].rpartition(":")[2], 16) for row in listening}
    return port
