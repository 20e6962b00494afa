"""Small pieces of HTML that table, timeline and page share; every text is escaped here or by the caller."""

from datetime import datetime
from html import escape

from postseal.report.model import Expiring, State

__all__ = ["ICONS", "date", "describe", "icon", "state_class"]

# Drawn on a 12 x 12 field; shape and colour both tell the state, so that neither is needed alone.
_SHAPES = {
    State.EXPIRED: '<path d="M2.5 2.5l7 7m0-7l-7 7"/>',
    State.OVERDUE: '<path d="M6 1.8v5.4M6 10v.1"/>',
    State.CANNOT_TELL: '<path d="M3.8 4.2a2.2 2.2 0 1 1 3.1 2c-.6.3-.9.7-.9 1.3M6 10v.1"/>',
    State.WAITING: '<path d="M1.9 6h.1M6 6h.1M10 6h.1"/>',
    State.DUE_SOON: '<circle cx="6" cy="6" r="4.3"/><path d="M6 3.4V6l1.8 1.3"/>',
    State.OK: '<path d="M1.8 6.6l2.8 2.8 5.6-6.6"/>',
    State.REVOKED: '<circle cx="6" cy="6" r="4.3"/><path d="M3 9l6-6"/>',
}

ICONS = (
    '<svg width="0" height="0" aria-hidden="true" focusable="false">'
    + "".join(f'<symbol id="{state.value}" viewBox="0 0 12 12">{shape}</symbol>' for state, shape in _SHAPES.items())
    + "</svg>"
)
"""Definitions of all icons, to stand once in the page before the first use."""


def icon(state: State) -> str:
    """Return the icon of a state; the word beside it carries the meaning for a screen reader."""
    return f'<svg class=i aria-hidden=true><use href="#{state.value}"/></svg>'


def state_class(item: Expiring) -> str:
    """Return the class that colours an item."""
    return f"s-{item.state.value}"


def date(instant: datetime) -> str:
    """Return a day in UTC."""
    return f"{instant:%Y-%m-%d}"


def describe(item: Expiring) -> str:
    """Return one escaped sentence that says what the bar of an item shows."""
    steps = [f"{action.label} on {date(action.due)}" for action in item.actions]
    dates = f"valid from {date(item.not_before)} to {date(item.not_after)}"
    parts = ["not signed yet" if item.is_awaited else dates, *steps]
    return escape(f"{item.name}, {item.state.label}: {', '.join(parts)}")
