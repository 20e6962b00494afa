"""Render the inventory as one self-contained HTML page: summary, next steps, timeline, filterable tables, hosts."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from operator import itemgetter

from postseal.report.logged import logged
from postseal.report.markup import ICONS, date, icon
from postseal.report.model import Action, Expiring, Inventory, State, Unseen
from postseal.report.on_host import unseen_sentence
from postseal.report.page_hosts import render_hosts
from postseal.report.page_table import render_groups
from postseal.report.selection import group_items, to_serve_anew
from postseal.report.timeline_svg import render_timeline

__all__ = ["PageAssets", "render_page"]

_URGENT = (
    (State.EXPIRED, "expired"),
    (State.OVERDUE, "overdue"),
    (State.CANNOT_TELL, "nobody can tell"),
    (State.WAITING, "waiting"),
)
_STEPS = 6
_NAMES_IN_STEP = 3


@dataclass(frozen=True, slots=True)
class PageAssets:
    """Style sheet and script of the page, to be put into it."""

    style: str
    script: str


def render_page(inventory: Inventory, items: Iterable[Expiring], assets: PageAssets) -> str:
    """Return an HTML document that needs nothing else: no network, no font, no library.

    Its content security policy forbids every request and every style or script but its own two, so that a name in a
    certificate cannot become markup that acts. Readable without the script, which only filters.
    """
    shown = tuple(items)
    title = escape(f"Certificates of {inventory.project}/{inventory.stack}, {date(inventory.now)}")
    return (
        f"<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        f'<meta http-equiv=Content-Security-Policy content="{_policy(assets)}">'
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        '<meta name=color-scheme content="light dark">'
        f"<title>{title}</title><style>{assets.style}</style></head>\n"
        f"<body>{ICONS}{_header(inventory, shown)}\n{_to_serve_anew(shown)}"
        f"<main><section aria-label=Summary>{_tiles(shown)}</section>\n{_steps(inventory, shown)}"
        f"{_unseen(inventory)}{_logged(inventory, shown)}"
        f"<section><h2>Timeline</h2>{render_timeline(inventory, shown)}{_LEGEND}</section>\n"
        f"<section><h2>Everything that expires</h2>{_CONTROLS}{render_groups(group_items(shown))}</section>\n"
        f"{render_hosts(inventory)}</main>\n"
        "<footer>Read from the engine's state without decrypting a secret. All times are UTC.</footer>"
        f"<script>{assets.script}</script></body></html>\n"
    )


def _to_serve_anew(items: tuple[Expiring, ...]) -> str:
    return "".join(f"<p class=verdict role=alert>{escape(line)}.</p>\n" for line in to_serve_anew(items))


def _header(inventory: Inventory, items: tuple[Expiring, ...]) -> str:
    return (
        f"<header><p class=eyebrow>Certificates of {escape(inventory.project)}</p><h1>{escape(inventory.stack)}</h1>"
        f"<p class=stamp>{inventory.now:%Y-%m-%d %H:%M} UTC</p>"
        f"<p class=verdict>{_verdict(inventory, items)}</p></header>"
    )


_LEGEND = (
    "<ul class=legend aria-label=Legend>"
    '<li><svg><rect class=fresh y="3" width="24" height="8" rx="1.5"/></svg>valid'
    '<li><svg><rect class=late y="3" width="24" height="8" rx="1.5"/></svg>valid, but past its renewal point'
    '<li><svg><path class=due d="M12 1.5L16 7l-4 5.5L8 7z"/></svg>renewal due'
    '<li><svg><rect class=overlap y="6" width="24" height="3" rx="1.5"/></svg>earlier generation still accepted'
    '<li><svg><rect class=lens width="24" height="14"/></svg>part shown enlarged below'
    "</ul>"
)

_CONTROLS = (
    "<form class=controls role=search hidden><label>Filter <input type=search autocomplete=off spellcheck=false "
    'placeholder="name, subject, fingerprint or date"></label><output aria-live=polite></output></form>'
)


def _policy(assets: PageAssets) -> str:
    return f"default-src 'none'; style-src {_source(assets.style)}; script-src {_source(assets.script)}"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _verdict(inventory: Inventory, items: tuple[Expiring, ...]) -> str:
    counts = {state: sum(item.state is state for item in items) for state in State}
    faults = len({each.host for each in inventory.unseen if each.is_fault})
    urgent = [
        *(f"{counts[state]:,} {words}" for state, words in _URGENT if counts[state]),
        *([f"{faults:,} {'host' if faults == 1 else 'hosts'} with a certificate at fault"] if faults else []),
    ]
    soon = f"{counts[State.DUE_SOON]:,} due within {inventory.soon_days} days"
    if urgent:
        return ", ".join([*urgent, *([soon] if counts[State.DUE_SOON] else [])]) + "."
    if counts[State.DUE_SOON]:
        return f"Nothing is overdue; {soon}."
    return "All fine." if items else "Nothing in this stack expires."


def _tiles(items: tuple[Expiring, ...]) -> str:
    tiles = "".join(_tile(state, sum(item.state is state for item in items)) for state in State)
    return f"<div class=tiles>{tiles}</div>"


def _tile(state: State, count: int) -> str:
    return (
        f"<button type=button class='tile s-{state.value}{'' if count else ' none'}' data-state={state.value} "
        f"aria-pressed=false disabled><b>{count:,}</b><span>{icon(state)}{state.label}</span></button>"
    )


def _steps(inventory: Inventory, items: tuple[Expiring, ...]) -> str:
    """Return the next steps by date; equal steps on one day share a line."""
    steps = list(_grouped_steps(inventory, items))
    if not steps:
        return ""
    rows = "".join(_step(day, label, members) for (day, label), members in steps[:_STEPS])
    more = f"<p class=more>and {len(steps) - _STEPS:,} more steps later</p>" if len(steps) > _STEPS else ""
    return f"<section><h2>What happens next</h2><ol class=steps>{rows}</ol>{more}</section>\n"


def _logged(inventory: Inventory, items: tuple[Expiring, ...]) -> str:
    """Return what logs say that somebody should look at."""
    until = date(inventory.logs_until) if inventory.logs_until else ""
    lines = "".join(f"<li><time>{until}</time><span>{escape(line)}</span>" for line in logged(inventory, items))
    return f"<section><h2>Seen in logs</h2><ol class=steps>{lines}</ol></section>\n" if lines else ""


def _unseen(inventory: Inventory) -> str:
    """Return what is to be said of hosts' own certificates beside their dates."""
    if not inventory.unseen:
        return ""
    rows = "".join(_unseen_row(each) for each in inventory.unseen)
    return f"<section><h2>Certificates that hosts have by themselves</h2><ol class=steps>{rows}</ol></section>\n"


def _unseen_row(each: Unseen) -> str:
    state = State.OVERDUE if each.is_fault else State.CANNOT_TELL
    sentence = escape(unseen_sentence(each))
    return f"<li class=s-{state.value}><time>now</time><span>{icon(state)}<b>{escape(each.host)}</b> {sentence}</span>"


def _grouped_steps(
    inventory: Inventory, items: tuple[Expiring, ...]
) -> Iterator[tuple[tuple[str, str], list[Expiring]]]:
    planned = [(_step_key(inventory, item.next_action), item) for item in items if item.next_action]
    planned.sort(key=lambda pair: (pair[0], pair[1].worst_first))
    for key, pairs in groupby(planned, key=itemgetter(0)):
        yield key, [item for _, item in pairs]


def _step_key(inventory: Inventory, action: Action) -> tuple[str, str]:
    """Sort key of a step: by day, with overdue steps, which have none, first."""
    return ("" if action.due <= inventory.now else date(action.due), action.label)


def _step(day: str, label: str, members: list[Expiring]) -> str:
    names = ", ".join(f"<b>{escape(item.name)}</b>" for item in members[:_NAMES_IN_STEP])
    rest = f" and {len(members) - _NAMES_IN_STEP:,} more" if len(members) > _NAMES_IN_STEP else ""
    worst = min(members, key=lambda item: item.worst_first).state
    return f"<li class=s-{worst.value}><time>{day or 'now'}</time><span>{icon(worst)}{label} {names}{rest}</span>"
