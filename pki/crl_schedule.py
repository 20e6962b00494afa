"""Decide which entries a revocation list has and when it is signed again; pure.

A list (RFC 5280 section 5) is signed for a limited time and has a number that only grows. `decide_crl` is the only
place where time turns into a new list. It is pure: the same arguments, the same answer.

Guarantees (each is a property test):
- number and this_update never go back, and every list that is signed has another number than the one before;
- a second decision at the same instant changes nothing;
- an entry stays until it stood on a list signed after its certificate had expired, whatever becomes of the
  certificate's declaration; only a certificateHold that is taken back leaves earlier.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Annotated

from pki.lifetime import format_hours
from pki.model import HOLD, RevocationReason, SerialNumber, SlotId
from postseal_core.bounds import LONGEST_HOURS
from postseal_core.errors import Problem
from postseal_core.instants import format_day, format_instant
from postseal_core.records import Wire
from postseal_core.wording import shown

__all__ = ["CrlDecision", "CrlDemand", "CrlEntry", "CrlPolicy", "CrlSchedule", "decide_crl"]

_MAX_WORDED_CHANGES = 5
_SHORTEST_INTERVAL_HOURS = 1
# this_update is truncated to the hour: a renewal point closer than that would be due again in the same run.


@dataclass(frozen=True, slots=True)
class CrlPolicy:
    """Lifetime of revocation lists and how early the next one is signed.

    `lifetime_hours`: next_update minus this_update. `renew_before_hours`: for how long the list before and the new one
    are both good, half of the lifetime by default. A change moves the renewal point at once, the end at the next list.
    """

    lifetime_hours: int = 168
    renew_before_hours: int | None = None

    def renew_at(self, this_update: datetime, next_update: datetime) -> datetime:
        """Return the instant from which a list with these dates is due to be signed anew."""
        if self.renew_before_hours is None:
            return next_update - (next_update - this_update) // 2
        return next_update - timedelta(hours=self.renew_before_hours)

    def renewal_sentence(self, this_update: datetime, next_update: datetime) -> str:
        """Return why a list with these dates is due at `renew_at`, as `half of 7 d have passed`."""
        if self.renew_before_hours is None:
            return f"half of {format_hours(int((next_update - this_update) / timedelta(hours=1)))} have passed"
        return f"{format_hours(self.renew_before_hours)} before next_update"

    def problems(self) -> list[Problem]:
        """Return what makes this policy unusable: lists would end at once, be signed at every run, or never in time."""
        shortest, longest = _SHORTEST_INTERVAL_HOURS, self.lifetime_hours - _SHORTEST_INTERVAL_HOURS
        if longest < shortest:
            return [Problem("lifetime_hours", f"got {self.lifetime_hours}, expected at least {2 * shortest} hours")]
        if self.lifetime_hours > LONGEST_HOURS:
            message = f"got {shown(self.lifetime_hours)}, expected at most {LONGEST_HOURS} hours, a hundred years"
            return [Problem("lifetime_hours", message)]
        if self.renew_before_hours is None or shortest <= self.renew_before_hours <= longest:
            return []
        return [
            Problem(
                "renew_before_hours",
                f"got {self.renew_before_hours}, expected {shortest} to {longest} hours for a list that is good for "
                f"{self.lifetime_hours}: below, no new one is signed in time; above, one is signed at every run",
            )
        ]


@dataclass(frozen=True, slots=True)
class CrlEntry:
    """One revoked certificate on a list: generation `generation` of what was declared as `name`.

    `issuer`: which key of the authority signed the certificate.
    """

    name: str
    generation: int
    serial_number: SerialNumber
    not_after: datetime
    revoked_at: datetime
    reason: RevocationReason
    issuer: Annotated[SlotId | None, Wire("issuer_slot")] = None

    @property
    def label(self) -> str:
        """The entry's name in a preview; not unique if a client's name is used again."""
        return f"{self.name} generation {self.generation}"


@dataclass(frozen=True, slots=True)
class CrlSchedule:
    """The decisions about the current list, stored in the state and read at the next decision."""

    crl_number: int
    this_update: datetime
    next_update: datetime
    renew_at: datetime
    reason: str
    entries: tuple[CrlEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class CrlDemand:
    """The input of `decide_crl`: certificates, policy, issuer.

    `revoked`: what the declared certificates say is revoked. `in_use`: serial numbers of their current and still
    accepted generations: a held certificate among them that is no longer revoked was taken back.
    `new_issuer_key`: which issuer signs, if its key is another one than the current list was signed with; else empty.
    `first_crl_number`: the number of the very first list, above that of any list signed elsewhere.
    """

    policy: CrlPolicy
    revoked: tuple[CrlEntry, ...] = ()
    in_use: frozenset[SerialNumber] = frozenset()
    new_issuer_key: str = ""
    first_crl_number: int = 1


@dataclass(frozen=True, slots=True)
class CrlDecision:
    """The new schedule and the sentence for the preview; a new number means that a list must be signed."""

    schedule: CrlSchedule
    note: str = ""


def decide_crl(previous: CrlSchedule | None, demand: CrlDemand, now: datetime) -> CrlDecision:
    """Return the schedule of the list that holds from `now` (aware UTC) on.

    A revocation is published even where the clock stands before the current list; a list that is merely due is not.
    """
    before = {entry.serial_number: entry for entry in previous.entries} if previous else {}
    listed = _listed(before, demand, now)
    reason = _reason(previous, list(_changes(before, listed)), demand, now)
    note = _clock_note(previous, now, is_signed=bool(reason))
    if previous and not reason:
        renew_at = demand.policy.renew_at(previous.this_update, previous.next_update)
        return CrlDecision(replace(previous, renew_at=renew_at, entries=_ordered_entries(listed.values())), note)
    return CrlDecision(_sign(previous, listed.values(), demand, now, reason), note)


def _listed(before: Mapping[SerialNumber, CrlEntry], demand: CrlDemand, now: datetime) -> dict[SerialNumber, CrlEntry]:
    """Return the entries of the list: the previous ones without released holds, plus new revocations."""
    revoked = {entry.serial_number: entry for entry in demand.revoked}
    # One hold covers all generations that were accepted, and is taken back from all of them.
    released = {
        (entry.name, entry.revoked_at)
        for serial_number, entry in before.items()
        if entry.reason == HOLD and serial_number in demand.in_use and serial_number not in revoked
    }
    kept = {
        serial_number: entry
        for serial_number, entry in before.items()
        if serial_number in revoked or entry.reason != HOLD or (entry.name, entry.revoked_at) not in released
    }
    known = {number: entry for number, entry in revoked.items() if number in before or entry.not_after > now}
    return kept | known


def _changes(before: Mapping[SerialNumber, CrlEntry], listed: Mapping[SerialNumber, CrlEntry]) -> Iterator[str]:
    """Yield a sentence for each entry that makes another list necessary."""
    for entry in _ordered_entries({**before, **listed}.values()):
        old, new = before.get(entry.serial_number), listed.get(entry.serial_number)
        if old is None:
            yield f"{entry.label} revoked: {entry.reason}"
        elif new is None:
            yield f"{entry.label}: {old.reason} taken back"
        elif old.reason != new.reason:
            yield f"{entry.label}: {old.reason} became {new.reason}"


def _reason(previous: CrlSchedule | None, changes: list[str], demand: CrlDemand, now: datetime) -> str:
    """Return the reason for signing a list now, or an empty text; the most important reason wins."""
    if changes:
        more = len(changes) - _MAX_WORDED_CHANGES
        return "; ".join(changes[:_MAX_WORDED_CHANGES]) + (f"; and {more} more" if more > 0 else "")
    if previous is None:
        return f"first list, {format_day(now)}"
    if demand.new_issuer_key:
        return f"re-signed with another key, that of {demand.new_issuer_key}"
    if now >= previous.next_update:
        return f"re-signed: list {previous.crl_number} expired on {format_instant(previous.next_update)}"
    renew_at = demand.policy.renew_at(previous.this_update, previous.next_update)
    if now >= renew_at and now >= previous.this_update:
        sentence = demand.policy.renewal_sentence(previous.this_update, previous.next_update)
        return f"re-signed: {sentence} on {format_instant(renew_at)}"
    return ""


def _clock_note(previous: CrlSchedule | None, now: datetime, *, is_signed: bool) -> str:
    if previous is None or now >= previous.this_update:
        return ""
    return (
        f"the clock says {format_instant(now)}, before this_update {format_instant(previous.this_update)} of list "
        f"{previous.crl_number}: " + ("the new list keeps that date" if is_signed else "nothing is signed")
    )


def _sign(
    previous: CrlSchedule | None, listed: Iterable[CrlEntry], demand: CrlDemand, now: datetime, reason: str
) -> CrlSchedule:
    entries = _ordered_entries(entry for entry in listed if not _has_served(entry, previous, now))
    this_update = max([_issue_date(previous, now), *(entry.revoked_at for entry in entries)])
    next_update = this_update + timedelta(hours=demand.policy.lifetime_hours)
    return CrlSchedule(
        crl_number=previous.crl_number + 1 if previous else demand.first_crl_number,
        this_update=this_update,
        next_update=next_update,
        renew_at=demand.policy.renew_at(this_update, next_update),
        reason=reason,
        entries=entries,
    )


def _has_served(entry: CrlEntry, previous: CrlSchedule | None, now: datetime) -> bool:
    """Whether an entry may be dropped: a list issued after the certificate's end had it (RFC 5280 section 3.3)."""
    return previous is not None and entry.not_after < min(previous.this_update, now)


def _issue_date(previous: CrlSchedule | None, now: datetime) -> datetime:
    """Return the full hour, so that a preview and the `up` after it agree, unless the list before is younger."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if previous is None or hour > previous.this_update:
        return hour
    return max(now.replace(microsecond=0), previous.this_update)


def _ordered_entries(entries: Iterable[CrlEntry]) -> tuple[CrlEntry, ...]:
    """Return entries in the order of a list: the first revoked first, whatever order they were stored in."""
    order = attrgetter("revoked_at", "name", "generation", "serial_number")
    return tuple(sorted(entries, key=order))
