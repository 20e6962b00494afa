"""Files reach the disk before their name does, and no name vanishes on the way, whenever the machine stops."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.tree import Entry, FileEntry, Symlink, paths_to_inspect, plan_tree

OLD: list[Entry] = [
    FileEntry("tls/mx1.pem", b"old key", 0o400),
    FileEntry("tls/ca.pem", b"old roots", 0o644),
    FileEntry("gone.cf", b"no longer declared", 0o644),
    Symlink("tls/link", "ca.pem"),
]
NEW: list[Entry] = [
    FileEntry("tls/mx1.pem", b"new key and chain" * 5_000, 0o400),
    FileEntry("tls/ca.pem", b"new roots", 0o644),
    FileEntry("main.cf", b"myhostname = mx1.example.org\n", 0o644),
    Symlink("tls/link", "mx1.pem"),
]
CALLS = ("open", "fsync", "rename", "replace", "unlink", "remove", "symlink", "link", "chmod", "fchmod", "utime")


class Disk:
    """Records what reaches the disk, and lets a test look after each call to the operating system.

    `events`: ("sync", path, content) and ("sync", directory, None), ("name", path) when a path gets another file,
    ("free", path) when it goes; paths from the root, temporary ones left out. A file has no path when it is synced: it
    is called by the one that it gets.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events: list[tuple[str, str, bytes | None]] = []
        self._synced: dict[int, bytes] = {}

    def fsync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        """Record what a file holds at the moment it is confirmed, or which directory is."""

        def call(handle: int) -> None:
            real(handle)
            status = os.fstat(handle)
            place = Path(f"/proc/self/fd/{handle}").resolve()
            if stat.S_ISDIR(status.st_mode):
                self.events.append(("sync", self._name(place), None))
            else:
                self._synced[status.st_ino] = place.read_bytes()

        return call

    def rename(self, real: Callable[..., None]) -> Callable[..., None]:
        """Record which file got which name, and that its content was confirmed before."""

        def call(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
            status = os.stat(source, dir_fd=src_dir_fd, follow_symlinks=False)
            path = self._name(Path(f"/proc/self/fd/{dst_dir_fd}").resolve() / target)
            if stat.S_ISREG(status.st_mode):
                self.events.append(("sync", path, self._synced.get(status.st_ino)))
            real(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            self.events.append(("name", path, None))

        return call

    def unlink(self, real: Callable[..., None]) -> Callable[..., None]:
        """Record which name went."""

        def call(name: str, *, dir_fd: int) -> None:
            real(name, dir_fd=dir_fd)
            self.events.append(("free", self._name(Path(f"/proc/self/fd/{dir_fd}").resolve() / name), None))

        return call

    def _name(self, place: Path) -> str:
        return str(place.relative_to(self.root))


@pytest.fixture
def writer(tmp_path: Path) -> DirectoryWriter:
    """Return a writer for a directory."""
    return DirectoryWriter(tmp_path / "postfix")


@pytest.fixture
def owned(writer: DirectoryWriter) -> dict[str, str]:
    """Bring the old files, and return what is ours."""
    return bring(writer, OLD, {})


def bring(writer: DirectoryWriter, desired: list[Entry], owned: dict[str, str]) -> dict[str, str]:
    """Plan and carry out, as a caller does; return what is ours."""
    plan = plan_tree(desired, owned, writer.present(paths_to_inspect(desired, owned)))
    writer.apply(plan)
    return dict(plan.owned)


@pytest.fixture
def events(
    writer: DirectoryWriter, owned: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str, bytes | None]]:
    """Bring the new files, and return what happened in which order."""
    disk = Disk(Path(writer.root))
    with monkeypatch.context() as patch:
        for name in ("fsync", "rename", "unlink"):
            patch.setattr(os, name, getattr(disk, name)(getattr(os, name)))
        bring(writer, NEW, owned)
    return disk.events


@pytest.mark.parametrize("entry", NEW, ids=lambda entry: entry.path)
def test_content_is_on_the_disk_before_its_name_and_the_name_before_anything_else(
    events: list[tuple[str, str, bytes | None]], entry: Entry
) -> None:
    """Write, fsync, rename, fsync of the directory: a machine that stops in between has the old file or the new one."""
    above = str(Path(entry.path).parent)
    content = [("sync", entry.path, entry.content)] if isinstance(entry, FileEntry) else []
    wanted = [*content, ("name", entry.path, None), ("sync", above, None)]
    start = events.index(wanted[0])
    assert events[start : start + len(wanted)] == wanted
    assert [event for event in events if event[1] == entry.path] == wanted[:-1]


def test_a_removal_is_on_the_disk_before_anything_else(events: list[tuple[str, str, bytes | None]]) -> None:
    """Else a key that was taken away could come back when the machine stops."""
    start = events.index(("free", "gone.cf", None))
    assert events[start : start + 2] == [("free", "gone.cf", None), ("sync", ".", None)]


def test_no_name_vanishes_between_the_old_file_and_the_new_one(
    writer: DirectoryWriter, owned: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every call to the operating system each path has all of its old content or all of its new one."""
    root = Path(writer.root)
    before, seen = _contents(root), list[dict[str, bytes | str]]()

    def looking(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return real(*arguments, **named)
            finally:
                seen.append(_contents(root))

        return call

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, looking(getattr(os, name)))
        bring(writer, NEW, owned)
    after = _contents(root)
    assert before.keys() - after.keys() == {"gone.cf"}
    assert len(seen) > len(NEW)
    wrong = [path for state in seen for path in _paths(before, after) if state.get(path) not in _old_or_new(path)]
    assert wrong == []


def _paths(*states: dict[str, bytes | str]) -> set[str]:
    """Return the paths of all states together: of one alone, what has vanished cannot be seen."""
    return {path for state in states for path in state}


def _old_or_new(path: str) -> list[bytes | str | None]:
    return [_wanted(OLD).get(path), _wanted(NEW).get(path)]


def _wanted(entries: list[Entry]) -> dict[str, bytes | str]:
    return {each.path: each.content if isinstance(each, FileEntry) else each.target for each in entries}


def _contents(root: Path) -> dict[str, bytes | str]:
    """Return every file and link below a root, temporary ones left out."""
    return dict(_found(root))


def _found(root: Path) -> Iterator[tuple[str, bytes | str]]:
    for place in root.rglob("*"):
        if place.is_symlink():
            yield str(place.relative_to(root)), str(place.readlink())
        elif place.is_file() and not place.name.startswith(".postseal-"):
            yield str(place.relative_to(root)), place.read_bytes()
