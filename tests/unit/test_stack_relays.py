"""Which hosts the texts beside archives name, and how a stack file leaves the texts out."""

from typing import Any

import pytest

from postseal.stack.build import register_stack
from postseal.stack.config import load_stack
from postseal.stack.relays import relays_of_clients, relays_of_roster
from tests.support.mocks import run_program
from tests.support.stack_files import problems_of, stack

MX2 = {
    "myhostname": "node7.example.org",
    "certificate": ["mail"],
    "relay_rosters": ["staff"],
    "relay_clients": ["alice"],
}
SECTIONS: dict[str, Any] = stack(
    servers={
        "mail": {"dns_names": ["mail.example.org", "*.mail.example.org"]},
        "both": {"dns_names": ["both.example.org"], "also_client": True},
    },
    clients={
        "alice": {"email": "alice@example.org", "pkcs12": "modern"},
        "bob": {"email": "bob@example.org", "pkcs12": "modern"},
    },
    rosters={
        "staff": {"clients": {"anna": {"email": "anna@example.org", "pkcs12": "legacy"}}},
        "guests": {"clients": {"gast": {"email": "gast@example.org", "pkcs12": "modern"}}},
    },
    hosts={
        "mx1": {
            "myhostname": "mx1.example.org",
            "relay_clients": ["alice", "both"],
            "relay_rosters": ["staff"],
            "submission": {"relay_clients": ["bob"]},
            "submissions": {"relay_clients": ["bob"], "relay_rosters": ["staff"]},
        },
        "mx2": MX2,
    },
)


def facts(sections: dict[str, Any]) -> dict[str, Any]:
    """Return what each text of a stack is made of, by its file."""
    config = load_stack(sections, [], stack_name="dev")
    program = run_program(lambda: register_stack(config), preview=True)
    hand_outs = [each.properties["folders"] for each in program.registrations if each.type.endswith(":HandOut")]
    return {
        name: file["mail"]
        for folders in hand_outs
        for files in folders.values()
        for name, file in files.items()
        if name.endswith(".txt")
    }


def test_a_text_names_the_hosts_that_let_its_holder_in() -> None:
    """By the names that clients connect to: those of a node behind another name, and no wildcard."""
    found = facts(SECTIONS)
    assert {name: each.get("relays", []) for name, each in found.items()} == {
        "alice.txt": ["mx1.example.org:25", "mail.example.org:25"],
        "bob.txt": ["mx1.example.org:587", "mx1.example.org:465"],
        "anna.txt": ["mx1.example.org:465", "mx1.example.org:25", "mail.example.org:25"],
        "gast.txt": [],
    }
    assert {name for name, each in found.items() if each.get("is_legacy")} == {"anna.txt"}


def test_servers_that_are_clients_too_get_no_text() -> None:
    """They are on the list of a host, and nobody is handed an archive of them."""
    config = load_stack(SECTIONS, [], stack_name="dev")
    assert set(relays_of_clients(config)) == {"alice", "bob"}
    assert relays_of_roster(config, "guests") == ()


def test_a_stack_file_leaves_all_texts_out() -> None:
    """For whoever reads the directory by program."""
    assert facts(SECTIONS | {"out": {"mail_texts": False}}) == {}


@pytest.mark.parametrize("value", ["no", 0, []])
def test_only_a_flag_turns_them_off(value: object) -> None:
    """As everywhere in a stack file."""
    (problem,) = problems_of(stack(out={"mail_texts": value}))
    assert problem.path == "out.mail_texts"
