"""Decide, from a clock and what was decided before, which generation of a certificate is due and what stays accepted.

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

from pki.lifetime import LifetimePolicy
from pki.model import Validity
from postseal_core.errors import ScheduleError
from postseal_core.instants import format_instant

__all__ = [
    "HOLD",
    "AcceptedGeneration",
    "Decision",
    "Demand",
    "IssuerWindow",
    "RevokedGeneration",
    "Schedule",
    "adopted",
    "decide",
]

HOLD = "certificateHold"
"""The only revocation reason that can be taken back (RFC 5280 section 5.3.1)."""


@dataclass(frozen=True, slots=True)
class AcceptedGeneration:
    """An earlier generation that is still accepted, until `retire_at` (never later than its own `not_after`)."""

    generation: int
    not_after: datetime
    retire_at: datetime
    issuer_id: str


@dataclass(frozen=True, slots=True)
class RevokedGeneration:
    """A generation that was revoked before it expired; kept until `not_after`, for the revocation list."""

    generation: int
    not_after: datetime
    revoked_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """What has been decided about one certificate; stored with its declaration, read back at the next decision."""

    generation: int
    key_generation: int
    validity: Validity
    renew_at: datetime
    reason: str
    issuer_id: str
    accepted: tuple[AcceptedGeneration, ...] = ()
    revoked: tuple[RevokedGeneration, ...] = ()

    @property
    def is_revoked(self) -> bool:
        """Whether the current generation is revoked."""
        return any(entry.generation == self.generation for entry in self.revoked)


@dataclass(frozen=True, slots=True)
class IssuerWindow:
    """When the issuer is valid; `issuer_id` is its name.

    `usable_from`: the instant from which certificates of another issuer may move to this one; before it, not everybody
    has been given its root. None: at any time.
    """

    issuer_id: str
    validity: Validity
    usable_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a certificate now.

    `changes`: what in the declaration differs from the current certificate, as words (`dns_names`); empty: nothing.
    `is_key_changed`: the key must be another one (handed in anew, or another algorithm).
    `is_issuer_changed`: another key signs (then `changes` says so, too).
    `issuer`: None for a self-signed certificate.
    `confirm`: keep every earlier generation until `confirmed_generation` reaches the current one.
    `revoke_reason`: revoke what exists, for this reason; `issue_again`: and issue a new generation with a new key.
    `fail_beyond_issuer`: refuse, instead of shortening, a validity that ends after the issuer's.
    """

    policy: LifetimePolicy
    issuer: IssuerWindow | None = None
    changes: tuple[str, ...] = ()
    is_key_changed: bool = False
    is_issuer_changed: bool = False
    confirm: bool = False
    confirmed_generation: int = 0
    revoke_reason: str = ""
    issue_again: bool = False
    fail_beyond_issuer: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The schedule from now on, whether a new certificate is issued for it, and a sentence worth showing (or none)."""

    schedule: Schedule
    is_issued: bool
    note: str = ""


def decide(previous: Schedule | None, demand: Demand, now: datetime) -> Decision:
    """Return the schedule that holds from `now` (aware UTC) on.

    Raises ScheduleError for a step that must not happen: issuing or revoking while the clock stands before the current
    certificate, taking back a revocation other than certificateHold, or a validity beyond the issuer's where that is
    to fail.
    """
    if previous is None:
        _refuse_empty_revocation(demand)
        return Decision(_issue(None, demand, now, f"first certificate, {_day(now)}"), is_issued=True)
    if now < previous.validity.not_before:
        return _decide_behind(previous, demand, now)
    _refuse_early_move(previous, demand, now)
    current = _forget_expired_revocations(_revoke(previous, demand, now), demand, now)
    if current.is_revoked and not demand.issue_again:
        return Decision(current, is_issued=False)
    reason = _issue_reason(current, demand, now)
    if not reason:
        return Decision(_keep(current, demand, now), is_issued=False)
    issued = _issue(current, demand, now, reason)
    if _is_only_a_renewal(current, demand, now) and issued.validity.not_after <= current.validity.not_after:
        return Decision(_keep(current, demand, now), is_issued=False, note=_no_gain_note(current, demand))
    return Decision(issued, is_issued=True)


def adopted(validity: Validity, policy: LifetimePolicy, issuer_id: str) -> Schedule:
    """Return the schedule of a certificate that was made elsewhere and is taken over as generation 1."""
    return Schedule(1, 1, validity, policy.renew_at(validity), "adopted as it is", issuer_id)


def _refuse_empty_revocation(demand: Demand) -> None:
    if demand.revoke_reason:
        raise ScheduleError(
            f"revoke: {demand.revoke_reason} names a certificate that was never issued: remove `revoke`"
        )


def _refuse_early_move(previous: Schedule, demand: Demand, now: datetime) -> None:
    issuer = demand.issuer
    if issuer and issuer.usable_from and demand.is_issuer_changed and now < issuer.usable_from:
        raise ScheduleError(
            f"too early to move from {previous.issuer_id} to {issuer.issuer_id}: it was published on "
            f"{format_instant(issuer.validity.not_before)} and takes over from {format_instant(issuer.usable_from)} "
            "on; until then keep it as standby, so that everybody has its root before anything is signed with it"
        )


def _decide_behind(previous: Schedule, demand: Demand, now: datetime) -> Decision:
    sentence = (
        f"the clock says {format_instant(now)}, before the current certificate's not_before "
        f"{format_instant(previous.validity.not_before)}"
    )
    if demand.changes or demand.is_key_changed:
        raise ScheduleError(f"{sentence}: nothing is issued backwards in time; correct the clock and run again")
    if demand.revoke_reason not in ("", *(entry.reason for entry in previous.revoked)) and not previous.is_revoked:
        raise ScheduleError(f"{sentence}: nothing can be revoked then; correct the clock and run again")
    return Decision(previous, is_issued=False, note=f"{sentence}: nothing is renewed or retired")


def _revoke(schedule: Schedule, demand: Demand, now: datetime) -> Schedule:
    """Return the schedule with the current and accepted generations revoked, or with a hold taken back."""
    held = [entry for entry in schedule.revoked if entry.generation == schedule.generation]
    if not demand.revoke_reason:
        return _release(schedule, held[0]) if held else schedule
    if held:
        return _restate(schedule, held[0], demand.revoke_reason)
    if any(entry.reason == demand.revoke_reason for entry in schedule.revoked) and demand.issue_again:
        return schedule  # The declaration still names the revocation that this generation was issued after.
    revoked = [(schedule.generation, schedule.validity.not_after)]
    revoked += [(entry.generation, entry.not_after) for entry in schedule.accepted]
    entries = tuple(RevokedGeneration(number, end, now, demand.revoke_reason) for number, end in revoked)
    reason = f"revoked on {format_instant(now)}: {demand.revoke_reason}"
    return replace(schedule, accepted=(), revoked=schedule.revoked + entries, reason=reason)


def _release(schedule: Schedule, held: RevokedGeneration) -> Schedule:
    if held.reason != HOLD:
        raise ScheduleError(
            f"generation {held.generation} was revoked on {format_instant(held.revoked_at)} for {held.reason}; only "
            f"{HOLD} can be taken back (RFC 5280 section 5.3.1): keep `revoke` and set `issue_again: true` for a new "
            "certificate with a new key"
        )
    released = tuple(entry for entry in schedule.revoked if entry.reason != HOLD)
    return replace(schedule, revoked=released, reason=f"{HOLD} of {format_instant(held.revoked_at)} taken back")


def _restate(schedule: Schedule, held: RevokedGeneration, reason: str) -> Schedule:
    """A hold may become final; a final revocation keeps its reason and its date."""
    if held.reason != HOLD or reason == HOLD:
        return schedule
    entries = tuple(replace(entry, reason=reason) if entry.reason == HOLD else entry for entry in schedule.revoked)
    return replace(schedule, revoked=entries, reason=f"{HOLD} of {format_instant(held.revoked_at)} became {reason}")


def _forget_expired_revocations(schedule: Schedule, demand: Demand, now: datetime) -> Schedule:
    """Drop what has expired by itself, except what still has a meaning.

    The current generation's entry says why nothing is accepted; an entry for the reason that the declaration still
    names says that it was carried out, or it would be carried out again on the generation issued since.
    """
    kept = tuple(
        entry
        for entry in schedule.revoked
        if entry.not_after > now or entry.generation == schedule.generation or entry.reason == demand.revoke_reason
    )
    return replace(schedule, revoked=kept)


def _issue_reason(current: Schedule, demand: Demand, now: datetime) -> str:
    """Return why a new generation is needed now, or an empty text; the first reason that holds wins."""
    validity = current.validity
    renew_at = demand.policy.renew_at(validity)
    if current.is_revoked:
        return f"issued again on {_day(now)} with a new key after revocation"
    if demand.changes:
        return f"changed on {_day(now)}: {', '.join(demand.changes)}"
    if demand.is_key_changed:
        return f"changed on {_day(now)}: key"
    if now >= validity.not_after:
        return f"generation {current.generation} expired on {format_instant(validity.not_after)}"
    if now >= renew_at:
        return f"renewal due since {format_instant(renew_at)}: {demand.policy.renewal_sentence(validity)}"
    return ""


def _is_only_a_renewal(current: Schedule, demand: Demand, now: datetime) -> bool:
    is_due = now < current.validity.not_after
    return is_due and not (demand.changes or demand.is_key_changed or current.is_revoked)


def _no_gain_note(current: Schedule, demand: Demand) -> str:
    issuer_id = demand.issuer.issuer_id if demand.issuer else "itself"
    return (
        f"renewal is due, but the issuer {issuer_id} ends with this certificate on "
        f"{format_instant(current.validity.not_after)}: renew or roll over the issuer first"
    )


def _issue(current: Schedule | None, demand: Demand, now: datetime, reason: str) -> Schedule:
    validity, shortened = _validity(demand, now)
    generation = current.generation + 1 if current else 1
    return Schedule(
        generation=generation,
        key_generation=_key_generation(current, demand, generation),
        validity=validity,
        renew_at=demand.policy.renew_at(validity),
        reason=reason + shortened,
        issuer_id=demand.issuer.issuer_id if demand.issuer else "",
        accepted=_accepted_after_issue(current, demand, now) if current else (),
        revoked=current.revoked if current else (),
    )


def _validity(demand: Demand, now: datetime) -> tuple[Validity, str]:
    """Return the validity of a certificate issued now, and words that say that the issuer's end shortened it."""
    not_before = now.replace(minute=0, second=0, microsecond=0)
    wanted = not_before + timedelta(hours=demand.policy.validity_hours)
    issuer = demand.issuer
    if issuer is None:
        return Validity(not_before, wanted), ""
    not_before = max(not_before, issuer.validity.not_before)
    end = issuer.validity.not_after
    if end <= now:
        raise ScheduleError(f"the issuer {issuer.issuer_id} expired on {format_instant(end)}: renew it first")
    if wanted <= end:
        return Validity(not_before, wanted), ""
    _refuse_beyond_issuer(demand, issuer, wanted)
    return Validity(not_before, end), f"; shortened to the end of {issuer.issuer_id}"


def _refuse_beyond_issuer(demand: Demand, issuer: IssuerWindow, wanted: datetime) -> None:
    issuer_lifetime = issuer.validity.not_after - issuer.validity.not_before
    if demand.fail_beyond_issuer or timedelta(hours=demand.policy.validity_hours) > issuer_lifetime:
        raise ScheduleError(
            f"validity_hours {demand.policy.validity_hours} would end on {format_instant(wanted)}, after the issuer "
            f"{issuer.issuer_id}, which ends on {format_instant(issuer.validity.not_after)}: shorten validity_hours "
            "or give the issuer a longer one"
        )


def _key_generation(current: Schedule | None, demand: Demand, generation: int) -> int:
    """Return the generation whose key the new one uses: its own, or an earlier one where the policy keeps the key."""
    if current is None or demand.is_key_changed or current.is_revoked:
        return generation
    every = demand.policy.renew_key_every
    return generation if every and generation - current.key_generation >= every else current.key_generation


def _accepted_after_issue(current: Schedule, demand: Demand, now: datetime) -> tuple[AcceptedGeneration, ...]:
    """Return what stays accepted beside the new generation: what still was, and the one that is replaced."""
    kept = _still_accepted(current, now)
    end = current.validity.not_after
    if current.is_revoked or end <= now:
        return kept
    retire_at = end if demand.confirm else min(now.replace(microsecond=0) + _overlap(demand), end)
    return (*kept, AcceptedGeneration(current.generation, end, retire_at, current.issuer_id))


def _overlap(demand: Demand) -> timedelta:
    return timedelta(hours=demand.policy.overlap_hours)


def _still_accepted(current: Schedule, now: datetime) -> tuple[AcceptedGeneration, ...]:
    return tuple(entry for entry in current.accepted if entry.retire_at > now)


def _keep(current: Schedule, demand: Demand, now: datetime) -> Schedule:
    accepted = _still_accepted(current, now)
    if demand.confirm and demand.confirmed_generation >= current.generation:
        accepted = ()
    issuer_id = demand.issuer.issuer_id if demand.issuer else ""
    renew_at = demand.policy.renew_at(current.validity)
    return replace(current, accepted=accepted, renew_at=renew_at, issuer_id=issuer_id)


def _day(now: datetime) -> str:
    return format_instant(now)[:10]
