"""Decide which generation of a certificate is due and which earlier ones stay accepted; pure.

A certificate has generations 1, 2, 3 ...; exactly one is current, some earlier ones may still be accepted until they
retire. `decide` is the only place where time turns into a change. It is pure: the same arguments, the same answer.

Guarantees (each is a property test):
- the generation never decreases, and a second decision at the same instant changes nothing;
- a generation that is valid and not revoked stays accepted until its retirement;
- nothing that retired, expired or was revoked is accepted again;
- nothing is re-issued when the clock stands before the current not_before.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pki.distrust import (
    distrusted_current,
    distrusted_itself,
    is_withheld,
    refuse_renewed_trust,
    with_distrust,
)
from pki.generations import AcceptedGeneration, Cause, Demand, IssuerWindow, Schedule
from pki.lifetime import LifetimePolicy, begin_of, issue_of
from pki.model import SlotId, Validity
from pki.revoking import with_revocation
from postseal_core.errors import ScheduleError
from postseal_core.instants import format_day, format_instant

__all__ = ["Decision", "adopted", "decide", "is_request_needed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The new schedule, whether it needs a new certificate, and the sentence for the preview."""

    schedule: Schedule
    is_issued: bool
    note: str = ""


def decide(previous: Schedule | None, demand: Demand, now: datetime) -> Decision:
    """Decide the schedule of a certificate at `now` (aware UTC).

    Raises ScheduleError for a step that must not happen: issuing or revoking while the clock stands before the current
    certificate, taking back a revocation other than certificateHold, confirming a generation that does not exist yet,
    a validity beyond the issuer's where that is to fail, an edited one beyond the issuer's whole lifetime, or trusting
    a slot again that was distrusted.
    """
    if demand.is_distrusted:
        _refuse_distrust_behind(previous, now)
        return Decision(distrusted_itself(previous, now), is_issued=False)
    _refuse_early_confirmation(previous, demand)
    if previous is None:
        _refuse_empty_revocation(demand)
        first = _Reason(Cause.FIRST, f"first certificate, {format_day(now)}")
        return Decision(_issue(None, demand, now, first), is_issued=True)
    refuse_renewed_trust(previous)
    if demand.is_validity_edited and demand.issuer:
        _refuse_longer_than_issuer(demand, demand.issuer)
    if now < previous.validity.not_before:
        return _decide_behind(previous, demand, now)
    return _decide_next(previous, demand, now)


def _decide_next(previous: Schedule, demand: Demand, now: datetime) -> Decision:
    _refuse_early_move(previous, demand, now)
    current = with_distrust(with_revocation(previous, demand, now), demand.distrusted, now)
    if is_withheld(current, demand):
        is_outdated = current.is_outdated or bool(demand.changes) or demand.is_key_changed
        return Decision(replace(current, is_outdated=is_outdated), is_issued=False)
    reason = _issue_reason(current, demand, now)
    note = _request_note(current, demand, reason)
    if reason is None or note:
        kept = current if current.is_revoked else _keep(current, demand, now)
        return Decision(kept, is_issued=False, note=note)
    issued = _issue(current, demand, now, reason)
    if _is_only_a_renewal(current, demand, now) and issued.validity.not_after <= current.validity.not_after:
        return Decision(_keep(current, demand, now), is_issued=False, note=_no_gain_note(current, demand))
    return Decision(issued, is_issued=True)


def adopted(validity: Validity, policy: LifetimePolicy, issuer: SlotId | None) -> Schedule:
    """Return the schedule of a certificate that was made elsewhere and is taken over as generation 1."""
    return Schedule(1, 1, validity, policy.renew_at(validity), Cause.ADOPTED, "adopted as it is", issuer)


@dataclass(frozen=True, slots=True)
class _Reason:
    """A reason as data and as a sentence."""

    cause: Cause
    sentence: str


def _refuse_empty_revocation(demand: Demand) -> None:
    if demand.revoke_reason:
        raise ScheduleError(
            f"revoke: {demand.revoke_reason} names a certificate that was never issued: remove `revoke`"
        )


def _refuse_early_confirmation(previous: Schedule | None, demand: Demand) -> None:
    """Refuse to confirm a generation that is not issued yet: it would count as in use before anybody has it."""
    newest = previous.generation if previous else 0
    if demand.confirmed_generation > newest:
        there_is = f"the current one is {newest}" if previous else "none was issued yet"
        raise ScheduleError(
            f"got confirmed_generation {demand.confirmed_generation}, but {there_is}: confirm a generation once it is "
            "in use; ahead of that, the one before it would end while it is still needed"
        )


def _refuse_early_move(previous: Schedule, demand: Demand, now: datetime) -> None:
    issuer = demand.issuer
    is_trusted = previous.issuer not in demand.distrusted
    if issuer and issuer.usable_from and demand.is_issuer_changed and is_trusted and now < issuer.usable_from:
        raise ScheduleError(
            f"too early to move from {_slot_name(previous.issuer)} to {issuer.slot.name}: it was published on "
            f"{format_instant(issue_of(issuer.validity))} and takes over from {format_instant(issuer.usable_from)} "
            "on; until then keep it as standby, so that everybody has its root before anything is signed with it"
        )


def _refuse_distrust_behind(previous: Schedule | None, now: datetime) -> None:
    if previous and now < previous.validity.not_before and previous.cause is not Cause.DISTRUSTED:
        raise ScheduleError(
            f"the clock says {format_instant(now)}, before the current certificate's not_before "
            f"{format_instant(previous.validity.not_before)}: nothing can be distrusted then; correct the clock and "
            "run again"
        )


def _decide_behind(previous: Schedule, demand: Demand, now: datetime) -> Decision:
    sentence = (
        f"the clock says {format_instant(now)}, before the current certificate's not_before "
        f"{format_instant(previous.validity.not_before)}"
    )
    if demand.changes or demand.is_key_changed:
        raise ScheduleError(f"{sentence}: nothing is issued backwards in time; correct the clock and run again")
    if demand.revoke_reason and not previous.revoked_through and not previous.is_revoked:
        raise ScheduleError(f"{sentence}: nothing can be revoked then; correct the clock and run again")
    if with_distrust(previous, demand.distrusted, now) != previous:
        _refuse_distrust_behind(previous, now)
    return Decision(previous, is_issued=False, note=f"{sentence}: nothing is renewed or retired")


def _issue_reason(current: Schedule, demand: Demand, now: datetime) -> _Reason | None:
    """Return why a new generation is needed now, or None; the first reason that holds wins."""
    validity = current.validity
    renew_at = demand.policy.renew_at(validity)
    if current.is_revoked:
        return _Reason(Cause.ISSUED_AGAIN, f"issued again on {format_day(now)}{_why_again(current, demand)}")
    if demand.changes or current.is_outdated:
        what = ", ".join(demand.changes) or "what was declared while it was revoked"
        return _Reason(Cause.CHANGED, f"changed on {format_day(now)}: {what}")
    if demand.is_key_changed:
        return _Reason(Cause.KEY_CHANGED, f"changed on {format_day(now)}: key")
    if now >= validity.not_after:
        sentence = f"generation {current.generation} expired on {format_instant(validity.not_after)}"
        return _Reason(Cause.EXPIRED, sentence)
    if now >= renew_at:
        sentence = f"renewal due since {format_instant(renew_at)}: {demand.policy.renewal_sentence(validity)}"
        return _Reason(Cause.RENEWAL_DUE, sentence)
    return None


def _why_again(current: Schedule, demand: Demand) -> str:
    entry = distrusted_current(current)
    if entry is None:
        return " with a new key after revocation"
    return f"{'' if demand.is_key_handed_in else ' with a new key'}: {_slot_name(entry.issuer)} is distrusted"


def _is_only_a_renewal(current: Schedule, demand: Demand, now: datetime) -> bool:
    is_due = now < current.validity.not_after
    return is_due and not (demand.changes or demand.is_key_changed or current.is_revoked or current.is_outdated)


def is_request_needed(current: Schedule, demand: Demand) -> bool:
    """Return whether the next renewal waits for a new request, because it needs a key that is made elsewhere."""
    is_other_key = _is_key_revoked(current) or _is_new_key_due(current, demand.policy, current.generation + 1)
    return demand.is_key_elsewhere and is_other_key


def _request_note(current: Schedule, demand: Demand, reason: _Reason | None) -> str:
    """Return a note if this step waits for a request with a new key; a changed declaration does not wait."""
    if reason is None or demand.is_key_changed or reason.cause is Cause.CHANGED or distrusted_current(current):
        return ""
    if not is_request_needed(current, demand):
        return ""
    again = "" if current.is_revoked else ", or let renewals keep the key (renew_key: never)"
    return f"{reason.sentence}, but the key is made elsewhere: hand in a request for a new one{again}"


def _no_gain_note(current: Schedule, demand: Demand) -> str:
    return (
        f"renewal is due, but the issuer {_slot_name(_slot_of(demand))} ends with this certificate on "
        f"{format_instant(current.validity.not_after)}: renew or roll over the issuer first"
    )


def _issue(current: Schedule | None, demand: Demand, now: datetime, reason: _Reason) -> Schedule:
    validity, shortened = _validity(demand, now)
    generation = current.generation + 1 if current else 1
    return Schedule(
        generation=generation,
        key_generation=_key_generation(current, demand, generation),
        validity=validity,
        renew_at=demand.policy.renew_at(validity),
        cause=reason.cause,
        reason=reason.sentence + shortened,
        issuer=_slot_of(demand),
        accepted=_accepted_after_issue(current, demand, now) if current else (),
        revoked=current.revoked if current else (),
        revoked_through=current.revoked_through if current else 0,
    )


def _validity(demand: Demand, now: datetime) -> tuple[Validity, str]:
    """Return the validity of a certificate issued now, and a note if the issuer's end shortens it."""
    issuer = demand.issuer
    not_before = max(begin_of(now), issuer.validity.not_before) if issuer else begin_of(now)
    wanted = not_before + timedelta(hours=demand.policy.validity_hours)
    if issuer is None:
        return Validity(not_before, wanted), ""
    end = issuer.validity.not_after
    if end <= now:
        raise ScheduleError(f"the issuer {issuer.slot.name} expired on {format_instant(end)}: renew it first")
    if wanted <= end:
        return Validity(not_before, wanted), ""
    _refuse_beyond_issuer(demand, issuer, wanted)
    return Validity(not_before, end), f"; shortened to the end of {issuer.slot.name}"


def _refuse_beyond_issuer(demand: Demand, issuer: IssuerWindow, wanted: datetime) -> None:
    _refuse_longer_than_issuer(demand, issuer)
    if demand.fail_beyond_issuer:
        raise ScheduleError(
            f"validity_hours {demand.policy.validity_hours} would end on {format_instant(wanted)}, after the issuer "
            f"{issuer.slot.name}, which ends on {format_instant(issuer.validity.not_after)}: shorten validity_hours "
            "or give the issuer a longer one"
        )


def _refuse_longer_than_issuer(demand: Demand, issuer: IssuerWindow) -> None:
    """Refuse a lifetime that no certificate below this issuer could have."""
    hours, lifetime = demand.policy.validity_hours, issuer.validity.not_after - issuer.validity.not_before
    if timedelta(hours=hours) > lifetime:
        raise ScheduleError(
            f"validity_hours {hours} is longer than the issuer {issuer.slot.name} is good for, from "
            f"{format_instant(issuer.validity.not_before)} to {format_instant(issuer.validity.not_after)}: shorten "
            "validity_hours or give the issuer a longer one"
        )


def _key_generation(current: Schedule | None, demand: Demand, generation: int) -> int:
    """Return the generation whose key the new one uses: its own, or an earlier one where the policy keeps the key."""
    if current is None or demand.is_key_changed or _is_key_revoked(current):
        return generation
    if distrusted_current(current):
        return current.key_generation if demand.is_key_handed_in else generation
    if demand.is_key_elsewhere or not _is_new_key_due(current, demand.policy, generation):
        return current.key_generation
    return generation


def _is_key_revoked(current: Schedule) -> bool:
    """Return whether the key of the current generation may not be used again; a distrusted issuer knows no such key."""
    return current.is_revoked and not distrusted_current(current)


def _is_new_key_due(current: Schedule, policy: LifetimePolicy, generation: int) -> bool:
    every = policy.renew_key_every
    return bool(every) and generation - current.key_generation >= every


def _accepted_after_issue(current: Schedule, demand: Demand, now: datetime) -> tuple[AcceptedGeneration, ...]:
    """Return the generations that stay accepted beside the new one, including the one it replaces."""
    kept = _still_accepted(current, now)
    end = current.validity.not_after
    if current.is_revoked or end <= now or _is_signer_gone(current, demand):
        return kept
    retire_at = end if demand.confirm else min(now.replace(microsecond=0) + _overlap(demand), end)
    replaced = AcceptedGeneration(current.generation, current.validity.not_before, end, retire_at, current.issuer)
    return (*kept, replaced)


def _is_signer_gone(current: Schedule, demand: Demand) -> bool:
    """Return whether a hold has ended after the slot that signed was withdrawn: its key and its root are gone.

    Nothing else comes this far: what is accepted keeps its slot from being withdrawn.
    """
    return current.is_outdated and demand.issuer is not None and demand.issuer.has_withdrawn(current.issuer)


def _overlap(demand: Demand) -> timedelta:
    return timedelta(hours=demand.policy.overlap_hours)


def _still_accepted(current: Schedule, now: datetime) -> tuple[AcceptedGeneration, ...]:
    return tuple(entry for entry in current.accepted if entry.retire_at > now)


def _keep(current: Schedule, demand: Demand, now: datetime) -> Schedule:
    accepted = _still_accepted(current, now)
    if demand.confirm and demand.confirmed_generation >= current.generation:
        accepted = ()
    renew_at = demand.policy.renew_at(current.validity)
    return replace(current, accepted=accepted, renew_at=renew_at, issuer=_slot_of(demand))


def _slot_of(demand: Demand) -> SlotId | None:
    return demand.issuer.slot if demand.issuer else None


def _slot_name(slot: SlotId | None) -> str:
    return slot.name if slot else "itself"
