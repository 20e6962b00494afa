"""What differs between two schedules of one certificate, in the words of a preview."""

from collections.abc import Sequence

from pki.generations import RevokedGeneration, Schedule
from postseal_core.instants import format_day

__all__ = ["newly_revoked", "retired_between", "short_numbers", "steps_between", "still_valid"]


def steps_between(before: Schedule, after: Schedule, *, is_accepted: bool = True) -> list[str]:
    """Return the phrases of everything that differs between two schedules of one certificate.

    `is_accepted`: somebody lets an earlier generation in beside the current one; nobody does with a server's.
    """
    revoked, retired = newly_revoked(before, after), retired_between(before, after)
    steps = []
    if after.generation != before.generation:
        until = format_day(after.validity.not_after)
        steps.append(f"g{before.generation} -> g{after.generation} until {until}, {after.reason}")
        if after.key_generation == before.key_generation:
            steps.append("the key stays")
    elif after.reason != before.reason and not revoked:
        steps.append(f"g{after.generation} {after.reason}")
    elif after.renew_at != before.renew_at:
        renewal = f"{format_day(before.renew_at)} to {format_day(after.renew_at)}"
        steps.append(f"g{after.generation} stays, its renewal moves from {renewal}")
    if is_accepted:
        steps += _ends_of_overlap(before, after)
    if revoked:
        numbers = sorted(entry.generation for entry in revoked)
        steps.append(f"{short_numbers(numbers)} revoked for {revoked[0].reason}, no longer accepted")
    if retired:
        served = f"forgotten; what is served is g{after.generation}"
        steps.append(f"{short_numbers(retired)} {'retired' if is_accepted else served}")
    if after.is_outdated and not before.is_outdated:
        steps.append(f"g{after.generation} stays revoked, and is issued anew if `revoke` is taken back")
    if not steps and before.revoked != after.revoked:
        steps.append(f"g{after.generation} stays, its list of revocations is shorter")
    return steps


def _ends_of_overlap(before: Schedule, after: Schedule) -> list[str]:
    """Tell until when generations are accepted beside the current one, where that is new or another day."""
    known = {entry.generation: format_day(entry.retire_at) for entry in before.accepted}
    ends = {entry.generation: format_day(entry.retire_at) for entry in after.accepted}
    return [f"g{number} accepted until {end}" for number, end in ends.items() if known.get(number) != end]


def newly_revoked(before: Schedule, after: Schedule) -> list[RevokedGeneration]:
    """Return the generations that are revoked by the second schedule and not by the first."""
    known = {entry.generation for entry in before.revoked}
    return [entry for entry in after.revoked if entry.generation not in known]


def retired_between(before: Schedule, after: Schedule) -> list[int]:
    """Return the generations that the first schedule accepts beside the current one and the second no more."""
    gone = {entry.generation for entry in before.accepted} - {entry.generation for entry in after.accepted}
    return sorted(gone - {entry.generation for entry in after.revoked})


def still_valid(schedule: Schedule) -> str:
    """Say until when others accept a certificate that goes without being revoked; empty where nothing of it is left."""
    ends = [each.not_after for each in schedule.accepted]
    ends += [] if schedule.is_revoked else [schedule.validity.not_after]
    if not ends:
        return ""
    return f"not revoked: whoever trusts its issuer elsewhere accepts it until {format_day(max(ends))}"


def short_numbers(numbers: Sequence[int]) -> str:
    """Return numbers of generations as lines of a preview have them: `g1 and g2`."""
    return " and ".join(f"g{number}" for number in numbers)
