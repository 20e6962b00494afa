"""Keeps two runs from writing to one place at the same time, by a lock that nobody else can take.

The lock is on a file of mode 0600 that is there while a run is at work, and not on the directory itself: whoever can
open something can lock it, and everybody can open a directory of public files. So any user of the machine could keep a
host from being told of a revocation.
"""

import fcntl
import os
import stat
from contextlib import suppress

from postseal_core.files.safe_place import is_of_another
from postseal_core.files.tree import LOCK_FILE

__all__ = ["lock_place", "remove_lock"]

_LOCK = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PRIVATE = 0o600


def lock_place(directory: int) -> int | None:
    """Return the handle of the lock file in an open directory, locked; None where another run has it.

    The caller closes it, after `remove_lock`. Raises OSError as open(2) fails.
    """
    while True:
        lock = os.open(LOCK_FILE, _LOCK, _PRIVATE, dir_fd=directory)
        try:
            if _is_closed_to_others(os.fstat(lock)):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The run that had it may have removed it meanwhile: then this is the lock of nothing.
                if _is_named(lock, directory):
                    return lock
            else:
                os.unlink(LOCK_FILE, dir_fd=directory)
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def remove_lock(directory: int, lock: int) -> None:
    """Remove the lock file whose lock is held here, and no other one."""
    with suppress(OSError):
        if _is_named(lock, directory):
            os.unlink(LOCK_FILE, dir_fd=directory)


def _is_closed_to_others(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and not is_of_another(status) and not status.st_mode & 0o077


def _is_named(lock: int, directory: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(lock), os.stat(LOCK_FILE, dir_fd=directory, follow_symlinks=False))
    return False
