"""What has to be found in a table, and what must not be, when a deployment has built it and when it is in force."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["Lookups", "as_lines", "has_rows", "keys_of", "lookups_of"]

# A line that begins with a blank goes on with the row above.
_KEY: Final = re.compile(rb"^(?!#)\S+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lookups:
    """Keys of one table, each once.

    `declared`: every key. `added`: those of rows that were not there before as they are. `withdrawn`: keys that were
    there and are declared no more; Postfix folds case, so another spelling of a declared key is none.
    """

    declared: tuple[bytes, ...]
    added: tuple[bytes, ...]
    withdrawn: tuple[bytes, ...]


def lookups_of(source: bytes, before: bytes) -> Lookups:
    """Return the keys to look up in the table that is made of `source`, where `before` was its source until now."""
    lines, lines_before = set(source.split(b"\n")), set(before.split(b"\n"))
    gone = keys_of(b"\n".join(line for line in before.split(b"\n") if line not in lines))
    # Of large tables few rows change, and mostly none goes.
    known = {*keys_of(source.lower())} if gone else set()
    return Lookups(
        declared=keys_of(source),
        added=keys_of(b"\n".join(line for line in source.split(b"\n") if line not in lines_before)),
        withdrawn=tuple(key for key in gone if key.lower() not in known),
    )


def as_lines(keys: Iterable[bytes]) -> bytes:
    """Return keys as postmap(1) reads them from its input, one a line."""
    return b"".join(key + b"\n" for key in keys)


def has_rows(source: bytes) -> bool:
    """Return whether a table has any row."""
    return _KEY.search(source) is not None


def keys_of(source: bytes) -> tuple[bytes, ...]:
    """Return the keys of a table's rows, each once; a line that begins with a blank goes on with the row above."""
    return tuple(dict.fromkeys(_KEY.findall(source)))
