"""What holds at the edges of a place: its lock, names that lead out, edited files, marks and ages."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.bringing import Bringer, bring_directory
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.mark import Mark, MarkedFile, mark_entry, read_mark
from postseal_core.files.place_lock import lock_place, remove_lock
from postseal_core.files.project_file import ProjectFileError, read_project_file
from postseal_core.files.safe_place import open_inside, parent_of_place
from postseal_core.files.tree import LOCK_FILE, MARK_FILE, FileEntry

CA = FileEntry("ca.pem", b"roots", 0o644)
MAIN_CF = FileEntry("main.cf", b"myhostname = mx1.example.org\n", 0o644)


def bring(place: Path, *entries: FileEntry, owned: dict[str, str] | None = None) -> tuple[dict[str, str], list[str]]:
    """Bring files to a place; return what is ours there, and what was said."""
    said: list[str] = []
    return bring_directory(place, entries, owned or {}, Bringer("mail-pki/test", said.append)), said


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """Nothing is made where it leads to."""
    place = tmp_path / "place"
    place.mkdir()
    (place / LOCK_FILE).symlink_to(tmp_path / "elsewhere")
    directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError, match="symbolic links"):
            lock_place(directory)
    finally:
        os.close(directory)
    assert not (tmp_path / "elsewhere").exists()


def test_one_step_up_is_a_step_out(tmp_path: Path) -> None:
    """A name directly above the root is refused, and its file is not looked at; the same name below it is."""
    (tmp_path / "above").write_bytes(b"")
    root = tmp_path / "root"
    root.mkdir()
    (root / "above").write_bytes(b"")
    writer = DirectoryWriter(root)
    assert [*writer.present(["above"])] == ["above"]
    for path in ("../above", "./../above", "tls/../../above"):
        with pytest.raises(DeployError, match="leads out of"):
            writer.present([path])


@pytest.mark.parametrize(("mode", "is_trusted"), [(0o755, True), (0o1777, False)])
def test_a_directory_inside_a_place_is_judged_as_where_files_are_written(
    tmp_path: Path, mode: int, *, is_trusted: bool
) -> None:
    """A directory like /tmp may lie on the way to a place; in it anybody may write a file before we do."""
    inner = tmp_path / "inner"
    inner.mkdir()
    inner.chmod(mode)
    parent = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if is_trusted:
            os.close(open_inside(parent, "inner", str(inner)))
        else:
            with pytest.raises(DeployError):
                open_inside(parent, "inner", str(inner))
    finally:
        os.close(parent)


def test_a_message_about_a_root_says_what_was_to_be_done_there(tmp_path: Path) -> None:
    """A file in place of the directory cannot be read."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeployError, match=r"cannot read .*file"):
        DirectoryWriter(tmp_path / "file").present(["a"])


def test_an_edited_file_that_is_no_longer_declared_is_left_and_told(tmp_path: Path) -> None:
    """One that nobody has edited goes without a word."""
    owned, _ = bring(tmp_path, CA, MAIN_CF)
    (tmp_path / "ca.pem").write_bytes(b"roots of somebody else")
    owned, said = bring(tmp_path, owned=owned)
    assert (tmp_path / "ca.pem").read_bytes() == b"roots of somebody else"
    assert not (tmp_path / "main.cf").exists()
    assert said == [f"{tmp_path}/ca.pem was edited by somebody, so it is left there; remove it if nobody needs it"]


def test_files_are_of_now_where_nobody_asks_for_an_age(tmp_path: Path) -> None:
    """To within what the writing takes."""
    bring(tmp_path / "brought", CA)
    status = (tmp_path / "brought/ca.pem").stat()
    assert 0 <= status.st_ctime_ns - status.st_mtime_ns < 10**9


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o711, 0o755])
def test_a_mark_that_only_its_owner_may_write_is_a_mark(mode: int) -> None:
    """Who may read or run it does not matter."""
    mark = Mark(files={"main.cf": MarkedFile(owner="mail-pki/test", digests=("1",))})
    written = mark_entry(mark)
    assert written is not None
    assert stat.S_IMODE(written.mode) == 0o600
    assert read_mark(FileEntry(MARK_FILE, written.content, mode), "digest") == mark
    for open_mode in (mode | 0o020, mode | 0o002):
        with pytest.raises(ConfigError, match="not a mark"):
            read_mark(FileEntry(MARK_FILE, written.content, open_mode), "digest")


def test_a_root_that_was_exchanged_meanwhile_is_not_locked(tmp_path: Path) -> None:
    """The directory that has the name now is locked, not the one that had it at the first look."""
    root = tmp_path / "root"
    root.mkdir()
    writer = DirectoryWriter(root)
    with writer._root_held():
        root.rename(tmp_path / "moved")
        root.mkdir()
        with writer.exclusive():
            assert (root / LOCK_FILE).exists()
            assert not (tmp_path / "moved" / LOCK_FILE).exists()


def test_a_root_that_is_locked_is_the_one_that_is_looked_at(tmp_path: Path) -> None:
    """Whoever puts another directory in its place meanwhile does not have that one judged."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "ours").write_bytes(b"")
    writer = DirectoryWriter(root)
    with writer.exclusive():
        root.rename(tmp_path / "moved")
        root.mkdir()
        (root / "theirs").write_bytes(b"")
        assert [*writer.present(["ours", "theirs"])] == ["ours"]
    assert [*writer.present(["ours", "theirs"])] == ["theirs"]


def test_a_lock_that_was_given_another_name_is_not_ours_by_a_link(tmp_path: Path) -> None:
    """What has the name of the lock file now is somebody else's, wherever it leads."""
    directory = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock = lock_place(directory)
        assert lock is not None
        (tmp_path / LOCK_FILE).rename(tmp_path / "moved")
        (tmp_path / LOCK_FILE).symlink_to("moved")
        remove_lock(directory, lock)
        assert (tmp_path / LOCK_FILE).is_symlink()
        os.close(lock)
    finally:
        os.close(directory)


def test_a_run_without_a_change_clears_up_behind_one_that_was_cut_off(tmp_path: Path) -> None:
    """A temporary file may be half a key; one whose name is not such a one stays."""
    place = tmp_path / "place"
    owned, _ = bring(place, CA)
    for name in (".postseal-0123456789abcdef", "postseal-0123456789abcdef"):
        (place / name).write_bytes(b"half a key")
    bring(place, CA, owned=owned)
    assert sorted(each.name for each in place.iterdir()) == [MARK_FILE, "ca.pem", "postseal-0123456789abcdef"]


def test_a_project_that_is_exchanged_for_a_link_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the names and the first that is opened: the link may lead into the files of others."""
    for name in ("project", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "roots.pem").write_bytes(name.encode())
    project = tmp_path / "project"
    assert read_project_file(project, "roots.pem") == b"project"
    real = os.open

    def opened(path: Any, flags: int, **named: Any) -> int:
        if not project.is_symlink():
            project.rename(tmp_path / "moved")
            project.symlink_to("elsewhere")
        return real(path, flags, **named)

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(ProjectFileError):
        read_project_file(project, "roots.pem")


def _handles() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names alone


def test_whatever_is_asked_and_refused_no_handle_stays_open(tmp_path: Path) -> None:
    """Of a directory on the way, of one that others may write to, of a file that is there and of one that is not."""
    root = tmp_path / "root"
    (root / "tls/inner").mkdir(parents=True)
    (root / "open").mkdir()
    (root / "open").chmod(0o777)
    (root / "tls/inner/ca.pem").write_bytes(b"")
    writer = DirectoryWriter(root)
    parent = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    before = _handles()
    for _ in range(3):
        assert [*writer.present(["tls/inner/ca.pem", "tls/inner/missing"])] == ["tls/inner/ca.pem"]
        assert writer.read("tls/inner/ca.pem") is not None
        with pytest.raises(DeployError):
            writer.present(["open/file"])
        with pytest.raises(DeployError):
            open_inside(parent, "open", str(root / "open"))
        assert read_project_file(root, "tls/inner/ca.pem") == b""
        with pytest.raises(FileNotFoundError):
            read_project_file(root, "tls/inner/missing")
        with parent_of_place(str(root)) as (_, name):
            assert name == "root"
    assert _handles() == before
    os.close(parent)
