"""Annotations for record fields, such as SECRET or a wire name; see `postseal_core.records`."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

__all__ = ["INLINE", "SECRET", "Rule", "Wire"]


class Rule(Protocol):
    """An annotation that restricts the values of a field; not for secrets, as its message may quote the value."""

    def fault(self, value: Any) -> str:
        """Return what is wrong with a value, as `got 0, expected 1 or more`; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A mark of a type hint: the field's name on the wire, where that is not its own."""

    name: str


class _Mark:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


SECRET: Final = _Mark("SECRET")
"""A mark of a type hint: the value is stored encrypted, and no message quotes it."""
INLINE: Final = _Mark("INLINE")
"""A mark of a type hint: the members of this record stand among those of the record that it is part of."""
