"""Values as handlers see them: plain dicts, lists, text, numbers and booleans, with one marker for the unknown."""

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

__all__ = ["UNKNOWN", "Path", "Properties", "Unknown", "contains_unknown", "is_unknown", "value_at"]

Properties = Mapping[str, Any]
"""Property values by snake_case name; secrets are unwrapped, whole numbers are `int`."""

Path = tuple[str | int, ...]
"""Place of a value inside properties: names of members and positions in lists."""


class Unknown:
    """Type of `UNKNOWN`, the value of everything that a preview cannot know yet."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth; test it with is_unknown first")


UNKNOWN: Final = Unknown()


def is_unknown(value: object) -> TypeGuard[Unknown]:
    """Return whether this very value is unknown (its members are not looked at)."""
    return value is UNKNOWN


def contains_unknown(value: object) -> bool:
    """Return whether the value or anything in it is unknown."""
    if isinstance(value, Mapping):
        return any(contains_unknown(member) for member in value.values())
    if isinstance(value, list | tuple):
        return any(contains_unknown(item) for item in value)
    return is_unknown(value)


def value_at(properties: object, path: Path) -> object | None:
    """Return the value at a path, or None where nothing stands there."""
    for step in path:
        if isinstance(properties, Mapping) and isinstance(step, str):
            properties = properties.get(step)
        elif isinstance(properties, list) and isinstance(step, int) and step < len(properties):
            properties = properties[step]
        else:
            return None
    return properties
