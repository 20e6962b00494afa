"""A schedule as input properties: what a reviewer reads in a preview, and what the next decision starts from."""

from datetime import datetime
from typing import Any

from pki.model import Validity, format_instant, parse_instant
from pki.plugin.values import Properties
from pki.schedule import AcceptedGeneration, RevokedGeneration, Schedule

__all__ = ["SCHEDULE_PROPERTIES", "decode_schedule", "encode_schedule"]

SCHEDULE_PROPERTIES = (
    "generation",
    "key_generation",
    "not_before",
    "not_after",
    "renew_at",
    "reason",
    "accepted",
    "revoked",
)


def encode_schedule(schedule: Schedule) -> dict[str, Any]:
    """Return the schedule as plain properties; instants as RFC 3339 text."""
    return {
        "generation": schedule.generation,
        "key_generation": schedule.key_generation,
        "not_before": format_instant(schedule.validity.not_before),
        "not_after": format_instant(schedule.validity.not_after),
        "renew_at": format_instant(schedule.renew_at),
        "reason": schedule.reason,
        "issuer_id": schedule.issuer_id,
        "accepted": [
            {
                "generation": entry.generation,
                "not_after": format_instant(entry.not_after),
                "retire_at": format_instant(entry.retire_at),
                "issuer_id": entry.issuer_id,
            }
            for entry in schedule.accepted
        ],
        "revoked": [
            {
                "generation": entry.generation,
                "not_after": format_instant(entry.not_after),
                "revoked_at": format_instant(entry.revoked_at),
                "reason": entry.reason,
            }
            for entry in schedule.revoked
        ],
    }


def decode_schedule(properties: Properties) -> Schedule | None:
    """Return the schedule stored in inputs, or None where none was decided yet."""
    if "generation" not in properties:
        return None
    return Schedule(
        generation=properties["generation"],
        key_generation=properties["key_generation"],
        validity=Validity(_instant(properties, "not_before"), _instant(properties, "not_after")),
        renew_at=_instant(properties, "renew_at"),
        reason=properties["reason"],
        issuer_id=properties.get("issuer_id", ""),
        accepted=tuple(
            AcceptedGeneration(
                entry["generation"], _instant(entry, "not_after"), _instant(entry, "retire_at"), entry["issuer_id"]
            )
            for entry in properties.get("accepted", [])
        ),
        revoked=tuple(
            RevokedGeneration(
                entry["generation"], _instant(entry, "not_after"), _instant(entry, "revoked_at"), entry["reason"]
            )
            for entry in properties.get("revoked", [])
        ),
    )


def _instant(properties: Properties, name: str) -> datetime:
    return parse_instant(properties[name])
