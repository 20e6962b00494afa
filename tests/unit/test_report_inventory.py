"""What the report says about everything that expires in a stack's state."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.fields import Match
from pki.lifetime import KEEP_KEY
from postseal.report.inventory import build_inventory
from postseal.report.model import ExitCode, Expiring, Kind, State, Verb, exit_code
from postseal.report.selection import Selection, group_items
from postseal_core.errors import ConfigError
from postseal_core.packing import pack, unpack
from tests.support.examples import examples
from tests.support.stack_state import (
    NOW,
    SECRET,
    accepted_of,
    certificate,
    damaged,
    day,
    export,
    imported,
    mail_stack,
    member,
    requested,
    revocation_list,
    roster,
    waiting,
)

SECOND = 1 / 86400


def _with_retirement(instant: object) -> dict[str, Any]:
    """Return an earlier generation with another `retire_at`."""
    earlier: dict[str, Any] = certificate("mx1", previous=(10,))["outputs"]["previous"][0]
    return earlier | {"retire_at": instant}


def _with_profile(profile: str) -> dict[str, Any]:
    """Return a certificate with another profile among its inputs."""
    mx1 = certificate("mx1")
    return {**mx1, "inputs": mx1["inputs"] | {"profile": profile}}


def _with_end(instant: object) -> str:
    """Return the packed clients of a roster with another `not_after`."""
    (line,) = unpack(roster("branches", [member("b1")])["outputs"]["issued"]).splitlines()
    return pack(json.dumps(json.loads(line) | {"not_after": instant}))


def only(*resources: dict[str, Any], soon_days: int = 30, on: float = 0) -> Expiring:
    """Return the one thing in a stack that expires, as it stands so many days after NOW."""
    (item,) = build_inventory(export(*resources), day(on), soon_days).items
    return item


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (100 + SECOND, State.EXPIRED),
        (100, State.EXPIRED),
        (100 - SECOND, State.OVERDUE),
        (50 + SECOND, State.OVERDUE),
        (50, State.OVERDUE),
        (50 - SECOND, State.DUE_SOON),
        (20, State.DUE_SOON),
        (20 - SECOND, State.OK),
    ],
)
def test_state_changes_at_the_second_of_its_boundary(on: float, state: State) -> None:
    """A certificate is expired from not_after on, overdue from renew_at on, and due soon 30 days before."""
    assert only(certificate("mx1", not_after=100, renew_at=50), on=on).state is state


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
    item = only(certificate("alice", previous=(retire_in_days,)))
    assert item.state is state
    assert item.next_action
    assert item.next_action.verb is verb


@pytest.mark.parametrize(
    ("given_resource", "state", "label"),
    [
        (waiting("partner"), State.WAITING, "fetch"),
        (waiting("partner", renew_at=1), State.WAITING, "fetch"),
        (waiting("partner", renew_at=-1), State.OVERDUE, "renew"),
        (waiting("partner", not_after=-1), State.EXPIRED, "renew"),
        (requested("printer", renew_at=31), State.OK, "new request"),
        (requested("printer", renew_at=10), State.DUE_SOON, "new request"),
        (requested("printer", renew_at=-1), State.OVERDUE, "new request"),
        (requested("printer", renew_at=-1, renew_key_every=KEEP_KEY), State.OVERDUE, "renew"),
        (requested("printer", renew_at=-2, not_after=-1), State.EXPIRED, "new request"),
        (imported("www"), State.DUE_SOON, "fetch"),
        (imported("www", renew_at=-1), State.OVERDUE, "fetch"),
        (imported("www", not_after=-1, renew_at=-2), State.EXPIRED, "fetch"),
        (revocation_list("crl"), State.DUE_SOON, "re-sign CRL"),
        (revocation_list("crl", renew_at=-1), State.OVERDUE, "re-sign CRL"),
        (revocation_list("crl", next_update=0, renew_at=-1), State.EXPIRED, "re-sign CRL"),
        (certificate("dave", revoked=-3), State.REVOKED, ""),
        (certificate("dave", revoked=-3, not_after=-1), State.REVOKED, ""),
    ],
)
def test_other_kinds_have_their_own_next_action(given_resource: dict[str, Any], state: State, label: str) -> None:
    """What others sign is fetched, a list is signed again, and about what is revoked nothing is left to do."""
    item = only(given_resource)
    assert item.state is state
    assert (item.next_action.label if item.next_action else "") == label


def test_what_stands_in_for_a_third_party_waits_from_its_first_day() -> None:
    """Fetching the answer is due at once; the renewal of what stands in comes later."""
    item = only(waiting("partner"), on=-100)
    assert (item.kind, item.issuer, item.state) == (Kind.SERVER, "itself", State.WAITING)
    assert [(action.verb, action.due) for action in item.actions] == [
        (Verb.FETCH, day(-100)),
        (Verb.RENEW, item.renew_at),
    ]


def test_zero_soon_days_reports_only_what_is_due_already() -> None:
    """With --soon 0 a renewal one second ahead is still fine."""
    assert only(certificate("mx1", renew_at=1), soon_days=0, on=1 - SECOND).state is State.OK


@pytest.mark.parametrize(("not_after", "days"), [(265, 265), (0.5, 0), (-0.5, -1), (-15, -15)])
def test_days_left_are_whole_days_rounded_down(not_after: float, days: int) -> None:
    """Half a day is zero days left; half a day too late is minus one."""
    assert only(certificate("mx1", not_after=not_after)).days_left == days


def test_accepted_fingerprints_carry_the_dates_until_which_they_are_let_in() -> None:
    """The current generation is accepted until it expires, an earlier one until it retires."""
    alice = certificate("alice", previous=(10,))
    current, earlier = accepted_of(alice)
    assert [(row.generation, row.fingerprint, row.until) for row in only(alice).accepted] == [
        (2, current, day(265)),
        (1, earlier, day(10)),
    ]


def test_generations_that_share_a_key_share_one_accepted_row() -> None:
    """Matched by public key, a renewal with the same key leaves the fingerprint table as it is."""
    alice = certificate("alice", match=Match.PUBLIC_KEY, renew_key_every=0, previous=(10,))
    current, earlier = accepted_of(alice, by="public_key_fingerprint_sha256")
    assert current == earlier
    assert [(row.fingerprint, row.until) for row in only(alice).accepted] == [(current, day(265))]


def test_nothing_of_a_revoked_certificate_is_accepted() -> None:
    """A revoked certificate's rows are gone, those of earlier generations as well."""
    assert only(certificate("dave", revoked=-3, previous=(10,))).accepted == ()


def test_worst_entries_come_first() -> None:
    """Within a state the earlier next action comes first, at the same instant the earlier expiry."""
    inventory = build_inventory(mail_stack(), NOW)
    assert [(item.state.value, item.name) for item in inventory.items] == [
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
        ((certificate("a"), certificate("b", revoked=-1)), ExitCode.FINE),
        ((certificate("a"), certificate("b", renew_at=1)), ExitCode.DUE),
        ((certificate("a"), certificate("b", renew_at=-1)), ExitCode.DUE),
        ((waiting("a"),), ExitCode.DUE),
        ((certificate("a", renew_at=-1), certificate("b", not_after=-1)), ExitCode.EXPIRED),
    ],
)
def test_exit_code_tells_the_worst(resources: tuple[dict[str, Any], ...], code: ExitCode) -> None:
    """0 means nobody has to do anything, 1 that something is due, 2 that something has expired."""
    assert exit_code(build_inventory(export(*resources), NOW).items) is code


def test_secrets_are_neither_needed_nor_shown() -> None:
    """The ciphertext of a private key appears nowhere in the inventory."""
    assert SECRET["ciphertext"] not in repr(build_inventory(mail_stack(), NOW))


def test_resources_waiting_for_their_deletion_are_left_out() -> None:
    """A replaced resource that the next run deletes is not current any more."""
    old = certificate("mx1", not_after=-5) | {"delete": True}
    assert only(old, certificate("mx1")).state is State.OK


def test_equal_names_below_different_parents_are_told_apart() -> None:
    """Two certificates called mx1 stay two items with two names."""
    first, second = certificate("mx1"), certificate("mx1")
    second["urn"] = second["urn"].replace(
        "postseal:index:ClientCertificate", "mail:Host$postseal:index:ClientCertificate"
    )
    names = {item.name for item in build_inventory(export(first, second), NOW).items}
    assert names == {f"mx1 ({first['urn']})", f"mx1 ({second['urn']})"}


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (damaged(certificate("mx1"), not_after="soon"), "mx1.not_after"),
        (damaged(certificate("mx1"), not_after=None), "mx1.not_after"),
        (damaged(certificate("mx1"), not_after="2026-11-22T20:00:00"), "mx1.not_after"),
        (damaged(certificate("mx1"), renew_at=SECRET), "mx1.renew_at"),
        (damaged(certificate("mx1"), generation="two"), "mx1.generation"),
        (damaged(certificate("mx1"), generation=True), "mx1.generation"),
        (damaged(certificate("mx1"), cause="whim"), "mx1.cause"),
        (damaged(certificate("mx1"), fingerprint_sha256=None), "mx1.fingerprint_sha256"),
        (damaged(certificate("mx1"), previous="none"), "mx1.previous"),
        (damaged(certificate("mx1"), previous=["none"]), "mx1.previous[0]"),
        (damaged(certificate("mx1", previous=(10,)), previous=[_with_retirement(3)]), "mx1.previous[0].retire_at"),
        (damaged(certificate("mx1"), something="else"), "mx1.something"),
        (_with_profile("mailbox"), "mx1.profile"),
        (damaged(roster("branches", [member("b1")]), issued="!"), "branches.issued"),
        (damaged(roster("branches", [member("b1")]), issued=_with_end(7)), "branches.b1.not_after"),
        (damaged(revocation_list("crl"), next_update=None), "crl.next_update"),
        (damaged(imported("www"), renew_at=[]), "www.renew_at"),
    ],
)
def test_unreadable_resources_are_named_with_their_field(broken: dict[str, Any], path: str) -> None:
    """What cannot be read is an error, because leaving it out would hide it; the sentence says how to repair it."""
    with pytest.raises(ConfigError) as caught:
        build_inventory(export(certificate("good"), broken), NOW)
    assert [problem.path for problem in caught.value.problems] == [path]
    assert "run `pulumi up`" in caught.value.problems[0].message
    assert SECRET["ciphertext"] not in str(caught.value)


def test_all_that_is_unreadable_is_named_at_once() -> None:
    """Two broken resources give two problems."""
    broken = (damaged(certificate("a"), not_after="x"), damaged(certificate("b"), renew_at="y"))
    with pytest.raises(ConfigError) as caught:
        build_inventory(export(*broken), NOW)
    assert {problem.path for problem in caught.value.problems} == {"a.not_after", "b.renew_at"}


def test_a_roster_whose_count_disagrees_with_its_clients_is_an_error() -> None:
    """A client that got lost on the way must not get lost silently."""
    state = damaged(roster("branches", [member("b1")]), count=2)
    with pytest.raises(ConfigError, match=r"branches\.count: says 2 clients, `issued` has 1"):
        build_inventory(export(state), NOW)


@pytest.mark.parametrize("document", [None, [], {}, {"deployment": None}, {"deployment": {"resources": "none"}}])
def test_documents_that_are_no_state_are_refused(document: object) -> None:
    """Any other JSON is refused with the command that writes the right one, not reported as an empty stack."""
    with pytest.raises(ConfigError):
        build_inventory(document, NOW)


def test_a_stack_without_resources_is_an_empty_inventory() -> None:
    """A new stack's state has no resources at all."""
    assert build_inventory({"deployment": {"manifest": {}}}, NOW).items == ()


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
    assert {item.name for item in selection.apply(build_inventory(mail_stack(), NOW).items)} == names


def test_groups_stand_in_a_fixed_order_with_rosters_last() -> None:
    """Authorities come first, and the clients of a roster have a heading of their own."""
    groups = group_items(build_inventory(mail_stack(), NOW).items)
    assert [(group.title, len(group.items)) for group in groups] == [
        ("Authorities", 2),
        ("Servers", 2 + 1),
        ("Imported certificates", 1),
        ("Revocation lists", 1),
        ("Clients", 4),
        ("Roster branches", 2),
    ]


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a stack of certificates with any dates, some revoked, some with earlier generations."""
    drawn = []
    for index in range(draw(st.integers(0, 5))):
        issued = draw(st.integers(-500, -2))
        ends = draw(st.integers(issued + 2, issued + 800))
        previous = draw(st.lists(st.integers(issued + 1, issued + 900), max_size=3))
        drawn.append(
            certificate(
                f"c{index}",
                not_before=issued,
                not_after=ends,
                renew_at=draw(st.integers(issued + 1, ends - 1)),
                previous=previous,
                revoked=draw(st.none() | st.integers(issued, 0)),
            )
        )
    return export(*drawn)


@examples(30)
@given(states(), st.randoms(use_true_random=False))
def test_order_is_total_and_independent_of_the_order_in_the_state(state: dict[str, Any], random: Any) -> None:
    """However the engine orders its resources, the report is the same, and no item is worse than one above it."""
    inventory = build_inventory(state, NOW)
    random.shuffle(state["deployment"]["resources"])
    keys = [item.worst_first for item in inventory.items]
    assert build_inventory(state, NOW) == inventory
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@examples(30)
@given(states())
def test_accepted_dates_are_those_of_the_state_and_actions_agree_with_them(state: dict[str, Any]) -> None:
    """Whatever is accepted beside the current generation has a retirement on the same date among the actions."""
    for item in build_inventory(state, NOW).items:
        retirements = {action.due for action in item.actions if action.verb is Verb.RETIRE}
        earlier = {row.until for row in item.accepted if row.generation != item.generation}
        assert earlier == retirements
        assert all(row.until == item.not_after for row in item.accepted if row.generation == item.generation)


@examples(30)
@given(states(), st.integers(0, 900))
def test_time_only_makes_things_worse(state: dict[str, Any], days: int) -> None:
    """Without a run no item gets better as the clock goes on."""
    severity = list(State)
    later = {item.identity: item for item in build_inventory(state, NOW + timedelta(days=days)).items}
    for item in build_inventory(state, NOW).items:
        assert severity.index(later[item.identity].state) <= severity.index(item.state)


def test_the_state_is_plain_json() -> None:
    """The test's own state survives JSON, as the engine's does."""
    assert build_inventory(json.loads(json.dumps(mail_stack())), NOW) == build_inventory(mail_stack(), NOW)


def test_everything_that_is_declared_of_a_certificate_can_be_asked_for() -> None:
    """Of a client in a roster as well: its own row, over what its roster says of all."""
    own = only(certificate("alice", email="alice@example.org"))
    assert own.declared.email == "alice@example.org"
    of_roster = only(roster("staff", [member("bob", email="bob@example.org")], organization="Example"))
    assert (of_roster.declared.email, of_roster.declared.organization) == ("bob@example.org", "Example")
