"""Deciding what a revocation list holds and when it is signed: tables for each situation, properties for all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.crl_schedule import CrlDecision, CrlDemand, CrlEntry, CrlPolicy, CrlSchedule, decide_crl
from pki.model import HOLD, RevocationReason, SerialNumber, SlotId
from pki.revocation_list.handler import revoked_lines
from postseal_core.bounds import LONGEST_HOURS
from postseal_core.records import decode, encode

START = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKLY = CrlPolicy()
NOTHING = CrlDemand(WEEKLY)
KEY_COMPROMISE, SUPERSEDED = RevocationReason.KEY_COMPROMISE, RevocationReason.SUPERSEDED
ALICE = CrlEntry("alice", 1, SerialNumber(0x7512), START + 100 * DAY, START, KEY_COMPROMISE)
BOB = CrlEntry("bob", 3, SerialNumber(0xB0B), START + 200 * DAY, START + DAY, HOLD)


def first(*revoked: CrlEntry) -> CrlSchedule:
    """Return the schedule of a first list, signed at START."""
    return decide_crl(None, CrlDemand(WEEKLY, revoked), START).schedule


def after(previous: CrlSchedule, now: datetime, *revoked: CrlEntry, **changes: object) -> CrlSchedule:
    """Return what is decided next."""
    return decide_crl(previous, replace(CrlDemand(WEEKLY, revoked), **changes), now).schedule  # type: ignore[arg-type]


def test_the_first_list_starts_at_the_full_hour_and_is_good_for_a_week() -> None:
    """A preview and the `up` after it agree, and half of the week remains when the next list is due."""
    schedule = first()
    assert (schedule.crl_number, schedule.reason, schedule.entries) == (1, "first list, 2026-11-22", ())
    assert schedule.this_update == datetime(2026, 11, 22, 20, tzinfo=UTC)
    assert schedule.next_update == datetime(2026, 11, 29, 20, tzinfo=UTC)
    assert schedule.renew_at == datetime(2026, 11, 26, 8, tzinfo=UTC)


def test_numbers_begin_where_they_are_told_to_and_only_then() -> None:
    """An authority that signed lists elsewhere goes on above their number; later the number in the state counts."""
    demand = replace(NOTHING, first_crl_number=4711)
    schedule = decide_crl(None, demand, START).schedule
    assert schedule.crl_number == 4711
    assert decide_crl(schedule, replace(demand, first_crl_number=1), schedule.renew_at).schedule.crl_number == 4712


def test_an_entry_has_the_name_that_is_declared_now() -> None:
    """A list names serial numbers only: another name of what was revoked makes no other list, and is kept."""
    renamed = replace(ALICE, name="alice.jones")
    before = first(ALICE)
    assert after(before, START + HOUR, renamed) == replace(before, entries=(renamed,))


def test_nothing_is_signed_before_it_is_due() -> None:
    """A second before the renewal point the list stays exactly as it is."""
    before = first(ALICE)
    assert decide_crl(before, CrlDemand(WEEKLY, (ALICE,)), before.renew_at - timedelta(seconds=1)) == CrlDecision(
        before
    )


@pytest.mark.parametrize(
    ("hours_later", "reason"),
    [
        (84, "re-signed: half of 7 d have passed on 2026-11-26T08:00:00Z"),
        (168, "re-signed: list 1 expired on 2026-11-29T20:00:00Z"),
        (2000, "re-signed: list 1 expired on 2026-11-29T20:00:00Z"),
    ],
)
def test_a_list_that_is_due_or_expired_is_signed_anew(hours_later: int, reason: str) -> None:
    """The number goes up by one however long nobody looked, and the entries are the same."""
    entry = replace(ALICE, revoked_at=START - DAY)
    before = first(entry)
    now = before.this_update + hours_later * HOUR
    schedule = after(before, now, entry)
    assert (schedule.crl_number, schedule.reason) == (2, reason)
    assert (schedule.this_update, schedule.next_update) == (now, now + 7 * DAY)
    assert schedule.entries == (entry,)


def test_a_revocation_is_published_at_once_with_its_own_date() -> None:
    """Within the hour of the list before, the new one is dated later than it, and names what happened."""
    now = START + timedelta(minutes=5)
    schedule = after(first(), now, replace(ALICE, revoked_at=now))
    assert (schedule.crl_number, schedule.reason) == (2, "alice generation 1 revoked: keyCompromise")
    assert schedule.this_update == now


def test_of_many_revocations_the_first_are_named_and_the_others_counted() -> None:
    """A reviewer gets a sentence, the rest stands line by line in the entries."""
    many = [replace(ALICE, name=f"client-{number}", serial_number=SerialNumber(number + 1)) for number in range(8)]
    schedule = after(first(), START, *many)
    named = "; ".join(f"client-{number} generation 1 revoked: keyCompromise" for number in range(5))
    assert schedule.reason == f"{named}; and 3 more"
    assert len(schedule.entries) == 8


def test_another_key_of_the_issuer_makes_another_list() -> None:
    """The number goes on, because it belongs to the authority and not to its key."""
    schedule = after(first(ALICE), START + HOUR, ALICE, new_issuer_key="mail-ca-2 generation 1")
    assert (schedule.crl_number, schedule.reason) == (2, "re-signed with another key, that of mail-ca-2 generation 1")


def test_an_entry_outlives_the_declaration_of_its_client() -> None:
    """Alice was removed from the stack: her revoked certificate is still listed, and nothing is signed for that."""
    before = first(ALICE)
    assert after(before, START + HOUR) == before
    assert after(before, before.renew_at).entries == (ALICE,)


def test_an_entry_goes_after_a_list_that_was_signed_past_the_end_of_its_certificate() -> None:
    """RFC 5280 section 3.3: it stands on one more regular list, then it goes, and it does not come back."""
    before = first(ALICE)
    last_with = after(before, ALICE.not_after + DAY, ALICE)
    assert last_with.entries == (ALICE,)
    assert after(last_with, last_with.renew_at - HOUR, ALICE) == last_with
    without = after(last_with, last_with.renew_at, ALICE)
    assert (without.crl_number, without.entries) == (3, ())
    assert after(without, without.this_update, ALICE) == without


def test_what_had_expired_before_it_was_revoked_is_not_listed() -> None:
    """Nobody accepts it, with or without a list."""
    expired = replace(ALICE, not_after=START - DAY)
    assert after(first(), START + HOUR, expired) == first()


def test_a_hold_that_is_taken_back_leaves_the_list() -> None:
    """All generations of that one hold leave together, whichever of them is still in use."""
    earlier = replace(BOB, generation=2, serial_number=SerialNumber(0xB0A))
    before = after(first(), START + DAY, earlier, BOB)
    schedule = after(before, START + 2 * DAY, in_use=frozenset({BOB.serial_number}))
    assert schedule.entries == ()
    assert (
        schedule.reason == "bob generation 2: certificateHold taken back; bob generation 3: certificateHold taken back"
    )


def test_a_held_certificate_that_is_no_longer_declared_stays_on_the_list() -> None:
    """Removing the client, or declaring another of the same name, is not taking the hold back."""
    before = after(first(), START + DAY, BOB)
    assert after(before, START + 2 * DAY) == before
    assert after(before, START + 2 * DAY, in_use=frozenset({SerialNumber(0xC0FFEE)})) == before


def test_a_final_revocation_never_leaves_early() -> None:
    """Even if a certificate in use is said not to be revoked any more."""
    before = first(ALICE)
    assert after(before, START + HOUR, in_use=frozenset({ALICE.serial_number})) == before


def test_a_hold_can_become_final() -> None:
    """The entry keeps its date and gets the new reason on a new list."""
    before = after(first(), START + DAY, BOB)
    final = replace(BOB, reason=KEY_COMPROMISE)
    schedule = after(before, START + 2 * DAY, final)
    assert (schedule.entries, schedule.reason) == ((final,), "bob generation 3: certificateHold became keyCompromise")


def test_a_clock_that_stands_behind_signs_nothing_and_says_so() -> None:
    """Neither number nor date goes back."""
    before = first()
    decision = decide_crl(before, NOTHING, START - DAY)
    assert decision.schedule == before
    assert decision.note == (
        "the clock says 2026-11-21T20:30:00Z, before this_update 2026-11-22T20:00:00Z of list 1: nothing is signed"
    )


def test_a_revocation_is_published_even_if_the_clock_stands_behind() -> None:
    """The new list keeps the date of the one before, for a later one is already out."""
    before = first()
    entry = replace(ALICE, revoked_at=START - DAY)
    decision = decide_crl(before, CrlDemand(WEEKLY, (entry,)), START - DAY)
    assert (decision.schedule.crl_number, decision.schedule.this_update) == (2, before.this_update)
    assert decision.note.endswith("of list 1: the new list keeps that date")


def test_a_changed_policy_moves_the_renewal_point_at_once_and_the_end_later() -> None:
    """Nothing is signed for it alone."""
    before = first()
    schedule = after(before, START + HOUR, policy=CrlPolicy(72, 24))
    assert schedule == replace(before, renew_at=before.next_update - DAY)
    due = after(schedule, schedule.renew_at, policy=CrlPolicy(72, 24))
    assert due.reason == "re-signed: 1 d before next_update on 2026-11-28T20:00:00Z"
    assert due.next_update - due.this_update == 3 * DAY


@pytest.mark.parametrize(
    ("policy", "paths"),
    [
        (CrlPolicy(), []),
        (CrlPolicy(2), []),
        (CrlPolicy(2, 1), []),
        (CrlPolicy(168, 167), []),
        (CrlPolicy(LONGEST_HOURS), []),
        (CrlPolicy(LONGEST_HOURS + 1), ["lifetime_hours"]),
        (CrlPolicy(10**5000, 0), ["lifetime_hours"]),
        (CrlPolicy(1), ["lifetime_hours"]),
        (CrlPolicy(-5, 1), ["lifetime_hours"]),
        (CrlPolicy(168, 168), ["renew_before_hours"]),
        (CrlPolicy(168, 0), ["renew_before_hours"]),
    ],
)
def test_a_policy_that_signs_at_every_run_or_too_late_is_refused(policy: CrlPolicy, paths: list[str]) -> None:
    """The problem names the property."""
    assert [problem.path for problem in policy.problems()] == paths


def test_a_name_that_is_used_again_gets_a_line_of_its_own() -> None:
    """A client that was revoked, removed and declared again does not hide the first entry."""
    again = replace(ALICE, serial_number=SerialNumber(0xA11CE), revoked_at=START + DAY)
    lines = revoked_lines(first(ALICE, again).entries)
    assert lines == {
        "alice generation 1": ("keyCompromise on 2026-11-22T20:30:00Z; serial 7512; not_after 2027-03-02T20:30:00Z"),
        "alice generation 1 (2)": (
            "keyCompromise on 2026-11-23T20:30:00Z; serial a11ce; not_after 2027-03-02T20:30:00Z"
        ),
    }


@pytest.mark.parametrize(
    "text", ["7512", "0", "a" * 40, "-1", "0x7512", "7_5", " 7512", "A1", "007512", "", "certificate"]
)
def test_a_serial_number_has_one_text(text: str) -> None:
    """Reading it wrongly would take a certificate off the list; a number of 53 bits would be rounded on its way."""
    is_one = text in ("7512", "0", "a" * 40, "-1")
    if not is_one:
        with pytest.raises(ValueError, match=f"{text!r}|invalid literal"):
            SerialNumber.from_text(text)
        return
    number = SerialNumber.from_text(text)
    assert (str(number), f"{number}", int(number)) == (text, text, int(text, 16))


INSTANTS = st.integers(-100, 2000).map(lambda hours: START + hours * HOUR)
POLICIES = st.one_of(
    st.builds(CrlPolicy, st.integers(2, 400)),
    st.tuples(st.integers(2, 400), st.integers(1, 399))
    .filter(lambda pair: pair[1] < pair[0])
    .map(lambda p: CrlPolicy(*p)),
)
NAMES = st.text(max_size=12) | st.sampled_from(["alice", "x generation 2", "x generation 2 (2)", "a\nb"])
REASONS = st.sampled_from([KEY_COMPROMISE, HOLD, SUPERSEDED])
NUMBERS = st.integers(1, 12).map(SerialNumber)
ENTRIES = st.lists(
    st.builds(
        CrlEntry,
        name=NAMES,
        generation=st.integers(1, 3),
        serial_number=NUMBERS | st.integers(1, 2**160).map(SerialNumber),
        not_after=INSTANTS,
        revoked_at=INSTANTS,
        reason=REASONS,
        issuer=st.none() | st.builds(SlotId, st.sampled_from(["mail-ca", "a/b", ""]), st.integers(1, 99)),
    ),
    max_size=6,
    unique_by=lambda entry: entry.serial_number,
).map(tuple)


def entry_of(serial_number: SerialNumber, revoked_at: datetime, reason: RevocationReason) -> CrlEntry:
    """Return an entry of the one certificate that has this number: its name and its end are always the same."""
    name, end = "abc"[serial_number % 3], START + serial_number * 100 * HOUR
    return CrlEntry(name, 1 + serial_number // 3, serial_number, end, revoked_at, reason)


DEMANDS = st.builds(
    CrlDemand,
    policy=POLICIES,
    revoked=st.lists(
        st.builds(entry_of, NUMBERS, INSTANTS, REASONS),
        max_size=6,
        unique_by=lambda each: each.serial_number,
    ).map(tuple),
    in_use=st.frozensets(NUMBERS, max_size=4),
    new_issuer_key=st.sampled_from(["", "mail-ca generation 2"]),
)
STORIES = st.lists(st.tuples(DEMANDS, INSTANTS), min_size=1, max_size=6)


@given(story=STORIES)
def test_numbers_and_dates_never_go_back_whatever_happens(story: list[tuple[CrlDemand, datetime]]) -> None:
    """With any demands at any instants, every new list has the next number, an end to come, no later entry."""
    schedule: CrlSchedule | None = None
    for demand, now in story:
        decided = decide_crl(schedule, demand, now).schedule
        if schedule:
            assert decided.crl_number in (schedule.crl_number, schedule.crl_number + 1)
            assert decided.this_update >= schedule.this_update
        if schedule is None or decided.crl_number != schedule.crl_number:
            assert decided.next_update > max(decided.this_update, now)
            assert all(entry.revoked_at <= decided.this_update for entry in decided.entries)
        else:
            serial_numbers = {entry.serial_number for entry in schedule.entries}
            assert {entry.serial_number for entry in decided.entries} == serial_numbers
        schedule = decided


@given(story=STORIES)
def test_a_second_decision_at_the_same_instant_changes_nothing(story: list[tuple[CrlDemand, datetime]]) -> None:
    """What was decided is stable: a run right after another has nothing to sign."""
    schedule: CrlSchedule | None = None
    for demand, now in story:
        schedule = decide_crl(schedule, demand, now).schedule
        assert decide_crl(schedule, replace(demand, new_issuer_key=""), now).schedule == schedule


@given(story=STORIES)
def test_an_entry_stays_until_it_has_served(story: list[tuple[CrlDemand, datetime]]) -> None:
    """What leaves a list was a hold, or stood on a list that was signed after its certificate had expired."""
    schedule: CrlSchedule | None = None
    for demand, now in story:
        decided = decide_crl(schedule, demand, now).schedule
        left = {entry.serial_number: entry for entry in (schedule.entries if schedule else ())}
        for entry in decided.entries:
            left.pop(entry.serial_number, None)
        for entry in left.values():
            is_released = entry.reason == HOLD and demand.in_use
            assert is_released or (schedule and entry.not_after < schedule.this_update and entry.not_after < now)
        schedule = decided


@given(entries=ENTRIES, now=INSTANTS)
def test_a_schedule_reads_back_as_it_was_written(entries: tuple[CrlEntry, ...], now: datetime) -> None:
    """Whatever the clients are called, and each entry has a line of its own."""
    schedule = decide_crl(None, CrlDemand(WEEKLY, entries), now).schedule
    plain = encode(schedule)
    assert decode(CrlSchedule, plain) == schedule
    assert len(revoked_lines(schedule.entries)) == len(schedule.entries)


def test_a_hold_that_is_taken_back_takes_no_other_entry_of_its_name_along() -> None:
    """A server and a client of one name, revoked at once: the hold of one goes, what was final for the other stays."""
    held = CrlEntry("a", 1, SerialNumber(1), START + 999 * HOUR, START, HOLD)
    compromised = CrlEntry("a", 1, SerialNumber(2), START + 999 * HOUR, START, RevocationReason.KEY_COMPROMISE)
    before = decide_crl(None, CrlDemand(WEEKLY, (held, compromised)), START).schedule
    released = CrlDemand(WEEKLY, in_use=frozenset({held.serial_number}))
    assert decide_crl(before, released, START + HOUR).schedule.entries == (compromised,)
