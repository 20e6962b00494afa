"""Render the inventory as JSON with a versioned schema."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from postseal.report.last_seen import LastSeen
from postseal.report.model import Accepted, Action, Expiring, Inventory, Proven, exit_code
from postseal_core.instants import format_instant

__all__ = ["SCHEMA_VERSION", "render_json"]

SCHEMA_VERSION = 1
"""Grows when a field is removed or changes its meaning; new fields may appear without notice."""


def render_json(inventory: Inventory, items: Iterable[Expiring]) -> str:
    """Return a JSON document: schema and version, project, stack, now, exit_code, and the items.

    Also what was not seen of hosts' own certificates, and what was proven of hosts when they were last changed.
    Instants are RFC 3339 text in UTC; what does not apply is null or an empty text or list.
    """
    shown = tuple(items)
    document = {
        "schema": "postseal-report",
        "version": SCHEMA_VERSION,
        "project": inventory.project,
        "stack": inventory.stack,
        "now": format_instant(inventory.now),
        "soon_days": inventory.soon_days,
        "exit_code": int(exit_code(shown, inventory.unseen)),
        "entries": [_item(item) for item in shown],
        "unseen": [{"host": each.host, "why": each.why, "is_fault": each.is_fault} for each in inventory.unseen],
        "proven": [_proven(each) for each in inventory.proven],
        "logs_until": format_instant(inventory.logs_until) if inventory.logs_until else None,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _item(item: Expiring) -> dict[str, object]:
    return {
        "kind": item.kind.value,
        "name": item.name,
        "roster": item.roster,
        "state": item.state.value,
        "days_left": item.days_left,
        "next_action": _action(item.next_action) if item.next_action else None,
        "actions": [_action(action) for action in item.actions],
        "subject": item.subject,
        "issuer": item.issuer,
        "alt_names": list(item.alt_names),
        "serial_number": item.serial_number,
        "generation": item.generation,
        "not_before": format_instant(item.not_before),
        "not_after": format_instant(item.not_after),
        "renew_at": format_instant(item.renew_at),
        "seen_at": format_instant(item.seen_at) if item.seen_at else None,
        "revoked_at": format_instant(item.revoked_at) if item.revoked_at else None,
        "reason": item.reason,
        "accepted": [_accepted(row) for row in item.accepted],
        "distrusted": item.distrusted or None,
        "last_seen": _last_seen(item.last_seen) if item.last_seen else None,
        "notes": list(item.notes),
        "urn": item.urn,
    }


def _last_seen(seen: LastSeen) -> dict[str, object]:
    return {
        "at": format_instant(seen.at) if seen.at else None,
        "generation": seen.generation,
        "is_behind": seen.is_behind,
        "unseen_days": seen.unseen_days,
        "unseen_after_days": seen.limit_days or None,
        "is_missed": seen.is_missed,
    }


def _proven(each: Proven) -> dict[str, object]:
    evidence = each.evidence
    return {
        "host": each.host,
        "proven_at": format_instant(evidence.proven_at),
        "days_ago": each.days_ago,
        "trial": evidence.trial,
        "answers": [asdict(answer) for answer in evidence.answers],
        "servers": [asdict(server) for server in evidence.servers],
        "tables": [asdict(table) for table in evidence.tables],
        "sessions_cut": evidence.sessions_cut,
        "sessions_open": evidence.sessions_open,
        "outside": [asdict(seen) for seen in evidence.outside],
    }


def _action(action: Action) -> dict[str, object]:
    return {"action": action.verb.value, "generation": action.generation, "due": format_instant(action.due)}


def _accepted(row: Accepted) -> dict[str, object]:
    return {
        "generation": row.generation,
        "fingerprint_sha256": row.fingerprint,
        "match": row.match,
        "until": format_instant(row.until),
    }
