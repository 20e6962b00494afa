"""Remembers which files each resource declares during one run, so that no resource deletes what another has written.

The engine makes what is new before it deletes what is gone. So whoever takes over a directory writes its files before
the one who had it removes its own. Every resource that is still declared passes through Check before that: there it
claims its files, and what others have claimed in a run is not removed in it.
"""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from postseal_core.errors import PostsealError
from postseal_core.files.bringing import Bringer
from postseal_core.plugin.handler import Context
from postseal_core.wording import shown

__all__ = ["bringer_of", "claim", "owner_of", "place_of", "unclaimed"]


class _Claims:
    """The paths that each resource, by URN, declares at one place."""

    def __init__(self) -> None:
        self._paths: dict[str, frozenset[str]] = {}
        self._lock = threading.Lock()

    def set(self, urn: str, paths: Iterable[str]) -> None:
        with self._lock:
            self._paths[urn] = frozenset(paths)

    def of_others(self, urn: str) -> frozenset[str]:
        with self._lock:
            return frozenset(path for other, paths in self._paths.items() if other != urn for path in paths)


def owner_of(urn: str) -> str:
    """Return the project and stack of a resource, as the mark at a place names them."""
    stack, project = urn.split("::")[:2]
    return f"{project}/{stack.removeprefix('urn:pulumi:')}"


def bringer_of(context: Context, take_over: Iterable[str] = ()) -> Bringer:
    """Return the resource as the writer of its files."""
    return Bringer(owner=owner_of(context.urn), report=context.report, take_over=frozenset(take_over))


def place_of(directory: str | Path) -> str:
    """Return one name for a directory, however its path is written; it need not exist.

    Raises PostsealError for what no directory can be named.
    """
    try:
        return str(Path(directory).resolve())
    except ValueError as error:  # a zero byte
        raise PostsealError(f"no directory can have the name {shown(str(directory))}") from error


def claim(context: Context, place: str, paths: Iterable[str]) -> None:
    """Note for this run that the resource declares `paths` in a place."""
    _claims(context, place).set(context.urn, paths)


def unclaimed(context: Context, place: str, owned: Mapping[str, str]) -> dict[str, str]:
    """Return those of `owned` that no other resource declares in this run: they may be removed."""
    others = _claims(context, place).of_others(context.urn)
    return {path: digest for path, digest in owned.items() if path not in others}


def _claims(context: Context, place: str) -> _Claims:
    return context.memory.made_once(_Claims, place, _Claims)
