"""Opens a directory from the root down and checks each one on the way by its handle, so that no swap does harm.

What is opened later is opened relative to such a handle. Between the check and the use nobody can put a link or another
directory in between: the handle stays that of the directory which was checked.
"""

import errno
import grp
import os
import pwd
import stat
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

from postseal_core.errors import DeployError
from postseal_core.files.trust import Place, Trust, link_complaint, place_complaint

__all__ = ["complaint_of_place", "is_of_another", "open_inside", "open_place", "parent_of_place"]

_DIRECTORY = os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
# A directory on the way may be passed by those who may not list it.
_PASS = _DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)
_MOST_LINKS = 40
_PARENT_MODE = 0o755


def open_place(path: str, *, make_mode: int | None = None) -> int:
    """Return a handle of a directory, which the caller closes.

    With `make_mode`, directories that are missing are made: those on the way never wider than 0755 whatever the umask,
    the last one with exactly this mode. Symbolic links are followed where root or the user made them.

    Raises:
        DeployError: a directory or link on the way is somebody else's, or others may write to it.
        OSError: as open(2) and mkdir(2) fail.
    """
    return _Walk(path, make_mode).open()


@contextmanager
def parent_of_place(path: str) -> Iterator[tuple[int, str]]:
    """Give the handle of the directory that a place lies in, checked as on the way to it, and its name there."""
    walk = _Walk(os.path.join(path, ".."), is_way=True)  # noqa: PTH118  # `..` is meant
    handle = walk.open()
    try:
        yield handle, os.path.basename(os.path.realpath(path))  # noqa: PTH119
    finally:
        os.close(handle)


def complaint_of_place(path: str, *, also: Collection[int] = ()) -> str | None:
    """Return why nothing may be written to a directory, as far as it exists; None where all is well so far.

    `also`: users who may own directories on the way besides root and the user, as whose program runs here.
    """
    try:
        with suppress(OSError):
            os.close(_Walk(path, also=also).open())
    except DeployError as error:
        return str(error)
    return None


def open_inside(parent: int, name: str, path: str) -> int:
    """Return a handle of a directory that lies in an open one, checked; `path` is its name for messages.

    Raises DeployError and OSError as `open_place`; a symbolic link is not followed.
    """
    handle = os.open(name, os.O_RDONLY | _DIRECTORY, dir_fd=parent)
    try:
        _check(handle, path, _trust(), is_last=True)
    except BaseException:
        os.close(handle)
        raise
    return handle


def is_of_another(status: os.stat_result) -> bool:
    """Return whether a file belongs to neither the user nor root: its owner can change it at any time."""
    return status.st_uid not in _trust().owners


class _Walk:
    """One way from the root down to a directory."""

    def __init__(
        self, path: str, make_mode: int | None = None, *, is_way: bool = False, also: Collection[int] = ()
    ) -> None:
        # Not normalised: `..` behind a symbolic link is the parent of where it leads.
        # An absolute path needs no working directory, which may be gone.
        start = "" if path.startswith("/") else os.getcwd()  # noqa: PTH109  # a text, for links as well
        self._parts = deque(_parts(f"{start}/{path}"))
        self._trust = replace(_trust(), owners=_trust().owners.union(also))
        self._make_mode = make_mode
        self._is_way = is_way
        self._links = 0
        self._where = "/"
        self._handle = -1

    def open(self) -> int:
        """Go the whole way and return the last handle."""
        self._handle = os.open("/", os.O_RDONLY | _DIRECTORY)
        try:
            _check(self._handle, "/", self._trust, is_last=self._is_last)
            while self._parts:
                self._step(self._parts.popleft())
        except BaseException:
            os.close(self._handle)
            raise
        return self._handle

    def _step(self, name: str) -> None:
        path = os.path.normpath(os.path.join(self._where, name))  # noqa: PTH118  # `..` is meant
        status = self._status(name)
        if status is None:
            return
        if stat.S_ISLNK(status.st_mode):
            self._follow(name, path, status.st_uid)
            return
        inner = os.open(name, _PASS if self._parts else os.O_RDONLY | _DIRECTORY, dir_fd=self._handle)
        os.close(self._handle)
        self._handle, self._where = inner, path
        _check(inner, path, self._trust, is_last=self._is_last)

    @property
    def _is_last(self) -> bool:
        return not self._parts and not self._is_way

    def _status(self, name: str) -> os.stat_result | None:
        """Return the status of a name, making the directory if needed; None if `..` follows an absent one."""
        with suppress(FileNotFoundError):
            return os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        if self._parts and self._parts[0] == "..":
            self._parts.popleft()
            if self._parts:
                return None
            self._parts.append(".")
            return None
        if self._make_mode is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._where)
        # Another run may make it at the same time; whose it is then is checked as for any other.
        with suppress(FileExistsError):
            self._make(name, self._make_mode if not self._parts else None)
        return os.stat(name, dir_fd=self._handle, follow_symlinks=False)

    def _make(self, name: str, mode: int | None) -> None:
        if mode is None:
            os.mkdir(name, _PARENT_MODE, dir_fd=self._handle)
        else:
            # Narrow at first: whatever the umask, nobody else may enter before the mode is right.
            os.mkdir(name, 0o700, dir_fd=self._handle)
            os.chmod(name, mode, dir_fd=self._handle)

    def _follow(self, name: str, path: str, uid: int) -> None:
        if complaint := link_complaint(path, uid, self._trust):
            raise DeployError(complaint)
        self._links += 1
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = os.readlink(name, dir_fd=self._handle)
        self._parts.extendleft(reversed(_parts(target) or ["."]))
        if target.startswith("/"):
            os.close(self._handle)
            self._handle, self._where = os.open("/", _PASS), "/"


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _check(handle: int, path: str, trust: Trust, *, is_last: bool) -> None:
    status = os.fstat(handle)
    place = Place(path, status.st_uid, status.st_gid, status.st_mode, has_acl=_has_acl(handle))
    if complaint := place_complaint(place, trust, is_last=is_last):
        raise DeployError(complaint)


def _has_acl(handle: int) -> bool:
    """Whether a directory has an access list beside its mode; what cannot be told counts as one."""
    if not hasattr(os, "getxattr"):
        return False
    try:
        os.getxattr(f"/proc/self/fd/{handle}", "system.posix_acl_access")
    except OSError as error:
        return error.errno not in (errno.ENODATA, errno.ENOTSUP)
    return True


def _trust() -> Trust:
    return _trust_of(os.geteuid())


@cache
def _trust_of(uid: int) -> Trust:
    return Trust(uid, frozenset({0, uid, *_nobody_in_here()}), frozenset(_private_gids(uid)))


def _nobody_in_here() -> Iterator[int]:
    """Yield the overflow uid if this user namespace does not map root, whose files then appear under it."""
    with suppress(OSError, ValueError):
        rows = [[int(word) for word in row.split()] for row in Path("/proc/self/uid_map").read_text().splitlines()]
        if rows and not any(inside <= 0 < inside + count for inside, _, count in rows):
            yield int(Path("/proc/sys/kernel/overflowuid").read_text())


def _private_gids(uid: int) -> Iterator[int]:
    """Yield the user's own group if nobody else is in it, neither by the list of members nor as their first group."""
    with suppress(KeyError):
        if uid == 0:
            return
        user = pwd.getpwuid(uid)
        group = grp.getgrgid(user.pw_gid)
        others = {each.pw_name for each in pwd.getpwall() if each.pw_gid == user.pw_gid} | {*group.gr_mem}
        if others <= {user.pw_name}:
            yield user.pw_gid
