"""Moving a client in the stack file: what may stand at two places for one `up`, and what is wrong with a move."""

from typing import Any

import pytest

from postseal.stack.config import load_stack
from tests.support.stack_files import problems_of, stack

Raw = dict[str, Any]
ALICE, BOB = {"email": "alice@example.org"}, {"email": "bob@example.org"}
INTO, OUT_OF = "rosters.staff.take_over[0]", "clients.alice.take_over_from"
HOST = {"myhostname": "mx1.example.org"}


def moving_in(client: Raw | None = None, entry: Raw | None = None, host: Raw | None = None, **fields: Any) -> Raw:
    """Return a stack file in which alice moves into a roster; with further fields of each place."""
    staff = {"clients": {"alice": ALICE | (entry or {}), "bob": BOB}, "take_over": ["alice"]} | fields
    relaying = {"relay_clients": ["alice"], "relay_rosters": ["staff"]} if host is None else host
    return stack(clients={"alice": ALICE | (client or {})}, rosters={"staff": staff}, hosts={"mx1": HOST | relaying})


def moving_out(client: Raw | None = None, entry: Raw | None = None, host: Raw | None = None, **fields: Any) -> Raw:
    """Return a stack file in which alice moves out of a roster."""
    return moving_in({"take_over_from": "staff"} | (client or {}), entry, host, **{"take_over": [], **fields})


def test_a_client_that_moves_stands_at_both_places() -> None:
    """Its name, its mailbox and its hosts are there twice, and that is no mistake; the model says who hands over."""
    into, out = (load_stack(raw, [], stack_name="dev") for raw in (moving_in(), moving_out()))
    assert (into.rosters["staff"].take_over, into.clients["alice"].take_over_from) == (("alice",), "")
    assert (out.rosters["staff"].take_over, out.clients["alice"].take_over_from) == ((), "staff")


def test_what_is_the_same_may_be_said_in_the_words_of_either_place() -> None:
    """What a roster sets for all its clients counts, and the order of host names does not."""
    hosts = ["a.example.org", "b.example.org"]
    client = {"organization": "Example", "key_algorithm": "ED25519", "dns_names": hosts, "lifetime": {"validity": "9d"}}
    entry = {"key_algorithm": "ED25519", "dns_names": hosts[::-1]}
    assert problems_of(moving_in(client, entry, organization="Example")) == []


def with_authorities(raw: Raw) -> Raw:
    """Return the stack file with two authorities; staff belongs to the first, alice to the second."""
    raw["clients"]["alice"] = raw["clients"]["alice"] | {"authority": "second"}
    raw["rosters"]["staff"] = raw["rosters"]["staff"] | {"authority": "first"}
    raw["servers"] = {"mx1": {"dns_names": ["mx1.example.org"], "authority": "first"}}
    del raw["authority"]
    return raw | {"authorities": {name: {"common_name": f"{name.title()} CA"} for name in ("first", "second")}}


MISTAKES: list[tuple[Raw, str, list[str]]] = [
    (moving_in(take_over=["bob"]) | {"clients": {"carol": {"email": "c@example.org"}}, "hosts": None}, INTO,
     ["bob is not in clients", "the one `pulumi up`", "leave this out"]),
    (moving_in(clients={"bob": BOB}), INTO, ["alice is not in roster staff", "declare it there as well"]),
    (moving_out(clients={"bob": BOB}), OUT_OF, ["alice is not in roster staff"]),
    (moving_out({"take_over_from": "stuff"}, clients={"bob": BOB}), OUT_OF, ["no roster 'stuff'", "mean staff?"]),
    (moving_in(take_over=["alice", "alice"]), "rosters.staff.take_over[1]", [INTO, "one move at a time"]),
    (moving_out(take_over=["alice"]), OUT_OF, [f"moves by {INTO} already"]),
    (moving_in(take_over="alice"), "rosters.staff.take_over", ["got 'alice'", "a list"]),
    (moving_out({"take_over_from": 1}), OUT_OF, ["got 1", "text"]),
    (with_authorities(moving_in()), INTO, ["authority second signs alice", "first signs roster staff"]),
    (with_authorities(moving_out()), OUT_OF, ["authority second signs alice", "first signs roster staff"]),
    (moving_in({"organization": "Example"}), INTO, ["organization ('Example' and '')", "change it after the move"]),
    (moving_out(organization="Example"), OUT_OF, ["organization ('' and 'Example')"]),
    (moving_in(entry={"email": "a@example.org"}), INTO, ["email ('alice@example.org' and 'a@example.org')"]),
    (moving_in({"key_algorithm": "ED25519"}), INTO, ["key_algorithm ('ED25519' and 'ECDSA-P256')"]),
    (moving_in({"revoke": "certificateHold"}), INTO, ["revoke ('certificateHold' and '')"]),
    (moving_in(host={"relay_clients": ["alice"]}), "hosts.mx1.relay_clients[0]", ["alice moves to roster staff"]),
    (moving_out(host={"relay_rosters": ["staff"]}), "hosts.mx1.relay_rosters[0]", ["alice moves out of this roster"]),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "path", "words"), MISTAKES, ids=[f"{path}:{words[0]}" for _, path, words in MISTAKES])
def test_a_mistake_in_a_move_is_the_only_problem(raw: Raw, path: str, words: list[str]) -> None:
    """It is told at the move, or at the host that would shut the client out, with what to do."""
    problems = problems_of({name: section for name, section in raw.items() if section is not None})
    assert [problem.path for problem in problems] == [path]
    assert [word for word in words if word not in problems[0].message] == []


def test_what_could_not_be_read_makes_no_difference_between_the_places() -> None:
    """A mistake at one of them is told by itself; that the places differ then is no news."""
    wrong = [moving_in({"email": 1}), moving_in(entry={"revoke": "stolen"}), moving_in(clients=["alice"])]
    paths = ["clients.alice.email", "rosters.staff.clients.alice.revoke", "rosters.staff.clients"]
    assert [[problem.path for problem in problems_of(raw)] for raw in wrong] == [[path] for path in paths]


def test_two_rosters_cannot_take_the_same_client() -> None:
    """The second is told that the first has it."""
    raw = moving_in()
    raw["rosters"]["guests"] = {"clients": {"alice": ALICE}, "take_over": ["alice"]}
    problems = problems_of(raw)
    assert ("rosters.guests.take_over[0]", True) in [(each.path, INTO in each.message) for each in problems]


def test_a_move_leaves_the_names_of_everybody_else_their_own() -> None:
    """A third client with alice's mailbox is still a mistake while she moves."""
    raw = moving_in(clients={"alice": ALICE, "bob": {"email": "Alice@example.org"}})
    assert [problem.path for problem in problems_of(raw)] == ["rosters.staff.clients.bob.email"]
