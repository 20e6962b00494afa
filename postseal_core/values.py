"""The marker for what a preview cannot know yet, and places inside plain values."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeVar, Union

from postseal_core.errors import PostsealError

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = [
    "MUST_BE_KNOWN",
    "SECRET_SIGNATURE",
    "SIGNATURE_KEY",
    "UNKNOWN",
    "Maybe",
    "Path",
    "Unknown",
    "is_unknown",
    "known",
    "value_at",
]

Path = tuple[str | int, ...]
"""Place of a value inside properties: names of members and positions in lists."""


SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
"""The member of an object by which the engine says that it is no plain one, on the wire and in its state."""
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # a public marker
"""The value of that member in what stands for a secret."""


class Unknown:
    """Type of `UNKNOWN`, the value of everything that a preview cannot know yet."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth; test it with is_unknown first")


UNKNOWN: Final = Unknown()

T = TypeVar("T")
Maybe = Union[T, Unknown]  # noqa: UP007 - an alias with a type variable
"""A value, or UNKNOWN where a preview cannot know it yet."""

MUST_BE_KNOWN: Final = "must be known before `pulumi up`, not the output of another resource"
"""What is said of an unknown value where a decision depends on it."""


def is_unknown(value: object) -> "TypeIs[Unknown]":
    """Return whether this very value is unknown (its members are not looked at)."""
    return value is UNKNOWN


def known(value: Maybe[T]) -> T:
    """Return a value that only a preview may lack; raise if it is unknown.

    Raises:
        PostsealError: it is unknown all the same.
    """
    if is_unknown(value):
        raise PostsealError("a value is not known yet that `pulumi up` needs: run `pulumi up` again")
    return value


def is_deferred(value: object) -> bool:
    """Return whether a value of a program is an Output of Pulumi, which stands for one that is known later."""
    return callable(getattr(value, "apply", None))


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
