"""A review as plain text for a terminal; pure."""

from collections.abc import Iterator
from typing import Final

from postseal.ledger.columns import aligned
from postseal.review.blocks import Block, Bullets, Folded, Heading, Lines, Table
from postseal.review.document import LIMITS, document
from postseal.review.inline import unmarked
from postseal.review.model import Review

__all__ = ["render_text"]

_UNDERLINES: Final = {1: "=", 2: "-"}


def render_text(review: Review) -> str:
    """Return the review, as much of it as a reader takes in."""
    blocks = (list(_block(each)) for each in document(review, LIMITS[0]))
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(level, text):
            yield unmarked(text)
            if level in _UNDERLINES:
                yield _UNDERLINES[level] * len(unmarked(text))
        case Lines():
            yield from (unmarked(each) for each in block.lines if each)
        case Bullets(items):
            yield from (f"  {unmarked(f'{label}: {text}' if label else text)}" for label, text in items)
        case Table(head, rows):
            yield from aligned(tuple(map(unmarked, row)) for row in (head, *rows))
        case Folded(summary, lines):
            yield f"{unmarked(summary)}{':' if lines else ''}"
            yield from (f"  {unmarked(each)}" for each in lines)
