"""What the plugin loads: it is started at every command of the engine, so the SDK and pydantic stay out."""

import subprocess
import sys
from importlib.metadata import version

import pulumi

from postseal.provider import REGISTRY, handlers
from postseal.version import VERSION
from postseal_core.plugin.protocol import load_protocol_alone

LOADED = """
import sys
from postseal.provider import handlers, load_protocol_alone
load_protocol_alone()
import postseal_core.plugin.server
handlers()
print(*sys.modules)
"""


def test_the_plugin_starts_without_the_sdk_and_without_pydantic() -> None:
    """Everything the plugin serves with is there; what only programs and stack files need is not."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"pulumi.runtime.proto.provider_pb2_grpc", "postseal_core.plugin.servicer", "cryptography.x509"} <= loaded
    assert {each.split(".")[0] for each in loaded}.isdisjoint({"pydantic", "opentelemetry", "yaml", "dill"})
    assert {each for each in loaded if each.startswith("pulumi.runtime.") and ".proto" not in each} == set()


def test_where_the_sdk_is_loaded_it_stays() -> None:
    """A process that has the SDK already, as a test has, keeps it whole."""
    load_protocol_alone()
    assert sys.modules["pulumi"] is pulumi
    assert pulumi.Output is not None


def test_nothing_of_a_handler_is_loaded_before_the_port_is_out() -> None:
    """The engine waits for the port; what handlers need is loaded after it."""
    program = "import sys; from postseal.provider import load_protocol_alone; load_protocol_alone()\n"
    program += "import postseal_core.plugin.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {each.split(".")[0] for each in done.stdout.split()}.isdisjoint({"cryptography", "pki", "postfix"})


def test_the_registry_names_each_type_of_each_handler() -> None:
    """What a handler says that it serves is what is registered for it, and nothing else."""
    assert {token: {token} <= {*handler.type_tokens} for token, handler in REGISTRY.items()} == dict.fromkeys(
        REGISTRY, True
    )
    assert sorted(REGISTRY) == sorted(token for handler in handlers() for token in handler.type_tokens)


def test_the_version_is_that_of_the_distribution() -> None:
    """The constant is compared with what was installed."""
    assert version("postseal") == VERSION
