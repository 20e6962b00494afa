"""Files below one directory on this machine: every write is atomic, no symbolic link is ever followed out of it.

Each directory from the root of the disk down is opened and checked before anything is done in it (`safe_place`).
A file appears under a temporary name in its own directory, with its final mode before its first byte, and is renamed
into place once it is on the disk. Whoever reads sees the old file or the new one, and nobody sees a key who may not.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from postseal_core.errors import DeployError
from postseal_core.files.place_lock import lock_place, remove_lock
from postseal_core.files.safe_place import is_of_another, open_inside, open_place, parent_of_place
from postseal_core.files.tree import (
    DIRECTORY,
    OF_ANOTHER,
    OTHER,
    ROOT,
    Directory,
    Entry,
    FileEntry,
    Symlink,
    TreePlan,
    digest,
    digest_of_link,
    directories_above,
    kept_name,
    parents,
)
from postseal_core.wording import shown

__all__ = ["DirectoryWriter"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TEMPORARY = re.compile(r"\.postseal-[0-9a-f]{16}(\.[a-z]+)?")
_REASONS = {
    errno.EACCES: "permission denied; run this as a user who may write there",
    errno.EPERM: "permission denied; run this as a user who may write there",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EISDIR: "there is a directory in its place; move it away",
    errno.EEXIST: "something else is in its place; move it away",
}


class DirectoryWriter:
    """Bring the files below `root` to a plan, and nothing else there; the root is made when a plan says so.

    Files belong to the user who runs this. Every method takes paths relative to the root, as in `files.tree`, and
    raises DeployError, which names the path and says what is there now: where the disk refuses, where the root is no
    directory, where a directory below it is a symbolic link (also one that stays there), and where a directory on the
    way from the root of the disk belongs to somebody else or can be written by others.
    """

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self._held: int | None = None
        self._lock = -1

    def present(self, paths: Iterable[str]) -> dict[str, str]:
        """Return path -> digest of those of `paths` that exist; nothing else is read."""
        with self._explained("read", ROOT), suppress(FileNotFoundError), self._root_held():
            found = ((path, self._digest(path)) for path in paths)
            return {path: value for path, value in found if value is not None}
        return {}

    def read(self, path: str) -> FileEntry | None:
        """Return a regular file with its content and its permission bits, None if there is no such file."""
        with self._explained("read", path), suppress(FileNotFoundError), self._parent(path) as (parent, name):
            if stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                with os.fdopen(os.open(name, _OPEN_FILE, dir_fd=parent), "rb") as file:
                    return FileEntry(path, file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o777)
        return None

    def names(self, directory: str = ROOT) -> list[str]:
        """Return what a directory holds, sorted; nothing for one that does not exist."""
        with self._explained("list", directory), suppress(FileNotFoundError), self._directory(directory) as opened:
            return sorted(entry.name for entry in os.scandir(opened))
        return []

    def make_directory(self, directory: Directory) -> None:
        """Make one directory with exactly its mode; one that exists is left as it is."""
        with self._explained("make", directory.path), suppress(FileExistsError):
            if directory.path == ROOT:
                os.close(open_place(self.root, make_mode=directory.mode))
            else:
                with self._parent(directory.path) as (parent, name):
                    _make_directory(name, directory.mode, parent)

    def write(self, entry: Entry, *, age_seconds: int = 0) -> None:
        """Put one file or link in its place atomically, its modification time `age_seconds` in the past."""
        with self._explained("write", entry.path), self._parent(entry.path) as (parent, name):
            temporary = f".postseal-{secrets.token_hex(8)}"
            try:
                _create(entry, temporary, parent, age_seconds)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=parent)
                raise
            self._confirm(parent, entry.path)

    def link(self, path: str, other: str) -> None:
        """Give a file or symbolic link a second name, so that it outlives the replacement of its first."""
        with self._explained("link", path), self._parent(path) as (parent, name), self._parent(other) as (to, new):
            os.link(name, new, src_dir_fd=parent, dst_dir_fd=to, follow_symlinks=False)
            self._confirm(to, other)

    def rename(self, path: str, other: str) -> None:
        """Give a file another name, in place of what had that name."""
        with self._explained("rename", path), self._parent(path) as (parent, name), self._parent(other) as (to, new):
            os.rename(name, new, src_dir_fd=parent, dst_dir_fd=to)
            self._confirm(to, other)

    def remove(self, path: str) -> None:
        """Remove a file or symbolic link; one that is gone already is no error."""
        with self._explained("remove", path), suppress(FileNotFoundError), self._parent(path) as (parent, name):
            os.unlink(name, dir_fd=parent)
            self._confirm(parent, path)

    def remove_directory(self, path: str) -> None:
        """Remove a directory if it is empty, else leave it."""
        with self._explained("remove", path), suppress(FileNotFoundError), _unless_filled():
            if path == ROOT:
                with parent_of_place(self.root) as (above, name):
                    os.rmdir(name, dir_fd=above)
            else:
                with self._parent(path) as (parent, name):
                    os.rmdir(name, dir_fd=parent)

    def remove_leftovers(self, directories: Iterable[str]) -> None:
        """Remove temporary files that an interrupted run left in `directories`; hold `exclusive` meanwhile."""
        for path in self._leftovers(directories):
            self.remove(path)

    def _leftovers(self, directories: Iterable[str]) -> Iterator[str]:
        for directory in directories:
            for name in filter(_TEMPORARY.fullmatch, self.names(directory)):
                yield f"{directory}{name}".removeprefix(ROOT)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other runs away from this directory; raise DeployError if one is at work there."""
        with ExitStack() as held:
            with self._explained("lock", ROOT):
                directory = held.enter_context(self._root_held(anew=True))
                lock = lock_place(directory)
                if lock is None:
                    raise DeployError(f"another run is writing below {self.root}; nothing was changed, try again")
                held.callback(os.close, lock)
                held.callback(remove_lock, directory, lock)
                self._lock = lock
            yield

    def apply(self, plan: TreePlan, *, age_seconds: int = 0) -> None:
        """Carry out a plan in its order; with an empty one no file or directory changes in any way.

        `age_seconds` puts the modification time of what is written into the past. If a step fails, the DeployError says
        what is done already; every file is either as before or as declared, and running again completes the plan.
        """
        self.make_root(plan)
        is_idle = plan.is_empty and not any(self._leftovers(_directories_of(plan)))
        if not is_idle and self.present([ROOT]):
            with self.exclusive():
                self.carry_out(plan, age_seconds=age_seconds)

    def make_root(self, plan: TreePlan) -> None:
        """Make the root, if a plan says so."""
        for directory in plan.make_directories:
            if directory.path == ROOT:
                self.make_directory(directory)

    def carry_out(
        self,
        plan: TreePlan,
        *,
        age_seconds: int = 0,
        mark: FileEntry | None = None,
        mark_after: FileEntry | None = None,
    ) -> None:
        """Do what `apply` does, below a root that exists; hold `exclusive` meanwhile.

        `mark` is written before anything else, and `mark_after` once all is done: what of the place is ours.
        """
        self.remove_leftovers(_directories_of(plan))
        if mark is not None:
            self.write(mark)
        _in_turn(self._actions(plan, age_seconds))
        if mark_after is not None and mark_after != mark:
            self.write(mark_after)
        elif mark_after is None and mark is not None:
            self.remove(mark.path)
        if ROOT in plan.remove_directories:
            with self._explained("remove", ROOT), self._root_held() as directory:
                remove_lock(directory, self._lock)
            self.remove_directory(ROOT)

    def _actions(self, plan: TreePlan, age_seconds: int) -> Iterator[tuple[str, Callable[[], None]]]:
        for directory in plan.make_directories:
            yield directory.path, partial(self.make_directory, directory)
        for entry in plan.write:
            if entry.path in plan.taken_over:
                yield kept_name(entry.path), partial(self.keep, entry.path)
            yield entry.path, partial(self.write, entry, age_seconds=age_seconds)
        for path in plan.give_back:
            yield path, partial(self.rename, kept_name(path), path)
        for path in plan.remove:
            yield path, partial(self.remove, path)
        for path in plan.remove_directories:
            if path != ROOT:
                yield path, partial(self.remove_directory, path)

    def keep(self, path: str) -> None:
        """Give a file that is about to be replaced its second name, and with that its owner, mode, dates and bytes."""
        if not self.present([kept_name(path)]):
            self.link(path, kept_name(path))

    def _digest(self, path: str) -> str | None:
        with self._explained("read", path), suppress(FileNotFoundError):
            if path == ROOT:
                with self._directory(ROOT):
                    return DIRECTORY
            with self._parent(path) as (parent, name):
                status = os.stat(name, dir_fd=parent, follow_symlinks=False)
                whose = OF_ANOTHER if is_of_another(status) else ""
                if stat.S_ISLNK(status.st_mode):
                    return digest_of_link(os.fsencode(os.readlink(name, dir_fd=parent))) + whose
                if stat.S_ISDIR(status.st_mode):
                    return DIRECTORY
            file = self.read(path.rstrip("/"))
            return digest(file) + whose if file else OTHER
        return None

    @contextmanager
    def _root_held(self, *, anew: bool = False) -> Iterator[int]:
        """Hold the root open, checked once, for all that is done meanwhile."""
        if self._held is not None and not anew:
            yield self._held
            return
        before, self._held = self._held, open_place(self.root)
        try:
            yield self._held
        finally:
            os.close(self._held)
            self._held = before

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        # As a directory, so that the last part is judged like the others.
        name = path.rstrip("/").rpartition("/")[2]
        if name in ("", ".", ".."):
            raise DeployError(f"{shown(path)} is no plain path below {self.root}; nothing was done")
        with self._directory(parents(path)[-1]) as parent:
            yield parent, name

    @contextmanager
    def _directory(self, path: str) -> Iterator[int]:
        if {"", ".", ".."}.intersection(path.removeprefix(ROOT).split("/")[:-1]):
            raise DeployError(f"{shown(path)} leads out of {self.root}, or is no plain path below it; nothing was done")
        handle = open_place(self.root) if self._held is None else os.dup(self._held)
        try:
            place = self.root
            for part in path.removeprefix(ROOT).split("/")[:-1]:
                place = f"{place}/{part}"
                inner = open_inside(handle, part, place)
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _explained(self, verb: str, path: str) -> Iterator[None]:
        try:
            yield
        except NotADirectoryError as error:
            raise DeployError(
                f"cannot {verb} {path} below {self.root}: {self._first_obstacle(path)} is a symbolic link or a file, "
                "not a directory; it was left as it is, move it away"
            ) from error
        except OSError as error:
            message = f"cannot {verb} {path} below {self.root}: {_reason(error)}; it is as it was before"
            raise DeployError(message) from error

    def _confirm(self, directory: int, path: str) -> None:
        try:
            os.fsync(directory)
        except OSError as error:
            message = f"{path} below {self.root} is changed, but the disk did not confirm it: {_reason(error)}"
            raise DeployError(message) from error

    def _first_obstacle(self, path: str) -> str:
        above = (Path(self.root, directory) for directory in parents(path)[1:])
        wrong = (str(place) for place in above if place.is_symlink() or not place.is_dir())
        return next(wrong, path) if Path(self.root).is_dir() else self.root


def _directories_of(plan: TreePlan) -> list[str]:
    return directories_above([*plan.owned, *plan.remove, *plan.give_back])


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, (error.strerror or str(error)).lower())


def _make_directory(name: str, mode: int, parent: int | None) -> None:
    # Narrow at first: whatever the umask, nobody else may enter before the mode is right.
    os.mkdir(name, 0o700, dir_fd=parent)
    os.chmod(name, mode, dir_fd=parent)


def _create(entry: Entry, temporary: str, parent: int, age_seconds: int) -> None:
    if isinstance(entry, Symlink):
        os.symlink(entry.target, temporary, dir_fd=parent)
        return
    with os.fdopen(os.open(temporary, _NEW, entry.mode, dir_fd=parent), "wb") as file:
        # The umask may have taken bits away. Before the first byte, so that nobody sees content under another mode.
        os.fchmod(file.fileno(), entry.mode)
        file.write(entry.content)
        file.flush()
        written_at = os.fstat(file.fileno()).st_mtime_ns - age_seconds * 1_000_000_000
        os.utime(file.fileno(), ns=(written_at, written_at))
        os.fsync(file.fileno())


@contextmanager
def _unless_filled() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _in_turn(actions: Iterable[tuple[str, Callable[[], None]]]) -> None:
    done: list[str] = []
    for path, act in actions:
        try:
            act()
        except DeployError as error:
            before = f"done before that: {', '.join(done)}" if done else "nothing was changed before that"
            raise DeployError(f"{error}; {before}; run again to complete it") from error
        done.append(path)
