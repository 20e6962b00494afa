"""Render the inventory as JSON with a versioned schema."""

import json
from collections.abc import Iterable
from datetime import datetime

from postseal.report.model import Accepted, Action, Entry, Inventory, exit_code
from postseal_core.instants import format_instant

__all__ = ["SCHEMA_VERSION", "render_json"]

SCHEMA_VERSION = 1
"""Grows when a field is removed or changes its meaning; new fields may appear without notice."""


def render_json(inventory: Inventory, entries: Iterable[Entry]) -> str:
    """Return a JSON document: schema and version, project, stack, now, exit_code and the entries, worst first.

    Instants are RFC 3339 text in UTC; what does not apply is null or an empty text or list.
    """
    shown = tuple(entries)
    document = {
        "schema": "postseal-report",
        "version": SCHEMA_VERSION,
        "project": inventory.project,
        "stack": inventory.stack,
        "now": format_instant(inventory.now),
        "soon_days": inventory.soon_days,
        "exit_code": int(exit_code(shown)),
        "entries": [_entry(entry) for entry in shown],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "kind": entry.kind.value,
        "name": entry.name,
        "roster": entry.roster,
        "state": entry.state.value,
        "days_left": entry.days_left,
        "next_action": _action(entry.next_action) if entry.next_action else None,
        "actions": [_action(action) for action in entry.actions],
        "subject": entry.subject,
        "issuer": entry.issuer,
        "alt_names": list(entry.alt_names),
        "serial_number": entry.serial_number,
        "generation": entry.generation,
        "not_before": _instant(entry.not_before),
        "not_after": _instant(entry.not_after),
        "renew_at": _instant(entry.renew_at),
        "revoked_at": _instant(entry.revoked_at),
        "reason": entry.reason,
        "accepted": [_accepted(item) for item in entry.accepted],
        "notes": list(entry.notes),
        "urn": entry.urn,
    }


def _action(action: Action) -> dict[str, object]:
    return {"action": action.verb.value, "generation": action.generation, "due": format_instant(action.due)}


def _accepted(item: Accepted) -> dict[str, object]:
    return {
        "generation": item.generation,
        "fingerprint_sha256": item.fingerprint,
        "match": item.match,
        "until": format_instant(item.until),
    }


def _instant(instant: datetime | None) -> str | None:
    return format_instant(instant) if instant else None
