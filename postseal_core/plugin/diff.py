"""Compare old with new inputs leaf by leaf, as the engine's detailed diff wants it; pure."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

__all__ = ["CHANGED_OUTSIDE", "Change", "compare", "member_of", "without_told"]

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

CHANGED_OUTSIDE: Final = "changed_outside"
"""The changed property of a resource whose files somebody else changed.

No record has it, so `--diff` shows no values that are the same before and after; the lines beside it name the files.
"""


class Change(StrEnum):
    """The kind of change of one leaf."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Change]:
    """Return the changed leaves by property path (`accepted[0].retire_at`, `rows["alice generation=1"]`).

    An unknown value differs from every known one: what a preview cannot know may change.
    """
    return dict(_members(old, new, ""))


def without_told(changes: Mapping[str, Change], told_by: Mapping[str, str]) -> dict[str, Change]:
    """Leave out changed leaves that another line of the preview already tells.

    `told_by`: for each member that is data the member with the lines; where lines change, the data is left out.
    """
    changed = {member_of(path) for path in changes}
    told = {data for data, lines in told_by.items() if lines in changed}
    return {path: change for path, change in changes.items() if member_of(path) not in told}


def member_of(path: str) -> str:
    """Return the first step of a property path: the member of the inputs that it is in."""
    return re.split(r"[.[]", path, maxsplit=1)[0]


def _members(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[tuple[str, Change]]:
    for name in sorted({*old, *new}):
        where = _join(path, name)
        if name not in old:
            yield where, Change.ADD
        elif name not in new:
            yield where, Change.DELETE
        else:
            yield from _value(old[name], new[name], where)


def _items(old: list[Any], new: list[Any], path: str) -> Iterator[tuple[str, Change]]:
    for index in range(max(len(old), len(new))):
        where = f"{path}[{index}]"
        if index >= len(old):
            yield where, Change.ADD
        elif index >= len(new):
            yield where, Change.DELETE
        else:
            yield from _value(old[index], new[index], where)


def _value(old: object, new: object, path: str) -> Iterator[tuple[str, Change]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _members(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, path)
    elif old != new:
        yield path, Change.UPDATE


def _join(path: str, name: str) -> str:
    if not _PLAIN_NAME.match(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{name}" if path else name
