"""Phrases of a review: dates, generations, and what a schedule says of a certificate; pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pki.generations import Schedule

__all__ = ["counted", "day", "moment", "sentence_of_schedules", "spaced", "the_rest"]


def moment(instant: datetime) -> str:
    """Return an instant to the minute, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def day(instant: datetime) -> str:
    """Return a day in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d}"


def counted(number: int, thing: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def the_rest(left: int, thing: str, *, is_begun: bool) -> str:
    """Say how many things are not written out; `is_begun`: others of them are. The document in JSON has all."""
    number = f"and {left:,} more {thing}{'' if left == 1 else 's'}" if is_begun else counted(left, thing)
    return f"{number}; `--format json` has all of them"


def spaced(items: Sequence[str], shown: int) -> str:
    """Return items of a list of Postfix with blanks between them: the first ones, and how many more there are."""
    more = len(items) - shown
    return " ".join(items[:shown]) + (f" and {more:,} more" if more > 0 else "")


def sentence_of_schedules(before: Schedule | None, after: Schedule, *, is_accepted: bool = True) -> str:
    """Return what happens to a certificate with these schedules; empty where they say nothing new.

    `is_accepted`: somebody lets an earlier generation in beside the current one; nobody does with a server's.
    """
    if before is None:
        if after.generation == 1:
            return f"issued, generation 1, {_dates(after)}, {after.reason}"
        return f"goes on here as it is, generation {after.generation}, {_dates(after)}"
    steps = [_issued(before, after, is_accepted=is_accepted)] if after.generation != before.generation else []
    steps += _revoked(before, after)
    steps += _retired(before, after, is_accepted=is_accepted)
    if after.is_outdated and not before.is_outdated:
        steps.append(f"generation {after.generation} stays revoked, and is issued anew if `revoke` is taken back")
    if not steps and after.renew_at != before.renew_at:
        steps.append(f"generation {after.generation} stays, its renewal moves from {day(before.renew_at)} to "
                     f"{day(after.renew_at)}")  # fmt: skip
    if not steps and after.reason != before.reason:
        steps.append(f"generation {after.generation}: {after.reason}")
    return "; ".join(steps)


def _issued(before: Schedule, after: Schedule, *, is_accepted: bool) -> str:
    key = "the same key" if after.key_generation == before.key_generation else "a new key"
    served = f"it is served in place of generation {before.generation}"
    accepted = [f"generation {each.generation} accepted until {moment(each.retire_at)}" for each in after.accepted]
    return "; ".join(
        [
            f"issued, generation {before.generation} → {after.generation} with {key}, {_dates(after)}: {after.reason}",
            *(accepted if is_accepted else [served]),
        ]
    )


def _dates(schedule: Schedule) -> str:
    validity = schedule.validity
    return f"{moment(validity.not_before)} to {moment(validity.not_after)}"


def _revoked(before: Schedule, after: Schedule) -> list[str]:
    known = {each.generation for each in before.revoked}
    new = [each for each in after.revoked if each.generation not in known]
    return [f"{_generations([each.generation])} revoked on {moment(each.revoked_at)}: {each.reason}" for each in new]


def _retired(before: Schedule, after: Schedule, *, is_accepted: bool) -> list[str]:
    there = {each.generation for each in after.accepted} | {each.generation for each in after.revoked}
    gone = [each for each in before.accepted if each.generation not in there]
    if not gone:
        return []
    served = f"forgotten; what is served is generation {after.generation}"
    end = "retired, no longer accepted" if is_accepted else served
    return [f"{_generations([each.generation for each in gone])} {end}"]


def _generations(numbers: Sequence[int]) -> str:
    return "generation " + " and ".join(map(str, numbers))
