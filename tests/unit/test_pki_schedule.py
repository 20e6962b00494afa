"""Deciding what generation is due: tables for each situation, properties for all of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.generations import Cause, Demand, IssuerWindow, Schedule
from pki.lifetime import KEEP_KEY, LifetimePolicy
from pki.model import HOLD, RevocationReason, SlotId, Validity
from pki.schedule import Decision, adopted, decide
from postseal_core.errors import ScheduleError
from tests.support.examples import examples

START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)
YEARLY = LifetimePolicy()
CA = IssuerWindow(SlotId("mail-ca"), Validity(START - DAY, START + 3650 * DAY))


def first(demand: Demand | None = None) -> Schedule:
    """Return the schedule of a certificate issued at START."""
    return decide(None, demand or Demand(YEARLY, CA), START).schedule


def test_the_first_certificate_starts_an_hour_before_the_full_hour() -> None:
    """Clocks of others lag; by the full hour, so that a preview and the `up` after it agree."""
    decision = decide(None, Demand(YEARLY, CA), START)
    assert decision.is_issued
    assert decision.schedule.generation == decision.schedule.key_generation == 1
    assert decision.schedule.validity == Validity(
        datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2027, 1, 1, 9, tzinfo=UTC)
    )
    assert decision.schedule.accepted == ()


@given(
    st.timedeltas(timedelta(0), timedelta(hours=3)).map(lambda passed: START + passed),
    st.sampled_from(
        [
            LifetimePolicy(validity_hours=3, overlap_hours=1),
            LifetimePolicy(validity_hours=4, renew_before_hours=2),
            LifetimePolicy(validity_hours=8, renew_fraction=Fraction(1, 4)),
        ]
    ),
)
def test_who_is_an_hour_behind_takes_it_and_nothing_is_due_at_once(now: datetime, policy: LifetimePolicy) -> None:
    """Also of the shortest lifetimes that are accepted; none begins before its issuer."""
    assert not policy.problems()
    schedule = decide(None, Demand(policy, CA), now).schedule
    assert timedelta(hours=1) <= now - schedule.validity.not_before < timedelta(hours=2)
    assert schedule.validity.not_after - schedule.validity.not_before == timedelta(hours=policy.validity_hours)
    assert decide(schedule, Demand(policy, CA), now) == Decision(schedule, is_issued=False)
    young = replace(CA, validity=replace(CA.validity, not_before=now - timedelta(minutes=1)))
    below = decide(None, Demand(policy, young), now).schedule
    assert below.validity.not_before == young.validity.not_before
    assert not decide(below, Demand(policy, young), now).is_issued


@pytest.mark.parametrize("hours_behind", [0, 1, 30])
def test_below_a_young_issuer_a_certificate_has_its_whole_lifetime(hours_behind: int) -> None:
    """Also where the clock lags behind the issuer by more than that: its end would stand before its begin."""
    now = CA.validity.not_before - timedelta(hours=hours_behind)
    validity = decide(None, Demand(LifetimePolicy(validity_hours=3, overlap_hours=1), CA), now).schedule.validity
    assert validity.not_before == CA.validity.not_before
    assert validity.not_after - validity.not_before == timedelta(hours=3)


def test_nothing_happens_before_the_renewal_point() -> None:
    """A second before renewal is due the schedule stays exactly as it is."""
    before = first()
    assert decide(before, Demand(YEARLY, CA), before.renew_at - timedelta(seconds=1)) == Decision(
        before, is_issued=False
    )


def test_at_the_renewal_point_a_new_generation_is_issued_and_the_old_one_stays_accepted() -> None:
    """Renewal keeps the replaced certificate accepted for the overlap."""
    before = first()
    after = decide(before, Demand(YEARLY, CA), before.renew_at).schedule
    assert after.generation == 2
    assert after.reason == "renewal due since 2026-09-01T17:00:00Z: two thirds of 365 d have passed"
    assert [(entry.generation, entry.retire_at) for entry in after.accepted] == [(1, before.renew_at + 14 * DAY)]


def test_retirement_is_a_change_of_its_own_after_its_date() -> None:
    """The old generation leaves at the first run after retire_at, and nothing else changes."""
    renewed = decide(first(), Demand(YEARLY, CA), first().renew_at).schedule
    retire_at = renewed.accepted[0].retire_at
    assert decide(renewed, Demand(YEARLY, CA), retire_at - timedelta(seconds=1)).schedule == renewed
    assert decide(renewed, Demand(YEARLY, CA), retire_at).schedule == replace(renewed, accepted=())


def test_the_overlap_never_outlives_the_certificate_itself() -> None:
    """A late renewal accepts the old certificate no longer than it is valid."""
    before = first()
    after = decide(before, Demand(YEARLY, CA), before.validity.not_after - DAY).schedule
    assert after.accepted[0].retire_at == before.validity.not_after


def test_an_expired_certificate_is_replaced_and_not_accepted_again() -> None:
    """A stack that was not run for a year issues a new certificate and lists no expired one."""
    before = first()
    after = decide(before, Demand(YEARLY, CA), before.validity.not_after + 100 * DAY).schedule
    assert after.accepted == ()
    assert after.reason == "generation 1 expired on 2027-01-01T09:00:00Z"


def test_a_changed_declaration_is_issued_at_once_and_says_what_changed() -> None:
    """A new name needs a new certificate; the old one stays accepted for the overlap."""
    after = decide(first(), Demand(YEARLY, CA, changes=("dns_names",)), START + DAY).schedule
    assert (after.generation, after.reason) == (2, "changed on 2026-01-02: dns_names")
    assert [entry.generation for entry in after.accepted] == [1]


@pytest.mark.parametrize(
    ("renew_key_every", "key_generations"), [(1, [1, 2, 3, 4, 5]), (2, [1, 1, 3, 3, 5]), (KEEP_KEY, [1, 1, 1, 1, 1])]
)
def test_the_key_policy_says_at_which_generation_the_key_is_new(
    renew_key_every: int, key_generations: list[int]
) -> None:
    """A new key at each renewal, at every second one, or never."""
    demand = Demand(replace(YEARLY, renew_key_every=renew_key_every), CA)
    schedule, seen = first(demand), []
    for _ in key_generations:
        seen.append(schedule.key_generation)
        schedule = decide(schedule, demand, schedule.renew_at).schedule
    assert seen == key_generations


def test_another_key_is_used_from_the_new_generation_on_whatever_the_policy() -> None:
    """A key handed in anew, or another algorithm, beats a policy that keeps the key."""
    demand = Demand(replace(YEARLY, renew_key_every=KEEP_KEY), CA, is_key_changed=True)
    assert decide(first(), demand, START + DAY).schedule.key_generation == 2


def test_a_clock_before_the_certificate_changes_nothing_and_says_so() -> None:
    """A clock that jumped back neither renews nor retires."""
    before = first()
    decision = decide(before, Demand(YEARLY, CA), START - DAY)
    assert decision.schedule == before
    assert "before the current certificate's not_before" in decision.note


def test_a_clock_before_the_certificate_refuses_to_issue() -> None:
    """A change that needs a new certificate is refused rather than issued backwards in time."""
    with pytest.raises(ScheduleError, match="nothing is issued backwards"):
        decide(first(), Demand(YEARLY, CA, changes=("dns_names",)), START - DAY)


def test_a_clock_before_the_certificate_refuses_to_revoke_rather_than_not_doing_it() -> None:
    """Who asks for a revocation must not read that nothing changed; what was revoked stays so under any clock."""
    compromised = Demand(YEARLY, CA, revoke_reason=RevocationReason.KEY_COMPROMISE)
    with pytest.raises(ScheduleError, match="nothing can be revoked"):
        decide(first(), compromised, START - DAY)
    revoked = decide(first(), compromised, START + DAY).schedule
    assert decide(revoked, compromised, START - DAY).schedule == revoked
    issued_again = decide(revoked, replace(compromised, issue_again=True), START + 2 * DAY).schedule
    assert decide(issued_again, replace(compromised, issue_again=True), START + DAY).schedule == issued_again


def test_validity_is_shortened_to_the_end_of_the_issuer_and_says_so() -> None:
    """Never beyond the issuer's not_after."""
    issuer = IssuerWindow(SlotId("old-ca"), Validity(START - 3000 * DAY, START + 100 * DAY))
    schedule = decide(None, Demand(YEARLY, issuer), START).schedule
    assert schedule.validity.not_after == issuer.validity.not_after
    assert schedule.reason.endswith("; shortened to the end of old-ca")


def test_shortening_can_be_forbidden() -> None:
    """By policy a validity beyond the issuer's is an error instead."""
    issuer = IssuerWindow(SlotId("old-ca"), Validity(START - 3000 * DAY, START + 100 * DAY))
    with pytest.raises(ScheduleError, match="after the issuer old-ca"):
        decide(None, Demand(YEARLY, issuer, fail_beyond_issuer=True), START)


def test_a_lifetime_beyond_the_issuers_is_refused_when_it_is_edited() -> None:
    """Not only at the renewal; while it stays as it was, an issuer that was shortened stops no run."""
    short = replace(CA, validity=Validity(START - DAY, START + 100 * DAY))
    before = first(Demand(replace(YEARLY, validity_hours=2400), short))
    longer = Demand(YEARLY, short)
    assert decide(before, longer, START).schedule.generation == 1
    with pytest.raises(ScheduleError, match="validity_hours 8760 is longer than the issuer"):
        decide(before, replace(longer, is_validity_edited=True), START)


def test_a_validity_that_no_certificate_of_the_issuer_could_have_is_an_error() -> None:
    """A leaf declared longer than its issuer's whole lifetime is a mistake, not a matter of dates."""
    issuer = IssuerWindow(SlotId("short-ca"), Validity(START, START + 100 * DAY))
    with pytest.raises(ScheduleError, match="validity_hours 8760 is longer than the issuer"):
        decide(None, Demand(YEARLY, issuer), START)


def test_renewing_under_an_issuer_that_ends_with_the_certificate_is_not_done_as_it_gains_nothing() -> None:
    """No chain of ever shorter certificates before the issuer's end: it is said what to do instead."""
    issuer = IssuerWindow(SlotId("old-ca"), Validity(START - 3000 * DAY, START + 100 * DAY))
    before = decide(None, Demand(YEARLY, issuer), START).schedule
    decision = decide(before, Demand(YEARLY, issuer), START + 90 * DAY)
    assert not decision.is_issued
    assert decision.schedule.generation == 1
    assert "renew or roll over the issuer first" in decision.note


def test_nothing_is_issued_under_an_expired_issuer() -> None:
    """The error names the issuer and its end."""
    issuer = IssuerWindow(SlotId("dead-ca"), Validity(START - 3000 * DAY, START - DAY))
    with pytest.raises(ScheduleError, match="the issuer dead-ca expired on 2025-12-31T10:30:00Z"):
        decide(None, Demand(YEARLY, issuer), START)


def test_an_unconfirmed_generation_keeps_the_one_before_it_until_that_expires() -> None:
    """With confirm the old certificate leaves when the stack says that the new one is in use."""
    demand = Demand(YEARLY, CA, confirm=True)
    renewed = decide(first(demand), demand, first().renew_at).schedule
    assert renewed.accepted[0].retire_at == first().validity.not_after
    later = first().renew_at + 30 * DAY
    assert decide(renewed, demand, later).schedule.accepted == renewed.accepted
    assert decide(renewed, replace(demand, confirmed_generation=1), later).schedule.accepted == renewed.accepted
    assert decide(renewed, replace(demand, confirmed_generation=2), later).schedule.accepted == ()


def test_a_changed_policy_moves_the_renewal_point_and_issues_nothing() -> None:
    """A longer validity or an earlier renewal point takes effect without a new certificate."""
    before = first()
    policy = LifetimePolicy(validity_hours=9000, renew_before_hours=24)
    decision = decide(before, Demand(policy, LONG), START + DAY)
    assert not decision.is_issued
    assert decision.schedule.renew_at == before.validity.not_after - DAY
    assert decision.schedule.validity == before.validity


def test_an_adopted_certificate_is_generation_one_until_its_renewal_is_due() -> None:
    """What was made elsewhere is taken as it is and renewed like everything else."""
    validity = Validity(START - 300 * DAY, START + 65 * DAY)
    schedule = adopted(validity, YEARLY, None)
    assert (schedule.generation, schedule.validity) == (1, validity)
    assert decide(schedule, Demand(YEARLY), START).schedule.generation == 2


REVOKED = Demand(YEARLY, CA, revoke_reason=RevocationReason.SUPERSEDED)
STANDBY = IssuerWindow(SlotId("mail-ca", 2), CA.validity, usable_from=START + 14 * DAY)


@pytest.mark.parametrize(
    ("steps", "cause"),
    [
        ([(Demand(YEARLY, CA), 0)], Cause.FIRST),
        ([(Demand(YEARLY, CA), 300)], Cause.RENEWAL_DUE),
        ([(Demand(YEARLY, CA), 400)], Cause.EXPIRED),
        ([(Demand(YEARLY, CA, changes=("dns_names",)), 1)], Cause.CHANGED),
        ([(Demand(YEARLY, CA, is_key_changed=True), 1)], Cause.KEY_CHANGED),
        ([(REVOKED, 1)], Cause.REVOKED),
        ([(replace(REVOKED, issue_again=True), 1)], Cause.ISSUED_AGAIN),
        ([(Demand(YEARLY, CA, revoke_reason=HOLD), 1), (Demand(YEARLY, CA), 2)], Cause.RELEASED),
        ([(Demand(YEARLY, CA, revoke_reason=HOLD), 1), (REVOKED, 2)], Cause.REVOKED),
    ],
)
def test_every_reason_is_there_as_data(steps: list[tuple[Demand, int]], cause: Cause) -> None:
    """Whoever decides by a reason reads no sentence."""
    schedule = first()
    for demand, days in steps:
        schedule = decide(schedule, demand, START + days * DAY).schedule
    assert schedule.cause is cause


def test_earlier_generations_know_who_signed_them_and_since_when_they_are_valid() -> None:
    """A list, a forecast or a review asks for them by key of the issuer and by date."""
    before = first()
    moved = Demand(YEARLY, STANDBY, changes=("issuer is now mail-ca-2 generation 1",), is_issuer_changed=True)
    after = decide(before, moved, START + 15 * DAY).schedule
    assert after.issuer == STANDBY.slot
    assert [(each.issuer, each.not_before) for each in after.accepted] == [(CA.slot, before.validity.not_before)]
    revoked = decide(after, replace(REVOKED, issuer=STANDBY), START + 16 * DAY).schedule
    assert [(each.generation, each.issuer) for each in revoked.revoked] == [(1, CA.slot), (2, STANDBY.slot)]


class TestRevocation:
    """Revoking by name, issuing again, and what cannot be taken back."""

    revoke = Demand(YEARLY, CA, revoke_reason=RevocationReason.KEY_COMPROMISE)

    def test_revoking_withdraws_the_current_and_every_accepted_generation(self) -> None:
        """Nothing stays accepted, everything is listed for the CRL."""
        renewed = decide(first(), Demand(YEARLY, CA), first().renew_at).schedule
        revoked = decide(renewed, self.revoke, first().renew_at + DAY).schedule
        assert revoked.is_revoked
        assert revoked.accepted == ()
        assert [entry.generation for entry in revoked.revoked] == [1, 2]

    def test_a_revoked_certificate_is_not_renewed(self) -> None:
        """Time alone brings nothing back."""
        revoked = decide(first(), self.revoke, START + DAY).schedule
        assert decide(revoked, self.revoke, START + 5000 * DAY).schedule == revoked

    def test_taking_a_revocation_back_is_refused(self) -> None:
        """A compromised key stays compromised."""
        revoked = decide(first(), self.revoke, START + DAY).schedule
        with pytest.raises(ScheduleError, match="only certificateHold can be taken back"):
            decide(revoked, Demand(YEARLY, CA), START + 2 * DAY)

    def test_a_hold_can_be_taken_back_and_the_same_certificate_is_accepted_again(self) -> None:
        """CertificateHold is the exception of RFC 5280."""
        held = decide(first(), Demand(YEARLY, CA, revoke_reason=HOLD), START + DAY).schedule
        released = decide(held, Demand(YEARLY, CA), START + 2 * DAY).schedule
        assert (released.generation, released.is_revoked, released.revoked) == (1, False, ())

    def test_a_hold_can_become_final(self) -> None:
        """After that it cannot be taken back any more."""
        held = decide(first(), Demand(YEARLY, CA, revoke_reason=HOLD), START + DAY).schedule
        final = decide(held, self.revoke, START + 2 * DAY).schedule
        assert [entry.reason for entry in final.revoked] == [RevocationReason.KEY_COMPROMISE]
        with pytest.raises(ScheduleError):
            decide(final, Demand(YEARLY, CA), START + 3 * DAY)

    def test_a_revoked_name_is_issued_again_with_a_new_key(self) -> None:
        """Also where the policy keeps keys."""
        policy = replace(YEARLY, renew_key_every=KEEP_KEY)
        again = replace(self.revoke, policy=policy, issue_again=True)
        schedule = decide(first(), again, START + DAY).schedule
        assert (schedule.generation, schedule.key_generation, schedule.is_revoked) == (2, 2, False)
        assert [entry.generation for entry in schedule.revoked] == [1]
        assert schedule.accepted == ()

    def test_a_revocation_is_listed_until_its_certificate_ends(self) -> None:
        """At that instant nobody takes it any more (RFC 5280 section 5), so the list need not name it."""
        again = replace(self.revoke, issue_again=True)
        schedule = decide(first(), again, START + DAY).schedule
        end = first().validity.not_after
        for now, listed in ((end - timedelta(seconds=1), [1]), (end, [])):
            after = decide(schedule, again, now).schedule
            assert [entry.generation for entry in after.revoked] == listed

    def test_a_declaration_that_still_names_the_old_revocation_does_not_revoke_again(self) -> None:
        """Even when the revoked certificate has expired and left the revocation list."""
        again = replace(self.revoke, issue_again=True)
        schedule = decide(first(), again, START + DAY).schedule
        for days in (2, 200, 400, 900):
            schedule = decide(schedule, again, START + days * DAY).schedule
            assert not schedule.is_revoked

    def test_the_revocation_statement_may_be_removed_once_issued_again(self) -> None:
        """What was revoked stays revoked, the new generation stays."""
        again = decide(first(), replace(self.revoke, issue_again=True), START + DAY).schedule
        later = decide(again, Demand(YEARLY, CA), START + 2 * DAY).schedule
        assert later == replace(again, revoked_through=0)

    def test_it_is_remembered_on_which_generation_a_revocation_was_carried_out(self) -> None:
        """Also over a new certificate, and until the declaration of it goes."""
        again = replace(self.revoke, issue_again=True)
        steps = [(self.revoke, 1), (again, 1), (again, 1), (Demand(YEARLY, CA), 0)]
        schedule = first()
        for days, (demand, through) in enumerate(steps, 1):
            schedule = decide(schedule, demand, START + days * DAY).schedule
            assert schedule.revoked_through == through

    def test_revoking_what_was_never_issued_is_an_error(self) -> None:
        """A new name with a revocation is a mistake in the declaration."""
        with pytest.raises(ScheduleError, match="never issued"):
            decide(None, self.revoke, START)


LONG = IssuerWindow(SlotId("long-ca"), Validity(START - DAY, START + 40_000 * DAY))
policies = st.builds(
    LifetimePolicy,
    validity_hours=st.integers(48, 20_000),
    overlap_hours=st.integers(1, 2_000),
    renew_key_every=st.integers(0, 4),
)
instants = st.integers(0, 4_000 * 24 * 3600).map(lambda seconds: START + timedelta(seconds=seconds))


@given(policies, st.lists(instants, min_size=1, max_size=20))
def test_generations_never_decrease_and_a_second_decision_changes_nothing(
    policy: LifetimePolicy, clock: list[datetime]
) -> None:
    """Monotone under any clock, also one that jumps, and idempotent at every instant."""
    schedule = first(Demand(policy, LONG))
    for now in clock:
        decided = decide(schedule, Demand(policy, LONG), now).schedule
        assert decided.generation >= schedule.generation
        assert decided.validity.not_before >= schedule.validity.not_before
        assert decide(decided, Demand(policy, LONG), now) == replace(
            decide(decided, Demand(policy, LONG), now), schedule=decided, is_issued=False
        )
        schedule = decided


@given(policies, st.lists(instants, min_size=1, max_size=20).map(sorted))
def test_a_valid_generation_stays_accepted_until_it_retires(policy: LifetimePolicy, clock: list[datetime]) -> None:
    """What was accepted at one run is accepted at the next, unless its retirement or its expiry lies between."""
    schedule = first(Demand(policy, LONG))
    for now in clock:
        before = {schedule.generation: schedule.validity.not_after} | {
            entry.generation: entry.retire_at for entry in schedule.accepted
        }
        schedule = decide(schedule, Demand(policy, LONG), now).schedule
        after = {schedule.generation} | {entry.generation for entry in schedule.accepted}
        assert {generation for generation, end in before.items() if end > now} <= after
        assert all(entry.retire_at > now for entry in schedule.accepted)


@examples(30)
@given(policies, st.integers(0, 2**32))
def test_ten_years_with_random_outages_lock_out_no_client_that_follows_the_rules(
    policy: LifetimePolicy, seed: int
) -> None:
    """Day by day for ten years: the pipeline fails at random, clients fetch within the overlap.

    A client that follows the rules fetches its new certificate before the old one retires. It is locked out only if
    the pipeline was down for so long that its certificate expired unrenewed; then at once after the next run it is in
    again with the new one. No retired certificate is accepted at any time.
    """
    random = Random(seed)
    demand = Demand(replace(policy, overlap_hours=max(policy.overlap_hours, 72)), LONG)
    schedule = decide(None, demand, START).schedule
    held, validity_of, retired = 1, {1: schedule.validity}, set[int]()
    outage_days = 0
    for day in range(1, 3650):
        now = START + day * DAY
        outage_days = outage_days - 1 if outage_days else (random.randint(1, 60) if random.random() < 0.01 else 0)
        before = _accepted(schedule)
        if not outage_days:
            schedule = decide(schedule, demand, now).schedule
            validity_of[schedule.generation] = schedule.validity
            retired |= before - _accepted(schedule)
        assert not retired & _accepted(schedule)
        assert held in _accepted(schedule) or validity_of[held].not_after <= now
        held = _fetch_in_time(held, schedule, now, is_early=random.random() < 0.05)


def _accepted(schedule: Schedule) -> set[int]:
    return {schedule.generation} | {entry.generation for entry in schedule.accepted}


def _fetch_in_time(held: int, schedule: Schedule, now: datetime, *, is_early: bool) -> int:
    """Return the generation a client holds after a run: it moves early, or on the day before the old one leaves."""
    ends = {entry.generation: entry.retire_at for entry in schedule.accepted}
    must_move = held != schedule.generation and (held not in ends or ends[held] <= now + 2 * DAY)
    return schedule.generation if must_move or is_early else held


@pytest.mark.parametrize(("renewals", "confirmed"), [(0, 1), (1, 2), (1, 99), (2, 3)])
def test_a_generation_that_does_not_exist_yet_cannot_be_confirmed(renewals: int, confirmed: int) -> None:
    """It would take the old certificate away in the very run that makes the new one."""
    waiting = Demand(YEARLY, CA, confirm=True)
    schedule, now = None, START
    for _ in range(renewals):
        schedule = decide(schedule, waiting, now).schedule
        now = schedule.renew_at
    with pytest.raises(ScheduleError, match=f"got confirmed_generation {confirmed}, but"):
        decide(schedule, replace(waiting, confirmed_generation=confirmed), now)
    if schedule:
        renewed = decide(schedule, replace(waiting, confirmed_generation=schedule.generation), now).schedule
        assert [entry.generation for entry in renewed.accepted] == [schedule.generation]
