"""Render the inventory as CSV."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from postseal.report.model import Entry
from postseal_core.instants import format_instant

__all__ = ["COLUMNS", "render_csv"]

COLUMNS = (
    "kind",
    "name",
    "roster",
    "state",
    "days_left",
    "next_action",
    "next_action_due",
    "not_before",
    "not_after",
    "renew_at",
    "generation",
    "subject",
    "issuer",
    "serial_number",
    "accepted",
)


def render_csv(entries: Iterable[Entry]) -> str:
    """Return CSV (RFC 4180: comma, double quotes, CRLF, one header line), worst first.

    `accepted` holds `FINGERPRINT until INSTANT`, several separated by `; `. NOT done: guarding against spreadsheets
    that take a name beginning with `=` for a formula.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_row(entry) for entry in entries)
    return text.getvalue()


def _row(entry: Entry) -> tuple[str | int, ...]:
    action = entry.next_action
    return (
        entry.kind.value,
        entry.name,
        entry.roster,
        entry.state.value,
        "" if entry.days_left is None else entry.days_left,
        action.label if action else "",
        _instant(action.due if action else None),
        _instant(entry.not_before),
        _instant(entry.not_after),
        _instant(entry.renew_at),
        "" if entry.generation is None else entry.generation,
        entry.subject,
        entry.issuer,
        entry.serial_number,
        "; ".join(f"{item.fingerprint} until {format_instant(item.until)}" for item in entry.accepted),
    )


def _instant(instant: datetime | None) -> str:
    return format_instant(instant) if instant else ""
