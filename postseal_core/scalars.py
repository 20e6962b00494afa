"""Shapes that read and write single values of records: texts, numbers, instants, words; see `postseal_core.records`."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from postseal_core.bounds import LARGEST_STORED_NUMBER
from postseal_core.instants import format_instant, parse_instant
from postseal_core.shapes import Scalar

__all__ = ["SCALARS", "word_shape"]

# A roster has few instants and issuers for its thousands of clients: each is parsed and written once.
_REMEMBERED_TEXTS: Final = 4096
_FRACTION: Final = re.compile(r"-?[0-9]{1,30}(/[0-9]{1,30})?", re.ASCII)


def word_shape(kind: Any) -> Scalar | None:
    """Return the shape of an enum, or of a class with `from_text`; None for any other class."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        words = ", ".join(each.value for each in kind if each.value)
        return Scalar(str, f"one of: {words}", kind, {each.value: each for each in kind}.__getitem__, str)
    if hasattr(kind, "from_text"):
        parse = lru_cache(_REMEMBERED_TEXTS)(kind.from_text)
        return Scalar(str, f"the text of a {kind.__name__}", kind, parse, str)
    return None


def _fraction(text: str) -> Fraction:
    """Return a fraction as `str()` of one writes it; text like `1e999999999` would be computed first."""
    if not _FRACTION.fullmatch(text):
        raise ValueError(text)
    return Fraction(text)


SCALARS: Final[Mapping[Any, Scalar]] = {
    str: Scalar(str, "a text", str),
    int: Scalar(int, "a whole number", int, largest=LARGEST_STORED_NUMBER),
    bool: Scalar(bool, "true or false", bool),
    datetime: Scalar(
        str,
        "an instant, as 2027-03-01T00:00:00Z",
        datetime,
        lru_cache(_REMEMBERED_TEXTS)(parse_instant),
        lru_cache(_REMEMBERED_TEXTS)(format_instant),
    ),
    Fraction: Scalar(str, "a fraction, as 2/3", Fraction, lru_cache(_REMEMBERED_TEXTS)(_fraction), str),
}
"""The shape of each type that stands on the wire as one value."""
