"""Common names in a stack file: nobody is called by the mailbox, host, address or name of somebody else."""

from collections.abc import Callable
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
        # The organization tells their subjects apart: else the leaf were called as who signs it, which is told as well.
        ({"authority": {"common_name": "alice@example.org", "organization": "A"}}, "authority.common_name"),
        ({"authority": {"common_name": "mx1.example.org", "organization": "A"}}, "authority.common_name"),
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


DEVICES: Raw = {"email": "anna@example.org", "person": "anna"}
PLACES_OF_TWO: dict[str, Callable[[Raw, Raw], tuple[Raw, str]]] = {
    "clients": lambda one, other: (AUTHORITY | {"clients": {"laptop": one, "phone": other}}, "clients.phone"),
    "a roster": lambda one, other: (
        AUTHORITY | {"rosters": {"staff": {"clients": {"laptop": one, "phone": other}}}},
        "rosters.staff.clients.phone",
    ),
    "a client and a roster": lambda one, other: (
        AUTHORITY | {"clients": {"laptop": one}, "rosters": {"staff": {"clients": {"phone": other}}}},
        "rosters.staff.clients.phone",
    ),
    "two rosters": lambda one, other: (
        AUTHORITY | {"rosters": {"here": {"clients": {"laptop": one}}, "there": {"clients": {"phone": other}}}},
        "rosters.there.clients.phone",
    ),
}
each_place_of_two = pytest.mark.parametrize("place", PLACES_OF_TWO.values(), ids=PLACES_OF_TWO)


@each_place_of_two
def test_one_person_has_a_mailbox_on_several_devices(place: Callable[[Raw, Raw], tuple[Raw, str]]) -> None:
    """A laptop and a phone, wherever each stands, where both say whose they are."""
    raw, _ = place(DEVICES, DEVICES | {"email": "Anna@example.org", "common_name": "Annas phone"})
    assert problems_of(raw) == []


@each_place_of_two
@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"person": "ben"}, id="another person"),
        pytest.param({"person": "Anna"}, id="another spelling"),
        pytest.param({"person": ""}, id="nobody said"),
    ],
)
def test_two_persons_with_one_mailbox_are_a_mistake(place: Callable[[Raw, Raw], tuple[Raw, str]], other: Raw) -> None:
    """Told at the second, with how two devices of one person are declared."""
    phone = {name: value for name, value in (DEVICES | other).items() if value}
    for one, two in ((DEVICES, phone), (phone, DEVICES)):
        raw, path = place(one, two)
        (problem,) = problems_of(raw)
        assert (problem.path, "same person" in problem.message) == (f"{path}.email", True)


@each_place_of_two
def test_a_host_is_one_machine_whoever_it_belongs_to(place: Callable[[Raw, Raw], tuple[Raw, str]]) -> None:
    """A person may have several devices, but a host name or an address means one of them."""
    device = {"dns_names": ["desk.example.org"], "person": "anna"}
    raw, path = place(device, device)
    (problem,) = problems_of(raw)
    assert (problem.path, "person" in problem.message) == (f"{path}.dns_names[0]", False)


@pytest.mark.parametrize("person", ["x" * 65, "anna\u200b", " anna"])
def test_a_person_is_a_text_that_a_reader_sees(person: str) -> None:
    """Two that look alike and are not the same would be told nowhere."""
    raw = AUTHORITY | {"clients": {"laptop": {"email": "anna@example.org", "person": person}}}
    assert [problem.path for problem in problems_of(raw)] == ["clients.laptop.person"]
