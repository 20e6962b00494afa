"""What resources declare of each place in one run, so that what one of them removes is never what another has there.

The engine makes what is new before it deletes what is gone. So whoever takes over a directory writes its files before
the one who had it removes its own. Every resource that is still declared passes through Check before that: there it
claims its files, and what others have claimed in a run is not removed in it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from postseal_core.plugin.handler import Context

__all__ = ["claim", "place_of", "unclaimed"]


def place_of(directory: str | Path) -> str:
    """Return one name for a directory, however its path is written; it need not exist."""
    return str(Path(directory).resolve())


def claim(context: Context, place: str, paths: Iterable[str]) -> None:
    """Note for this run that the resource declares `paths` in a place."""
    _claims(context, place)[context.urn] = frozenset(paths)


def unclaimed(context: Context, place: str, owned: Mapping[str, str]) -> dict[str, str]:
    """Return what of `owned`, by path, no other resource has declared in this run: what may be removed from a place."""
    others = [paths for urn, paths in list(_claims(context, place).items()) if urn != context.urn]
    return {path: digest for path, digest in owned.items() if not any(path in paths for paths in others)}


def _claims(context: Context, place: str) -> dict[str, frozenset[str]]:
    claims: dict[str, frozenset[str]] = context.parsed.setdefault(f"declared in {place}", {})
    return claims
