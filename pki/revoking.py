"""Apply a declared revocation to a certificate's schedule."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from pki.generations import Cause, Demand, RevokedGeneration, Schedule
from pki.model import HOLD, RevocationReason
from postseal_core.errors import ScheduleError
from postseal_core.instants import format_instant

__all__ = ["with_revocation"]


def with_revocation(schedule: Schedule, demand: Demand, now: datetime) -> Schedule:
    """Return the schedule after the declared revocation; expired revocations are forgotten.

    Raises:
        ScheduleError: a revocation other than certificateHold would be taken back.
    """
    return _forget_expired(_revoke(schedule, demand, now), demand, now)


def _revoke(schedule: Schedule, demand: Demand, now: datetime) -> Schedule:
    """Revoke the current and accepted generations, or release a hold."""
    held = [entry for entry in schedule.revoked if entry.generation == schedule.generation]
    if not demand.revoke_reason:
        return replace(_release(schedule, held[0]) if held else schedule, revoked_through=0)
    if held:
        return _restate(schedule, held[0], demand.revoke_reason)
    if any(entry.reason == demand.revoke_reason for entry in schedule.revoked) and demand.issue_again:
        return schedule  # The declaration still names the revocation that this generation was issued after.
    return replace(
        schedule,
        cause=Cause.REVOKED,
        reason=f"revoked on {format_instant(now)}: {demand.revoke_reason}",
        accepted=(),
        revoked=(*schedule.revoked, *_all_revoked(schedule, demand.revoke_reason, now)),
        revoked_through=schedule.generation,
    )


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
    released = tuple(entry for entry in schedule.revoked if entry.reason != HOLD)
    reason = f"{HOLD} of {format_instant(held.revoked_at)} taken back"
    return replace(schedule, revoked=released, cause=Cause.RELEASED, reason=reason)


def _restate(schedule: Schedule, held: RevokedGeneration, reason: RevocationReason) -> Schedule:
    """Turn a hold into a final revocation; a final one keeps its reason and date."""
    if held.reason != HOLD or reason == HOLD:
        return schedule
    entries = tuple(replace(entry, reason=reason) if entry.reason == HOLD else entry for entry in schedule.revoked)
    sentence = f"{HOLD} of {format_instant(held.revoked_at)} became {reason}"
    return replace(schedule, revoked=entries, cause=Cause.REVOKED, reason=sentence)


def _forget_expired(schedule: Schedule, demand: Demand, now: datetime) -> Schedule:
    """Drop revoked generations that have expired, except the one that explains the current state.

    The current generation's entry says why nothing is accepted; an entry for the reason that the declaration still
    names says that it was carried out, or it would be carried out again on the generation issued since.
    """
    kept = tuple(
        entry
        for entry in schedule.revoked
        if entry.not_after > now or entry.generation == schedule.generation or entry.reason == demand.revoke_reason
    )
    return replace(schedule, revoked=kept)
