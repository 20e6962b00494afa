"""The filterable tables of the page, one for each group, folded where a group is long and fine."""

from html import escape

from postseal.report.markup import date, icon
from postseal.report.model import Accepted, Expiring
from postseal.report.selection import Group

__all__ = ["render_groups"]

_UNFOLDED_ROWS = 40
_ITEMS_WITH_FULL_FINGERPRINTS = 1000
_SHORT_FINGERPRINT = 23

_HEAD = (
    "<thead><tr><th scope=col>State<th scope=col>Name<th scope=col>Expires<th scope=col class=n>Days<th scope=col>Next"
    "<th scope=col class=f>Accepted fingerprints (SHA-256)</thead>"
)


def render_groups(groups: tuple[Group, ...]) -> str:
    """Return one section for each group; long groups are closed and say what is in them.

    Beyond 1,000 items fingerprints are cut to their first eight bytes: the other formats have them in full.
    """
    is_full = sum(len(group.items) for group in groups) <= _ITEMS_WITH_FULL_FINGERPRINTS
    return "".join(_group(group, is_full=is_full) for group in groups)


def _group(group: Group, *, is_full: bool) -> str:
    is_open = " open" if len(group.items) <= _UNFOLDED_ROWS else ""
    states = "".join(
        f"<span class=s-{state.value}>{icon(state)}{count:,} {state.label}</span>" for state, count in group.states()
    )
    title = escape(group.title)
    rows = "\n".join(_row(item, is_full=is_full) for item in group.items)
    return (
        f"<details class=group{is_open}><summary><h3>{title}</h3><span class=count>{len(group.items):,}</span>"
        f"<span class=states>{states}</span></summary><div class=scroll>"
        f'<table aria-label="{title}">{_HEAD}<tbody>\n{rows}</table></div></details>'
    )


def _row(item: Expiring, *, is_full: bool) -> str:
    """Return one row without optional closing tags: with 10,000 rows they are a sixth of the page."""
    action = item.next_action
    following = f"{action.label} <time>{date(action.due)}</time>" if action else "-"
    subject = "" if item.subject in ("", f"CN={item.name}") else f"<small>{escape(item.subject)}</small>"
    return (
        f"<tr class=s-{item.state.value}><td>{icon(item.state)}{item.state.label}"
        f"<td>{escape(item.label)}{subject}<td>{item.end_label}"
        f"<td class=n>{item.days_label}<td>{following}{_last_seen(item)}"
        f"<td class=f>{''.join(_fingerprint(item, row, is_full=is_full) for row in item.accepted)}"
    )


def _last_seen(item: Expiring) -> str:
    return f"<small>seen {escape(item.last_seen.label)}</small>" if item.last_seen else ""


def _fingerprint(item: Expiring, row: Accepted, *, is_full: bool) -> str:
    text = escape(row.fingerprint if is_full else row.fingerprint[:_SHORT_FINGERPRINT] + "…")
    is_earlier = row.generation != item.generation
    until = f"<small>generation {row.generation}, until {date(row.until)}</small>" if is_earlier else ""
    return f"<code>{text}</code>{until}"
