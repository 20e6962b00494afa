"""Phrases of a review: dates, generations, and what a schedule says of a certificate; pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from pki.generations import Schedule

__all__ = ["counted", "day", "listed", "moment", "sentence_of_schedules", "spaced"]

_SHOWN: Final = 12


def moment(instant: datetime) -> str:
    """Return an instant to the minute, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def day(instant: datetime) -> str:
    """Return a day in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d}"


def counted(number: int, thing: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def listed(names: Iterable[str], shown: int = _SHOWN) -> str:
    """Return names in a line: the first ones, and how many more there are."""
    ordered = list(names)
    more = len(ordered) - shown
    return ", ".join(ordered[:shown]) + (f" and {more:,} more" if more > 0 else "")


def spaced(items: Sequence[str], shown: int) -> str:
    """Return items of a list of Postfix with blanks between them: the first ones, and how many more there are."""
    more = len(items) - shown
    return " ".join(items[:shown]) + (f" and {more:,} more" if more > 0 else "")


def sentence_of_schedules(before: Schedule | None, after: Schedule) -> str:
    """Return what happens to a certificate with these schedules; empty where they say nothing new."""
    if before is None:
        if after.generation == 1:
            return f"issued, generation 1, {_dates(after)}, {after.reason}"
        return f"goes on here as it is, generation {after.generation}, {_dates(after)}"
    steps = [_issued(before, after)] if after.generation != before.generation else []
    steps += _revoked(before, after)
    steps += _retired(before, after)
    if not steps and after.renew_at != before.renew_at:
        steps.append(f"generation {after.generation} stays, its renewal moves from {day(before.renew_at)} to "
                     f"{day(after.renew_at)}")  # fmt: skip
    if not steps and after.reason != before.reason:
        steps.append(f"generation {after.generation}: {after.reason}")
    return "; ".join(steps)


def _issued(before: Schedule, after: Schedule) -> str:
    key = "the same key" if after.key_generation == before.key_generation else "a new key"
    accepted = [f"generation {each.generation} accepted until {moment(each.retire_at)}" for each in after.accepted]
    return "; ".join(
        [
            f"issued, generation {before.generation} → {after.generation} with {key}, {_dates(after)}: {after.reason}",
            *accepted,
        ]
    )


def _dates(schedule: Schedule) -> str:
    validity = schedule.validity
    return f"{moment(validity.not_before)} to {moment(validity.not_after)}"


def _revoked(before: Schedule, after: Schedule) -> list[str]:
    known = {each.generation for each in before.revoked}
    new = [each for each in after.revoked if each.generation not in known]
    return [f"{_generations([each.generation])} revoked on {moment(each.revoked_at)}: {each.reason}" for each in new]


def _retired(before: Schedule, after: Schedule) -> list[str]:
    there = {each.generation for each in after.accepted} | {each.generation for each in after.revoked}
    gone = [each for each in before.accepted if each.generation not in there]
    if not gone:
        return []
    return [f"{_generations([each.generation for each in gone])} retired, no longer accepted"]


def _generations(numbers: Sequence[int]) -> str:
    return "generation " + " and ".join(map(str, numbers))
