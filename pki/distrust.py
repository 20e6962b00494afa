"""Distrust an authority's key that somebody else may know: what it signed is accepted no more; pure.

A distrusted slot stays declared without being trusted: it signs a last list, which names all that it has signed here,
and its certificate is never renewed or certified again. What it signed is revoked and issued anew by the active slot.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from pki.generations import Cause, Demand, RevokedGeneration, Schedule
from pki.model import HOLD, RevocationReason, SlotId
from postseal_core.errors import ScheduleError
from postseal_core.instants import format_instant

__all__ = [
    "distrusted_current",
    "distrusted_itself",
    "is_withheld",
    "refuse_renewed_trust",
    "signer_to_replace",
    "with_distrust",
]


def with_distrust(schedule: Schedule, slots: Collection[SlotId], now: datetime) -> Schedule:
    """Revoke each accepted generation that one of these slots has signed, and make a hold on such a one final."""
    if not slots:
        return schedule
    gone = [each for each in _in_force(schedule, now) if each.issuer in slots]
    generations = {each.generation for each in gone}
    return replace(
        schedule,
        accepted=tuple(each for each in schedule.accepted if each.generation not in generations),
        revoked=(*(_final(each) if each.issuer in slots else each for each in schedule.revoked), *gone),
    )


def distrusted_itself(schedule: Schedule | None, now: datetime) -> Schedule:
    """Return the schedule of a distrusted slot's own certificate: revoked, without a hold, and never issued again.

    Raises:
        ScheduleError: there is no such certificate.
    """
    if schedule is None:
        raise ScheduleError("names a slot that was never made: there is nothing to distrust; leave it out")
    if schedule.cause is Cause.DISTRUSTED:
        return schedule
    return replace(
        schedule,
        cause=Cause.DISTRUSTED,
        reason=f"distrusted on {format_instant(now)}",
        accepted=(),
        revoked=(*map(_final, schedule.revoked), *_in_force(schedule, now)),
    )


def refuse_renewed_trust(schedule: Schedule) -> None:
    """Raise ScheduleError for a slot that was distrusted and is declared in another role now."""
    if schedule.cause is Cause.DISTRUSTED:
        raise ScheduleError(
            f"was {schedule.reason}, and a key that others may know is never trusted again: keep its slot under "
            "`distrusted`, or leave it out"
        )


def distrusted_current(schedule: Schedule) -> RevokedGeneration | None:
    """Return the entry of the current generation if it was revoked because its issuer is distrusted."""
    current = (each for each in schedule.revoked if each.generation == schedule.generation)
    return next((each for each in current if each.is_distrusted), None)


def signer_to_replace(generation: int, revoked: Iterable[RevokedGeneration]) -> SlotId | None:
    """Return the distrusted slot that signed the generation before this one: its holder must be served anew.

    None for everybody else, also for those whose next renewal has come since.
    """
    before = (each for each in revoked if each.generation == generation - 1 and each.is_distrusted)
    return next((each.issuer for each in before), None)


def is_withheld(schedule: Schedule, demand: Demand) -> bool:
    """Return whether a declared revocation keeps the current generation revoked, without another one."""
    if not schedule.is_revoked or not demand.revoke_reason or demand.issue_again:
        return False
    return not distrusted_current(schedule) or schedule.revoked_through >= schedule.generation


def _in_force(schedule: Schedule, now: datetime) -> Iterator[RevokedGeneration]:
    """Yield accepted generations and the current one as revoked, the oldest first, without those that are already."""
    validity = schedule.validity
    current = (schedule.generation, validity.not_before, validity.not_after, schedule.issuer)
    entries = [(each.generation, each.not_before, each.not_after, each.issuer) for each in schedule.accepted]
    for generation, not_before, not_after, issuer in [*entries, *([] if schedule.is_revoked else [current])]:
        yield RevokedGeneration(
            generation, not_before, not_after, now, RevocationReason.CA_COMPROMISE, issuer, is_distrusted=True
        )


def _final(entry: RevokedGeneration) -> RevokedGeneration:
    """Return the entry, and instead of a hold, which could be taken back, a revocation for good."""
    if entry.reason != HOLD:
        return entry
    return replace(entry, reason=RevocationReason.CA_COMPROMISE, is_distrusted=True)
