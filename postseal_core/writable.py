"""Find values that cannot be written at all, in texts, numbers, lists and mappings."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Final

from postseal_core.values import MUST_BE_KNOWN, Path, is_deferred
from postseal_core.wording import found

__all__ = ["faults_in", "is_text"]

_DEEPEST: Final = 50
_LARGEST: Final = 2**53 - 1
"""The engine hands numbers on as those of JSON (RFC 8259 section 6): beyond this they are not exact."""


def faults_in(value: object) -> Iterator[tuple[Path, str]]:
    """Yield path and fault of each part of a value that cannot be meant.

    Outputs of other resources; keys that are no text; texts with half a character; numbers beyond what the engine can
    hand on; lists and mappings that hold themselves. Dataclasses are looked into; other objects are left to the reader.
    """
    yield from _faults(value, (), ())


def is_text(value: str) -> bool:
    """Return whether a text can be written as UTF-8: it has no half of a surrogate pair (RFC 3629 section 3)."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _faults(value: object, path: Path, above: tuple[int, ...]) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if not is_text(value):
            yield path, "holds half of a character, which cannot be written as UTF-8"
    elif isinstance(value, int):
        if not -_LARGEST <= value <= _LARGEST:
            yield path, f"is a number beyond {_LARGEST:,}, which the engine cannot hand on"
    elif isinstance(value, float):
        if not isfinite(value):
            yield path, "is no number that can be written: too large, or none at all"
    elif isinstance(value, list | tuple | Mapping) or (is_dataclass(value) and not isinstance(value, type)):
        if id(value) in above or len(above) > _DEEPEST:
            yield path, "holds itself, or is nested too deeply"
        else:
            yield from _faults_of_parts(value, path, (*above, id(value)))
    elif is_deferred(value):
        yield path, MUST_BE_KNOWN


def _faults_of_parts(value: object, path: Path, above: tuple[int, ...]) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            if isinstance(key, str) and is_text(key):
                yield from _faults(part, (*path, key), above)
            else:
                yield path, f"got {found(key)} as a key, expected text; put it into quotes"
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _faults(part, (*path, index), above)
    else:
        for each in fields(value):  # type: ignore[arg-type]  # the caller has asked
            yield from _faults(getattr(value, each.name), (*path, each.name), above)
