"""When the engine gets a network of its own: only where that changes nothing else."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from toolchain.demo import COMMANDS
from toolchain.errors import ToolchainError
from toolchain.launch_checks import refuse_clear_logs
from toolchain.network import Choice, EngineCommand, Surroundings, choose_network, read_command
from toolchain.surroundings import surroundings_of

ROOT = Path(__file__).parents[2]
FIT = Surroundings(system="linux", is_root=True, backend_url="file:///srv/state", targets=("directory",))


def test_a_local_stack_that_writes_directories_is_private() -> None:
    """With root, a state here, hosts that are directories, and nothing to download."""
    assert choose_network(FIT) == Choice(is_private=True)
    assert choose_network(replace(FIT, targets=(), secrets_provider="passphrase")).is_private


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": "darwin"}, "no network namespaces"),
        ({"is_root": False}, "only root"),
        ({"wish": "shared"}, "POSTSEAL_NETWORK is set to shared"),
        ({"wish": "privat"}, "unknown value"),
        ({"outside": ("PULUMI_DEBUG_PROVIDERS",)}, "PULUMI_DEBUG_PROVIDERS names something outside"),
        ({"backend_url": "s3://states"}, "state is not in a directory"),
        ({"backend_url": "postgres://db/states"}, "state is not in a directory"),
        ({"backend_url": ""}, "state is not in a directory"),
        ({"secrets_provider": "awskms://alias/x"}, "secrets provider"),
        ({"targets": ("directory", "local")}, "target of the kind local"),
        ({"targets": ("ssh",)}, "target of the kind ssh"),
        ({"missing": ("the tls plugin 5.3.1",)}, "the tls plugin 5.3.1 would be downloaded"),
        ({"unknown": "no --stack says which"}, "no --stack says which"),
    ],
)
def test_anything_that_needs_another_network_keeps_the_one_there_is(change: dict[str, object], words: str) -> None:
    """And says what it is; what cannot be told is never taken for a no."""
    choice = choose_network(replace(FIT, **change))  # type: ignore[arg-type]
    assert not choice.is_private
    assert words in choice.reason


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ("preview --diff --stack dev", EngineCommand("preview", "dev")),
        ("up --yes -s dev --config-file x.yaml", EngineCommand("up", "dev", "x.yaml")),
        ("-C /srv update -sorg/mail/prod -yf", EngineCommand("up", "org/mail/prod", "", "/srv")),
        ("up --stack=dev --color=never --refresh=true --parallel 4", EngineCommand("up", "dev")),
        ("destroy --yes --target urn:x", EngineCommand("destroy")),
        ("down", EngineCommand("destroy")),
        ("stack ls --json", EngineCommand("", strange=("ls",))),
        ("watch -s dev", EngineCommand("watch", "dev")),
        ("import -s dev t n i", EngineCommand("import", "dev", strange=("t", "n", "i"))),
        ("--memprofilerate 1 up", EngineCommand("up", strange=("--memprofilerate", "up"))),
        ("--new 1 stack ls", EngineCommand("", strange=("--new", "stack", "ls"))),
        ("stack rm up", EngineCommand("", strange=("rm", "up"))),
        ("--new 1 up --stack", EngineCommand("up", strange=("argument -s/--stack: expected one argument",))),
        ("", EngineCommand()),
        ("version", EngineCommand()),
    ],
)
def test_the_arguments_of_the_engine_are_read(arguments: str, command: EngineCommand) -> None:
    """Other names of a command are its name; what runs no program has none."""
    assert read_command(arguments.split()) == command


@pytest.mark.parametrize(
    "option", ["--policy-pack x", "--remote", "--tracing=file:x", "--attach-debugger", "--new-one"]
)
def test_an_option_that_is_not_known_may_need_anything(option: str) -> None:
    """Such as the packages of a policy pack, or a machine elsewhere."""
    command = read_command(["up", *option.split(), "--stack", "dev"])
    assert command.command == "up"
    assert command.strange
    there = surroundings_of(ROOT, command, ROOT, {"PULUMI_BACKEND_URL": "file:///x"})
    assert there.unknown
    assert not choose_network(there).is_private


@pytest.mark.parametrize("command", COMMANDS)
def test_the_demo_uses_options_that_are_known(command: str) -> None:
    """Else it would never have a network of its own."""
    read = read_command([*COMMANDS[command], "--stack", "dev", "--non-interactive", "--suppress-progress"])
    assert (read.command, read.stack, read.strange) == (command, "dev", ())


def project_with(directory: Path, config: object, **more: object) -> Path:
    """Write a checkout with a stack file and return it."""
    (directory / "stacks").mkdir()
    (directory / "toolchain").symlink_to(ROOT / "toolchain")
    (directory / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (directory / "stacks/Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config, **more}))
    return directory


@pytest.mark.parametrize(
    ("hosts", "targets"),
    [
        ({}, ()),
        ({"a": {"myhostname": "a.example.org"}}, ()),
        ({"a": {"target": "out/a"}}, ()),
        ({"a": {"target": {"directory": "out/a"}}, "b": {"target": {"local": "/etc/postfix"}}}, ("directory", "local")),
        ({"a": {"target": {"ssh": "mx1", "ownership": "merge"}}}, ("ssh",)),
        ({"a": {"target": {"directory": "out/a", "take_over": ["main.cf"]}}}, ("directory",)),
    ],
)
def test_the_kinds_of_target_come_from_the_stack_file(
    hosts: dict[str, object], targets: tuple[str, ...], tmp_path: Path
) -> None:
    """A host without a target, and a text, are directories."""
    root = project_with(tmp_path, {"mail-pki:hosts": hosts})
    there = surroundings_of(root, EngineCommand("up", "dev"), root, {"PULUMI_BACKEND_URL": "file:///x"})
    assert (there.targets, there.unknown) == (targets, "")


@pytest.mark.parametrize(
    ("config", "more", "words"),
    [
        ({"mail-pki:hosts": []}, {}, "hosts of the stack cannot be read"),
        ({"mail-pki:hosts": {"a": 1}}, {}, "hosts of the stack cannot be read"),
        ({"mail-pki:hosts": {"a": {"target": 1}}}, {}, "target of a host cannot be read"),
        ({"mail-pki:hosts.a": {}}, {}, "hosts of the stack cannot be read"),
        ({"mail-pki:hosts": {"secure": "v1:x"}}, {}, "hosts of the stack cannot be read"),
        (7, {}, "configuration of the stack cannot be read"),
        ({}, {"environment": ["prod"]}, "what environment in the stack file needs"),
    ],
)
def test_a_stack_file_that_cannot_be_read_is_unknown(
    config: object, more: dict[str, object], words: str, tmp_path: Path
) -> None:
    """No host is taken for a directory because its target was not understood."""
    root = project_with(tmp_path, config, **more)
    there = surroundings_of(root, EngineCommand("up", "dev"), root, {"PULUMI_BACKEND_URL": "file:///x"})
    assert words in there.unknown


def test_only_the_programs_own_stack_files_are_understood(tmp_path: Path) -> None:
    """Another program may reach anything, and without a stack there is no file to read."""
    root = project_with(tmp_path, {})
    elsewhere = surroundings_of(root, EngineCommand("up", "dev"), ROOT, {})
    assert "not this checkout's own" in elsewhere.unknown
    assert "no --stack" in surroundings_of(root, EngineCommand("up"), root, {}).unknown
    assert "cannot be read" in surroundings_of(root, EngineCommand("up", "absent"), root, {}).unknown
    selected = surroundings_of(root, EngineCommand("up"), root, {"PULUMI_STACK": "org/mail-pki/dev"})
    assert selected.unknown == ""


def test_what_would_be_downloaded_is_named(tmp_path: Path) -> None:
    """A plugin that is not installed, and a virtual environment that nobody can compare with its lock file."""
    root = project_with(tmp_path, {})
    environment = {"PULUMI_HOME": str(tmp_path), "PATH": ""}
    there = surroundings_of(root, EngineCommand("up", "dev"), root, environment)
    assert [*there.missing] == ["the tls plugin 5.3.1", "packages of .venv"]


def test_variables_that_name_something_outside_are_found() -> None:
    """A plugin started by hand listens in the machine's network; so does a collector of traces."""
    environment = {"PULUMI_DEBUG_PROVIDERS": "postseal:1", "PULUMI_OPTION_TRACING": "x", "PULUMI_OPTION_X": ""}
    there = surroundings_of(ROOT, EngineCommand("up", "dev"), ROOT, environment)
    assert there.outside == ("PULUMI_DEBUG_PROVIDERS", "PULUMI_OPTION_TRACING")


ENTER = """
import socket
from toolchain.private_network import enter_private_network
listener = socket.create_server(("127.0.0.1", 0))
assert enter_private_network() == ""
try:
    socket.create_connection(listener.getsockname(), 5)
except ConnectionRefusedError:
    print("another network")
inside = socket.create_server(("127.0.0.1", 0))
socket.create_connection(inside.getsockname(), 5)
print("loopback is up")
"""


@pytest.mark.needs_root
def test_a_private_network_has_a_loopback_of_its_own() -> None:
    """What listens outside is not reached from inside, and what listens inside is."""
    done = subprocess.run([sys.executable, "-c", ENTER], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["another network", "loopback is up"]


def test_logs_in_clear_are_refused_unless_allowed() -> None:
    """By flag or by variable; the name of the way out is in the sentence."""
    refuse_clear_logs(["up", "--debug"], {})
    refuse_clear_logs(["up", "-v=9"], {"POSTSEAL_CLEAR_LOGS": "allow"})
    for arguments, environment in ((["up", "-v=9"], {}), (["up"], {"PULUMI_DEBUG_GRPC": "x"})):
        with pytest.raises(ToolchainError, match="POSTSEAL_CLEAR_LOGS=allow"):
            refuse_clear_logs(arguments, environment)
