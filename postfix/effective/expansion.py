"""Fill in the references of main.cf for one service, as Postfix does: against its own options over main.cf.

No call of postconf(1) gives that: `-x` expands without the options of a service, `-P` names overridden ones only.
"""

import re
from collections.abc import Callable, Mapping
from itertools import zip_longest
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType
from typing import Any, Final

__all__ = ["CannotExpandError", "Values", "expanded", "is_level_from"]

_DEEPEST: Final = 40
_LONGEST: Final = 1_048_576
_MOST_STEPS: Final = 20_000
_NAME: Final = re.compile(r"\w+", re.ASCII)
_OPERATOR: Final = re.compile(r"\s*(==|!=|<=|>=|<|>)(level)?\s*(?=\{)")
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = MappingProxyType(
    {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
)
_CLOSING: Final = MappingProxyType({"{": "}", "(": ")"})


class CannotExpandError(ValueError):
    """A value refers to itself, is deeper or longer than is followed here, or has no form that is known."""


class Values(dict[str, str]):
    """The effective values of one service by name, expanded when they are asked for; empty for unknown names.

    `unexpandable`: names of those that could not be expanded, and count as empty.
    """

    def __init__(self, raw: Mapping[str, str]) -> None:
        super().__init__()
        self.raw = raw
        self.unexpandable: list[str] = []

    def __missing__(self, name: str) -> str:
        try:
            value = expanded(self.raw.get(name, ""), self.raw).strip()
        except CannotExpandError:
            self.unexpandable.append(name)
            value = ""
        self[name] = value
        return value

    def is_yes(self, name: str) -> bool:
        """Return whether a boolean parameter is yes."""
        return self[name].lower() == "yes"


def expanded(value: str, raw: Mapping[str, str]) -> str:
    """Return a value with all references filled in from `raw`, unexpanded itself; unknown names are empty.

    Raises:
        CannotExpandError: see there.
    """
    return _Expansion(raw).of(value, _DEEPEST)


class _Expansion:
    """One expansion, bounded in depth, length and steps."""

    def __init__(self, raw: Mapping[str, str]) -> None:
        self._raw = raw
        self._steps = 0

    def of(self, value: str, depth: int) -> str:
        """Return a text with its references filled in."""
        self._steps += 1
        if depth == 0 or self._steps > _MOST_STEPS:
            raise CannotExpandError("a value refers to itself, or is nested too deep")
        parts: list[str] = []
        place = 0
        while (start := value.find("$", place)) >= 0:
            text, end = self._reference(value, start + 1, depth - 1)
            parts += [value[place:start], text]
            place = end
        filled = "".join([*parts, value[place:]])
        if len(filled) > _LONGEST:
            raise CannotExpandError(f"a value is longer than {_LONGEST} characters")
        return filled

    def _reference(self, value: str, start: int, depth: int) -> tuple[str, int]:
        """Return what stands for the reference behind a `$`, and where the text goes on."""
        first = value[start : start + 1]
        if first == "$":
            return "$", start + 1
        if first in _CLOSING:
            end = _end_of(value, start)
            return self._braced(value[start + 1 : end - 1], depth), end
        if match := _NAME.match(value, start):
            return self._named(match[0], depth), match.end()
        # Postfix leaves it as it is, as in the default of smtpd_expansion_filter.
        return "$", start

    def _named(self, name: str, depth: int) -> str:
        return self.of(self._raw.get(name, ""), depth)

    def _braced(self, inner: str, depth: int) -> str:
        text = inner.strip()
        if text.startswith("{"):
            return self._compared(text, depth)
        match = _NAME.match(text)
        if match is None:
            raise CannotExpandError("braces hold no name")
        rest = text[match.end() :].lstrip()
        value = self._named(match[0], depth)
        return self._chosen(rest, is_true=bool(value), depth=depth) if rest else value

    def _compared(self, text: str, depth: int) -> str:
        middle = _end_of(text, 0)
        operator = _OPERATOR.match(text, middle)
        if operator is None:
            raise CannotExpandError("a comparison has no operator that is known")
        end = _end_of(text, operator.end())
        left = self.of(text[1 : middle - 1], depth)
        right = self.of(text[operator.end() + 1 : end - 1], depth)
        is_true = _holds(left, operator[1], right, is_level=bool(operator[2]))
        return self._chosen(text[end:].lstrip(), is_true=is_true, depth=depth)

    def _chosen(self, rest: str, *, is_true: bool, depth: int) -> str:
        """Return the alternative of `?yes`, `:no`, `?{yes}:{no}` that holds; each may be in braces or bare."""
        sign, tail = rest[:1], rest[1:].lstrip()
        if sign not in ("?", ":"):
            raise CannotExpandError("a condition has no ? or : behind it")
        if not tail.startswith("{"):
            return self.of(rest[1:], depth) if is_true == (sign == "?") else ""
        end = _end_of(tail, 0)
        yes, behind = tail[1 : end - 1], tail[end:].strip()
        if sign == ":":
            return "" if is_true else self.of(yes, depth)
        if is_true:
            return self.of(yes, depth)
        no = behind[1:].lstrip() if behind.startswith(":") else ""
        return self.of(no[1 : _end_of(no, 0) - 1] if no.startswith("{") else no, depth)


def _end_of(text: str, start: int) -> int:
    """Return the place behind the bracket that closes the one at `start`."""
    opening = text[start : start + 1]
    closing = _CLOSING.get(opening, "")
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == opening) - (text[place] == closing)
        if depth == 0:
            return place + 1
    raise CannotExpandError("a brace is not closed")


def _holds(left: str, operator: str, right: str, *, is_level: bool) -> bool:
    compare = _COMPARISONS[operator]
    if is_level:
        return compare(*_levels(left, right))
    if left.isdecimal() and right.isdecimal():
        return compare(int(left), int(right))
    return compare(left, right)


def _levels(left: str, right: str) -> tuple[list[int], list[int]]:
    numbers = [[int(part) for part in text.split(".") if part.isdecimal()] for text in (left, right)]
    pairs = [*zip_longest(*numbers, fillvalue=0)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def is_level_from(level: str, other: str) -> bool:
    """Return whether a compatibility level is another one or above it, compared as numbers of versions."""
    one, another = _levels(level, other)
    return one >= another
