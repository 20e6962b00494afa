"""What the report says about each entry of a stack's state."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.report.inventory import build_inventory
from postseal.report.model import Entry, ExitCode, Kind, State, Verb, exit_code
from postseal.report.selection import Selection, group_entries
from postseal_core.errors import ConfigError
from tests.support.stack_state import (
    NOW,
    SECRET,
    at,
    certificate,
    certificate_outputs,
    export,
    fingerprint,
    imported,
    mail_stack,
    previous_generation,
    resource,
    revocation_list,
    roster,
    waiting,
)

SECOND = 1 / 86400


def only(*resources: dict[str, Any], soon_days: int = 30) -> Entry:
    """Return the one entry of a stack."""
    (entry,) = build_inventory(export(*resources), NOW, soon_days).entries
    return entry


@pytest.mark.parametrize(
    ("not_after", "renew_at", "state"),
    [
        (-SECOND, -100, State.EXPIRED),
        (0, -100, State.EXPIRED),
        (SECOND, -100, State.OVERDUE),
        (100, -SECOND, State.OVERDUE),
        (100, 0, State.OVERDUE),
        (100, SECOND, State.DUE_SOON),
        (100, 30, State.DUE_SOON),
        (100, 30 + SECOND, State.OK),
    ],
)
def test_state_changes_at_the_second_of_its_boundary(not_after: float, renew_at: float, state: State) -> None:
    """A certificate is expired from not_after on, overdue from renew_at on, and due soon 30 days before."""
    assert only(certificate("mx1", not_after=at(not_after), renew_at=at(renew_at))).state is state


@pytest.mark.parametrize(
    ("retire_in_days", "state", "verb"),
    [
        (-1, State.OVERDUE, Verb.RETIRE),
        (0, State.OVERDUE, Verb.RETIRE),
        (30, State.DUE_SOON, Verb.RETIRE),
        (31, State.OK, Verb.RETIRE),
        (200, State.OK, Verb.RENEW),
    ],
)
def test_next_action_is_the_earlier_one_of_renewal_and_retirement(
    retire_in_days: float, state: State, verb: Verb
) -> None:
    """A generation that ought to be retired makes its certificate as overdue as a missed renewal does."""
    entry = only(certificate("alice", generation=2, previous=[previous_generation("alice", 1, retire_in_days)]))
    assert entry.state is state
    assert entry.next_action
    assert entry.next_action.verb is verb


@pytest.mark.parametrize(
    ("given_resource", "state", "label"),
    [
        (waiting("partner"), State.WAITING, "fetch"),
        (imported("www"), State.DUE_SOON, "fetch"),
        (imported("www", renew_at=at(-1)), State.OVERDUE, "fetch"),
        (imported("www", not_after=at(-1)), State.EXPIRED, "fetch"),
        (imported("www", status="waiting for the signed certificate"), State.WAITING, "fetch"),
        (revocation_list("crl"), State.DUE_SOON, "re-sign CRL"),
        (revocation_list("crl", renew_at=at(-1)), State.OVERDUE, "re-sign CRL"),
        (revocation_list("crl", next_update=at(0)), State.EXPIRED, "re-sign CRL"),
        (certificate("dave", revoked_at=at(-3)), State.REVOKED, ""),
        (certificate("dave", revoked_at=at(-3), not_after=at(-1)), State.REVOKED, ""),
    ],
)
def test_other_kinds_have_their_own_next_action(given_resource: dict[str, Any], state: State, label: str) -> None:
    """What others sign is fetched, a list is signed again, and about what is revoked nothing is left to do."""
    entry = only(given_resource)
    assert entry.state is state
    assert (entry.next_action.label if entry.next_action else "") == label


def test_zero_soon_days_reports_only_what_is_due_already() -> None:
    """With --soon 0 a renewal one second ahead is still fine."""
    assert only(certificate("mx1", renew_at=at(SECOND)), soon_days=0).state is State.OK


@pytest.mark.parametrize(("not_after", "days"), [(265, 265), (0.5, 0), (-0.5, -1), (-15, -15)])
def test_days_left_are_whole_days_rounded_down(not_after: float, days: int) -> None:
    """Half a day is zero days left; half a day too late is minus one."""
    assert only(certificate("mx1", not_after=at(not_after))).days_left == days


def test_accepted_fingerprints_carry_the_dates_until_which_they_are_let_in() -> None:
    """The current generation is accepted until it expires, an earlier one until it retires."""
    entry = only(certificate("alice", generation=2, previous=[previous_generation("alice", 1, 10)]))
    assert [(item.generation, item.fingerprint, item.until) for item in entry.accepted] == [
        (2, fingerprint("alice"), NOW + timedelta(days=265)),
        (1, fingerprint("alice#1"), NOW + timedelta(days=10)),
    ]


def test_generations_that_share_a_key_share_one_accepted_row() -> None:
    """Matched by public key, a renewal with the same key leaves the fingerprint table as it is."""
    same_key = previous_generation("alice", 1, 10) | {"public_key_fingerprint_sha256": fingerprint("alice key")}
    entry = only(certificate("alice", match="public_key", generation=2, previous=[same_key]))
    assert [(item.fingerprint, item.until) for item in entry.accepted] == [
        (fingerprint("alice key"), NOW + timedelta(days=265))
    ]


def test_nothing_of_a_revoked_certificate_is_accepted() -> None:
    """A revoked certificate's rows are gone, those of earlier generations as well."""
    assert only(certificate("dave", revoked_at=at(-3), previous=[previous_generation("dave", 1, 10)])).accepted == ()


def test_worst_entries_come_first() -> None:
    """Within a state the earlier next action comes first, at the same instant the earlier expiry."""
    inventory = build_inventory(mail_stack(), NOW)
    assert [(entry.state.value, entry.name) for entry in inventory.entries] == [
        ("expired", "carol, \\ \"quoted\"; = 'ü'"),
        ("overdue", "bob"),
        ("overdue", "branch-2"),
        ("waiting", "partner"),
        ("due_soon", "www"),
        ("due_soon", "alice"),
        ("due_soon", "relay2"),
        ("due_soon", "mail-ca-crl"),
        ("ok", "branch-1"),
        ("ok", "mx1"),
        ("ok", "mail-ca"),
        ("ok", "mail-root"),
        ("revoked", "dave"),
    ]


@pytest.mark.parametrize(
    ("resources", "code"),
    [
        ((), ExitCode.FINE),
        ((certificate("a"), certificate("b", revoked_at=at(-1))), ExitCode.FINE),
        ((certificate("a"), certificate("b", renew_at=at(1))), ExitCode.DUE),
        ((certificate("a"), certificate("b", renew_at=at(-1))), ExitCode.DUE),
        ((waiting("a"),), ExitCode.DUE),
        ((certificate("a", renew_at=at(-1)), certificate("b", not_after=at(-1))), ExitCode.EXPIRED),
    ],
)
def test_exit_code_tells_the_worst(resources: tuple[dict[str, Any], ...], code: ExitCode) -> None:
    """0 means nobody has to do anything, 1 that something is due, 2 that something has expired."""
    assert exit_code(build_inventory(export(*resources), NOW).entries) is code


def test_secrets_are_neither_needed_nor_shown() -> None:
    """The ciphertext of a private key appears nowhere in the inventory."""
    assert SECRET["ciphertext"] not in repr(build_inventory(mail_stack(), NOW))


def test_resources_waiting_for_their_deletion_are_left_out() -> None:
    """A replaced resource that the next run deletes is not current any more."""
    old = certificate("mx1", not_after=at(-5)) | {"delete": True}
    assert only(old, certificate("mx1")).state is State.OK


def test_equal_names_below_different_parents_are_told_apart() -> None:
    """Two certificates called mx1 stay two entries with two names."""
    first, second = certificate("mx1"), certificate("mx1")
    second["urn"] = second["urn"].replace("postseal:index:Certificate", "mail:Host$postseal:index:Certificate")
    names = {entry.name for entry in build_inventory(export(first, second), NOW).entries}
    assert names == {f"mx1 ({first['urn']})", f"mx1 ({second['urn']})"}


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (certificate("mx1", not_after="soon"), "mx1.not_after"),
        (certificate("mx1", not_after=None), "mx1.not_after"),
        (certificate("mx1", not_after="2026-11-22T20:00:00"), "mx1.not_after"),
        (certificate("mx1", renew_at=SECRET), "mx1.renew_at"),
        (certificate("mx1", generation="two"), "mx1.generation"),
        (certificate("mx1", generation=True), "mx1.generation"),
        (certificate("mx1", profile="mailbox"), "mx1.profile"),
        (certificate("mx1", previous="none"), "mx1.previous"),
        (certificate("mx1", previous=["none"]), "mx1.previous[0]"),
        (
            certificate("mx1", previous=[{**previous_generation("mx1", 1, 1), "retire_at": 3}]),
            "mx1.previous[0].retire_at",
        ),
        (resource("ClientRoster", "branches", {"name": "branches", "ledger": "!"}), "branches.ledger"),
        (roster("branches", [certificate_outputs("b1", not_after=7)]), "branches.b1.not_after"),
    ],
)
def test_unreadable_entries_are_named_with_their_field(broken: dict[str, Any], path: str) -> None:
    """An entry that cannot be read is an error, because leaving it out would hide it."""
    with pytest.raises(ConfigError) as caught:
        build_inventory(export(certificate("good"), broken), NOW)
    assert [problem.path for problem in caught.value.problems] == [path]


def test_all_unreadable_entries_are_named_at_once() -> None:
    """Two broken entries give two problems."""
    with pytest.raises(ConfigError) as caught:
        build_inventory(export(certificate("a", not_after="x"), certificate("b", renew_at="y")), NOW)
    assert {problem.path for problem in caught.value.problems} == {"a.not_after", "b.renew_at"}


def test_a_roster_whose_count_disagrees_with_its_ledger_is_an_error() -> None:
    """A client that got lost on the way must not get lost silently."""
    state = roster("branches", [certificate_outputs("b1")])
    state["outputs"]["count"] = 2
    with pytest.raises(ConfigError, match=r"branches\.count: says 2 clients, the ledger has 1"):
        build_inventory(export(state), NOW)


@pytest.mark.parametrize("document", [None, [], {}, {"deployment": None}, {"deployment": {"resources": "none"}}])
def test_documents_that_are_no_state_are_refused(document: object) -> None:
    """Any other JSON is refused with the command that writes the right one, not reported as an empty stack."""
    with pytest.raises(ConfigError):
        build_inventory(document, NOW)


def test_a_stack_without_resources_is_an_empty_inventory() -> None:
    """A new stack's state has no resources at all."""
    assert build_inventory({"deployment": {"manifest": {}}}, NOW).entries == ()


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(kinds=(Kind.ROOT, Kind.INTERMEDIATE)), {"mail-root", "mail-ca"}),
        (Selection(names=("mx*", "b?b")), {"mx1", "bob"}),
        (Selection(names=("*@example.org",)), {"alice"}),
        (Selection(states=(State.OVERDUE,)), {"bob", "branch-2"}),
        (Selection(kinds=(Kind.CLIENT,), states=(State.OK,)), {"branch-1"}),
        (Selection(names=("MX1",)), set()),
    ],
)
def test_filters_narrow_the_report(selection: Selection, names: set[str]) -> None:
    """Filters of one kind widen each other, filters of different kinds narrow each other; case matters in names."""
    assert {entry.name for entry in selection.apply(build_inventory(mail_stack(), NOW).entries)} == names


def test_groups_stand_in_a_fixed_order_with_rosters_last() -> None:
    """Authorities come first, and the clients of a roster have a heading of their own."""
    groups = group_entries(build_inventory(mail_stack(), NOW).entries)
    assert [(group.title, len(group.entries)) for group in groups] == [
        ("Authorities", 2),
        ("Servers", 2),
        ("Imported certificates", 1 + 1),
        ("Revocation lists", 1),
        ("Clients", 4),
        ("Roster branches", 2),
    ]


DAYS = st.integers(min_value=-500, max_value=500)


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a stack of certificates with any dates, some revoked, some with earlier generations."""
    drawn = []
    for index in range(draw(st.integers(0, 8))):
        name = f"c{index}"
        earlier = [
            previous_generation(name, generation, draw(DAYS)) for generation in range(1, draw(st.integers(1, 4)))
        ]
        changes = {"not_after": at(draw(DAYS)), "renew_at": at(draw(DAYS)), "previous": earlier, "generation": 9}
        drawn.append(certificate(name, **changes, revoked_at=at(draw(DAYS)) if draw(st.booleans()) else None))
    return export(*drawn)


@given(states(), st.randoms(use_true_random=False))
def test_order_is_total_and_independent_of_the_order_in_the_state(state: dict[str, Any], random: Any) -> None:
    """However the engine orders its resources, the report is the same, and no entry is worse than one above it."""
    inventory = build_inventory(state, NOW)
    random.shuffle(state["deployment"]["resources"])
    keys = [entry.worst_first for entry in inventory.entries]
    assert build_inventory(state, NOW) == inventory
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@given(states())
def test_accepted_dates_are_those_of_the_state_and_actions_agree_with_them(state: dict[str, Any]) -> None:
    """Whatever is accepted beside the current generation has a retirement on the same date among the actions."""
    for entry in build_inventory(state, NOW).entries:
        retirements = {action.due for action in entry.actions if action.verb is Verb.RETIRE}
        earlier = {item.until for item in entry.accepted if item.generation != entry.generation}
        assert earlier == retirements
        assert all(item.until == entry.not_after for item in entry.accepted if item.generation == entry.generation)


@given(states(), st.integers(0, 900))
def test_time_only_makes_things_worse(state: dict[str, Any], days: int) -> None:
    """Without a run no entry gets better as the clock goes on."""
    severity = list(State)
    later = {entry.identity: entry for entry in build_inventory(state, NOW + timedelta(days=days)).entries}
    for entry in build_inventory(state, NOW).entries:
        assert severity.index(later[entry.identity].state) <= severity.index(entry.state)


def test_the_state_is_plain_json() -> None:
    """The test's own state survives JSON, as the engine's does."""
    assert build_inventory(json.loads(json.dumps(mail_stack())), NOW) == build_inventory(mail_stack(), NOW)
