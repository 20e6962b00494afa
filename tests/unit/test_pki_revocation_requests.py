"""A declared revocation is carried out once, on what there was then, however its lines change afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.generations import Demand, IssuerWindow, Schedule
from pki.lifetime import KEEP_KEY, LifetimePolicy
from pki.model import HOLD, RevocationReason, SlotId, Validity
from pki.schedule import decide
from postseal_core.errors import ScheduleError

START = datetime(2026, 1, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
CA = IssuerWindow(SlotId("mail-ca"), Validity(START - DAY, START + 5_000 * DAY))
# The key is kept, so that a lost one would be certified again wherever a revocation is overlooked.
PLAIN = Demand(LifetimePolicy(validity_hours=3 * 8760, renew_key_every=KEEP_KEY), CA)
LOST = replace(PLAIN, revoke_reason=RevocationReason.KEY_COMPROMISE)
LOST_AND_NEW = replace(LOST, issue_again=True)
SUPERSEDED_AND_NEW = replace(LOST_AND_NEW, revoke_reason=RevocationReason.SUPERSEDED)
HELD = replace(PLAIN, revoke_reason=HOLD)
HELD_AND_NEW = replace(HELD, issue_again=True)


def after(demands: Sequence[Demand]) -> Schedule:
    """Return the schedule after one run a day with each of the demands."""
    schedule = decide(None, PLAIN, START).schedule
    for days, demand in enumerate(demands, 1):
        schedule = decide(schedule, demand, START + days * DAY).schedule
    return schedule


@pytest.mark.parametrize(
    ("demands", "generation", "revoked"),
    [
        ([LOST_AND_NEW, PLAIN, LOST_AND_NEW], 3, [1, 2]),
        ([LOST_AND_NEW, PLAIN, LOST], 2, [1, 2]),
        ([LOST, LOST_AND_NEW, PLAIN, LOST_AND_NEW, PLAIN], 3, [1, 2]),
        ([LOST_AND_NEW, SUPERSEDED_AND_NEW], 2, [1]),
        ([LOST_AND_NEW, LOST], 2, [1]),
        ([LOST_AND_NEW, LOST, LOST_AND_NEW], 2, [1]),
        ([LOST, SUPERSEDED_AND_NEW], 2, [1]),
        ([HELD, PLAIN, HELD], 1, [1]),
        ([HELD_AND_NEW, PLAIN, HELD, PLAIN], 2, [1]),
        ([HELD_AND_NEW, LOST], 2, [1]),
    ],
    ids=[
        "a second loss, after both lines were removed",
        "a second loss, without a new certificate",
        "two losses in single steps",
        "another reason",
        "only issue_again removed",
        "issue_again removed and put back",
        "another reason together with issue_again",
        "held twice",
        "a hold that is released later does not release the one before",
        "a hold made final after a new certificate",
    ],
)
def test_each_request_is_carried_out_once(demands: list[Demand], generation: int, revoked: list[int]) -> None:
    """Until `revoke` is removed it is the same request, whatever else its lines say; after that it is a new one."""
    schedule = after(demands)
    assert schedule.generation == generation
    assert [entry.generation for entry in schedule.revoked] == revoked
    assert schedule.is_revoked == (generation in revoked)
    assert schedule.accepted == ()


def test_a_lost_key_is_never_certified_again() -> None:
    """Each new certificate after a loss has a key of its own, also where renewals keep the key."""
    schedule = after([LOST_AND_NEW, PLAIN, LOST_AND_NEW])
    assert schedule.key_generation == schedule.generation
    renewed = decide(schedule, PLAIN, schedule.renew_at).schedule
    assert (renewed.generation, renewed.key_generation) == (4, 3)


def test_a_hold_made_final_keeps_its_date_and_gets_the_reason() -> None:
    """Also where another certificate was issued meanwhile, whose reason stays what it is."""
    before, schedule = after([HELD_AND_NEW]), after([HELD_AND_NEW, LOST])
    assert [entry.reason for entry in schedule.revoked] == [RevocationReason.KEY_COMPROMISE]
    assert [entry.revoked_at for entry in schedule.revoked] == [START + DAY]
    assert schedule.reason == before.reason


def test_a_hold_that_ends_takes_none_before_it_along_where_the_clock_stands_still() -> None:
    """A rehearsal carries out several requests at one set instant; each keeps a moment of its own."""
    schedule = decide(None, PLAIN, START).schedule
    for demand in (HELD_AND_NEW, PLAIN, HELD, PLAIN):
        schedule = decide(schedule, demand, START + DAY).schedule
    assert [(entry.generation, entry.revoked_at) for entry in schedule.revoked] == [(1, START + DAY)]


@dataclass
class Oracle:
    """What docs/revoke.md promises, in its own words and without dates."""

    generation: int = 1
    is_carried_out: bool = False
    final: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)

    def step(self, demand: Demand) -> bool:
        """Take one run; return False where it must be refused."""
        if not demand.revoke_reason:
            if self.generation in self.final:
                return False
            self.held.discard(self.generation)
            self.is_carried_out = False
            return True
        revoked = self.held if demand.revoke_reason == HOLD else self.final
        if not self.is_carried_out:
            revoked.add(self.generation)
            self.is_carried_out = True
        if demand.revoke_reason != HOLD:
            self.final |= self.held
            self.held.clear()
        if self.generation in self.final | self.held and demand.issue_again:
            self.generation += 1
        return True


@given(st.lists(st.sampled_from([PLAIN, LOST, LOST_AND_NEW, SUPERSEDED_AND_NEW, HELD, HELD_AND_NEW]), max_size=25))
def test_any_order_of_requests_comes_to_what_the_documentation_promises(demands: list[Demand]) -> None:
    """What was revoked for good stays so, nothing else is, and a refused run changes nothing."""
    schedule, oracle = decide(None, PLAIN, START).schedule, Oracle()
    for hours, demand in enumerate(demands, 1):
        now = START + timedelta(hours=hours)
        if oracle.step(demand):
            schedule = decide(schedule, demand, now).schedule
        else:
            with pytest.raises(ScheduleError):
                decide(schedule, demand, now)
        assert schedule.generation == oracle.generation
        assert {entry.generation for entry in schedule.revoked if entry.reason != HOLD} == oracle.final
        assert {entry.generation for entry in schedule.revoked if entry.reason == HOLD} == oracle.held
        assert schedule.is_revoked == (oracle.generation in oracle.final | oracle.held)
