"""Instants as text: RFC 3339 in UTC with whole seconds, everywhere the same."""

from datetime import UTC, datetime

from postseal_core.wording import shown

__all__ = ["format_day", "format_instant", "parse_instant"]


def format_instant(instant: datetime) -> str:
    """Return an aware datetime as RFC 3339 text in UTC with whole seconds, as `2026-11-22T20:00:00Z`."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def format_day(instant: datetime) -> str:
    """Return the day of an aware datetime in UTC, as `2026-11-22`."""
    return format_instant(instant).partition("T")[0]


def parse_instant(text: str) -> datetime:
    """Return the aware UTC datetime of RFC 3339 text with an offset or `Z`; raise ValueError for anything else."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{shown(text)} has no UTC offset; write it as 2026-11-22T20:00:00Z")
    try:
        return instant.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError(f"{shown(text)} lies beyond the calendar in UTC") from None
