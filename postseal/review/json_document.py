"""A review as JSON: everything, with names that stay; pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from postseal.ledger.records import HostLedger, LedgerRow
from postseal.review.model import CertificateChange, HostReview, Review, RowChange
from postseal_core.errors import Problem
from postseal_core.instants import format_instant
from postseal_core.records import encode
from postseal_core.values import is_unknown

__all__ = ["SCHEMA_VERSION", "render_json"]

SCHEMA_VERSION: Final = 2
"""Raised when a name goes or means something else; further names may come."""


def render_json(review: Review) -> str:
    """Return the review as a JSON document."""
    document = {
        "schema": "postseal-review",
        "version": SCHEMA_VERSION,
        "project": review.project,
        "stack": review.stack,
        "at": format_instant(review.at),
        "result": review.exit_code.name.lower(),
        "hosts": [_host(each) for each in review.hosts],
        "certificates": [_certificate(each) for each in review.certificates],
        "handed_out": [
            {
                "name": each.name,
                "directory": each.directory,
                "written": {path: each.told.get(path, "") for path in each.written},
                "perhaps": list(each.may),
                "removed": list(each.gone),
            }
            for each in review.files
        ],
        "resources": [
            {"urn": each.urn, "operation": each.operation, "paths": list(each.paths)} for each in review.resources
        ],
        "problems": [_problem(each) for each in review.problems],
        "problems_before": [_problem(each) for each in review.before_problems],
        "notes": list(review.notes),
        "unread_settings": list(review.unread),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _host(host: HostReview) -> Mapping[str, Any]:
    return {
        "name": host.name,
        "myhostname": host.myhostname,
        "is_changed": host.is_changed,
        "is_refused": host.is_refused,
        "is_by_hand": host.is_by_hand,
        "before": _ledger(host.before),
        "after": _ledger(host.after),
        "rows": [_row(each) for each in host.rows],
        "written": list(host.written),
        "removed": list(host.removed),
        "reading": host.reading.replace("**", ""),
        "differences": [
            {"place": each.place, "name": each.name, "before": each.before, "after": each.after}
            for each in host.differences
        ],
        "notes": list(host.notes),
    }


def _ledger(ledger: HostLedger | None) -> Mapping[str, Any] | None:
    if ledger is None:
        return None
    return {
        "place": ledger.place,
        "networks": None if ledger.networks is None else list(ledger.networks),
        "login_relays": ledger.has_login,
        "login_services": list(ledger.login_services),
        "rows": len(ledger.rows),
    }


def _row(change: RowChange) -> Mapping[str, Any]:
    return {
        "change": {"+": "added", "~": "changed", "-": "gone", " ": "same"}[change.mark.value],
        "is_since_up": change.is_since_up,
        "why": change.why,
        "renew_at": format_instant(change.renew_at) if change.renew_at else None,
        **_plain_row(change.row),
    }


def _plain_row(row: LedgerRow) -> Mapping[str, Any]:
    return {
        name: None if is_unknown(value) else "" if value is None else value
        for name, value in encode(row).items()
        if name not in ("host", "why")
    }


def _certificate(change: CertificateChange) -> Mapping[str, Any]:
    return {"kind": change.kind, "name": change.name, "what": change.sentence, "cause": change.cause.value}


def _problem(problem: Problem) -> Mapping[str, str]:
    return {"path": problem.path, "message": problem.message}
