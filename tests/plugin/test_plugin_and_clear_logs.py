"""The plugin says so when its engine writes secrets in clear; it cannot keep the engine from that."""

import os
import subprocess
import sys

import pytest

from postseal_core.plugin.server import engine_address_of

PLUGIN = "from postseal.provider import main; main()"


def said_by_plugin(*arguments: str, **variables: str) -> str:
    """Return what a plugin says that is started without an engine, and ended at once."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    with subprocess.Popen(
        [sys.executable, "-c", PLUGIN, *arguments],
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as plugin:
        assert plugin.stdout is not None
        assert plugin.stderr is not None
        assert int(plugin.stdout.readline()) > 0
        line = "" if not (arguments or variables) else plugin.stderr.readline()
        plugin.terminate()
        return line + plugin.stderr.read()


def test_an_engine_that_logs_in_clear_is_told_of() -> None:
    """By the variable, or by a flag that the engine hands on; without either nothing is said."""
    assert said_by_plugin(PULUMI_DEBUG_GRPC="grpc.json").startswith("PULUMI_DEBUG_GRPC: the engine writes private keys")
    assert said_by_plugin("-v=3", "--logtostderr").startswith("-v, --logtostderr: the engine writes private keys")
    assert said_by_plugin() == ""


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        ([], ""),
        (["127.0.0.1:9"], "127.0.0.1:9"),
        (["-v=3", "--tracing", "file:x", "127.0.0.1:9"], "127.0.0.1:9"),
        (["-v=3", "--logtostderr"], ""),
    ],
)
def test_the_engines_address_stands_behind_its_flags(arguments: list[str], address: str) -> None:
    """With `--logflow` and `--tracing` the engine hands its flags on, in front."""
    assert engine_address_of(arguments) == address
