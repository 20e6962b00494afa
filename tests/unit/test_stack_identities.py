"""Common names in a stack file: nobody is called by the mailbox, host, address or name of somebody else."""

from typing import Any

import pytest

from tests.support.stack_files import problems_of

Raw = dict[str, Any]
AUTHORITY: Raw = {"authority": {"common_name": "CA"}}
ALICE: Raw = {"email": "alice@example.org", "ip_addresses": ["192.0.2.1"]}


def stack(**sections: Raw) -> Raw:
    """Return a stack of alice, a host of one label and a server, with these sections instead."""
    return (
        AUTHORITY
        | {
            "clients": {"alice": ALICE, "printer": {"dns_names": ["print3"]}},
            "servers": {"mx1": {"dns_names": ["mx1.example.org"]}},
        }
        | sections
    )


def client(common_name: str) -> Raw:
    """Return the clients with bob, who is called so."""
    bob = {"email": "bob@example.org", "common_name": common_name}
    return stack(clients={"alice": ALICE, "printer": {"dns_names": ["print3"]}, "bob": bob})


@pytest.mark.parametrize(
    "common_name",
    [
        *("alice@example.org", "ALICE@example.org.", "Bob alice@example.org", "mx1.example.org", "192.0.2.1"),
        # By itself nobody's address, but somebody's here: a host of one label, a name of this file, a host in a text.
        *("print3", "Print3", "Printer print3", "alice", "Alice", "MX1", "The one at mx1.example.org", "at 192.0.2.1"),
    ],
)
def test_a_client_is_not_called_as_somebody_else(common_name: str) -> None:
    """Its common name is what Postfix logs of it."""
    assert {problem.path for problem in problems_of(client(common_name))} == {"clients.bob.common_name"}


@pytest.mark.parametrize("common_name", ["Bob", "bob", "bob@example.org", "Bob Smith", "Alices brother", "Printer 4"])
def test_a_client_has_a_name_of_its_own(common_name: str) -> None:
    """Its own name in the file, its own mailbox, or any text that is nobody's name."""
    assert problems_of(client(common_name)) == []


def test_two_persons_may_be_called_alike() -> None:
    """A name that is nobody's address is not unique in the world either."""
    named = {"common_name": "Alex Smith"}
    clients = {name: {"email": f"{name}@example.org"} | named for name in ("alex", "alexandra")}
    assert problems_of(AUTHORITY | {"clients": clients}) == []


@pytest.mark.parametrize(
    ("sections", "path"),
    [
        ({"servers": {"mx1": {"dns_names": ["mx1.example.org"], "common_name": "print3"}}}, "servers.mx1.common_name"),
        ({"authority": {"common_name": "alice@example.org"}}, "authority.common_name"),
        ({"authority": {"common_name": "mx1.example.org"}}, "authority.common_name"),
        (
            {"rosters": {"staff": {"clients": {"carl": {"email": "carl@example.org", "common_name": "print3"}}}}},
            "rosters.staff.clients.carl.common_name",
        ),
        (
            {"rosters": {"staff": {"clients": {"carl": {"email": "carl@example.org", "common_name": "Alice"}}}}},
            "rosters.staff.clients.carl.common_name",
        ),
        (
            {"rosters": {"staff": {"clients": {"carl": {"email": "c@example.org", "common_name": "d@example.org"}}}}},
            "rosters.staff.clients.carl.common_name",
        ),
    ],
)
def test_servers_authorities_and_rosters_are_judged_too(sections: Raw, path: str) -> None:
    """Told where it stands."""
    assert [problem.path for problem in problems_of(stack(**sections))] == [path]


def test_a_client_and_a_server_of_one_name_are_one_machine() -> None:
    """Each may be called by the host that both are."""
    relay = {"dns_names": ["relay.example.org"], "common_name": "relay.example.org"}
    assert problems_of(AUTHORITY | {"clients": {"relay": relay}, "servers": {"relay": relay}}) == []
