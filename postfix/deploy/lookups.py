"""What has to be found in a table, and what must not be, when a deployment has built it and when it is in force.

And what brings an index up to date where few rows of many change: to make it anew takes as long as all the rest.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

__all__ = ["Lookups", "as_lines", "has_rows", "keys_of", "lookups_of"]

# A line that begins with a blank goes on with the row above.
_KEY: Final = re.compile(rb"^(?!#)\S+", re.MULTILINE)
_BLANKS: Final = (b" ", b"\t", b"\n", b"\r", b"\f", b"\v")
# So many keys are sought one by one in a large table before all of its keys are taken apart.
_FEW: Final = 16
# Two texts are compared by so many bytes at a time.
_STEP: Final = 4096
# Below this an index is made anew as fast; and of so many rows one may change.
_LARGE_BYTES: Final = 256 * 1024
_MOST_CHANGED: Final = 20
_ROW: Final = re.compile(rb"[^#\s]\S*[ \t]+\S[^\n]*")


@dataclass(frozen=True, slots=True)
class Lookups:
    """Keys of one table that a change is about, each once.

    `added`: those of rows that were not there before as they are. `withdrawn`: keys that were there and are declared no
    more; Postfix folds case, so another spelling of a declared key is none. `rows`: the rows of `added`, where an index
    of the rows before becomes the right one by these and without the withdrawn keys; nothing where it is made anew.
    """

    added: tuple[bytes, ...]
    withdrawn: tuple[bytes, ...]
    rows: bytes = field(default=b"", repr=False)


def lookups_of(source: bytes, before: bytes) -> Lookups:
    """Return the keys to look up in the table that is made of `source`, where `before` was its source until now."""
    new = _lines_beyond(before, source)
    old = _lines_beyond(source, before)
    gone = keys_of(b"\n".join(old))
    kept = _declared(source, gone)
    added = keys_of(b"\n".join(new))
    return Lookups(
        added=added,
        withdrawn=tuple(key for key in gone if key.lower() not in kept),
        rows=as_lines(new) if _can_be_added(new, added, old, source) else b"",
    )


def _lines_beyond(known: bytes, text: bytes) -> list[bytes]:
    """Return the lines of a text that another one has nowhere, in their order."""
    start, end = _differing(text, known)
    lines = text[start:end].split(b"\n")
    if len(lines) <= _FEW:
        whole = b"\n" + known + b"\n"
        return [line for line in lines if b"\n" + line + b"\n" not in whole]
    others = set(known.split(b"\n"))
    return [line for line in lines if line not in others]


def _differing(text: bytes, other: bytes) -> tuple[int, int]:
    """Return where the lines of a text begin and end that are left without those which both begin and end with."""
    start = text.rfind(b"\n", 0, _equal_bytes(text, other)) + 1
    text, other = text[start:], other[start:]
    at_end = _equal_bytes(text[::-1], other[::-1])
    end = text.find(b"\n", len(text) - at_end)
    return start, start + (len(text) if end < 0 else end)


def _equal_bytes(text: bytes, other: bytes) -> int:
    """Return with how many of the same bytes two texts begin."""
    begin = 0
    while begin + _STEP <= len(text) and text[begin : begin + _STEP] == other[begin : begin + _STEP]:
        begin += _STEP
    rest = zip(text[begin : begin + _STEP], other[begin : begin + _STEP], strict=False)
    return begin + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], rest))


def _can_be_added(new: Collection[bytes], keys: Collection[bytes], old: Collection[bytes], source: bytes) -> bool:
    """Return whether rows are few of many, each of one line, with keys that no other row has: else postmap tells."""
    if len(source) < _LARGE_BYTES or not new or len(new) * _MOST_CHANGED > source.count(b"\n"):
        return False
    # A line that goes on with the row above is in the source, or has gone with the one that it went on with.
    if b"\n " in source or b"\n\t" in source or any(line.startswith((b" ", b"\t")) for line in old):
        return False
    if not all(_ROW.fullmatch(line) for line in new):
        return False
    return len({key.lower() for key in keys}) == len(new) and not _declared(_without(source, new), keys)


def _without(source: bytes, lines: Collection[bytes]) -> bytes:
    if len(lines) > _FEW:
        known = set(lines)
        return b"\n".join(line for line in source.split(b"\n") if line not in known)
    left = b"\n" + source + b"\n"
    for line in lines:
        left = left.replace(b"\n" + line + b"\n", b"\n")
    return left


def as_lines(keys: Iterable[bytes]) -> bytes:
    """Return keys as postmap(1) reads them from its input, one a line."""
    return b"".join(key + b"\n" for key in keys)


def has_rows(source: bytes) -> bool:
    """Return whether a table has any row."""
    return _KEY.search(source) is not None


def keys_of(source: bytes) -> tuple[bytes, ...]:
    """Return the keys of a table's rows, each once; a line that begins with a blank goes on with the row above."""
    return tuple(dict.fromkeys(_KEY.findall(source)))


def _declared(source: bytes, keys: Collection[bytes]) -> set[bytes]:
    """Return in small letters those of some keys that a source has."""
    # Of large tables few rows change, and mostly none goes.
    folded = b"\n" + source.lower() + b"\n" if keys else b""
    sought = {key.lower() for key in keys}
    if len(keys) > _FEW:
        return sought.intersection(keys_of(folded))
    return {key for key in sought if any(b"\n" + key + blank in folded for blank in _BLANKS)}
