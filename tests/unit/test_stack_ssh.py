"""A host on another machine, as the stack file and a program declare it."""

from typing import Any

import pytest

from postfix.host import Ownership
from postfix.ssh_access import Sudo
from postfix.target import Drift, Ssh
from postseal.stack.config import load_stack
from tests.support.stack_files import host, problems_of, stack
from tests.support.test_authority import ThrowAwayAuthority

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpSaA4mPS6pd7nzktvzYmZHvxfrKtaNmW5JcvoqSqRH"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC6bD0cm1Qb5dS2lTQCw0TtMLdlKRQy5aEVw0qs4Wcrb"


def target(**fields: Any) -> Any:
    """Return the target of a host that is reached so."""
    return load_stack(host(target=fields), [], stack_name="dev").hosts["mx1"].target


def test_name_and_key_are_enough() -> None:
    """The user of the page, one program by sudo, and the usual directory."""
    found = target(ssh={"host": "mx1.example.org", "host_key": KEY})
    assert found == Ssh("mx1.example.org", host_key=KEY)
    assert (found.access.user, found.access.sudo, found.path) == ("postseal", Sudo.PROGRAM, "/etc/postfix")
    assert found.record.ownership is Ownership.MERGE
    assert found.record.place == "mx1.example.org:/etc/postfix"


def test_every_key_of_the_page_is_taken() -> None:
    """And what stands beside `ssh` means what it means for `local`."""
    way = {
        "host": "mx1",
        "host_key": [KEY, OTHER],
        "user": "deploy",
        "port": 2222,
        "identity_file": "~/.ssh/deploy",
        "config_file": "~/.ssh/config",
        "sudo": "shell",
        "program": "/opt/postseal-host",
        "connect_seconds": 5,
        "wait_seconds": 0,
        "config_directory": "/etc/postfix-out",
    }
    found = target(ssh=way, ownership="whole", take_over=["main.cf"], drift="stop", kept_generations=0)
    expected = Ssh(
        "mx1",
        host_key=f"{KEY}\n{OTHER}",
        user="deploy",
        port=2222,
        identity_file="~/.ssh/deploy",
        config_file="~/.ssh/config",
        sudo=Sudo.SHELL,
        program="/opt/postseal-host",
        connect_seconds=5,
        wait_seconds=0,
        path="/etc/postfix-out",
        ownership=Ownership.WHOLE,
        take_over=("main.cf",),
        drift=Drift.STOP,
        kept_generations=0,
    )
    assert found == expected
    assert found.access.host_keys == (KEY, OTHER)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"host": "mx1"}, "ssh.host_key"),
        ({"host_key": KEY}, "ssh.host"),
        ({"host": "-oX", "host_key": KEY}, "ssh.host"),
        ({"host": "mx1", "host_key": "AAAA"}, "ssh.host_key"),
        ({"host": "mx1", "host_key": [KEY, "x"]}, "ssh.host_key[1]"),
        ({"host": "mx1", "host_key": KEY, "port": "22"}, "ssh.port"),
        ({"host": "mx1", "host_key": KEY, "sudo": "none"}, "ssh.sudo"),
        ({"host": "mx1", "host_key": KEY, "sudo": "su"}, "ssh.sudo"),
        ({"host": "mx1", "host_key": KEY, "config_directory": "etc/postfix"}, "ssh.config_directory"),
        ({"host": "mx1", "host_key": KEY, "key": "x"}, "ssh.key"),
    ],
)
def test_what_is_wrong_with_a_way_is_told_by_its_key(fields: dict[str, Any], path: str) -> None:
    """Before any resource is registered."""
    assert f"hosts.mx1.target.{path}" in [each.path for each in problems_of(host(target={"ssh": fields}))]


def test_two_kinds_of_targets_are_one_too_many() -> None:
    """As for a directory beside the Postfix of this machine."""
    both = host(target={"local": "/etc/postfix", "ssh": {"host": "mx1", "host_key": KEY}})
    assert "hosts.mx1.target.ssh" in [each.path for each in problems_of(both)]


@pytest.mark.parametrize(
    ("name", "key", "is_refused"), [("mx2", OTHER, False), ("mx1", OTHER, True), ("mx2", KEY, True)]
)
def test_the_same_directory_on_two_machines_is_two_places(name: str, key: str, *, is_refused: bool) -> None:
    """Machines are told apart by their names and keys."""
    hosts = {
        "mx1": {"myhostname": "mx1.example.org", "target": {"ssh": {"host": "mx1", "host_key": KEY}}},
        "mx2": {"myhostname": "mx2.example.org", "target": {"ssh": {"host": name, "host_key": key}}},
    }
    hosts = {each: {**host, "certificate": "none"} for each, host in hosts.items()}
    found = [each for each in problems_of(stack(hosts=hosts)) if each.path == "hosts.mx2.target"]
    assert bool(found) is is_refused


@pytest.mark.parametrize("field", ["host", "host_key", "identity_file", "config_file", "user", "program", "port"])
def test_a_private_key_in_the_stack_file_is_refused_and_not_quoted(field: str) -> None:
    """Wherever it was pasted: a stack file is read by everybody who may see the repository."""
    pem = ThrowAwayAuthority().issue_client("alice").private_key_pem
    way = {"host": "mx1", "host_key": KEY, field: pem}
    told = [str(each) for each in problems_of(host(target={"ssh": way}))]
    assert told
    assert not any(line in each for line in pem.splitlines()[1:-1] for each in told)
