"""What has to be found in a table, and what must not be, when a deployment has built it and when it is in force.

And what brings an index up to date where few rows of many change: to make it anew takes as long as all the rest.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Lookups", "as_lines", "has_rows", "keys_of", "lookups_of"]

# A line that begins with a blank goes on with the row above.
_KEY: Final = re.compile(rb"^(?!#)\S+", re.MULTILINE)
_BLANKS: Final = (b" ", b"\t", b"\n", b"\r", b"\f", b"\v")
# So many keys are sought one by one in a large table before all of its keys are taken apart.
_FEW: Final = 16
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
    lines, lines_before = source.split(b"\n"), before.split(b"\n")
    known = set(lines_before)
    new = [line for line in lines if line not in known]
    known = set(lines)
    gone = keys_of(b"\n".join(line for line in lines_before if line not in known))
    kept = _declared(source, gone)
    added = keys_of(b"\n".join(new))
    return Lookups(
        added=added,
        withdrawn=tuple(key for key in gone if key.lower() not in kept),
        rows=as_lines(new) if _can_be_added(new, added, lines, source + before) else b"",
    )


def _can_be_added(new: Collection[bytes], keys: Collection[bytes], lines: Collection[bytes], texts: bytes) -> bool:
    """Return whether rows are few of many, each of one line, with keys that no other row has: else postmap tells."""
    if len(texts) < _LARGE_BYTES or not new or len(new) * _MOST_CHANGED > len(lines):
        return False
    if not all(_ROW.fullmatch(line) for line in new) or b"\n " in texts or b"\n\t" in texts:
        return False
    known = set(new)
    others = b"\n".join(line for line in lines if line not in known)
    return len({key.lower() for key in keys}) == len(new) and not _declared(others, keys)


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
