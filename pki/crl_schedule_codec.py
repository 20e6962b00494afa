"""The schedule of a revocation list as input properties: what a reviewer reads, what the next decision starts from.

Each entry is one line of text, so that a preview shows one line for each certificate that is revoked.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pki.crl_schedule import CrlEntry, CrlSchedule, ordered_entries
from postseal_core.instants import format_instant, parse_instant

__all__ = ["decode_crl_schedule", "encode_crl_schedule"]

_LABEL = re.compile(r"(?P<name>.*) generation (?P<generation>\d+)( \(\d+\))?", re.DOTALL)
_LINE = re.compile(
    r"(?P<reason>\S+) on (?P<revoked_at>\S+); serial (?P<serial_number>[0-9a-f]+); not_after (?P<not_after>\S+)"
)
_DATES = ("this_update", "next_update", "renew_at")


def encode_crl_schedule(schedule: CrlSchedule) -> dict[str, Any]:
    """Return the schedule as plain properties; instants as RFC 3339 text, serial numbers in hexadecimal."""
    properties: dict[str, Any] = {name: format_instant(getattr(schedule, name)) for name in _DATES}
    properties |= {"crl_number": schedule.crl_number, "reason": schedule.reason}
    return properties | ({"revoked": _lines(schedule.entries)} if schedule.entries else {})


def decode_crl_schedule(properties: Mapping[str, Any]) -> CrlSchedule | None:
    """Return the schedule stored in inputs, or None where none was decided yet."""
    if "crl_number" not in properties:
        return None
    return CrlSchedule(
        **{name: parse_instant(properties[name]) for name in _DATES},
        crl_number=properties["crl_number"],
        reason=properties["reason"],
        entries=ordered_entries(_entry(label, line) for label, line in properties.get("revoked", {}).items()),
    )


def _lines(entries: Iterable[CrlEntry]) -> dict[str, str]:
    """Return a line for each entry by its label; of two with the same label, the second has `(2)` after it."""
    lines: dict[str, str] = {}
    seen: dict[str, int] = {}
    for entry in entries:
        seen[entry.label] = count = seen.get(entry.label, 0) + 1
        lines[entry.label if count == 1 else f"{entry.label} ({count})"] = _line(entry)
    return lines


def _line(entry: CrlEntry) -> str:
    return (
        f"{entry.reason} on {format_instant(entry.revoked_at)}; serial {entry.serial_number:x}; "
        f"not_after {format_instant(entry.not_after)}"
    )


def _entry(label: str, line: str) -> CrlEntry:
    named, found = _LABEL.fullmatch(label), _LINE.fullmatch(line)
    if named is None or found is None:
        raise ValueError(f"the stored list has a line that this version did not write: {label!r}: {line!r}")
    return CrlEntry(
        name=named["name"],
        generation=int(named["generation"]),
        serial_number=int(found["serial_number"], 16),
        not_after=parse_instant(found["not_after"]),
        revoked_at=parse_instant(found["revoked_at"]),
        reason=found["reason"],
    )
