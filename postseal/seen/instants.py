"""Time stamps of logs as instants: syslog's has no year and no time zone; pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final

__all__ = ["LogClock"]

_MONTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        name: number
        for number, name in enumerate(
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], start=1
        )
    }
)
_BEGIN: Final = len("Nov 27 ")
_AHEAD: Final = timedelta(days=1)
"""A log may be from a zone, or a clock, that is ahead; what lies further in the future was a year earlier."""
_KEPT: Final = 4096
_YEARS: Final = 8
"""The longest time between two leap years."""


class LogClock:
    """How time stamps become instants.

    Args:
        now: The instant of reading; a stamp without a year lies before it.
        in_zone: Turns a stamp without a zone into an instant.
    """

    def __init__(self, now: datetime, in_zone: Callable[[datetime], datetime]) -> None:
        self._now = now
        self._in_zone = in_zone
        # Many lines of a busy log are of one second.
        self.instant: Callable[[str], datetime | None] = lru_cache(_KEPT)(self._instant)

    def _instant(self, stamp: str) -> datetime | None:
        """Return the instant of `Nov 27 11:28:50` or of RFC 3339 text, zone or not; None for anything else."""
        try:
            return self._of_syslog(stamp) if stamp[0].isalpha() else self._utc(datetime.fromisoformat(stamp))
        except (ValueError, OverflowError, KeyError, IndexError):
            return None

    def _utc(self, said: datetime) -> datetime:
        found = said.astimezone(UTC) if said.tzinfo else self._in_zone(said)
        return found.replace(microsecond=0)

    def _of_syslog(self, stamp: str) -> datetime | None:
        month, day = _MONTHS[stamp[:3]], int(stamp[4:6])
        hour, minute, second = map(int, stamp[_BEGIN:].split(":"))
        latest = self._now + _AHEAD
        # The day after may be in the next year already.
        for year in range(latest.year, latest.year - _YEARS - 1, -1):
            try:
                found = self._utc(datetime(year, month, day, hour, minute, second))  # noqa: DTZ001 - the log says none
            except ValueError:
                continue
            if found <= latest:
                return found
        return None
