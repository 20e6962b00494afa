"""A schedule as input properties: what a reviewer reads in a preview, and what the next decision starts from.

Each accepted and each revoked generation is one line of text, so that a preview shows one line and not a tree.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pki.model import Validity
from pki.schedule import AcceptedGeneration, RevokedGeneration, Schedule
from postseal_core.instants import format_instant, parse_instant

__all__ = ["decode_schedule", "encode_schedule"]

_GENERATION = re.compile(r"generation (?P<number>\d+)")
_ACCEPTED = re.compile(r"until (?P<retire_at>\S+)(; issued by (?P<issuer_id>.*))?; not_after (?P<not_after>\S+)")
_REVOKED = re.compile(r"(?P<reason>\S+) on (?P<revoked_at>\S+); not_after (?P<not_after>\S+)")


def encode_schedule(schedule: Schedule) -> dict[str, Any]:
    """Return the schedule as plain properties; instants as RFC 3339 text, what is empty left out."""
    properties = {
        "generation": schedule.generation,
        "key_generation": schedule.key_generation,
        "not_before": format_instant(schedule.validity.not_before),
        "not_after": format_instant(schedule.validity.not_after),
        "renew_at": format_instant(schedule.renew_at),
        "reason": schedule.reason,
        "issuer_id": schedule.issuer_id,
        "accepted": {f"generation {entry.generation}": _accepted_line(entry) for entry in schedule.accepted},
        "revoked": {f"generation {entry.generation}": _revoked_line(entry) for entry in schedule.revoked},
    }
    return {name: value for name, value in properties.items() if value not in ("", {})}


def decode_schedule(properties: Mapping[str, Any]) -> Schedule | None:
    """Return the schedule stored in inputs, or None where none was decided yet."""
    if "generation" not in properties:
        return None
    accepted = (_accepted(name, line) for name, line in properties.get("accepted", {}).items())
    revoked = (_revoked(name, line) for name, line in properties.get("revoked", {}).items())
    return Schedule(
        generation=properties["generation"],
        key_generation=properties["key_generation"],
        validity=Validity(_instant(properties, "not_before"), _instant(properties, "not_after")),
        renew_at=_instant(properties, "renew_at"),
        reason=properties["reason"],
        issuer_id=properties.get("issuer_id", ""),
        accepted=tuple(sorted(accepted, key=lambda entry: entry.generation)),
        revoked=tuple(sorted(revoked, key=lambda entry: entry.generation)),
    )


def _accepted_line(entry: AcceptedGeneration) -> str:
    issued_by = f"; issued by {entry.issuer_id}" if entry.issuer_id else ""
    return f"until {format_instant(entry.retire_at)}{issued_by}; not_after {format_instant(entry.not_after)}"


def _revoked_line(entry: RevokedGeneration) -> str:
    return f"{entry.reason} on {format_instant(entry.revoked_at)}; not_after {format_instant(entry.not_after)}"


def _accepted(name: str, line: str) -> AcceptedGeneration:
    found = _fields(_ACCEPTED, line)
    return AcceptedGeneration(
        generation=int(_fields(_GENERATION, name)["number"]),
        not_after=_instant(found, "not_after"),
        retire_at=_instant(found, "retire_at"),
        issuer_id=found["issuer_id"] or "",
    )


def _revoked(name: str, line: str) -> RevokedGeneration:
    found = _fields(_REVOKED, line)
    return RevokedGeneration(
        generation=int(_fields(_GENERATION, name)["number"]),
        not_after=_instant(found, "not_after"),
        revoked_at=_instant(found, "revoked_at"),
        reason=found["reason"],
    )


def _fields(pattern: re.Pattern[str], text: str) -> dict[str, Any]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"the stored schedule has a line that this version did not write: {text!r}")
    return match.groupdict()


def _instant(properties: Mapping[str, Any], name: str) -> datetime:
    return parse_instant(properties[name])
