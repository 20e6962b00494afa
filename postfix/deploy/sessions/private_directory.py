"""Directories that only their user may enter, removed at the end, and by the next run where one was killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["private_directory", "remove_abandoned"]

# In each of them, locked by who made it: one that nobody locks any more was left by a run that was killed.
_ALIVE = ".alive"


@contextmanager
def private_directory(prefix: str, parent: str | None = None) -> Iterator[str]:
    """Give a fresh directory below `parent`, or the system's directory for temporary files; it goes with all it holds.

    No other directory may begin with `prefix`: those that a killed run has left are removed first.
    """
    remove_abandoned(prefix, parent)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as directory, _alive(Path(directory)):
        yield directory


@contextmanager
def _alive(directory: Path) -> Iterator[None]:
    """Show that a directory is in use, for as long as this process lives."""
    # Under its name only once it is locked: others remove what has it and is not.
    unnamed = directory / f"{_ALIVE}.new"
    with unnamed.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        unnamed.rename(directory / _ALIVE)
        yield


def remove_abandoned(prefix: str, parent: str | None = None) -> None:
    """Remove directories of runs that were killed; they hold no key."""
    for alive in Path(parent or tempfile.gettempdir()).glob(f"{prefix}*/{_ALIVE}"):
        with suppress(OSError):
            if alive.parent.lstat().st_uid == os.geteuid() and not alive.parent.is_symlink():
                with alive.open() as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(alive.parent, ignore_errors=True)
