"""Where a host of a stack file is, for commands that need nothing else of it."""

import json
from typing import Any

import pytest

from postfix.target import Local, Ssh
from postseal.host_places import target_in
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
