"""References in values of main.cf: `$name`, which is filled in, and conditions, of which nobody knows the outcome."""

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["filled_in", "has_condition", "is_reference"]

_REFERENCE: Final = re.compile(r"\$(?:\$|(?P<bare>\w+)|\{(?P<curly>\w+)\}|\((?P<round>\w+)\))", re.ASCII)
_DEEPEST: Final = 8
_LONGEST: Final = 1_048_576


def is_reference(text: str) -> bool:
    """Return whether a text is one `$name` and nothing else."""
    match = _REFERENCE.fullmatch(text)
    return match is not None and match[0] != "$$"


def has_condition(value: str) -> bool:
    """Return whether a value holds a condition, as `${name?...}`, `${name:...}` or `${{...}...}`."""
    return re.search(r"\$[{(]", _REFERENCE.sub("", value)) is not None


def filled_in(value: str, parameters: Mapping[str, str]) -> str | None:
    """Return a value with each `$name` of `parameters` replaced, as deep as they go; None for one that has no end.

    Other names stay: only the host knows them. A value that would become longer than a million characters has no end.
    """
    for _ in range(_DEEPEST):
        length = len(value) + sum(len(_value(match, parameters)) for match in _REFERENCE.finditer(value))
        filled = _REFERENCE.sub(lambda match: _value(match, parameters), value) if length <= _LONGEST else None
        if filled is None or filled == value:
            return filled
        value = filled
    return None


def _value(match: re.Match[str], parameters: Mapping[str, str]) -> str:
    name = match["bare"] or match["curly"] or match["round"]
    return parameters.get(name, match[0]) if name else match[0]
