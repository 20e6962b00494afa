"""What is asked of the operating system: how files are opened, and what is said when it refuses."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postseal_core.errors import DeployError
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.tree import ROOT, Directory, FileEntry, Symlink

KEY = FileEntry("tls/mx1.pem", b"key and chain", 0o400)


@pytest.fixture
def writer(tmp_path: Path) -> DirectoryWriter:
    """Return a writer for a directory with one file in a directory."""
    writer = DirectoryWriter(tmp_path / "postfix")
    for directory in (Directory(ROOT, 0o755), Directory("tls/", 0o700)):
        writer.make_directory(directory)
    writer.write(KEY)
    return writer


STEPS: dict[str, Callable[[DirectoryWriter], object]] = {
    "write": lambda writer: writer.write(FileEntry("tls/ca.pem", b"roots", 0o644)),
    "write a link": lambda writer: writer.write(Symlink("tls/link", "mx1.pem")),
    "read": lambda writer: writer.read(KEY.path),
    "look": lambda writer: writer.present([KEY.path]),
    "list": lambda writer: writer.names("tls/"),
    "make": lambda writer: writer.make_directory(Directory("tls/more/", 0o700)),
    "link": lambda writer: writer.link(KEY.path, "tls/second.pem"),
    "rename": lambda writer: writer.rename(KEY.path, "tls/other.pem"),
    "remove": lambda writer: writer.remove(KEY.path),
    "remove a directory": lambda writer: writer.remove_directory("tls/"),
}


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the flags of every file that is opened from now on."""
    seen: list[int] = []
    real = os.open

    def opened(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        seen.append(flags)
        return real(path, flags, *arguments, **named)

    monkeypatch.setattr(os, "open", opened)
    return seen


@pytest.mark.parametrize("step", STEPS)
def test_no_handle_goes_to_a_program_that_is_started_meanwhile(
    writer: DirectoryWriter, flags: list[int], step: str
) -> None:
    """Every one is closed on exec: some of them lead into a directory with keys."""
    STEPS[step](writer)
    assert flags
    assert all(each & os.O_CLOEXEC for each in flags)


def test_a_new_file_is_new_and_nobody_elses_link(writer: DirectoryWriter, flags: list[int]) -> None:
    """Whoever guesses its temporary name and puts a file or a link there gets no key."""
    STEPS["write"](writer)
    (created,) = [each for each in flags if each & os.O_CREAT]
    assert created & os.O_EXCL
    assert created & os.O_NOFOLLOW
    assert created & os.O_ACCMODE == os.O_WRONLY


def test_what_is_read_is_no_link_and_does_not_block(writer: DirectoryWriter, flags: list[int]) -> None:
    """A pipe that somebody put there would keep the run waiting for ever."""
    STEPS["read"](writer)
    (opened,) = [each for each in flags if not each & os.O_DIRECTORY]
    assert opened & os.O_NOFOLLOW
    assert opened & os.O_NONBLOCK
    assert opened & os.O_ACCMODE == os.O_RDONLY


def test_directories_below_the_root_are_no_links(writer: DirectoryWriter, flags: list[int]) -> None:
    """Also one that is exchanged for a link between two calls."""
    STEPS["list"](writer)
    assert flags[-1] & os.O_DIRECTORY
    assert flags[-1] & os.O_NOFOLLOW


REFUSED = [
    ("write", "rename", "write tls/ca.pem"),
    ("write a link", "symlink", "write tls/link"),
    ("read", "stat", "read tls/mx1.pem"),
    ("list", "scandir", "list tls/"),
    ("make", "mkdir", "make tls/more/"),
    ("link", "link", "link tls/mx1.pem"),
    ("rename", "rename", "rename tls/mx1.pem"),
    ("remove", "unlink", "remove tls/mx1.pem"),
    ("remove a directory", "rmdir", "remove tls/"),
]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.EIO, "input/output error"),
        (errno.EACCES, "permission denied; run this as a user who may write there"),
        (errno.EPERM, "permission denied; run this as a user who may write there"),
        (errno.EROFS, "the file system is read-only"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EISDIR, "there is a directory in its place; move it away"),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
@pytest.mark.parametrize(("step", "call", "what"), REFUSED, ids=[step for step, _, _ in REFUSED])
def test_a_refusal_names_what_was_to_be_done_where_and_why_not(
    writer: DirectoryWriter, monkeypatch: pytest.MonkeyPatch, step: str, call: str, what: str, code: int, reason: str
) -> None:
    """And that the file is as it was."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(DeployError) as caught:
            STEPS[step](writer)
    assert str(caught.value) == f"cannot {what} below {writer.root}: {reason}; it is as it was before"
    assert writer.read(KEY.path) == KEY


@pytest.fixture
def unsynced(writer: DirectoryWriter, monkeypatch: pytest.MonkeyPatch) -> DirectoryWriter:
    """Return the writer on a disk that refuses to confirm directories."""
    real = os.fsync

    def refuse(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").resolve().is_dir():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    return writer


@pytest.mark.parametrize(
    ("step", "path"), [("write", "tls/ca.pem"), ("rename", "tls/other.pem"), ("remove", KEY.path)], ids=str
)
def test_a_change_that_the_disk_does_not_confirm_is_said_to_be_done(
    unsynced: DirectoryWriter, step: str, path: str
) -> None:
    """Nobody is told that a file is as before when it is not."""
    with pytest.raises(DeployError) as caught:
        STEPS[step](unsynced)
    assert str(caught.value) == (
        f"{path} below {unsynced.root} is changed, but the disk did not confirm it: input/output error"
    )


def test_permission_bits_are_read_without_others(writer: DirectoryWriter) -> None:
    """The set-user-ID bit is no mode that can be declared."""
    place = Path(writer.root, KEY.path)
    place.chmod(0o4755)
    read = writer.read(KEY.path)
    assert read is not None
    assert read.mode == 0o755


def test_a_second_name_of_a_link_is_the_link(writer: DirectoryWriter) -> None:
    """What it leads to may be a file of somebody else."""
    STEPS["write a link"](writer)
    writer.link("tls/link", "tls/second")
    assert Path(writer.root, "tls/second").readlink() == Path("mx1.pem")


def test_a_directory_is_closed_to_all_until_it_has_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask, nobody gets in with a mode that was not declared: not in between either."""
    seen: list[int] = []
    real = os.chmod

    def changed(path: Any, mode: int, **named: Any) -> None:
        seen.append(stat.S_IMODE(os.stat(path, **named).st_mode))  # noqa: PTH116  # below a handle
        real(path, mode, **named)

    monkeypatch.setattr(os, "chmod", changed)
    writer = DirectoryWriter(tmp_path / "postfix")
    before = os.umask(0)
    try:
        for directory in (Directory(ROOT, 0o755), Directory("tls/", 0o750)):
            writer.make_directory(directory)
    finally:
        os.umask(before)
    assert seen == [0o700, 0o700]
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("postfix", "postfix/tls")] == [0o755, 0o750]


def test_an_obstacle_is_named_behind_a_link_that_is_followed(tmp_path: Path) -> None:
    """A link to the root itself is fine, and the file below it is what is in the way."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/tls").write_bytes(b"no directory")
    (tmp_path / "postfix").symlink_to("disk")
    with pytest.raises(DeployError) as caught:
        DirectoryWriter(tmp_path / "postfix").read(KEY.path)
    assert f": {tmp_path}/postfix/tls is a symbolic link or a file" in str(caught.value)
