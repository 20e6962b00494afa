"""Command lines of OpenSSH's client: what stands in them, what never does, and what their failures mean."""

import shlex
import subprocess
from dataclasses import replace
from itertools import pairwise

import pytest

from postfix.deploy.ssh_command import (
    close_command,
    connect_command,
    environment_of,
    known_hosts_of,
    remote_command,
    request_command,
)
from postfix.deploy.ssh_failures import FailureKind, failure_of_connection, failure_of_program, shown_end
from postfix.ssh_access import SshAccess, Sudo

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpSaA4mPS6pd7nzktvzYmZHvxfrKtaNmW5JcvoqSqRH"
ACCESS = SshAccess(host="mx1.example.org", user="postseal", host_keys=(KEY,))
PLACE = "/tmp/postseal-ssh-x"  # noqa: S108  # only a text
COMMANDS = {
    "connect": connect_command(ACCESS, PLACE),
    "request": request_command(ACCESS, PLACE, "sudo -n /usr/local/libexec/postseal-host"),
}
SAID = ("-o", "StrictHostKeyChecking=yes"), ("-o", "BatchMode=yes"), ("-o", "ForwardAgent=no"), ("-F", "none")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_pinned_key_alone_counts_and_nothing_is_forwarded(command: list[str]) -> None:
    """Whatever an ssh_config says, ours comes first; the host stands behind `--`."""
    pairs = list(pairwise(command))
    assert all(pair in pairs for pair in SAID)
    options = dict(each.split("=", 1) for name, each in pairs if name == "-o")
    assert options["UserKnownHostsFile"] == f"{PLACE}/known_hosts"
    assert options["GlobalKnownHostsFile"] == "/dev/null"
    assert options["ClearAllForwardings"] == options["ServerAliveCountMax"].replace("3", "yes") == "yes"
    assert options["PermitLocalCommand"] == options["PasswordAuthentication"] == "no"
    assert options["ConnectTimeout"] == "10"
    assert command[command.index("--") + 1] == "mx1.example.org"


def test_an_own_configuration_is_read_only_where_it_is_named() -> None:
    """And an own key is the only one that is tried."""
    command = connect_command(replace(ACCESS, config_file="/x/config", identity_file="/x/key"), PLACE)
    assert command[command.index("-F") + 1] == "/x/config"
    assert command[command.index("-i") + 1] == "/x/key"
    assert "IdentitiesOnly=yes" in command
    assert "-i" not in COMMANDS["connect"]


def test_ssh_itself_reads_every_option_as_it_is_meant() -> None:
    """`ssh -G` prints the configuration that would be used; also where an ssh_config wants everything else."""
    printed = subprocess.run(["ssh", "-G", *COMMANDS["request"][1:]], capture_output=True, text=True, check=True).stdout
    values = dict(line.split(" ", 1) for line in printed.splitlines() if " " in line)
    assert values["stricthostkeychecking"] in ("true", "yes")
    assert values["userknownhostsfile"] == f"{PLACE}/known_hosts"
    assert values["hostkeyalias"] == "mx1.example.org"
    assert values["batchmode"] == "yes"
    assert values["forwardagent"] == "no"
    assert values["user"] == "postseal"
    assert values["controlpath"] == f"{PLACE}/c"


def test_what_is_pinned_is_the_only_line_of_known_hosts() -> None:
    """One line a key, under the name that is asked for."""
    access = replace(ACCESS, host_keys=(f"{KEY} root@mx1", "ssh-rsa AAAA"))
    assert known_hosts_of(access) == f"mx1.example.org {KEY}\nmx1.example.org ssh-rsa AAAA\n"


def test_ssh_gets_no_passphrase_of_the_engine() -> None:
    """What a ProxyCommand, or SendEnv in an ssh_config, could see of the environment."""
    environment = {"PULUMI_CONFIG_PASSPHRASE": "x", "AWS_SECRET_ACCESS_KEY": "y", "HOME": "/h", "SSH_AUTH_SOCK": "/s"}
    expected = {"HOME": "/h", "SSH_AUTH_SOCK": "/s", "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
    assert environment_of(environment) == expected


def test_closing_reads_no_configuration() -> None:
    """It speaks to the socket only."""
    assert close_command(ACCESS, PLACE)[:3] == ["ssh", "-F", "none"]
    assert close_command(ACCESS, PLACE)[-4:] == ["-O", "exit", "--", "mx1.example.org"]


def test_the_program_is_called_without_arguments_or_carried() -> None:
    """Of sudo it needs one program, or a shell; a shell parses what is sent as it is meant."""
    assert remote_command(ACCESS, 7) == "sudo -n /usr/local/libexec/postseal-host"
    words = shlex.split(remote_command(replace(ACCESS, sudo=Sudo.SHELL), 7))
    assert words[:4] == ["sudo", "-n", "sh", "-c"]
    assert len(words) == 5
    assert shlex.split(remote_command(replace(ACCESS, user="root", sudo=Sudo.NONE), 7))[:2] == ["sh", "-c"]
    assert subprocess.run(["sh", "-n", "-c", words[4]], check=False).returncode == 0


@pytest.mark.parametrize(("sent", "printed", "status"), [(b"echo hello", b"hello\n", 0), (b"echo hel", b"", 71)])
def test_a_carried_program_runs_only_if_it_came_whole(sent: bytes, printed: bytes, status: int) -> None:
    """And what is behind it is its input."""
    remote = remote_command(replace(ACCESS, user="root", sudo=Sudo.NONE), len(b"echo hello"))
    ended = subprocess.run(["sh", "-c", remote], input=sent, capture_output=True, check=False)
    assert (ended.stdout, ended.returncode) == (printed, status)


def test_a_carried_program_reads_what_is_sent_behind_it_and_can_be_started_again() -> None:
    """As the host program does, which starts itself a second time and lives on without its file."""
    program = b'if [ "${1:-}" = again ]; then echo "again $0"; else read -r line; echo "$line"; sh "$0" again; fi\n'
    remote = remote_command(replace(ACCESS, user="root", sudo=Sudo.NONE), len(program))
    ended = subprocess.run(["sh", "-c", remote], input=program + b"hello\n", capture_output=True, check=False)
    assert ended.stdout == b"hello\nagain /proc/self/fd/3\n"


FAILURES = {
    "Host key for mx1 has changed and you have requested strict checking.": FailureKind.HOST_KEY_CHANGED,
    "No ED25519 host key is known for mx1 and you have requested strict checking.": FailureKind.HOST_KEY_UNKNOWN,
    "Unable to negotiate: no matching host key type found.": FailureKind.HOST_KEY_UNKNOWN,
    "postseal@mx1: Permission denied (publickey).": FailureKind.USER_KEY,
    "Received disconnect: Too many authentication failures": FailureKind.USER_KEY,
    "ssh: Could not resolve hostname mx1: Name or service not known": FailureKind.NAME,
    "ssh: connect to host mx1 port 22: Connection refused": FailureKind.CLOSED,
    "ssh: connect to host mx1 port 22: Connection timed out": FailureKind.SILENT,
    "Connection timed out during banner exchange": FailureKind.SILENT,
    "ssh: connect to host mx1 port 22: No route to host": FailureKind.NO_WAY,
    "kex_exchange_identification: Connection closed by remote host": FailureKind.DROPPED,
    "Bad configuration option: x": FailureKind.OTHER,
    "": FailureKind.OTHER,
}
WAITED_FOR = {FailureKind.NAME, FailureKind.CLOSED, FailureKind.SILENT, FailureKind.NO_WAY, FailureKind.DROPPED}


@pytest.mark.parametrize(("said", "kind"), FAILURES.items())
def test_each_cause_that_ssh_says_is_told_as_what_it_is(said: str, kind: FailureKind) -> None:
    """A machine that is just starting is waited for; a wrong key never is."""
    failure = failure_of_connection(ACCESS, said)
    assert failure.kind is kind
    assert failure.may_pass is (kind in WAITED_FOR)
    assert "mx1.example.org" in failure.sentence
    assert "{" not in failure.sentence


def test_a_changed_key_is_told_with_both_fingerprints_to_compare() -> None:
    """The pinned one, and the command that asks for the other."""
    access = replace(ACCESS, port=2222)
    sentence = failure_of_connection(access, "Host key for mx1 has changed").sentence
    assert "SHA256:1QHu0j7SwMpbtlBPTQs7KxGF87BPrm2bL62cdGuJiME" in sentence
    assert "`postseal host-key mx1.example.org --port 2222`" in sentence


def test_what_is_shown_of_a_program_is_one_line_of_a_bounded_length() -> None:
    """Its end, as the cause stands there; a frame of at signs is left out."""
    assert shown_end("@@@@@@@@\n  a  b\n\nc\n") == "a b; c"
    assert len(shown_end("x" * 10_000)) < 310


@pytest.mark.parametrize(
    ("sudo", "said", "told"),
    [
        (Sudo.PROGRAM, "sudo: a password is required", 'NOPASSWD: /usr/local/libexec/postseal-host ""`'),
        (Sudo.SHELL, "sudo: a password is required", "NOPASSWD: /bin/sh`"),
        (Sudo.PROGRAM, "sudo: /usr/local/libexec/postseal-host: command not found", "`postseal host-program` prints"),
        (Sudo.SHELL, "sh: 1: sudo: not found", "may not run a shell by sudo"),
        (Sudo.PROGRAM, "Killed", "gave no answer: Killed"),
        (Sudo.PROGRAM, "", "gave no answer: nothing was said"),
    ],
)
def test_why_the_program_gave_no_answer_is_told_with_what_to_do(sudo: Sudo, said: str, told: str) -> None:
    """The line of the sudoers file, or the command that puts the program there."""
    assert told in failure_of_program(replace(ACCESS, sudo=sudo), said)
