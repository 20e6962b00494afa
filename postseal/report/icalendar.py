"""Render the next actions as an iCalendar stream (RFC 5545)."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from postseal.report.model import Action, Expiring, Inventory, Verb

__all__ = ["fold_line", "render_icalendar"]

_LINE_OCTETS = 75
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""})
# What is renewed by a run needs somebody to start it; what must be ordered from others needs time.
_ALARM_TRIGGERS = {Verb.FETCH: "-P14D", Verb.NEW_REQUEST: "-P14D"}
_DEFAULT_TRIGGER = "-P7D"


def render_icalendar(inventory: Inventory, items: Iterable[Expiring]) -> str:
    """Return one event with an alarm for the next action of each item, CRLF line ends.

    Alarms ring 7 days ahead, 14 days where a certificate or a request must come from elsewhere. An event's UID depends
    on what is done to which generation of what, not on its date: a calendar that reads the next report moves the event.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Postseal//Expiry report//EN",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_text(f'Certificates of {inventory.stack}')}",
    ]
    for item in sorted(items, key=lambda item: (item.due, item.identity)):
        if item.next_action:
            lines += _event(inventory, item, item.next_action)
    return "".join(f"{fold_line(line)}\r\n" for line in (*lines, "END:VCALENDAR"))


def fold_line(line: str) -> str:
    """Return a content line folded to at most 75 octets a line, never inside a character (RFC 5545 section 3.1)."""
    return "\r\n ".join(_pieces(line))


def _pieces(line: str) -> Iterator[str]:
    piece, octets = "", 0
    for character in line:
        width = len(character.encode("utf-8"))
        if octets + width > _LINE_OCTETS:
            yield piece
            piece, octets = "", 1  # The space that a folded line begins with counts.
        piece, octets = piece + character, octets + width
    yield piece


def _event(inventory: Inventory, item: Expiring, action: Action) -> list[str]:
    owner = f"{item.kind.value.replace('_', ' ')}{f' of roster {item.roster}' if item.roster else ''}"
    summary = f"{action.label} {item.name} ({owner})"
    details = [summary, _end(item), item.subject]
    return [
        "BEGIN:VEVENT",
        f"UID:{_uid(inventory, item, action)}",
        f"DTSTAMP:{_instant(inventory.now)}",
        f"DTSTART:{_instant(action.due)}",
        f"SUMMARY:{_text(summary)}",
        f"DESCRIPTION:{_text(chr(10).join(detail for detail in details if detail))}",
        f"CATEGORIES:{_text(item.state.label)}",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"TRIGGER:{_ALARM_TRIGGERS.get(action.verb, _DEFAULT_TRIGGER)}",
        f"DESCRIPTION:{_text(summary)}",
        "END:VALARM",
        "END:VEVENT",
    ]


def _end(item: Expiring) -> str:
    return item.reason if item.is_awaited else f"expires {item.not_after:%Y-%m-%d %H:%M} UTC"


def _uid(inventory: Inventory, item: Expiring, action: Action) -> str:
    words = (inventory.project, inventory.stack, *item.identity, action.verb.value, str(action.generation))
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32] + "@postseal"


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """Escape a TEXT value (RFC 5545 section 3.3.11); other control characters are not allowed in it."""
    return "".join(character for character in text.translate(_ESCAPES) if character >= " ")
