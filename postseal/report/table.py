"""Render the inventory as tables for a terminal, one for each group, worst first."""

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.console import Group as Stack
from rich.table import Table
from rich.text import Text

from postseal.report.logged import logged
from postseal.report.model import Expiring, Inventory, State, Verb
from postseal.report.on_host import unseen_sentence
from postseal.report.selection import Group, group_items, to_serve_anew

__all__ = ["DEFAULT_ROWS", "TableStyle", "console_of", "lines_of", "printable", "render_table"]

DEFAULT_ROWS = 50
_SHOWS_SUBJECT_FROM_COLUMNS = 110
_OTHER_COLUMNS = 68
_SHORTEST_NAME = 12
_LAST_SEEN_COLUMNS = len("2027-07-30 g1, not g2")
_NEW_REQUEST = (
    "the key is where the request was made; have a new key and a request made there, put the request in place of the "
    "old one, and run `pulumi up`"
)
_MARKS = {
    State.EXPIRED: ("✗", "bold red"),
    State.OVERDUE: ("!", "bold yellow"),
    State.CANNOT_TELL: ("?", "bold yellow"),
    State.WAITING: ("…", "magenta"),
    State.DUE_SOON: ("◷", "yellow"),
    State.OK: ("✓", "green"),
    State.REVOKED: ("⊘", "dim"),
}


@dataclass(frozen=True, slots=True)
class TableStyle:
    """How to draw: terminal width in columns, colours or none, at most how many rows in a group (None: all)."""

    width: int = 100
    has_color: bool = False
    rows: int | None = DEFAULT_ROWS


def render_table(inventory: Inventory, items: Iterable[Expiring], style: TableStyle) -> str:
    """Return the report as text: a line that sums up, then a table for each group with its worst items first.

    Rows that do not fit are counted (`and 9,950 more that are fine`). Control characters in names are replaced. What is
    not signed yet has a line of its own behind the tables: what is to be done.
    """
    shown = tuple(items)
    console = console_of(style)
    console.print(_summary(inventory, shown))
    for line in to_serve_anew(shown):
        console.print(Text(printable(line), style="bold red"))
    has_last_seen = any(item.last_seen for item in shown)
    name_width = _name_width(shown, style.width - (_LAST_SEEN_COLUMNS + 2 if has_last_seen else 0))
    for group in group_items(shown):
        console.print(_group(group, style, name_width))
    for each in inventory.unseen:
        mark, color = _MARKS[State.OVERDUE if each.is_fault else State.CANNOT_TELL]
        line = f"{mark} {each.host}: {unseen_sentence(each)}"
        console.print(Text(printable(line), style=color), soft_wrap=True)
    for number, line in enumerate(logged(inventory, shown)):
        console.print(Text(f"{'' if number else chr(10)}{printable(line)}"), soft_wrap=True)
    for proof in inventory.proven:
        console.print(Text(printable(f"{proof.host}: {proof.label}"), style="dim"), soft_wrap=True)
    if requested := [item.label for item in shown if _needs_request(item)]:
        told = f"{', '.join(map(printable, requested))}: {_NEW_REQUEST}"
        console.print(Text(f"\n{told}"), soft_wrap=True)
    for item in shown:
        if item.is_awaited:
            told = "; ".join([item.reason, *item.notes])
            console.print(Text(f"\n{printable(item.name)}: {printable(told)}"))
    return lines_of(console)


def _needs_request(item: Expiring) -> bool:
    return item.next_action is not None and item.next_action.verb is Verb.NEW_REQUEST and not item.state.is_fine


def console_of(style: TableStyle) -> Console:
    """Return a console that records in memory; `lines_of` takes the text out of it."""
    return Console(
        file=io.StringIO(),
        width=style.width,
        record=True,
        force_terminal=style.has_color,
        color_system="standard" if style.has_color else None,
        highlight=False,
    )


def lines_of(console: Console) -> str:
    """Return what was printed, without the spaces that fill lines up."""
    text = console.export_text(styles=console.is_terminal)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def printable(text: str) -> str:
    """Return the text with control characters replaced: a name must not move the cursor or colour the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _summary(inventory: Inventory, items: tuple[Expiring, ...]) -> Text:
    counts = Counter(item.state for item in items)
    text = Text(
        f"{printable(inventory.project)}/{printable(inventory.stack)} at {inventory.now:%Y-%m-%d %H:%M} UTC\n",
        style="bold",
    )
    parts = [Text(f"{counts[state]:,} {state.label}", style=_MARKS[state][1]) for state in State if counts[state]]
    empty = "nothing that expires matches the filters" if inventory.items else "nothing here expires"
    return text + (Text(", ").join(parts) if parts else Text(empty))


def _group(group: Group, style: TableStyle, name_width: int) -> RenderableType:
    rows = group.items[: style.rows]
    has_last_seen = any(item.last_seen for item in group.items)
    table = _empty_table(style.width, name_width, has_last_seen=has_last_seen)
    for item in rows:
        table.add_row(*_cells(item, style.width, has_last_seen=has_last_seen))
    heading = Text(f"\n{printable(group.title)} ", style="bold") + Text(f"({len(group.items):,})", style="dim")
    return Stack(heading, table, *_rest(group.items[len(rows) :]), *_ages(rows))


def _empty_table(width: int, name_width: int, *, has_last_seen: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    table.add_column("State", no_wrap=True, min_width=10)
    table.add_column("Name", no_wrap=True, overflow="ellipsis", width=name_width)
    table.add_column("Expires", no_wrap=True, min_width=10)
    table.add_column("Days", no_wrap=True, min_width=6, justify="right")
    table.add_column("Next", no_wrap=True, min_width=len("retire generation 1"))
    table.add_column("On", no_wrap=True, min_width=10)
    if has_last_seen:
        table.add_column("Last seen", no_wrap=True, min_width=_LAST_SEEN_COLUMNS)
    if width >= _SHOWS_SUBJECT_FROM_COLUMNS:
        table.add_column("Subject", no_wrap=True, overflow="ellipsis")
    return table


def _name_width(items: tuple[Expiring, ...], width: int) -> int:
    """Return one width of the name column for all groups, to keep columns aligned."""
    longest = max((len(printable(item.name)) for item in items), default=0)
    return max(min(longest, width - _OTHER_COLUMNS), _SHORTEST_NAME)


def _cells(item: Expiring, width: int, *, has_last_seen: bool) -> list[Text]:
    mark, color = _MARKS[item.state]
    action = item.next_action
    cells = [
        Text(f"{mark} {item.state.label}", style=color),
        Text(printable(item.name)),
        Text(item.end_label),
        Text(item.days_label),
        Text(action.label if action else "-"),
        Text(f"{action.due:%Y-%m-%d}" if action else "-"),
    ]
    if has_last_seen:
        seen = item.last_seen
        needs_look = seen is not None and (seen.is_behind or seen.is_missed)
        cells.append(Text(seen.label if seen else "-", style="yellow" if needs_look else ""))
    subject = Text(printable(item.subject), style="dim")
    return [*cells, subject] if width >= _SHOWS_SUBJECT_FROM_COLUMNS else cells


def _ages(items: tuple[Expiring, ...]) -> list[Text]:
    """Return how old each fact is that was only seen: the column of names may be too narrow for it."""
    seen = [printable(item.label) for item in items if item.seen_at]
    return [Text(f"looked at: {', '.join(seen)}", style="dim")] if seen else []


def _rest(items: tuple[Expiring, ...]) -> list[Text]:
    if not items:
        return []
    open_count = sum(not item.state.is_fine for item in items)
    fine = "that are fine" if not open_count else f"of which {open_count:,} need attention (--all shows them)"
    return [Text(f"and {len(items):,} more {fine}", style="dim")]
