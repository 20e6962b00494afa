"""A review in Markdown for a pull request, never longer than a comment may be; pure."""

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from postseal.review.blocks import Block, Bullets, Folded, Heading, Lines, Table
from postseal.review.document import LIMITS, document
from postseal.review.inline import Span, spans, unmarked
from postseal.review.model import Review

__all__ = ["LONGEST", "render_markdown"]

LONGEST: Final = 65_535
"""Characters of the longest comment on GitHub."""

_CUT: Final = "\n\nThis text is cut here; `--format json` has all of it.\n"
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#~|])")
_MENTION: Final = re.compile(r"(?<![A-Za-z0-9._+-])@(?=[A-Za-z0-9])|\\#(?=[0-9])|(?i:https?|ftp|\bwww)(?=://|\.)")
"""Whom a text would call, the number of an issue, and what becomes a link without any markup."""
_BACKTICKS: Final = re.compile("`+")


def render_markdown(review: Review) -> str:
    """Return the review; of a large one the rest of each list is counted."""
    for limits in LIMITS:
        text = "\n\n".join(filter(None, map(_block, document(review, limits)))) + "\n"
        if len(text) <= LONGEST:
            return text
    return text[: LONGEST - len(_CUT)].rpartition("\n")[0] + _CUT


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_line(text)}"
        case Lines():
            return "\n".join(f"{_line(each)}  " for each in block.lines if each).rstrip()
        case Bullets(items):
            return "\n".join(_bullets(items))
        case Table(head, rows):
            return "\n".join(_table(head, rows))
        case Folded(summary):
            inside = "\n".join(f"- {_line(each)}" for each in block.lines)
            title = escape(unmarked(summary))  # a summary is HTML, in which Markdown is not read
            return f"<details><summary>{title}</summary>\n\n{inside}\n</details>" if block.lines else _line(summary)


def _bullets(items: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"- **{_line(label)}:** {_line(text)}" if label else f"- {_line(text)}" for label, text in items)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'-|' * len(head)}"
    yield from (f"| {' | '.join(_line(cell, is_cell=True) for cell in row)} |" for row in rows)


def _line(text: str, *, is_cell: bool = False) -> str:
    return "".join(_span(kind, piece, is_cell=is_cell) for kind, piece in spans(text))


def _span(kind: Span, text: str, *, is_cell: bool) -> str:
    if kind is Span.BOLD:
        return f"**{_line(text, is_cell=is_cell)}**" if text else ""
    if kind is Span.CODE:
        # Longer than any within: what ends before its end, others could have written.
        longest = max(map(len, _BACKTICKS.findall(text)), default=0)
        fence, blank = "`" * (longest + 1), " " if longest else ""
        return f"{fence}{blank}{text.replace('|', chr(92) + '|') if is_cell else text}{blank}{fence}"
    # Nobody is called by what a stack file says, and no part of it is HTML or a link.
    return _MENTION.sub(r"\g<0><!-- -->", _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;")))
