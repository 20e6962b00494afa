"""The lock of a place: one run at a time has it, and a handle is left open by nobody."""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal_core.files.place_lock import lock_place, remove_lock
from postseal_core.files.tree import LOCK_FILE


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    """Return the handle of an open directory."""
    handle = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield handle
    os.close(handle)


def _open_locks(place: Path) -> list[str]:
    """Return which handles of this process are of a lock file there."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(each.readlink()))
        except OSError:
            continue  # that of the listing itself
    return [path for path in found if path.startswith(str(place.resolve() / LOCK_FILE))]


def test_one_run_has_the_lock_and_the_next_one_after_it(tmp_path: Path, directory: int) -> None:
    """Who does not get it keeps nothing open."""
    lock = lock_place(directory)
    assert lock is not None
    assert lock_place(directory) is None
    assert len(_open_locks(tmp_path)) == 1
    remove_lock(directory, lock)
    os.close(lock)
    assert [*tmp_path.iterdir()] == []
    again = lock_place(directory)
    assert again is not None
    os.close(again)


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "no locks"), KeyboardInterrupt()], ids=["no locks", "stopped"])
def test_where_no_lock_can_be_had_the_cause_is_told_and_nothing_stays_open(
    tmp_path: Path, directory: int, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """As on a network disk without locks: it is not "another run has it"; afterwards the place can be locked."""

    def refuse(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", refuse)
        with pytest.raises(type(error)) as caught:
            lock_place(directory)
    assert caught.value is error
    assert _open_locks(tmp_path) == []
    lock = lock_place(directory)
    assert lock is not None
    os.close(lock)


def test_a_lock_that_its_owner_removed_meanwhile_is_taken_anew(
    tmp_path: Path, directory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock of a file without a name keeps nobody out."""
    real = fcntl.flock
    taken: list[int] = []

    def late(handle: int, how: int) -> None:
        if not taken:
            (tmp_path / LOCK_FILE).unlink()
        taken.append(handle)
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    lock = lock_place(directory)
    assert lock is not None
    assert len(taken) == 2
    assert os.path.samestat(os.fstat(lock), (tmp_path / LOCK_FILE).stat())
    assert len(_open_locks(tmp_path)) == 1
    os.close(lock)
