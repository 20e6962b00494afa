"""Apply a declared revocation to a certificate's schedule."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pki.distrust import distrusted_current
from pki.generations import Cause, Demand, RevokedGeneration, Schedule
from pki.model import HOLD, RevocationReason
from postseal_core.errors import ScheduleError
from postseal_core.instants import format_instant

__all__ = ["with_revocation"]

_SECOND: Final = timedelta(seconds=1)  # what the state stores


def with_revocation(schedule: Schedule, demand: Demand, now: datetime) -> Schedule:
    """Return the schedule after the declared revocation; expired revocations are forgotten.

    Raises:
        ScheduleError: a revocation other than certificateHold would be taken back.
    """
    return _forget_expired(_revoke(schedule, demand, now), now)


def _revoke(schedule: Schedule, demand: Demand, now: datetime) -> Schedule:
    """Revoke the current and accepted generations, or release a hold.

    A declaration stays in the stack file after it was carried out. `revoked_through` remembers on which generation that
    was, until `revoke` is removed; whatever else the declaration says meanwhile, later generations are not its concern.
    """
    held = [entry for entry in schedule.revoked if entry.generation == schedule.generation]
    if not demand.revoke_reason:
        is_released = held and not distrusted_current(schedule)
        return replace(_release(schedule, held[0]) if is_released else schedule, revoked_through=0)
    if schedule.revoked_through or held:
        return _restate(schedule, demand.revoke_reason)
    moment = _moment_of_its_own(schedule, now)
    return replace(
        schedule,
        cause=Cause.REVOKED,
        reason=f"revoked on {format_instant(moment)}: {demand.revoke_reason}",
        accepted=(),
        revoked=(*_restated(schedule, demand.revoke_reason), *_all_revoked(schedule, demand.revoke_reason, moment)),
        revoked_through=schedule.generation,
    )


def _moment_of_its_own(schedule: Schedule, now: datetime) -> datetime:
    """Return when this request revokes: entries that are released together are found by it, here and by their list.

    Where the clock is set, as for a rehearsal, several requests are carried out at one instant.
    """
    while now in {entry.revoked_at for entry in schedule.revoked}:
        now += _SECOND
    return now


def _all_revoked(schedule: Schedule, reason: RevocationReason, now: datetime) -> Iterator[RevokedGeneration]:
    """Yield all accepted generations and the current one as revoked, the oldest first."""
    for entry in schedule.accepted:
        yield RevokedGeneration(entry.generation, entry.not_before, entry.not_after, now, reason, issuer=entry.issuer)
    validity = schedule.validity
    yield RevokedGeneration(
        schedule.generation, validity.not_before, validity.not_after, now, reason, issuer=schedule.issuer
    )


def _release(schedule: Schedule, held: RevokedGeneration) -> Schedule:
    if held.reason != HOLD:
        raise ScheduleError(
            f"generation {held.generation} was revoked on {format_instant(held.revoked_at)} for {held.reason}; only "
            f"{HOLD} can be taken back (RFC 5280 section 5.3.1): keep `revoke` and set `issue_again: true` for a new "
            "certificate with a new key"
        )
    # A generation that was held in another step, and replaced since, stays revoked.
    released = tuple(entry for entry in schedule.revoked if entry.reason != HOLD or entry.revoked_at != held.revoked_at)
    reason = f"{HOLD} of {format_instant(held.revoked_at)} taken back"
    return replace(schedule, revoked=released, cause=Cause.RELEASED, reason=reason)


def _restate(schedule: Schedule, reason: RevocationReason) -> Schedule:
    """Make holds final once the declared reason is a final one."""
    entries = _restated(schedule, reason)
    if entries == schedule.revoked:
        return schedule
    if not schedule.is_revoked:  # issued again since: the reason of the current generation stays
        return replace(schedule, revoked=entries)
    sentence = f"{HOLD} of {format_instant(entries[-1].revoked_at)} became {reason}"
    return replace(schedule, revoked=entries, cause=Cause.REVOKED, reason=sentence)


def _restated(schedule: Schedule, reason: RevocationReason) -> tuple[RevokedGeneration, ...]:
    """Turn holds into final revocations; a final one keeps its reason and date."""
    return tuple(replace(entry, reason=reason) if entry.reason == HOLD else entry for entry in schedule.revoked)


def _forget_expired(schedule: Schedule, now: datetime) -> Schedule:
    """Drop revoked generations that have expired; the current one's entry says why nothing is accepted, and stays."""
    kept = tuple(
        entry for entry in schedule.revoked if entry.not_after > now or entry.generation == schedule.generation
    )
    return replace(schedule, revoked=kept)
