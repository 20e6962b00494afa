"""Tell what `pulumi up` will change on which day, by deciding again and again on a clock that jumps ahead.

The decisions come from `pki.schedule.decide`, the function that the provider itself decides with.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pki.schedule import Decision, Demand, IssuerWindow, Schedule, decide
from postseal.report.model import Verb
from postseal.report.schedules import Future, SignedList, Tracked, read_future
from postseal_core.errors import ScheduleError

__all__ = ["BLOCKED", "Change", "forecast"]

BLOCKED = "blocked"
"""`action` of a change that is due but cannot happen; its reason says what stands in the way."""

_AUTHORITIES = ("root", "intermediate")
_SHORTEST_STEP = timedelta(hours=1)
# What is blocked is asked again when its issuer changes, or now and then.
_RETRY = timedelta(days=7)


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One thing that `pulumi up` does from `at` on.

    `action`: `renew`, `retire generation N`, `re-sign CRL`, `fetch` or `blocked`. `generation`: the new one, for
    `renew`. `not_after`: the end of what is then valid, where that is known.
    """

    at: datetime
    kind: str
    roster: str
    name: str
    action: str
    generation: int | None = None
    not_after: datetime | None = None
    reason: str = ""


def forecast(export: object, now: datetime, until: datetime) -> tuple[Change, ...]:
    """Return every change from `now` to `until`, in order of time, if `pulumi up` runs whenever something is due.

    What is due before `now` changes at `now`. A run later than the due date moves everything after it. NOT foreseen:
    changes of the program or the stack file, and the dates of certificates that somebody else signs.

    Raises:
        ConfigError: the document is no stack's state, or an entry in it cannot be read.
    """
    future = read_future(export)
    changes = [*_Simulation(future).run(now, until), *_list_changes(future.lists, now, until)]
    changes += [
        Change(max(item.renew_at, now), "imported", "", item.name, Verb.FETCH.value)
        for item in future.imported
        if item.renew_at <= until
    ]
    return tuple(
        sorted(changes, key=lambda change: (change.at, change.kind, change.roster, change.name, change.action))
    )


class _Simulation:
    """The certificates of a stack, and a queue of the instants at which something about one of them is due."""

    def __init__(self, future: Future) -> None:
        # Issuers come first: what they sign at the same instant ends with their new dates.
        self._tracked = sorted(future.certificates, key=_rank)
        self._schedules = [item.schedule for item in self._tracked]
        self._notes = [""] * len(self._tracked)
        self._authorities = {item.name: index for index, item in enumerate(self._tracked) if item.kind in _AUTHORITIES}

    def run(self, now: datetime, until: datetime) -> Iterator[Change]:
        # Everything is asked now, as a run does: a policy may have changed since the state was written.
        queue = [(now, index) for index in range(len(self._tracked))]
        while queue and queue[0][0] <= until:
            at, index = heapq.heappop(queue)
            yield from self._decide(index, at)
            heapq.heappush(queue, (self._ask_again(index, at), index))

    def _decide(self, index: int, at: datetime) -> Iterator[Change]:
        tracked, before = self._tracked[index], self._schedules[index]
        try:
            decision = decide(before, self._demand(tracked), at)
        except ScheduleError as error:
            decision = Decision(before, is_issued=False, note=str(error))
        self._schedules[index] = decision.schedule
        if decision.note and decision.note != self._notes[index]:
            yield Change(at, tracked.kind, tracked.roster, tracked.name, BLOCKED, reason=decision.note)
        self._notes[index] = decision.note
        yield from _differences(tracked, before, decision.schedule, at)

    def _demand(self, tracked: Tracked) -> Demand:
        authority = self._authorities.get(tracked.issuer_name)
        if authority is None:
            return tracked.demand
        window = IssuerWindow(tracked.schedule.issuer_id, self._schedules[authority].validity)
        return replace(tracked.demand, issuer=window)

    def _ask_again(self, index: int, at: datetime) -> datetime:
        due = _next_due(self._schedules[index], at)
        if not self._notes[index]:
            return max(due, at + _SHORTEST_STEP)
        authority = self._authorities.get(self._tracked[index].issuer_name)
        renewal = self._schedules[authority].renew_at if authority is not None else at
        return min(instant for instant in (due, renewal, at + _RETRY) if instant > at)


def _rank(tracked: Tracked) -> int:
    return _AUTHORITIES.index(tracked.kind) if tracked.kind in _AUTHORITIES else len(_AUTHORITIES)


def _next_due(schedule: Schedule, now: datetime) -> datetime:
    """Return when something about a schedule changes by itself: a renewal, or a retirement."""
    retirements = [entry.retire_at for entry in schedule.accepted]
    if schedule.is_revoked:
        return min(retirements, default=datetime.max.replace(tzinfo=now.tzinfo))
    return min([schedule.renew_at, *retirements])


def _differences(tracked: Tracked, before: Schedule, after: Schedule, at: datetime) -> Iterator[Change]:
    change = Change(at, tracked.kind, tracked.roster, tracked.name, Verb.RENEW.value)
    if after.generation != before.generation:
        end = after.validity.not_after
        yield replace(change, generation=after.generation, not_after=end, reason=after.reason)
    kept = {entry.generation for entry in after.accepted}
    for entry in before.accepted:
        if entry.generation not in kept:
            yield replace(change, action=f"{Verb.RETIRE.value} generation {entry.generation}")


def _list_changes(lists: tuple[SignedList, ...], now: datetime, until: datetime) -> Iterator[Change]:
    """A revocation list that is signed again keeps its rhythm."""
    for item in lists:
        step = max(item.renew_at - item.this_update, _SHORTEST_STEP)
        lifetime = item.next_update - item.this_update
        at = max(item.renew_at, now)
        while at <= until:
            yield Change(at, "revocation_list", "", item.name, Verb.SIGN_REVOCATION_LIST.value, not_after=at + lifetime)
            at += step
