"""Geometry of the timeline: a linear scale of dates, its ticks, and how many certificates are valid when."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from postseal.report.model import Expiring

__all__ = ["Density", "Scale", "Tick", "measure_density", "scale_of", "ticks_of"]

_MONTHS_A_YEAR = 12
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Each divides all later ones: so major ticks are always ticks.
_TICK_MONTHS = (1, 2, 6, 12, 24, 120, 240, 1200)
_TICKS_WITHOUT_YEAR = 3
_WIDE_TICKS = 14
_NARROW_TICKS = 5
_BIN_DAYS = 7
_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps instants to percent of the drawing's width, true to scale."""

    start: datetime
    end: datetime

    def percent(self, instant: datetime) -> float:
        """Return where an instant lies; outside of 0 to 100 it is not in the picture."""
        return 100 * ((instant - self.start) / (self.end - self.start))

    def clipped(self, instant: datetime) -> float:
        """Return where an instant lies, at the edge where it lies outside."""
        return min(max(self.percent(instant), 0.0), 100.0)


@dataclass(frozen=True, slots=True)
class Tick:
    """A date of the axis; `is_major` ones are labelled on narrow screens as well."""

    instant: datetime
    label: str
    is_major: bool


@dataclass(frozen=True, slots=True)
class Density:
    """For each week of a scale: certificates not yet due, valid certificates, and renewals that come due in it."""

    weeks: tuple[datetime, ...]
    fresh: tuple[int, ...]
    valid: tuple[int, ...]
    renewals: tuple[int, ...]

    @property
    def busiest(self) -> tuple[datetime, int]:
        """The first week with the most renewals and how many those are."""
        count = max(self.renewals)
        return self.weeks[self.renewals.index(count)], count


def scale_of(items: Iterable[Expiring], now: datetime, *, past: timedelta, future: timedelta) -> Scale:
    """Return a scale that shows all items, but at most `past` before and `future` after `now`, with a margin."""
    drawn = tuple(item for item in items if not item.is_awaited)
    earliest = min((item.not_before for item in drawn), default=now)
    latest = max((item.not_after for item in drawn), default=now)
    start = max(min(earliest, now - timedelta(days=14)), now - past)
    end = min(max(latest, now + timedelta(days=60)), now + future)
    margin = (end - start) * _MARGIN
    return Scale(start - margin, end + margin)


def ticks_of(scale: Scale) -> tuple[Tick, ...]:
    """Return at most 14 ticks, each at the first of a month, at most 5 of them major; a January shows its year."""
    step = _step(scale, _WIDE_TICKS)
    starts, majors = _month_starts(scale, step), _month_starts(scale, _step(scale, _NARROW_TICKS))
    has_year_soon = any(start.month == 1 for start in starts[1:_TICKS_WITHOUT_YEAR])
    dated = [] if has_year_soon else starts[:1]
    return tuple(Tick(start, _label(start, step, is_year_shown=start in dated), start in majors) for start in starts)


def measure_density(items: Iterable[Expiring], scale: Scale) -> Density:
    """Count, week by week, how many of the items are valid, and how many of those are not yet due for renewal."""
    alive = [item for item in items if not (item.revoked_at or item.is_awaited)]
    starts = sorted(item.not_before for item in alive)
    ends = sorted(item.not_after for item in alive)
    renewals = sorted(item.renew_at for item in alive)
    weeks = tuple(_weeks(scale))
    begun = [bisect_right(starts, week) for week in weeks]
    due = Counter((instant - scale.start).days // _BIN_DAYS for instant in renewals)
    return Density(
        weeks=weeks,
        fresh=tuple(count - bisect_left(renewals, week) for count, week in zip(begun, weeks, strict=True)),
        valid=tuple(count - bisect_left(ends, week) for count, week in zip(begun, weeks, strict=True)),
        renewals=tuple(due[index] for index in range(len(weeks))),
    )


def _weeks(scale: Scale) -> Iterator[datetime]:
    week = scale.start
    while week < scale.end:
        yield week
        week += timedelta(days=_BIN_DAYS)


def _month_starts(scale: Scale, step: int) -> list[datetime]:
    first = scale.start.year * _MONTHS_A_YEAR + scale.start.month - 1
    last = scale.end.year * _MONTHS_A_YEAR + scale.end.month - 1
    starts = (
        datetime(month // _MONTHS_A_YEAR, month % _MONTHS_A_YEAR + 1, 1, tzinfo=UTC)
        for month in range(first, last + 1)
        if month % step == 0
    )
    return [start for start in starts if scale.start <= start <= scale.end]


def _step(scale: Scale, count: int) -> int:
    """Return the smallest number of months between ticks that gives at most `count` of them."""
    fitting = (months for months in _TICK_MONTHS if len(_month_starts(scale, months)) <= count)
    return next(fitting, _TICK_MONTHS[-1])


def _label(instant: datetime, step: int, *, is_year_shown: bool) -> str:
    if step >= _MONTHS_A_YEAR:
        return str(instant.year)
    if instant.month == 1:
        return str(instant.year)
    return f"{_MONTHS[instant.month - 1]} {instant.year}" if is_year_shown else _MONTHS[instant.month - 1]
