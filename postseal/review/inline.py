"""The markup inside a line of a review: `**bold**`, code between backticks, and literal text of others; pure."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from postseal_core.errors import visible

__all__ = ["Span", "literal", "spans", "unmarked"]

_MARKUP: Final = re.compile(r"\*\*((?:\\.|[^\\*])*)\*\*|`((?:\\.|[^\\`])*)`", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class Span(StrEnum):
    """The kinds of a piece of a line."""

    PLAIN = "plain"
    BOLD = "bold"
    CODE = "code"


def literal(text: str) -> str:
    """Return text of others so that nothing in it is markup, and nothing moves a terminal's cursor."""
    return re.sub(r"([\\*`])", r"\\\1", visible(" ".join(text.split())))


def spans(line: str) -> Iterator[tuple[Span, str]]:
    """Yield the pieces of a line with their kinds; inside of a bold one may be code, so it is still marked up."""
    end = 0
    for found in _matches(line):
        if found.start() > end:
            yield Span.PLAIN, _plain(line[end : found.start()])
        bold, code = found.groups()
        yield (Span.BOLD, bold) if bold is not None else (Span.CODE, _plain(code))
        end = found.end()
    if end < len(line):
        yield Span.PLAIN, _plain(line[end:])


def unmarked(line: str) -> str:
    """Return a line without its markup."""
    return "".join(unmarked(text) if kind is Span.BOLD else text for kind, text in spans(line))


def _matches(line: str) -> Iterator[re.Match[str]]:
    """Yield the pieces that are marked; a mark behind a backslash is none."""
    position = 0
    while position < len(line):
        if line[position] == "\\":
            position += 2
        elif found := _MARKUP.match(line, position):
            yield found
            position = found.end()
        else:
            position += 1


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
