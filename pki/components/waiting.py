"""Let resources wait whose authority has no certificate yet."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

from postseal_core.errors import Problem
from postseal_core.waiting import Awaiting

__all__ = ["problems_of_waiting_move", "unless_waiting"]

A = TypeVar("A")


class _Waiting(Protocol):
    @property
    def awaits(self) -> str: ...


def unless_waiting(of: _Waiting | None, args: A) -> A | Awaiting:
    """Return the arguments of a resource, or in their place what it waits for, as its authority or certificate does."""
    return Awaiting(of.awaits) if of and of.awaits else args


def problems_of_waiting_move(path: str, authority: _Waiting, sources: object) -> Iterator[Problem]:
    """Report that a client would be lost: its old owner gives it up, and its new one can only wait."""
    if sources and authority.awaits:
        yield Problem(path, f"cannot be taken over before {authority.awaits} is here; leave the client where it is")
