"""Which switches of the engine write secrets in clear."""

import pytest

from postseal_core.clear_logs import clear_log_switches


@pytest.mark.parametrize(
    ("arguments", "switches"),
    [
        ("preview --diff --stack dev", []),
        ("preview --debug --event-log up.log --logflow", []),
        ("up -v=9", ["-v"]),
        ("up -v9", ["-v"]),
        ("up -v 9", ["-v"]),
        ("up -yv=1", ["-v"]),
        ("up -v=0", []),
        ("up -v 0", []),
        ("up --verbose=3", ["--verbose"]),
        ("up --verbose 3", ["--verbose"]),
        ("up --verbose=0", []),
        ("up -sdev -s v9 -C v", []),
        ("up -mv9", []),
        ("up -Qv9", ["-v"]),
        ("up -sv9", []),
        ("up --message -- -v=9", ["-v"]),
        ("up -m -- --logtostderr", ["--logtostderr"]),
        ("up --message=x -- -v=9", []),
        ("-- -v=9", []),
        ("up --logtostderr", ["--logtostderr"]),
        ("up --logtostderr=true", ["--logtostderr"]),
        ("up --logtostderr=false", []),
        ("--tracing=file:trace up", ["--tracing"]),
        ("--tracing file:trace up", ["--tracing"]),
        ("up --otel-traces file:///tmp/x --logtostderr", ["--otel-traces", "--logtostderr"]),
        ("config set x -- -v9 --logtostderr", []),
        ("", []),
    ],
)
def test_flags(arguments: str, switches: list[str]) -> None:
    """However a flag is spelt; one that is turned off, and a name that only looks like one, are none."""
    assert clear_log_switches(arguments.split(), {}) == switches


@pytest.mark.parametrize(
    ("environment", "switches"),
    [
        ({"PULUMI_DEBUG_GRPC": "grpc.json"}, ["PULUMI_DEBUG_GRPC"]),
        ({"PULUMI_DEBUG_GRPC": ""}, []),
        ({"PULUMI_OPTION_LOGTOSTDERR": "true"}, ["PULUMI_OPTION_LOGTOSTDERR"]),
        ({"PULUMI_OPTION_LOGTOSTDERR": "false", "PULUMI_OPTION_VERBOSE": "0"}, []),
        ({"PULUMI_OPTION_OTEL_TRACES": "file:///x"}, ["PULUMI_OPTION_OTEL_TRACES"]),
        ({"PULUMI_OPTION_TRACING": "file:x"}, ["PULUMI_OPTION_TRACING"]),
        ({"PULUMI_OPTION_TRACING": "file:x", "PULUMI_TRACING_NO_PAYLOADS": "true"}, []),
        ({"PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"}, ["PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT"]),
        ({"PULUMI_LOG_OTLP_ENDPOINT": "127.0.0.1:4317"}, []),  # the engine sets it for each plugin
        ({"PULUMI_DEBUG_COMMANDS": "true", "PULUMI_HOME": "/x"}, []),
    ],
)
def test_variables(environment: dict[str, str], switches: list[str]) -> None:
    """The engine's variables for debugging, and those that stand for its flags."""
    assert clear_log_switches([], environment) == switches
