"""What a schedule has promised it keeps, whatever is declared in whatever order and whatever the clock does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pki.generations import Demand, IssuerWindow, Schedule
from pki.lifetime import LifetimePolicy
from pki.model import HOLD, RevocationReason, SlotId, Validity
from pki.schedule import decide
from postseal_core.errors import ScheduleError
from tests.support.examples import examples

START = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
CA = IssuerWindow(SlotId("mail-ca"), Validity(START - timedelta(days=1), START + timedelta(days=40_000)))
POLICIES = st.builds(
    LifetimePolicy,
    validity_hours=st.integers(48, 2_000),
    overlap_hours=st.integers(1, 400),
    renew_key_every=st.integers(0, 3),
)
FINAL_REASONS = st.sampled_from([RevocationReason.KEY_COMPROMISE, RevocationReason.SUPERSEDED])


class Promises(RuleBasedStateMachine):
    """One certificate under changes, losses, holds, confirmations and a clock that stands still or jumps.

    `promised`: by generation, the instant until which somebody was told that it is accepted. `revoked`: by generation,
    the end of those that were revoked for good. `held`: those on hold. `key_of`: the key of each generation.
    """

    @initialize(policy=POLICIES, confirm=st.booleans())
    def issue_the_first(self, policy: LifetimePolicy, confirm: bool) -> None:  # noqa: FBT001
        """Begin with one certificate."""
        self.demand = Demand(policy, CA, confirm=confirm)
        self.latest = self.now = START
        self.schedule = decide(None, self.demand, START).schedule
        self.promised = {1: self.schedule.validity.not_after}
        self.revoked: dict[int, datetime] = {}
        self.held: dict[int, datetime] = {}
        self.key_of = {1: 1}

    def run(self, demand: Demand) -> None:
        """Take one run of the engine; a refused one changes nothing."""
        before = self.schedule
        try:
            self.schedule = decide(before, demand, self.now).schedule
        except ScheduleError:
            return
        self._note(before, demand)

    def _note(self, before: Schedule, demand: Demand) -> None:
        """Write down what this run has promised, taken back by name, or revoked."""
        after = self.schedule
        for entry in after.revoked:
            self.promised.pop(entry.generation, None)
            if entry.reason == HOLD:
                self.held[entry.generation] = entry.not_after
            else:
                self.held.pop(entry.generation, None)
                self.revoked[entry.generation] = entry.not_after
        if not demand.revoke_reason:
            released = {entry.revoked_at for entry in before.revoked if entry.generation == before.generation}
            for entry in before.revoked:
                if entry.revoked_at in released:
                    self.held.pop(entry.generation, None)
            if released:
                self.promised[before.generation] = before.validity.not_after
        if demand.confirm and demand.confirmed_generation >= before.generation == after.generation:
            self.promised = {}
        if after.generation > before.generation and before.generation in self.promised:
            end = self.promised[before.generation]
            overlap = timedelta(hours=demand.policy.overlap_hours)
            self.promised[before.generation] = end if demand.confirm else min(self.now + overlap, end)
        if not after.is_revoked:
            self.promised[after.generation] = after.validity.not_after
        self.key_of[after.generation] = after.key_generation

    @rule(hours=st.integers(0, 300))
    def wait(self, hours: int) -> None:
        """Let time pass, and run."""
        self.latest = self.now = self.latest + timedelta(hours=hours)
        self.run(self.demand)

    @rule()
    def wait_for_the_next_date(self) -> None:
        """Run at the very second at which something ends."""
        self.latest = self.now = min((each for each in self.promised.values() if each > self.now), default=self.now)
        self.run(self.demand)

    @rule(hours=st.integers(1, 5_000))
    def run_with_a_clock_that_is_slow(self, hours: int) -> None:
        """Run on a machine whose clock jumped back; the next run has the right time again."""
        self.now = self.latest - timedelta(hours=hours)
        self.run(self.demand)
        self.now = self.latest

    @rule(is_key_changed=st.booleans())
    def change(self, is_key_changed: bool) -> None:  # noqa: FBT001
        """Declare another name or another key, twice within an overlap as well."""
        self.run(replace(self.demand, changes=("dns_names",), is_key_changed=is_key_changed))

    @rule(issue_again=st.booleans())
    def hold(self, issue_again: bool) -> None:  # noqa: FBT001
        """Declare a hold, with or without a certificate in its place."""
        self.revoke(HOLD, issue_again)

    @rule(reason=FINAL_REASONS, issue_again=st.booleans())
    def revoke(self, reason: RevocationReason, issue_again: bool) -> None:  # noqa: FBT001
        """Declare a revocation, or another reason for it."""
        self.demand = replace(self.demand, revoke_reason=reason, issue_again=issue_again)
        self.run(self.demand)

    @rule()
    def remove_the_revocation(self) -> None:
        """Take its lines out: a hold is released, what was lost stays lost."""
        without = replace(self.demand, revoke_reason=RevocationReason.NOT_REVOKED, issue_again=False)
        if self.schedule.is_revoked and self.schedule.generation not in self.held:
            with pytest.raises(ScheduleError):
                decide(self.schedule, without, self.latest)
        else:
            self.demand = without
            self.run(without)

    @precondition(lambda self: self.demand.confirm)
    @rule(behind=st.integers(0, 2))
    def confirm(self, behind: int) -> None:
        """Say that a generation is in use, the current one or one before."""
        self.demand = replace(self.demand, confirmed_generation=max(self.schedule.generation - behind, 0))
        self.run(self.demand)

    @invariant()
    def what_was_promised_stays_until_its_date(self) -> None:
        """Nobody who follows the rules is locked out."""
        accepted = {entry.generation for entry in self.schedule.accepted}
        if not self.schedule.is_revoked:
            accepted.add(self.schedule.generation)
        assert {each for each, until in self.promised.items() if until > self.now} <= accepted
        assert accepted <= {each for each, until in self.promised.items() if until > self.now}

    @invariant()
    def what_was_revoked_stays_revoked(self) -> None:
        """Nothing that was revoked is accepted again, a hold until it is released; all is listed until it expires."""
        final = {entry.generation for entry in self.schedule.revoked if entry.reason != HOLD}
        held = {entry.generation for entry in self.schedule.revoked if entry.reason == HOLD}
        assert {each for each, end in self.revoked.items() if end > self.latest} <= final
        assert {each for each, end in self.held.items() if end > self.latest} <= held <= self.held.keys()
        assert not self.revoked.keys() & {entry.generation for entry in self.schedule.accepted}
        assert self.schedule.is_revoked == (self.schedule.generation in self.revoked.keys() | self.held.keys())

    @invariant()
    def a_key_that_was_revoked_is_in_no_later_certificate(self) -> None:
        """Also where renewals keep the key."""
        lost = {self.key_of[each] for each in self.revoked}
        assert self.schedule.key_generation not in lost or self.schedule.is_revoked

    @invariant()
    def no_generation_is_in_two_places(self) -> None:
        """Accepted, revoked and current are told apart, each generation stands once."""
        accepted = [each.generation for each in self.schedule.accepted]
        earlier = accepted + [each.generation for each in self.schedule.revoked]
        assert len(earlier) == len(set(earlier))
        assert max(earlier, default=0) <= self.schedule.generation
        assert self.schedule.key_generation <= self.schedule.generation


Promises.TestCase.settings = examples(100, stateful_step_count=25)
TestPromises = Promises.TestCase
