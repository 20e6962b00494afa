"""Forecast the changes of future runs of `pulumi up` by simulating its decisions.

The decisions come from `pki.schedule.decide` and `pki.crl_schedule.decide_crl`, with which the provider itself decides.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from pki.crl_schedule import decide_crl
from pki.generations import Demand, IssuerWindow, Schedule
from pki.model import SlotId
from pki.roster.dues import dues_of
from pki.schedule import Decision, decide
from postseal.report.model import Expiring, Verb
from postseal.report.schedules import SignedList, Tracked, read_future
from postseal_core.errors import ConfigError, Problem, ScheduleError
from postseal_core.instants import format_instant

__all__ = ["BLOCKED", "Event", "forecast", "schedules_at"]

BLOCKED: Final = "blocked"
"""`action` of an event that is due but cannot happen; its reason says what stands in the way."""

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_SHORTEST_STEP: Final = timedelta(hours=1)
_MOST_YEARS: Final = 100
_MOST_DECISIONS: Final = 500_000
"""Several years of ten thousand clients."""


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One thing that `pulumi up` does from `at` on.

    `action`: `renew`, `retire generation N`, `re-sign CRL`, `fetch`, `renew on host` or `blocked`. `generation`: the
    new one, for `renew`. `not_after`: the end of what is then valid, where that is known; for `renew on host` that of
    what was seen there.
    """

    at: datetime
    kind: str
    roster: str
    name: str
    action: str
    generation: int | None = None
    not_after: datetime | None = None
    reason: str = ""


def forecast(export: object, now: datetime, until: datetime) -> tuple[Event, ...]:
    """Return all events from `now` to `until`, assuming that `pulumi up` runs whenever something is due.

    What is due before `now` happens at `now`. A run later than the due date moves everything after it. NOT foreseen:
    changes of the program or the stack file, and the dates of certificates that somebody else signs.

    Raises:
        ConfigError: the document is no stack's state, something in it cannot be read, or the day is too far ahead.
    """
    future = read_future(export)
    windows = [each.window for each in future.imported if each.window]
    patience = _Patience(now, until)
    events = list(_Simulation(future.certificates, windows).run(now, until, patience))
    for each in future.lists:
        events += _signings(each, now, until, patience)
    events += [
        Event(max(item.renew_at, now), item.kind, "", item.name, Verb.FETCH.value)
        for item in future.imported
        if item.renew_at <= until
    ]
    events += [event for item in future.on_host if (event := _renewal_on_host(item, now)).at <= until]
    return tuple(sorted(events, key=lambda event: (event.at, event.kind, event.roster, event.name, event.action)))


def schedules_at(export: object, now: datetime, at: datetime) -> tuple[tuple[Tracked, Schedule], ...]:
    """Return each certificate with the schedule that it has at a later instant, on the assumptions of `forecast`.

    Raises:
        ConfigError: as of `forecast`.
    """
    future = read_future(export)
    simulation = _Simulation(future.certificates, [each.window for each in future.imported if each.window])
    for _ in simulation.run(now, at, _Patience(now, at)):
        pass
    return simulation.schedules()


class _Patience:
    """How many decisions are still made before a day is too far ahead to be told.

    Raises:
        ConfigError: it is too far by itself.
    """

    def __init__(self, now: datetime, until: datetime) -> None:
        self._until, self._left = until, _MOST_DECISIONS
        if until.year - now.year > _MOST_YEARS:
            raise self._too_far(f"what happens in more than {_MOST_YEARS} years nobody plans")

    def spend(self) -> None:
        """Count one decision; raise ConfigError where there were too many."""
        self._left -= 1
        if self._left < 0:
            raise self._too_far(f"more than {_MOST_DECISIONS:,} decisions would be made until then")

    def _too_far(self, why: str) -> ConfigError:
        day = format_instant(self._until)
        return ConfigError([Problem("", f"{day} is too far ahead: {why}; take an earlier day")])


class _Simulation:
    """The certificates of a stack, and a queue of the instants at which something about one of them is due.

    `fixed`: authorities whose dates only somebody else can change.
    """

    def __init__(self, certificates: Sequence[Tracked], fixed: Sequence[IssuerWindow] = ()) -> None:
        self._fixed = {each.slot: each for each in fixed}
        owners = {each.slot: each for each in certificates if each.slot}
        # Issuers come first: what they sign at the same instant ends with their new dates.
        self._tracked = sorted(certificates, key=lambda each: _depth(each, owners))
        self._authorities = {each.slot: index for index, each in enumerate(self._tracked) if each.slot}
        self._signed_by: dict[SlotId, list[int]] = defaultdict(list)
        for index, each in enumerate(self._tracked):
            if each.issuer:
                self._signed_by[each.issuer].append(index)
        self._schedules = [each.schedule for each in self._tracked]
        self._notes = [""] * len(self._tracked)
        self._due = [_NEVER] * len(self._tracked)
        self._queue: list[tuple[datetime, int]] = []

    def run(self, now: datetime, until: datetime, patience: _Patience) -> Iterator[Event]:
        # Everything is asked now, as a run does: a policy may have changed since the state was written.
        for index in range(len(self._tracked)):
            self._ask(index, now)
        while self._queue and self._queue[0][0] <= until:
            at, index = heapq.heappop(self._queue)
            if at == self._due[index]:
                patience.spend()
                yield from self._decide(index, at)

    def schedules(self) -> tuple[tuple[Tracked, Schedule], ...]:
        """Return each certificate with its schedule after the last decision."""
        return tuple(zip(self._tracked, self._schedules, strict=True))

    def _ask(self, index: int, at: datetime) -> None:
        """Schedule the next decision about a certificate, replacing an earlier one."""
        self._due[index] = at
        heapq.heappush(self._queue, (at, index))

    def _decide(self, index: int, at: datetime) -> Iterator[Event]:
        tracked, before = self._tracked[index], self._schedules[index]
        try:
            decision = decide(before, self._demand(tracked), at)
        except ScheduleError as error:
            decision = Decision(before, is_issued=False, note=str(error))
        self._schedules[index] = decision.schedule
        if decision.note and decision.note != self._notes[index]:
            yield Event(at, tracked.kind, tracked.roster, tracked.name, BLOCKED, reason=decision.note)
        self._notes[index] = decision.note
        self._ask(index, _next_due(decision, at))
        if decision.is_issued and tracked.slot:
            self._ask_blocked(tracked.slot, at)
        yield from _differences(tracked, before, decision.schedule, at)

    def _ask_blocked(self, issuer: SlotId, at: datetime) -> None:
        """Schedule decisions for certificates that wait for an authority with new dates."""
        for index in self._signed_by[issuer]:
            if self._notes[index]:
                self._ask(index, at)

    def _demand(self, tracked: Tracked) -> Demand:
        if tracked.issuer in self._fixed:
            return replace(tracked.demand, issuer=self._fixed[tracked.issuer])
        authority = self._authorities.get(tracked.issuer) if tracked.issuer else None
        if tracked.issuer is None or authority is None:
            return tracked.demand
        return replace(tracked.demand, issuer=IssuerWindow(tracked.issuer, self._schedules[authority].validity))


def _depth(tracked: Tracked, owners: Mapping[SlotId, Tracked]) -> int:
    """Return how many authorities of the stack stand above a certificate."""
    above: list[SlotId] = []
    while tracked.issuer and tracked.issuer in owners and tracked.issuer not in above:
        above.append(tracked.issuer)
        tracked = owners[tracked.issuer]
    return len(above)


def _next_due(decision: Decision, at: datetime) -> datetime:
    """Return when something about a certificate changes by itself: a renewal, or a retirement.

    What is blocked changes when its issuer does, and says something else once it has ended.
    """
    schedule = decision.schedule
    instants = list(dues_of(schedule))
    if decision.note:
        instants += [schedule.validity.not_before, schedule.validity.not_after]
        return min((instant for instant in instants if instant > at), default=_NEVER)
    due = min(instants, default=_NEVER)
    return due if due > at else at + _SHORTEST_STEP


def _differences(tracked: Tracked, before: Schedule, after: Schedule, at: datetime) -> Iterator[Event]:
    event = Event(at, tracked.kind, tracked.roster, tracked.name, Verb.RENEW.value)
    if after.generation != before.generation:
        end = after.validity.not_after
        yield replace(event, generation=after.generation, not_after=end, reason=after.reason)
    kept = {each.generation for each in after.accepted}
    for each in before.accepted:
        if each.generation not in kept:
            yield replace(event, action=f"{Verb.RETIRE.value} generation {each.generation}")


def _renewal_on_host(item: Expiring, now: datetime) -> Event:
    """Return the day by which somebody else must have renewed what was seen on a host."""
    seen = f" (seen {item.seen_at:%Y-%m-%d})" if item.seen_at else ""
    reason = f"whoever renews it there must; what was seen{seen} ends {item.not_after:%Y-%m-%d}"
    at, action = max(item.renew_at, now), Verb.RENEW_ON_HOST.value
    return Event(at, item.kind.value, "", item.name, action, not_after=item.not_after, reason=reason)


def _signings(tracked: SignedList, now: datetime, until: datetime, patience: _Patience) -> Iterator[Event]:
    """Yield each future signing of a revocation list, assuming that its entries stay."""
    schedule, at = tracked.schedule, now
    while at <= until:
        patience.spend()
        after = decide_crl(schedule, tracked.demand, at).schedule
        if after.crl_number != schedule.crl_number:
            action = Verb.SIGN_REVOCATION_LIST.value
            yield Event(at, "revocation_list", "", tracked.name, action, not_after=after.next_update)
        schedule = after
        at = schedule.renew_at if schedule.renew_at > at else at + _SHORTEST_STEP
