"""Where a host of a stack file is, for commands that need nothing else of it."""

import json
from typing import Any

import pytest

from postfix.ssh_access import Sudo
from postfix.target import Local, Ssh
from postseal.host_places import ssh_target_of, target_in
from postseal_core.errors import ConfigError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
FAR = {"ssh": {"host": "mx1.example.org", "host_key": KEY}}


def stack_file(**hosts: Any) -> str:
    """Return a stack file with these hosts, and with a mistake elsewhere."""
    return json.dumps({"config": {"mail:hosts": hosts, "mail:clients": 17}})


@pytest.mark.parametrize(
    ("target", "kind"),
    [({"local": "/etc/postfix"}, Local), (FAR, Ssh), ({"local": "/etc/postfix", "drift": "stop"}, Local)],
)
def test_a_host_is_found_by_its_name(target: object, kind: type) -> None:
    """Whatever else the file says, also where that is wrong."""
    found = target_in(stack_file(mx1={"myhostname": 5, "target": target}), "mx1", "Pulumi.dev.yaml")
    assert isinstance(found, kind)
    assert found.path == "/etc/postfix"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "Pulumi.dev.yaml: is no YAML"),
        ("[]", "Pulumi.dev.yaml: declares no hosts"),
        ("config: {}", "Pulumi.dev.yaml: declares no hosts"),
        (stack_file(mx2={}), "Pulumi.dev.yaml: has no host 'mx1'; its hosts: mx2"),
        (stack_file(), "Pulumi.dev.yaml: has no host 'mx1'; its hosts: none"),
        (stack_file(mx1={}), "hosts.mx1.target: directory is no running Postfix"),
        (stack_file(mx1=None), "hosts.mx1.target: directory is no running Postfix"),
        (stack_file(mx1={"target": "out/mx1"}), "hosts.mx1.target: directory is no running Postfix"),
        (stack_file(mx1={"target": {"ssh": {"hots": "x"}}}), "hosts.mx1.target.ssh.hots"),
    ],
)
def test_what_does_not_say_it_is_refused_in_a_sentence(text: str, message: str) -> None:
    """With the file or the path in it."""
    with pytest.raises(ConfigError) as caught:
        target_in(text, "mx1", "Pulumi.dev.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("ssh://mx1.example.org", ("mx1.example.org", "postseal", 22, "/etc/postfix", Sudo.PROGRAM)),
        ("ssh://root@mx1:2222/usr/local/etc/postfix/", ("mx1", "root", 2222, "/usr/local/etc/postfix", Sudo.NONE)),
        ("ssh://[2001:db8::1]:22", ("2001:db8::1", "postseal", 22, "/etc/postfix", Sudo.PROGRAM)),
    ],
)
def test_a_host_elsewhere_is_told_by_its_address(address: str, found: tuple[object, ...]) -> None:
    """What is left out is what a stack file leaves out."""
    target = ssh_target_of(address, host_key=KEY, identity_file="", sudo="")
    assert target == ssh_target_of(address, host_key=f"host_key: {KEY}", identity_file="", sudo="")
    assert (target.host, target.user, target.port, target.path, target.access.sudo) == found


@pytest.mark.parametrize(
    ("address", "host_key", "messages"),
    [
        ("http://mx1", KEY, ["HOST: got 'http://mx1', expected ssh://postseal@mx1.example.org:22/etc/postfix"]),
        ("ssh://", KEY, ["HOST: got 'ssh://'"]),
        ("ssh://root:secret@mx1", KEY, ["HOST: got"]),
        ("ssh://mx1?x", KEY, ["HOST: got"]),
        ("ssh://mx1", "", ["--host-key: is missing"]),
        ("ssh://-o@-mx1:99999", "", ["--host: got '-mx1'", "--user: got '-o'", "--port: got 99999", "--host-key: is"]),
    ],
)
def test_an_address_that_is_none_is_refused_with_all_that_is_wrong(
    address: str, host_key: str, messages: list[str]
) -> None:
    """Before anybody is asked; an option can never be smuggled in."""
    with pytest.raises(ConfigError) as caught:
        ssh_target_of(address, host_key=host_key, identity_file="", sudo="")
    assert [each for each in messages if each not in str(caught.value)] == []
