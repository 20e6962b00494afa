"""A roster decides for each client what a single certificate decides, and names exactly the clients it touches."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.demand import SAME, Basis, demand_of, differences_of
from pki.fields import DeclaredCertificate
from pki.generations import IssuerWindow, Schedule
from pki.key_material import HeldIssuer
from pki.model import Profile, SlotId, Validity
from pki.roster.decisions import IssuerView, RosterDecision, decide_roster
from pki.roster.declaration import Declaration, StoredRoster
from pki.roster.records import ScheduleRow
from pki.schedule import decide
from postseal_core.errors import ScheduleError
from postseal_core.packing import json_line, record_line
from tests.support.examples import examples

START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ISSUER = IssuerView(IssuerWindow(SlotId("ca"), Validity(START - 900 * DAY, START + 9000 * DAY)))


def declare(clients: dict[str, dict[str, Any]], issuer_key: str = "sha256:1", **shared: Any) -> Declaration:
    """Return a declaration of clients by name, with an e-mail address each."""
    rows = ({"name": name, "email": f"{name}@example.org"} | fields for name, fields in sorted(clients.items()))
    lines = {str(row["name"]): json_line(row) for row in rows}
    issuer = HeldIssuer("ca generation 1", SlotId("ca"), issuer_key)
    return Declaration(lines, DeclaredCertificate(**shared), issuer)


def stored(declaration: Declaration, now: datetime = START, before: StoredRoster | None = None) -> StoredRoster:
    """Return a roster as it is stored after a decision."""
    return StoredRoster(declaration, decide_roster(declaration, before, ISSUER, now).schedules)


def lines(decision: RosterDecision) -> dict[str, str]:
    """Return the sentences of a decision by client."""
    assert not decision.problems
    return {touch.name: touch.sentence for touch in decision.touches}


DUE = "renewal due since 2026-09-01T17:00:00Z: two thirds of 365 d have passed"
AGAIN = "issued again on 2026-01-02 with a new key after revocation"

CHANGES: list[tuple[str, dict[str, Any], timedelta, list[str]]] = [
    ("nothing", {}, DAY, []),
    (
        "a new address",
        {"email": "a@example.org"},
        DAY,
        ["g1 -> g2 until 2027-01-02, changed on 2026-01-02: common_name, email", "g1 accepted until 2026-01-16"],
    ),
    ("time", {}, 250 * DAY, [f"g1 -> g2 until 2027-09-08, {DUE}", "g1 accepted until 2026-09-22"]),
    ("a revocation", {"revoke": "keyCompromise"}, DAY, ["g1 revoked for keyCompromise, no longer accepted"]),
    (
        "a revocation and a new certificate",
        {"revoke": "superseded", "issue_again": True},
        DAY,
        [f"g1 -> g2 until 2027-01-02, {AGAIN}", "g1 revoked for superseded, no longer accepted"],
    ),
    (
        "an earlier renewal",
        {"renew_fraction": "1/2"},
        DAY,
        ["g1 stays, its renewal moves from 2026-09-01 to 2026-07-02"],
    ),
    ("a longer overlap", {"overlap_hours": 400}, DAY, ["g1 stays, changed: overlap_hours"]),
    (
        "another key",
        {"key_algorithm": "ED25519"},
        DAY,
        ["g1 -> g2 until 2027-01-02, changed on 2026-01-02: key", "g1 accepted until 2026-01-16"],
    ),
]


@pytest.mark.parametrize(("what", "fields", "later", "phrases"), CHANGES, ids=[row[0] for row in CHANGES])
def test_a_change_is_one_sentence_of_the_client_it_concerns(
    what: str, fields: dict[str, Any], later: timedelta, phrases: list[str]
) -> None:
    """The sentence says what happens to the client and until when the certificate before is accepted."""
    before = stored(declare({"alice": {}}))
    decision = decide_roster(declare({"alice": fields}), before, ISSUER, START + later)
    assert lines(decision) == ({"alice": "; ".join(phrases)} if phrases else {})


def test_added_removed_and_retired_clients_are_named_and_others_are_not() -> None:
    """Who stays as he is has no line."""
    renewed = stored(declare({"bob": {}, "dave": {}}), START + 250 * DAY, stored(declare({"bob": {}, "dave": {}})))
    decision = decide_roster(declare({"carol": {}, "dave": {}}), renewed, ISSUER, START + 251 * DAY)
    assert lines(decision) == {
        "bob": "removed, g1 and g2 no longer accepted; not revoked: "
        "whoever trusts its issuer elsewhere accepts it until 2027-09-08",
        "carol": "added, g1 until 2027-09-09",
    }
    later = decide_roster(declare({"bob": {}, "dave": {}}), renewed, ISSUER, START + 265 * DAY)
    assert lines(later) == {"bob": "g1 retired", "dave": "g1 retired"}


def test_touched_clients_are_named_in_the_order_of_their_names() -> None:
    """Whether they come, change or go: the summary of a preview is the same at each run."""
    before = stored(declare({name: {} for name in "aceg"}))
    decision = decide_roster(declare({"b": {}, "c": {"email": "x@example.org"}, "h": {}}), before, ISSUER, START + DAY)
    assert [touch.name for touch in decision.touches] == ["a", "b", "c", "e", "g", "h"]


def test_everything_wrong_is_reported_with_the_client_and_its_field() -> None:
    """Problems of all clients come at once, in the words of the row, not of the certificate made from it."""
    declaration = declare({"alice": {"email": "no address"}, "bob": {"validity_hours": 1}, "carol": {"match": "name"}})
    decision = decide_roster(declaration, None, ISSUER, START)
    assert [problem.path for problem in decision.problems] == [
        "clients.alice.email",
        "clients.bob.validity_hours",
        "clients.bob.renew_fraction",
        "clients.carol.match",
    ]


def test_next_due_is_the_first_renewal_or_retirement_and_nothing_for_revoked_clients() -> None:
    """A revoked certificate is never renewed, so it is never due."""
    both = declare({"alice": {}, "bob": {"validity_hours": 48}})
    assert decide_roster(both, None, ISSUER, START).dues.next_due_at == datetime(2026, 1, 2, 17, tzinfo=UTC)
    declaration = declare({"bob": {"validity_hours": 48, "revoke": "unspecified"}})
    revoked = decide_roster(declaration, stored(both), ISSUER, START + timedelta(hours=1))
    assert revoked.dues.next_due_at is None


def test_a_revocation_leaves_the_list_when_its_certificate_expires_though_nothing_else_is_due() -> None:
    """A client with a revoked generation is looked at in every decision, not only when it renews."""
    policy = {"validity_hours": 2000, "renew_fraction": "9/10"}
    revoking = declare({"alice": {**policy, "revoke": "superseded", "issue_again": True}})
    roster = stored(revoking, START + 20 * DAY, stored(declare({"alice": policy})))
    settled = stored(declare({"alice": policy}), START + 21 * DAY, roster)
    decision = decide_roster(settled.declaration, settled, ISSUER, START + timedelta(hours=2001))
    assert lines(decision) == {"alice": "g2 stays, its list of revocations is shorter"}


def test_a_generation_confirmed_in_advance_is_a_mistake() -> None:
    """The renewal would take the certificate away that the client still uses."""
    waiting = declare({"alice": {"confirm": True}})
    renewed = stored(waiting, START + 250 * DAY, stored(waiting))
    ahead = declare({"alice": {"confirm": True, "confirmed_generation": 9}})
    (problem,) = decide_roster(ahead, renewed, ISSUER, START + 251 * DAY).problems
    assert "got confirmed_generation 9, but the current one is 2" in str(problem)
    confirmed = declare({"alice": {"confirm": True, "confirmed_generation": 2}})
    assert lines(decide_roster(confirmed, renewed, ISSUER, START + 251 * DAY)) == {"alice": "g1 retired"}


def test_only_clients_that_are_looked_at_are_decided_anew_and_all_others_keep_their_lines() -> None:
    """Whoever issues need not read the rest."""
    before = stored(declare({"alice": {}, "bob": {}, "carol": {}}))
    decision = decide_roster(declare({"alice": {}, "bob": {"overlap_hours": 9}}), before, ISSUER, START + DAY)
    assert set(decision.decided) == {"bob"}
    assert decision.schedules["alice"] is before.schedules["alice"]
    assert [*decision.schedules] == ["alice", "bob"]


def test_every_earlier_generation_that_is_still_accepted_is_named_with_its_client() -> None:
    """Of clients that are looked at and of those that are not: none of them loses the slot that signed it."""
    first = stored(declare({"alice": {}, "bob": {}, "carol": {}}))
    renewed = stored(declare({"alice": {}, "bob": {}, "carol": {}}), START + 250 * DAY, first)
    changed = declare({"alice": {}, "bob": {"overlap_hours": 400}, "dave": {}})
    decision = decide_roster(changed, renewed, ISSUER, START + 251 * DAY)
    assert [*decision.decided] == ["bob", "dave"]
    assert [(name, each.generation, each.issuer) for name, each in decision.accepted] == [
        ("alice", 1, SlotId("ca")),
        ("bob", 1, SlotId("ca")),
    ]
    assert not decide_roster(declare({"alice": {}}), first, ISSUER, START + DAY).accepted


QUIET: list[tuple[str, dict[str, Any], dict[str, Any], timedelta, bool]] = [
    ("a certificate", {}, {}, DAY, True),
    ("an earlier generation that retires by itself", {}, {}, 250 * DAY, True),
    ("an earlier generation that waits for a confirmation", {"confirm": True}, {"confirm": True}, 250 * DAY, False),
    ("a revocation", {}, {"revoke": "superseded", "issue_again": True}, DAY, False),
]


@pytest.mark.parametrize(("what", "first", "then", "later", "is_quiet"), QUIET, ids=[row[0] for row in QUIET])
def test_a_roster_is_quiet_while_time_alone_can_change_nothing(
    what: str, first: dict[str, Any], then: dict[str, Any], later: timedelta, *, is_quiet: bool
) -> None:
    """What must be looked at each time is never quiet."""
    decision = decide_roster(declare({"alice": then}), stored(declare({"alice": first})), ISSUER, START + later)
    assert not decision.problems
    assert (decision.dues.quiet_from is not None) == is_quiet


@dataclass
class Singles:
    """The same clients as single certificates: what each would have decided."""

    bases: dict[str, Basis] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)

    def decide(self, declaration: Declaration, now: datetime) -> "Singles":
        """Decide each client on its own; raise ScheduleError if one of them may not happen."""
        after = Singles()
        for name in declaration.lines:
            declared = declaration.declared(declaration.row(name))
            basis, before = declaration.basis(declared), self.schedules.get(name)
            differences = differences_of(basis, self.bases[name]) if before else SAME
            demand = demand_of(declared, Profile.CLIENT, ISSUER.window, differences)
            after.bases[name], after.schedules[name] = basis, decide(before, demand, now).schedule
        return after


NEEDED_BY = {"confirmed_generation": "confirm", "issue_again": "revoke"}
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["x@example.org", "y@example.org"]),
        "validity_hours": st.sampled_from([48, 2000]),
        "overlap_hours": st.sampled_from([1, 500]),
        "renew_key_every": st.sampled_from([0, 2]),
        "key_algorithm": st.sampled_from(["ED25519", "ECDSA-P384"]),
        "confirm": st.just(value=True),
        "confirmed_generation": st.sampled_from([1, 9]),
        "revoke": st.sampled_from(["certificateHold", "superseded"]),
        "issue_again": st.just(value=True),
    },
).map(lambda fields: {name: value for name, value in fields.items() if NEEDED_BY.get(name, name) in fields})
STEPS = st.lists(
    st.tuples(
        st.none() | st.dictionaries(st.sampled_from("abcde"), FIELDS, max_size=5),
        st.fixed_dictionaries({}, optional={"overlap_hours": st.just(9), "issuer_key": st.just("sha256:2")}),
        st.integers(-30, 3000),
    ),
    min_size=1,
    max_size=8,
)


@examples(200)
@given(STEPS)
def test_a_roster_decides_as_single_certificates_do_and_names_exactly_the_touched_clients(
    steps: list[tuple[dict[str, dict[str, Any]] | None, dict[str, Any], int]],
) -> None:
    """Records equal single decisions and lines name what differs, over any edits and clock moves.

    A step without clients edits nothing.
    """
    roster: StoredRoster | None = None
    declaration = declare({})
    singles, now = Singles(), START
    for clients, shared, hours in steps:
        now += timedelta(hours=hours)
        if clients is not None or roster is None:
            declaration = declare(clients or {}, **shared)
        decision = decide_roster(declaration, roster, ISSUER, now)
        try:
            after = singles.decide(declaration, now)
        except ScheduleError:
            assert decision.problems
            continue
        assert not decision.problems
        assert decision.schedules == {
            name: record_line(ScheduleRow(name=name, schedule=each)) for name, each in after.schedules.items()
        }
        old_lines = roster.declaration.lines if roster else {}
        assert {touch.name for touch in decision.touches} == {
            name
            for name in {*old_lines, *declaration.lines}
            if old_lines.get(name) != declaration.lines.get(name)
            or singles.schedules.get(name) != after.schedules.get(name)
        }
        assert_quiet_until_it_is_due(declaration, decision, now)
        roster, singles = StoredRoster(declaration, decision.schedules), after


def assert_quiet_until_it_is_due(declaration: Declaration, decision: RosterDecision, now: datetime) -> None:
    """Check that nobody changes in the time that a decision calls quiet."""
    start, end = decision.dues.quiet_from, decision.dues.next_due_at
    if start is None or end is None:
        return
    roster = StoredRoster(declaration, decision.schedules)
    for instant in {start, now, end - timedelta(seconds=1)}:
        if start <= instant < end:
            again = decide_roster(declaration, roster, ISSUER, instant)
            assert (again.schedules, again.touches, again.notes) == (decision.schedules, [], {})


@given(st.integers(0, 20_000))
def test_nothing_is_due_before_next_due_at(hours: int) -> None:
    """Up to the second before the instant that is shown, a decision touches nobody; at that instant it touches."""
    declaration = declare({"alice": {}, "bob": {"validity_hours": 700}})
    roster = stored(declaration, START + timedelta(hours=hours), stored(declaration))
    due = decide_roster(declaration, roster, ISSUER, START + timedelta(hours=hours)).dues.next_due_at
    assert due is not None
    assert not decide_roster(declaration, roster, ISSUER, due - timedelta(seconds=1)).touches
    assert decide_roster(declaration, roster, ISSUER, due).touches


def test_archives_that_some_programs_cannot_import_are_counted_when_they_are_built() -> None:
    """One line however many clients; nobody is told again while nothing of them changes."""
    people = {name: {"key_algorithm": "ED25519", "pkcs12": "modern"} for name in ("alice", "bob")}
    declaration = declare(people | {"carol": {"key_algorithm": "ED25519"}, "dave": {"pkcs12": "modern"}})
    ((note, count),) = decide_roster(declaration, None, ISSUER, START).notes.items()
    assert ("ED25519" in note, count) == (True, 2)
    settled = stored(declaration)
    assert not decide_roster(declaration, settled, ISSUER, START + DAY).notes
    later = declare(people | {"carol": {"key_algorithm": "ED25519", "pkcs12": "modern"}, "dave": {"pkcs12": "modern"}})
    assert list(decide_roster(later, settled, ISSUER, START + DAY).notes.values()) == [1]
