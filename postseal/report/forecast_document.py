"""Render a forecast: as text, one block for each day, or as JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rich.table import Table
from rich.text import Text

from postseal.report.forecast import BLOCKED, Event
from postseal.report.model import Verb
from postseal.report.table import TableStyle, console_of, lines_of, printable
from postseal_core.instants import format_instant

__all__ = ["FORECAST_VERSION", "render_forecast", "render_forecast_json"]

FORECAST_VERSION = 1
_NAMES_IN_LINE = 4
_EXPLAINED = (BLOCKED, Verb.RENEW_ON_HOST.value)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a day: the action and the names, as `renew`, `alice, bob and 3 more`."""

    day: str
    action: str
    what: str
    names: tuple[str, ...]
    reason: str


def render_forecast(events: tuple[Event, ...], now: datetime, until: datetime, style: TableStyle) -> str:
    """Return the events as text, day by day; equal events of many items share a line."""
    console = console_of(style)
    span = f"{now:%Y-%m-%d} to {until:%Y-%m-%d}"
    if not events:
        console.print(Text(f"`pulumi up` would change nothing from {span}.", style="bold"))
        return lines_of(console)
    console.print(Text(f"What `pulumi up` would change from {span}, run whenever something is due:\n", style="bold"))
    console.print(_table(tuple(_lines(events))))
    return lines_of(console)


def render_forecast_json(events: tuple[Event, ...], now: datetime, until: datetime) -> str:
    """Return the events as a JSON document with schema, version, now, until and events in order of time."""
    document = {
        "schema": "postseal-forecast",
        "version": FORECAST_VERSION,
        "now": format_instant(now),
        "until": format_instant(until),
        "changes": [_event(event) for event in events],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _table(lines: tuple[_Line, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("On", no_wrap=True, min_width=10)
    table.add_column("Change", no_wrap=True)
    table.add_column("What", overflow="fold")
    before = ""
    for line in lines:
        names = Text(printable(_names(line.names)))
        what = (
            Text(f"{line.what} ", style="dim") + names + Text(f" ({line.reason})" if line.reason else "", style="dim")
        )
        table.add_row(
            "" if line.day == before else line.day,
            Text(line.action, style="bold red" if line.action == BLOCKED else ""),
            what,
        )
        before = line.day
    return table


def _lines(events: tuple[Event, ...]) -> Iterator[_Line]:
    keyed = sorted(events, key=lambda event: (*_line_key(event), event.name))
    for (day, action, what, reason), members in groupby(keyed, key=_line_key):
        yield _Line(day, action, what, tuple(event.name for event in members), reason)


def _line_key(event: Event) -> tuple[str, str, str, str]:
    what = f"roster {event.roster}:" if event.roster else event.kind.replace("_", " ")
    # Reasons of renewals repeat the date; what no run does needs its reason.
    return (f"{event.at:%Y-%m-%d}", event.action, what, event.reason if event.action in _EXPLAINED else "")


def _names(names: tuple[str, ...]) -> str:
    if len(names) <= _NAMES_IN_LINE:
        return ", ".join(names)
    return f"{', '.join(names[: _NAMES_IN_LINE - 1])} and {len(names) - _NAMES_IN_LINE + 1:,} more"


def _event(event: Event) -> dict[str, object]:
    return {
        "at": format_instant(event.at),
        "action": event.action,
        "kind": event.kind,
        "roster": event.roster,
        "name": event.name,
        "generation": event.generation,
        "not_after": format_instant(event.not_after) if event.not_after else None,
        "reason": event.reason,
    }
