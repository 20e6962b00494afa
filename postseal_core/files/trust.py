"""The rule for trusted directories: who may own and write each one above our files. Pure.

It is the rule that openssh has for the files of a user (`safe_path` in its misc.c), with what Debian adds to it for
groups that have one member. Whoever can write to a directory can put a link or another directory in the place of what
lies in it; so the rule holds for each one from the root down.
"""

import stat
from collections.abc import Collection
from dataclasses import dataclass, field

from postseal_core.wording import shown

__all__ = ["Place", "Trust", "link_complaint", "place_complaint"]


@dataclass(frozen=True, slots=True)
class Place:
    """A directory as it is on the disk; `has_acl`: it has an access list, by which more people may write to it."""

    path: str
    uid: int
    gid: int
    mode: int
    has_acl: bool = False

    @property
    def is_sticky(self) -> bool:
        """Whether nobody can rename or remove what others own in it, as in /tmp."""
        return bool(self.mode & stat.S_ISVTX)


@dataclass(frozen=True, slots=True)
class Trust:
    """Who writes files, and whom they trust.

    `uid`: the user. `owners`: users who may own a directory on the way, root and the user. `private_gids`: groups
    without any other member than the user; always empty for root.
    """

    uid: int
    owners: frozenset[int]
    private_gids: Collection[int] = field(default_factory=frozenset)


def place_complaint(place: Place, trust: Trust, *, is_last: bool) -> str | None:
    """Return why nothing may be written at or below a directory and what to do; None where it may.

    `is_last`: our files lie in it. A sticky directory, as /tmp, may stand above the place, but not be the place: what
    lies in it must then be the user's own, which the rule for the next directory says.
    """
    name = shown(place.path)
    if place.uid not in trust.owners:
        whose = "root" if trust.uid == 0 else f"uid {trust.uid} or root"
        return (
            f"{name} belongs to uid {place.uid}, who could put other files in the place of ours; choose a directory "
            f"below those of {whose}, or give it to them with chown"
        )
    if is_last or not place.is_sticky:
        if place.mode & stat.S_IWOTH:
            return (
                f"{name} can be written by everybody (mode {_octal(place)}); run chmod o-w on it, or choose another one"
            )
        if place.mode & stat.S_IWGRP and not _is_private_group(place, trust):
            return (
                f"{name} can be written by the group with gid {place.gid} (mode {_octal(place)}); run chmod g-w on it, "
                "or choose another one"
            )
    return None


def link_complaint(path: str, uid: int, trust: Trust) -> str | None:
    """Return why a symbolic link on the way is not followed; None for one of root or of the user."""
    if uid in trust.owners:
        return None
    return f"{shown(path)} is a symbolic link of uid {uid}, who could point it elsewhere; name the directory itself"


def _is_private_group(place: Place, trust: Trust) -> bool:
    return place.gid in trust.private_gids and not place.has_acl


def _octal(place: Place) -> str:
    return f"{stat.S_IMODE(place.mode):04o}"
