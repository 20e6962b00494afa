"""Hosts that receive come before those that send through them, whatever the order of the stack file."""

from typing import Any

import pytest

from postseal.stack.config import load_stack
from postseal.stack.host_order import receivers_of
from tests.support.stack_files import stack


def ordered(**relayhosts: str) -> dict[str, tuple[str, ...]]:
    """Return the hosts of a stack in their order; each sends through what is said of it."""
    hosts: dict[str, Any] = {
        name: {
            "myhostname": f"{name}.example.org",
            "certificate": "none",
            **({"relay_through": {"relayhost": relayhost}} if relayhost else {}),
        }
        for name, relayhost in relayhosts.items()
    }
    return receivers_of(load_stack(stack(hosts=hosts), [], stack_name="dev").hosts)


@pytest.mark.parametrize(
    ("relayhosts", "expected"),
    [
        ({"web": "[hub.example.org]:587", "hub": ""}, {"hub": (), "web": ("hub",)}),
        ({"web": "[HUB.example.org]", "hub": ""}, {"hub": (), "web": ("hub",)}),
        ({"web": "hub.example.org", "hub": ""}, {"hub": (), "web": ("hub",)}),
        ({"web": "[elsewhere.example.net]:587", "hub": ""}, {"web": (), "hub": ()}),
        ({"hub": "[hub.example.org]"}, {"hub": ()}),
        (
            {"a": "[b.example.org]", "b": "[c.example.org]", "c": ""},
            {"c": (), "b": ("c",), "a": ("b",)},
        ),
    ],
)
def test_a_host_comes_behind_those_that_it_sends_through(
    relayhosts: dict[str, str], expected: dict[str, tuple[str, ...]]
) -> None:
    """By their public names, in any capitals, with and without port."""
    assert list(ordered(**relayhosts).items()) == list(expected.items())


def test_two_that_send_through_each_other_have_no_order_and_are_there_all_the_same() -> None:
    """What would close the circle is left out."""
    found = ordered(a="[b.example.org]", b="[c.example.org]", c="[a.example.org]")
    assert sorted(found) == ["a", "b", "c"]
    assert sum(len(receivers) for receivers in found.values()) == len(found) - 1


def test_a_transport_counts_like_the_relay_for_all_mail() -> None:
    """Its next hop is a host of the stack as well."""
    hosts = {
        "web": {
            "myhostname": "web.example.org",
            "certificate": "none",
            "transports": {"to-hub": {"destinations": ["example.net"], "next_hop": "[hub.example.org]"}},
        },
        "hub": {"myhostname": "hub.example.org", "certificate": "none"},
    }
    found = receivers_of(load_stack(stack(hosts=hosts), [], stack_name="dev").hosts)
    assert list(found.items()) == [("hub", ()), ("web", ("hub",))]
