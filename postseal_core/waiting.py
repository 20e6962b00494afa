"""A resource that waits: declared, but what it is made of is not there yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["AWAITS", "Awaiting", "is_awaiting"]

AWAITS: Final = "awaits"
"""The one property of a resource that waits, on the wire and in the state."""


@dataclass(frozen=True, slots=True)
class Awaiting:
    """The arguments of a resource of any type, in place of its own, until what it waits for is there.

    `awaits`: for readers, as `the certificate of issuing`. Only a new resource can wait; one that exists is kept as it
    is, because its declaration is refused.
    """

    awaits: str


def is_awaiting(properties: Mapping[str, object]) -> bool:
    """Whether inputs or a state are those of a resource that waits."""
    return AWAITS in properties
