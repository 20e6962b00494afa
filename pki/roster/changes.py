"""The preview lines of a roster: one for each changed client, one summary."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pki.declared import Said
from pki.generations import Cause, Schedule
from pki.schedule_words import newly_revoked, retired_between, short_numbers, steps_between, still_valid
from postseal_core.instants import format_day

__all__ = [
    "MAX_SINGLE_LINES",
    "Touch",
    "TouchKind",
    "change_lines",
    "count_clients",
    "describe_addition",
    "describe_change",
    "describe_removal",
    "summary_line",
]

MAX_SINGLE_LINES = 500
"""Up to so many touched clients each have a line of their own; above, clients with the same sentence share one."""


class TouchKind(StrEnum):
    """The kinds of changes of a client, in the order and in the words of the summary."""

    RENEWED = "renewed"
    CHANGED = "changed"
    ISSUED_AGAIN = "issued again"
    ADDED = "added"
    TAKEN_OVER = "taken over"
    REVOKED = "revoked"
    RETIRED = "with an old generation retired"
    RESCHEDULED = "rescheduled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Touch:
    """One client's change: a kind for the summary and a sentence for the preview."""

    name: str
    kind: TouchKind
    sentence: str


def describe_addition(name: str, after: Schedule, taken_over: Schedule | None) -> Touch:
    """Describe a new client; one that is taken over has a certificate already."""
    if taken_over is None:
        return Touch(name, TouchKind.ADDED, f"added, g{after.generation} until {format_day(after.validity.not_after)}")
    if after.generation == taken_over.generation:
        sentence = f"taken over as it is, g{after.generation} until {format_day(after.validity.not_after)}"
        return Touch(name, TouchKind.TAKEN_OVER, sentence)
    return Touch(name, TouchKind.TAKEN_OVER, f"taken over, {'; '.join(steps_between(taken_over, after))}")


def describe_removal(name: str, before: Schedule) -> Touch:
    """Describe the removal of a client."""
    accepted = [entry.generation for entry in before.accepted]
    accepted += [] if before.is_revoked else [before.generation]
    left = still_valid(before)
    sentence = f"removed, {short_numbers(accepted)} no longer accepted; {left}" if accepted else "removed"
    return Touch(name, TouchKind.REMOVED, sentence)


def describe_change(name: str, before: Schedule, after: Schedule, old: Said, new: Said) -> Touch | None:
    """Describe a change of an existing client; None if nothing changes."""
    steps = steps_between(before, after)
    if not steps and (changed := _changed_fields(old, new)):
        steps = [f"g{after.generation} stays, changed: {', '.join(changed)}"]
    return Touch(name, _kind(before, after), "; ".join(steps)) if steps else None


def change_lines(touches: Sequence[Touch]) -> dict[str, str]:
    """Return the lines to show: by client, or, above MAX_SINGLE_LINES, by sentence with the clients that share it."""
    if len(touches) <= MAX_SINGLE_LINES:
        return {touch.name: touch.sentence for touch in touches}
    names = defaultdict(list)
    for touch in touches:
        names[touch.sentence].append(touch.name)
    return {sentence: f"{count_clients(len(who))}: {', '.join(who)}" for sentence, who in names.items()}


def summary_line(count: int, touches: Iterable[Touch], next_due_at: datetime | None) -> str:
    """Return one line for the whole roster, as `10,000 clients: 3 renewed, 1 added; next due 2027-03-01`."""
    counted = Counter(touch.kind for touch in touches)
    parts = [f"{counted[kind]:,} {kind.value}" for kind in TouchKind if counted[kind]]
    due = f"; next due {format_day(next_due_at)}" if next_due_at else ""
    return f"{count_clients(count)}: {', '.join(parts) or 'none touched'}{due}"


def count_clients(count: int) -> str:
    """Return a number of clients in words."""
    return f"{count:,} client{'' if count == 1 else 's'}"


def _kind(before: Schedule, after: Schedule) -> TouchKind:
    if after.generation == before.generation:
        return _kind_without_issue(before, after)
    if any(entry.generation == before.generation for entry in after.revoked):
        return TouchKind.ISSUED_AGAIN
    return TouchKind.CHANGED if after.cause in (Cause.CHANGED, Cause.KEY_CHANGED) else TouchKind.RENEWED


def _kind_without_issue(before: Schedule, after: Schedule) -> TouchKind:
    if newly_revoked(before, after):
        return TouchKind.REVOKED
    if retired_between(before, after):
        return TouchKind.RETIRED
    return TouchKind.RESCHEDULED if before.renew_at != after.renew_at else TouchKind.CHANGED


def _changed_fields(old: Said, new: Said) -> list[str]:
    said_once = old.names ^ new.names
    said_twice = old.names & new.names
    differing = (name for name in said_twice if getattr(old.values, name) != getattr(new.values, name))
    return sorted({*said_once, *differing})
