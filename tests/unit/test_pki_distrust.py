"""A slot is distrusted: what it signed is out at once and stays out, whatever else is declared."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.distrust import signer_to_replace
from pki.generations import Cause, Demand, IssuerWindow, Schedule
from pki.lifetime import KEEP_KEY, LifetimePolicy, begin_of
from pki.model import HOLD, RevocationReason, SlotId, Validity
from pki.rollover import Slots
from pki.schedule import decide
from postseal_core.errors import ScheduleError
from tests.support.examples import examples

START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)
OLD, NEW, OTHER = SlotId("mail-ca", 1), SlotId("mail-ca", 2), SlotId("office-ca", 1)
COMPROMISED = RevocationReason.CA_COMPROMISE
LOST = RevocationReason.KEY_COMPROMISE


def window(slot: SlotId, published: datetime = START, *, standby_days: int = 0) -> IssuerWindow:
    """Return an issuer that is good for ten years."""
    usable_from = published + standby_days * DAY if standby_days else None
    return IssuerWindow(slot, Validity(begin_of(published), published + 3650 * DAY), usable_from)


def demand(slot: SlotId = OLD, **more: Any) -> Demand:
    """Return the demand of a certificate that this slot signs from now on."""
    return replace(Demand(LifetimePolicy(), window(slot)), **more)


def moved(slot: SlotId = NEW, **more: Any) -> Demand:
    """Return the demand in the run that distrusts OLD and lets another slot sign."""
    changes = (f"issuer is now {slot.name} generation 1",)
    return demand(slot, **{"changes": changes, "is_issuer_changed": True, "distrusted": (OLD,)} | more)


def first(**more: Any) -> Schedule:
    """Return the schedule of a certificate that OLD signed at START."""
    return decide(None, demand(**more), START).schedule


def accepted_signers(schedule: Schedule) -> list[SlotId | None]:
    """Return who signed each generation that relays let in."""
    current = [] if schedule.is_revoked else [schedule.issuer]
    return [*(each.issuer for each in schedule.accepted), *current]


def revocations(schedule: Schedule) -> list[tuple[int, RevocationReason, SlotId | None, bool]]:
    """Return generation, reason and signer of all that is revoked, and whether a distrust did it."""
    return [(each.generation, each.reason, each.issuer, each.is_distrusted) for each in schedule.revoked]


def test_what_it_signed_is_revoked_and_issued_again_with_a_new_key_and_without_an_overlap() -> None:
    """In one decision, a minute after the new slot was made: no standby time holds it up."""
    now = START + 30 * DAY
    decision = decide(first(), replace(moved(), issuer=window(NEW, now, standby_days=14)), now)
    schedule = decision.schedule
    assert decision.is_issued
    assert (schedule.generation, schedule.key_generation, schedule.issuer) == (2, 2, NEW)
    assert schedule.accepted == ()
    assert revocations(schedule) == [(1, COMPROMISED, OLD, True)]
    assert (schedule.cause, schedule.revoked_through) == (Cause.ISSUED_AGAIN, 0)
    assert schedule.reason == "issued again on 2026-01-31 with a new key: mail-ca is distrusted"
    assert signer_to_replace(schedule.generation, schedule.revoked) == OLD


def test_moving_without_a_distrust_still_waits_for_the_standby_time() -> None:
    """The control: only the distrust of the old slot lifts the rule."""
    now = START + 30 * DAY
    with pytest.raises(ScheduleError, match="too early to move"):
        decide(first(), replace(moved(distrusted=()), issuer=window(NEW, now, standby_days=14)), now)
    with pytest.raises(ScheduleError, match="too early to move"):
        decide(first(), replace(moved(distrusted=(OTHER,)), issuer=window(NEW, now, standby_days=14)), now)


def test_a_second_decision_at_the_same_instant_changes_nothing() -> None:
    """Neither does one while the slot stays under `distrusted`, nor after it was left out."""
    now = START + 30 * DAY
    once = decide(first(), moved(), now).schedule
    for again in (demand(NEW, distrusted=(OLD,)), demand(NEW)):
        assert decide(once, again, now).schedule == once
        assert not decide(once, again, now + 30 * DAY).is_issued


def test_the_key_of_a_retiring_slot_is_stolen_in_an_overlap() -> None:
    """Only the earlier generation goes; the current one, which another slot signed, stays as it is."""
    rolled = decide(first(), moved(distrusted=()), START + 30 * DAY).schedule
    assert accepted_signers(rolled) == [OLD, NEW]
    decision = decide(rolled, demand(NEW, distrusted=(OLD,)), START + 31 * DAY)
    assert not decision.is_issued
    assert accepted_signers(decision.schedule) == [NEW]
    assert revocations(decision.schedule) == [(1, COMPROMISED, OLD, True)]
    assert decision.schedule.validity == rolled.validity


def test_the_key_that_a_rollover_moved_to_is_stolen() -> None:
    """The slot before signs again, at once; what it signed is still accepted."""
    rolled = decide(first(), moved(distrusted=()), START + 30 * DAY).schedule
    back = {"changes": ("issuer",), "is_issuer_changed": True}
    schedule = decide(rolled, demand(OLD, distrusted=(NEW,), **back), START + 31 * DAY).schedule
    assert (schedule.generation, accepted_signers(schedule)) == (3, [OLD, OLD])
    assert revocations(schedule) == [(2, COMPROMISED, NEW, True)]


def test_a_generation_of_a_trusted_slot_stays_accepted_beside_a_stolen_current_one() -> None:
    """Two authorities, and only one of them lost its key."""
    rolled = decide(first(), demand(OTHER, changes=("issuer",), is_issuer_changed=True), START + 30 * DAY).schedule
    stolen = decide(rolled, moved(distrusted=(OTHER,)), START + 31 * DAY).schedule
    assert accepted_signers(stolen) == [OLD, NEW]
    assert revocations(stolen) == [(2, COMPROMISED, OTHER, True)]


@pytest.mark.parametrize(("is_given", "key_generation", "words"), [(False, 2, " with a new key"), (True, 1, "")])
def test_only_keys_that_were_made_here_are_made_anew(*, is_given: bool, key_generation: int, words: str) -> None:
    """A key on a device, or that of an authority below, is no secret of the thief's: it is certified again."""
    policy = LifetimePolicy(renew_key_every=KEEP_KEY)
    given: dict[str, Any] = {"policy": policy, "is_key_handed_in": is_given, "is_key_elsewhere": is_given}
    schedule = decide(first(**given), moved(**given), START + 30 * DAY).schedule
    assert (schedule.generation, schedule.key_generation) == (2, key_generation)
    assert schedule.reason == f"issued again on 2026-01-31{words}: mail-ca is distrusted"
    assert accepted_signers(schedule) == [NEW]


def test_a_key_elsewhere_waits_for_no_request() -> None:
    """Whose policy asks for a new key at each renewal is let in again at once all the same."""
    given: dict[str, Any] = {"is_key_handed_in": True, "is_key_elsewhere": True}
    decision = decide(first(**given), moved(**given), START + 30 * DAY)
    assert (decision.is_issued, decision.note) == (True, "")


@pytest.mark.parametrize("reason", [HOLD, LOST])
def test_who_is_revoked_is_not_let_in_again_by_it(reason: RevocationReason) -> None:
    """Nothing is issued for them; a hold becomes final, and its end brings another certificate, not this one."""
    revoked = decide(first(), demand(revoke_reason=reason), START + DAY).schedule
    stolen = decide(revoked, moved(revoke_reason=reason), START + 2 * DAY)
    assert not stolen.is_issued
    assert accepted_signers(stolen.schedule) == []
    ended = demand(NEW, distrusted=(OLD,))
    if reason is LOST:
        with pytest.raises(ScheduleError, match="only certificateHold can be taken back"):
            decide(stolen.schedule, ended, START + 3 * DAY)
        return
    assert revocations(stolen.schedule) == [(1, COMPROMISED, OLD, True)]
    for after in (ended, demand(NEW)):
        released = decide(stolen.schedule, after, START + 3 * DAY)
        assert released.is_issued
        assert accepted_signers(released.schedule) == [NEW]


@pytest.mark.parametrize("reason", [HOLD, LOST])
def test_a_revocation_that_is_declared_in_the_same_run_goes_first(reason: RevocationReason) -> None:
    """Revoked for its own reason, which a list shows, and not issued again."""
    stolen = decide(first(), moved(revoke_reason=reason), START + DAY)
    assert not stolen.is_issued
    assert [each[1] for each in revocations(stolen.schedule)] == [COMPROMISED if reason is HOLD else LOST]


def test_a_revocation_that_was_carried_out_before_does_not_keep_a_good_generation_out() -> None:
    """`revoke` with `issue_again` still stands in the file, or without it: generation 2 is not its concern."""
    again = decide(first(), demand(revoke_reason=LOST, issue_again=True), START + DAY).schedule
    for issue_again in (True, False):
        stolen = decide(again, moved(revoke_reason=LOST, issue_again=issue_again), START + 2 * DAY)
        assert (stolen.schedule.generation, accepted_signers(stolen.schedule)) == (3, [NEW])


def test_a_hold_that_ends_in_the_same_run_does_not_bring_the_stolen_one_back() -> None:
    """Released and distrusted at once: issued again."""
    held = decide(first(), demand(revoke_reason=HOLD), START + DAY).schedule
    assert accepted_signers(decide(held, moved(), START + 2 * DAY).schedule) == [NEW]


def test_a_held_certificate_is_issued_anew_if_its_issuer_changed_meanwhile() -> None:
    """Its signer is remembered as it was, so that a distrust still finds it."""
    held = decide(first(), demand(revoke_reason=HOLD), START + DAY).schedule
    rolled = decide(held, moved(distrusted=(), revoke_reason=HOLD), START + 2 * DAY).schedule
    assert (rolled.is_outdated, rolled.issuer) == (True, OLD)
    released = decide(rolled, demand(NEW), START + 3 * DAY).schedule
    assert (released.generation, released.is_outdated, accepted_signers(released)) == (2, False, [OLD, NEW])
    declared = replace(window(NEW), slots=(NEW,))
    withdrawn = decide(rolled, demand(NEW, issuer=declared), START + 3 * DAY).schedule
    assert (withdrawn.generation, accepted_signers(withdrawn)) == (2, [NEW])
    same = decide(held, demand(), START + 3 * DAY).schedule
    assert (same.generation, accepted_signers(same)) == (1, [OLD])


def test_a_clock_behind_distrusts_nothing_in_silence() -> None:
    """It is refused: a row that stays without a word would let the thief in."""
    rolled = decide(first(), moved(distrusted=()), START + 30 * DAY).schedule
    early = START + 20 * DAY
    with pytest.raises(ScheduleError, match="nothing can be distrusted then"):
        decide(rolled, demand(NEW, distrusted=(OLD,)), early)
    with pytest.raises(ScheduleError, match="nothing can be distrusted then"):
        decide(first(), demand(is_distrusted=True), START - 20 * DAY)
    assert decide(rolled, demand(NEW, distrusted=(OTHER,)), early).schedule == rolled


def test_the_certificate_of_the_slot_itself_is_revoked_and_never_renewed() -> None:
    """Not when it is due, not when it has expired, and not under another root."""
    own = Demand(LifetimePolicy(), None, is_distrusted=True)
    stolen = decide(first(), own, START + DAY)
    assert (stolen.is_issued, stolen.schedule.is_revoked, stolen.schedule.cause) == (False, True, Cause.DISTRUSTED)
    assert stolen.schedule.reason == "distrusted on 2026-01-02T10:30:00Z"
    for day in (1, 300, 400, 5000):
        later = decide(stolen.schedule, replace(own, changes=("issuer",), is_issuer_changed=True), START + day * DAY)
        assert (later.is_issued, later.schedule) == (False, stolen.schedule)


@pytest.mark.parametrize(("reason", "kept"), [(HOLD, COMPROMISED), (LOST, LOST)])
def test_a_hold_on_the_certificate_of_the_slot_itself_becomes_final(
    reason: RevocationReason, kept: RevocationReason
) -> None:
    """A slot that was retiring and revoked in the list above may turn out to be stolen; other reasons stay."""
    revoked = decide(first(), demand(revoke_reason=reason), START + DAY).schedule
    stolen = decide(revoked, Demand(LifetimePolicy(), None, is_distrusted=True), START + 2 * DAY).schedule
    assert [(each.reason, each.revoked_at) for each in stolen.revoked] == [(kept, START + DAY)]


def test_a_distrusted_slot_gets_no_other_role_again() -> None:
    """Whatever it is declared as, its key is known to others."""
    stolen = decide(first(), demand(is_distrusted=True), START + DAY).schedule
    with pytest.raises(ScheduleError, match="never trusted again"):
        decide(stolen, demand(), START + 2 * DAY)
    with pytest.raises(ScheduleError, match="never made"):
        decide(None, demand(is_distrusted=True), START)


STEPS = st.sampled_from(["wait", "renew", "move", "hold", "lose", "end", "again", "change"])


@given(seed=st.integers(0, 2**32), steps=st.lists(STEPS, max_size=8), after=st.lists(STEPS, max_size=6))
@examples(400)
def test_from_the_distrust_on_nothing_of_the_slot_is_accepted_whatever_happens_before_and_after(
    seed: int, steps: list[str], after: list[str]
) -> None:
    """Any history of renewals, moves, revocations; what other slots signed and was good stays good."""
    random, now, schedule = Random(seed), START, first()
    said: dict[str, Any] = {}
    signer = OLD
    for step in steps:
        now += random.randint(0, 200) * DAY
        signer, said, schedule = _live(schedule, step, signer, said, (), now)
    now += random.randint(0, 5) * DAY
    keeps = {each.generation for each in schedule.accepted if each.issuer != OLD and each.retire_at > now}
    is_moved = signer == OLD
    signer = NEW if is_moved else signer
    # Where it cannot be carried out now, nothing is changed: that is allowed, silence is not.
    try:
        moving = {"changes": ("issuer",), "is_issuer_changed": True} if is_moved else {}
        stolen = decide(schedule, demand(signer, **moving, **said, distrusted=(OLD,)), now).schedule
    except ScheduleError:
        return
    assert OLD not in accepted_signers(stolen)
    if not said:
        assert keeps <= {each.generation for each in stolen.accepted}
        assert not stolen.is_revoked
    for step in after:
        now += random.randint(0, 200) * DAY
        signer, said, stolen = _live(stolen, "change" if step == "move" else step, signer, said, (OLD,), now)
        assert OLD not in accepted_signers(stolen)


def _live(
    schedule: Schedule,
    step: str,
    signer: SlotId,
    said: dict[str, Any],
    distrusted: tuple[SlotId, ...],
    now: datetime,
) -> tuple[SlotId, dict[str, Any], Schedule]:
    """Declare one step and decide; what is refused changes nothing."""
    more: dict[str, Any] = {}
    wanted, declared = signer, dict(said)
    if step == "move":
        wanted = OTHER if signer == OLD else OLD
        more = {"changes": ("issuer",), "is_issuer_changed": True}
    elif step == "change":
        more = {"changes": ("dns_names",)}
    elif step in ("hold", "lose"):
        declared = {"revoke_reason": HOLD if step == "hold" else LOST}
    elif step == "again" and "revoke_reason" in declared:
        declared["issue_again"] = True
    elif step == "end":
        declared = {}
    try:
        after = decide(schedule, demand(wanted, **more, **declared, distrusted=distrusted), now).schedule
    except ScheduleError:
        return signer, said, schedule
    return wanted, declared, after


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        (Slots(active=1, distrusted=(1,)), "which is active as well: nothing could be signed with it"),
        (Slots(active=1, standby=2, distrusted=(2,)), "which is standby as well: leave standby out"),
        (Slots(active=2, retiring=1, distrusted=(1,)), "which is retiring as well: leave retiring out"),
        (Slots(active=2, distrusted=(1, 1)), "got 1 twice"),
        (Slots(active=2, distrusted=(0,)), "expected a number from 1 up"),
        (Slots(active=2, distrusted=(1,)), None),
        (Slots(active=3, retiring=2, distrusted=(1,)), None),
        (Slots(active=3, distrusted=(1, 2)), None),
        (Slots(active=1, distrusted=(2,)), None),
    ],
)
def test_a_distrusted_slot_has_no_other_role(slots: Slots, message: str | None) -> None:
    """All others may be distrusted: earlier ones, several at once, and a standby that never signed."""
    problems = [each.message for each in slots.problems()]
    assert (problems == []) if message is None else (len(problems) == 1 and message in problems[0])
    if message is None:
        assert not {*slots.trusted} & {*slots.distrusted}
        assert {*slots.numbers} == {*slots.trusted, *slots.distrusted}
