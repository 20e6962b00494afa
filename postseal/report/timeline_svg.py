"""Draw the timeline as SVG, true to scale: lifetimes, renewal points, overlaps, and rosters as density.

Horizontal positions are percentages, vertical ones pixels: the drawing fills any width and its text keeps its size.
"""

from datetime import datetime, timedelta
from html import escape

from postseal.report.markup import date, describe, icon, state_class
from postseal.report.model import Expiring, Inventory, State, Verb
from postseal.report.selection import Group, group_items
from postseal.report.timeline import Density, Scale, measure_density, scale_of, ticks_of

__all__ = ["render_timeline"]

_ROWS_IN_FULL = 12
_WORST_ROWS = 5
_A_CENTURY = timedelta(days=36525)
_PAST = timedelta(days=400)
_FUTURE = timedelta(days=460)
_AREA_HEIGHT = 100


def render_timeline(inventory: Inventory, items: tuple[Expiring, ...]) -> str:
    """Return the two drawings: authorities over their whole lives, and everything else around today."""
    authorities = tuple(item for item in items if item.kind.is_authority)
    others = tuple(item for item in items if not item.kind.is_authority)
    others_scale = scale_of(others, inventory.now, past=_PAST, future=_FUTURE)
    parts = []
    if authorities:
        scale = scale_of(authorities, inventory.now, past=_A_CENTURY, future=_A_CENTURY)
        lens = others_scale if others else None
        parts.append(_chart("Authorities", _rows(Group("", authorities), scale), scale, inventory.now, lens))
    if others:
        rows = "".join(_titled_rows(group, others_scale) for group in group_items(others))
        parts.append(_chart("Certificates and lists", rows, others_scale, inventory.now, None))
    return "".join(parts)


def _chart(title: str, rows: str, scale: Scale, now: datetime, lens: Scale | None) -> str:
    span = f"{date(scale.start)} to {date(scale.end)}"
    return (
        f"<figure class=chart><figcaption><h3>{title}</h3><span class=span>{span}</span></figcaption>"
        f"<div class=plot>{_background(scale, now, lens)}{rows}</div></figure>"
    )


def _background(scale: Scale, now: datetime, lens: Scale | None) -> str:
    """Return the axis, its grid lines, the line of today, and the part that the next chart shows enlarged."""
    lines = "".join(
        f'<g class="{"tick" if tick.is_major else "tick minor"}">{_line(scale.percent(tick.instant), 18)}'
        f"{_label(scale.percent(tick.instant), 12, tick.label)}</g>"
        for tick in ticks_of(scale)
    )
    today = scale.percent(now)
    return (
        f"<svg class=axis aria-hidden=true>{_lens(scale, lens) if lens else ''}{lines}"
        f"<g class=today>{_line(today, 35)}{_label(today, 30, 'today')}</g></svg>"
    )


def _line(percent: float, top: int) -> str:
    return f'<line x1="{percent:.2f}%" x2="{percent:.2f}%" y1="{top}" y2="100%"/>'


def _label(percent: float, y: int, text: str) -> str:
    return f'<text x="{percent:.2f}%" y="{y}">{text}</text>'


def _lens(scale: Scale, lens: Scale) -> str:
    left, right = scale.clipped(lens.start), scale.clipped(lens.end)
    return f'<rect class=lens x="{left:.2f}%" y="18" width="{right - left:.2f}%"/>'


def _titled_rows(group: Group, scale: Scale) -> str:
    return f"<h4>{escape(group.title)} <span>{len(group.items):,}</span></h4>{_rows(group, scale)}"


def _rows(group: Group, scale: Scale) -> str:
    """Return the rows of a group: every item if it is small, else its density and its worst items."""
    if len(group.items) <= _ROWS_IN_FULL:
        ordered = sorted(group.items, key=lambda item: (item.not_after, item.name))
        return "".join(_item_row(item, scale) for item in ordered)
    worst = [item for item in group.items if item.state in (State.EXPIRED, State.OVERDUE)][:_WORST_ROWS]
    return _density_row(group, scale) + "".join(_item_row(item, scale) for item in worst)


def _item_row(item: Expiring, scale: Scale) -> str:
    action = item.next_action
    following = f"{action.label} <time>{date(action.due)}</time>" if action else escape(item.state.label)
    return (
        f'<div class="row {state_class(item)}"><span class=who>{icon(item.state)}<b>{escape(item.name)}</b></span>'
        f'<svg class=track role=img aria-label="{describe(item)}">{_bar(item, scale)}</svg>'
        f"<span class=next>{following}</span></div>"
    )


def _bar(item: Expiring, scale: Scale) -> str:
    if item.is_awaited:
        return ""
    start, end = item.not_before, item.not_after
    turn = min(max(item.renew_at, start), end)
    parts = [_box("late", turn, end, scale, y=9, height=8), _box("fresh", start, turn, scale, y=9, height=8)]
    parts += [
        _box("overlap", start, action.due, scale, y=20, height=3)
        for action in item.actions
        if action.verb is Verb.RETIRE
    ]
    if not item.revoked_at and 0 <= scale.percent(item.renew_at) <= 100:  # noqa: PLR2004
        parts.append(_diamond(scale.percent(item.renew_at)))
    return "".join(parts)


def _box(name: str, start: datetime, end: datetime, scale: Scale, *, y: int, height: int) -> str:
    left, right = scale.clipped(start), scale.clipped(end)
    if right <= left:
        return ""
    return f'<rect class={name} x="{left:.2f}%" y="{y}" width="{right - left:.2f}%" height="{height}" rx="1.5"/>'


def _diamond(percent: float) -> str:
    return f'<svg x="{percent:.2f}%" y="13" overflow="visible"><path class=due d="M0-5.5L4 0 0 5.5-4 0z"/></svg>'


def _density_row(group: Group, scale: Scale) -> str:
    density = measure_density(group.items, scale)
    week, count = density.busiest
    label = f"{len(group.items):,} entries: at most {max(density.valid):,} valid at once"
    busiest = f"{count:,} renewals in the week from {date(week)}"
    return (
        f'<div class="row crowd"><span class=who><b>all {len(group.items):,}</b></span>'
        f'<svg class=track role=img aria-label="{label}, busiest: {busiest}">{_areas(density, scale)}</svg>'
        f"<span class=next>up to {count:,} renewals a week</span></div>"
    )


def _areas(density: Density, scale: Scale) -> str:
    weeks = len(density.weeks)
    peak, busiest = max(*density.valid, 1), max(*density.renewals, 1)
    # The last week may reach beyond the scale: the view box ends where the scale ends.
    width = (scale.end - scale.start) / timedelta(days=7)
    frame = f'preserveAspectRatio="none" viewBox="0 0 {width:.3f} {_AREA_HEIGHT}" width="100%"'
    columns = "".join(
        f"M{week} {_AREA_HEIGHT}v-{_AREA_HEIGHT * density.renewals[week] / busiest:.1f}h.8V{_AREA_HEIGHT}z"
        for week in range(weeks)
        if density.renewals[week]
    )
    return (
        f'<svg y="4" height="34" {frame}><path class=late d="{_area(density.valid, peak)}"/>'
        f'<path class=fresh d="{_area(density.fresh, peak)}"/></svg>'
        f'<svg y="41" height="18" {frame}><path class=due d="{columns}"/></svg>'
    )


def _area(counts: tuple[int, ...], peak: int) -> str:
    steps = "".join(f"V{_AREA_HEIGHT - _AREA_HEIGHT * max(count, 0) / peak:.1f}h1" for count in counts)
    return f"M0 {_AREA_HEIGHT}{steps}V{_AREA_HEIGHT}z"
