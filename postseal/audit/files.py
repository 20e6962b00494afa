"""Reads files with certificates and tables of a host, here or in a copy; an edge of the audit."""

import errno
import os
import stat
from dataclasses import replace
from pathlib import Path

from postfix.audit.record import SeenTable
from postfix.deploy.sessions.local import LocalSession
from postfix.effective.visitors import INDEX_SUFFIXES
from postfix.public_file import PublicFile
from postseal_core.bounds import LARGEST_FILE_BYTES

__all__ = ["FileReader", "complaint_about", "is_of_root_alone", "read_bounded"]


class FileReader:
    """Reads what a configuration names. In a copy, only what lies below `root` on the host lies here."""

    def __init__(self, place: Path, root: str, *, is_copy: bool) -> None:
        self._place = place
        self._root = root
        self._is_copy = is_copy
        self._session = LocalSession(place)

    def here(self, path: str) -> Path | None:
        """Return where a file of the host is here; None where it is not."""
        if not self._is_copy:
            return Path(path)
        if not path.startswith(f"{self._root}/"):
            return None
        found = self._place / path.removeprefix(f"{self._root}/")
        is_below = Path(os.path.realpath(found)).is_relative_to(os.path.realpath(self._place))
        return found if is_below and found.is_file() else None

    def file(self, path: str) -> PublicFile:
        """Return a file with certificates; hidden where it is not here or may not be read."""
        found = self.here(path) if "\0" not in path else None
        if found is None:
            return PublicFile(path, is_hidden=True)
        file = replace(self._session.read_public(str(found)), path=path)
        return replace(file, is_open=file.is_open and not self._is_copy and _is_within_reach(found))

    def table(self, name: str) -> SeenTable:
        """Return a table that is a file, by `type:/path`."""
        kind, _, path = name.partition(":")
        found = self.here(path) if path.startswith("/") and "\0" not in path else None
        if found is None:
            return SeenTable(is_hidden=path.startswith("/"))
        source, source_status, is_hidden = _read(found)
        index = _status(Path(f"{found}{INDEX_SUFFIXES.get(kind, '')}")) if INDEX_SUFFIXES.get(kind) else None
        return SeenTable(
            source=source,
            has_source=source_status is not None and not is_hidden,
            source_time=source_status.st_mtime if source_status and not self._is_copy else None,
            index_time=index.st_mtime if index and not self._is_copy else None,
            is_index_open=bool(index and index.st_mode & stat.S_IROTH) and _is_within_reach(found),
            is_hidden=is_hidden,
        )


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Return the first bytes of a regular file, links followed; raise OSError for anything else.

    A pipe or a device could be read for ever.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        with os.fdopen(os.dup(handle), "rb") as file:
            return file.read(most_bytes)
    finally:
        os.close(handle)


def _read(path: Path) -> tuple[str, os.stat_result | None, bool]:
    """Return text and status of a file, and whether it may not be read; None where there is nothing to read."""
    status = _status(path)
    if status is None or status.st_size > LARGEST_FILE_BYTES:
        return "", None, False
    try:
        return read_bounded(path, LARGEST_FILE_BYTES).decode("utf-8", "surrogateescape"), status, False
    except PermissionError:
        return "", status, True
    except OSError:
        return "", None, False


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _is_within_reach(path: Path) -> bool:
    """Return whether every user may enter all directories that lead to a file, links followed."""
    parents = Path(os.path.realpath(path)).parents
    return all((status := _status(each)) is not None and status.st_mode & stat.S_IXOTH for each in parents)


def is_of_root_alone(place: Path) -> bool:
    """Return whether only root can change what a directory is, and what lies in it, links followed."""
    try:
        real = place.resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    ways = {real, *real.parents, *place.absolute().parents}
    return all((status := _status(each)) is not None and _is_roots(status) for each in ways)


def _is_roots(status: os.stat_result) -> bool:
    is_sticky = bool(status.st_mode & stat.S_ISVTX)
    return status.st_uid == 0 and (is_sticky or not _may_others_write(status))


def _may_others_write(status: os.stat_result) -> bool:
    by_group = bool(status.st_mode & stat.S_IWGRP) and status.st_gid != 0
    return by_group or bool(status.st_mode & stat.S_IWOTH)


def complaint_about(path: Path) -> str:
    """Return why others than root decide what a file or directory of a host says; empty where they do not."""
    status = _status(path)
    if status is None:
        return ""
    if status.st_uid != 0:
        return f"it belongs to user {status.st_uid}, not to root"
    if _may_others_write(status) and not status.st_mode & stat.S_ISVTX:
        return f"others than root may write it (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""
