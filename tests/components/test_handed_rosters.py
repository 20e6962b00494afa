"""A program hands out the clients of rosters as a stack file does: all of them, those with archives, or some."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

import pki
from postseal.stack.build import build_stack
from postseal.stack.config import load_stack
from postseal_core.values import MUST_BE_KNOWN
from tests.support.declarations import alice, ca, given, mistake_of
from tests.support.mocks import run_program, secrets_in_clear
from tests.support.stack_files import roster as roster_section

CLIENTS = {"anna": {"email": "a@example.org", "pkcs12": "legacy"}, "ben": {"email": "b@example.org"}}


def staff(name: str = "staff") -> pki.ClientRoster:
    """Return a roster of two, one with an archive."""
    return pki.ClientRoster(name, authority=ca(), clients=CLIENTS)


def folders(rosters: Callable[[], list[Any]], **more: Any) -> dict[str, Any]:
    """Return the folders of a hand-out of rosters, by their paths."""
    program = run_program(lambda: pki.HandOut("all", **given(directory="out", rosters=rosters(), **more)))
    properties = program.one("HandOut").properties
    assert secrets_in_clear(properties) == []
    found: dict[str, Any] = properties["folders"]
    return found


@pytest.mark.parametrize(
    ("clients", "expected"),
    [
        ("all", {"anna", "ben"}),
        ("with_archive", {"anna"}),
        (["ben"], {"ben"}),
        (("ben", "anna"), {"anna", "ben"}),
        ([], set()),
    ],
    ids=["all", "with_archive", "one", "both", "none"],
)
def test_the_clients_that_are_named_are_handed_out(clients: Any, expected: set[str]) -> None:
    """Each has a folder below that of its roster."""
    found = folders(lambda: [pki.RosterHandOut(staff(), clients)])
    assert {*found} == {f"rosters/staff/{name}" for name in expected}


def test_of_a_roster_alone_all_clients_are_handed_out() -> None:
    """Several rosters and single clients stand side by side."""
    found = folders(lambda: [staff(), staff("guests")], clients=[])
    assert {*found} == {f"rosters/{roster}/{name}" for roster in ("staff", "guests") for name in CLIENTS}
    assert {*found["rosters/staff/anna"]} == {"anna.cert.pem", "anna.key.pem", "anna.p12", "anna.txt", "ca.pem"}


def test_the_files_are_those_that_a_stack_file_makes() -> None:
    """Below the same directory, with the same content and the same mode."""
    section = roster_section(hand_out=True, clients=CLIENTS)
    built = run_program(lambda: build_stack(load_stack(section, [], stack_name="dev")), preview=True)
    by_stack = built.one("HandOut", "staff-hand-out").properties
    by_program = folders(lambda: [staff()])
    assert by_stack["directory"] == "out/dev/rosters/staff"
    for name in CLIENTS:
        secret = {file: each.get("is_secret") for file, each in by_program[f"rosters/staff/{name}"].items()}
        assert {file: each.get("is_secret") for file, each in by_stack["folders"][name].items()} == secret


ROSTER = "expected a roster, as pki.ClientRoster(...)"
WORDS = "expected one of all, with_archive, or a list of names"


@pytest.mark.parametrize(
    ("rosters", "expected"),
    [
        (lambda: "staff", ["rosters: got 'staff', expected a list, as [first, second]"]),
        (lambda: ["staff"], [f"rosters[0]: got 'staff', {ROSTER}, or pki.RosterHandOut(...)"]),
        (lambda: [pki.RosterHandOut(**given(roster="staff"))], [f"rosters[0].roster: got 'staff', {ROSTER}"]),
        (lambda: [pki.RosterHandOut(staff(), **given(clients="some"))], [f"rosters[0].clients: got 'some', {WORDS}"]),
        (lambda: [pki.RosterHandOut(staff(), **given(clients=None))], [f"rosters[0].clients: got nothing, {WORDS}"]),
        (
            lambda: [pki.RosterHandOut(staff(), **given(clients=pulumi.Output.from_input("all")))],
            [f"rosters[0].clients: {MUST_BE_KNOWN}"],
        ),
        (
            lambda: [pki.RosterHandOut(staff(), **given(clients=[pulumi.Output.from_input("ben")]))],
            [f"rosters[0].clients[0]: {MUST_BE_KNOWN}"],
        ),
        (
            lambda: [pki.RosterHandOut(staff(), ["ann", "ben"])],
            ["rosters[0].clients[0]: got 'ann', which is not in the roster; declare it there"],
        ),
        (
            lambda: [pki.RosterHandOut(staff(), ["ben", "ben"])],
            ["rosters[0].clients: ben is there 2 times; name each client once"],
        ),
        (
            lambda: [staff(), pki.RosterHandOut(staff(), ["ben"])],
            ["rosters: staff is there 2 times, for one folder; give each a name of its own"],
        ),
    ],
    ids=["text", "name", "inner name", "word", "nothing", "output", "name later", "nobody", "twice", "two of one name"],
)
def test_a_mistake_is_told_with_its_place(rosters: Callable[[], Any], expected: list[str]) -> None:
    """Before anything of the hand-out is registered."""
    error = mistake_of(lambda: pki.HandOut("all", **given(directory="out", rosters=rosters())))
    assert [str(problem) for problem in error.problems] == [f"hand_out.all.{each}" for each in expected]


def test_two_clients_never_share_a_folder() -> None:
    """Whatever folder the single clients are put below."""

    def program() -> object:
        single = pki.ClientCertificate("anna", authority=ca(), email="anna@example.org")
        return pki.HandOut(
            "all", directory="out", clients=[single, alice()], clients_below="rosters/staff", rosters=[staff()]
        )

    sentence = "rosters/staff/anna is the folder of something else here; put the clients below another one"
    assert [str(each) for each in mistake_of(program).problems] == [f"hand_out.all.clients: {sentence}"]


def test_a_hand_out_needs_no_authorities() -> None:
    """The roots that a client needs are in its folder."""
    assert "ca" not in folders(lambda: [staff()])
