"""Render the inventory as CSV."""

import csv
import io
from collections.abc import Iterable

from postseal.csv_cells import guarded_cell
from postseal.report.model import Expiring
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
    "seen_at",
    "last_seen_at",
    "last_seen_generation",
    "unseen_days",
)


def render_csv(items: Iterable[Expiring]) -> str:
    """Return CSV (RFC 4180: comma, double quotes, CRLF, one header line), worst first.

    `accepted` holds `FINGERPRINT until INSTANT`, several separated by `; `. A text that a spreadsheet would take
    for a formula has an apostrophe in front.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([*map(guarded_cell, _row(item))] for item in items)
    return text.getvalue()


def _row(item: Expiring) -> tuple[str | int, ...]:
    action, last = item.next_action, item.last_seen
    return (
        item.kind.value,
        item.name,
        item.roster,
        item.state.value,
        item.days_left,
        action.label if action else "",
        format_instant(action.due) if action else "",
        format_instant(item.not_before),
        format_instant(item.not_after),
        format_instant(item.renew_at),
        "" if item.generation is None else item.generation,
        item.subject,
        item.issuer,
        item.serial_number,
        "; ".join(f"{row.fingerprint} until {format_instant(row.until)}" for row in item.accepted),
        format_instant(item.seen_at) if item.seen_at else "",
        format_instant(last.at) if last and last.at else "",
        last.generation if last and last.generation is not None else "",
        last.unseen_days if last and last.unseen_days is not None else "",
    )
