"""Plans carried out below a temporary directory."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postseal_core.errors import DeployError
from postseal_core.files.bringing import Bringer, bring_directory
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.tree import (
    DIRECTORY,
    OTHER,
    ROOT,
    Entry,
    FileEntry,
    Symlink,
    TreePlan,
    paths_to_inspect,
    plan_tree,
)

KEY = FileEntry("tls/mx1.pem", b"key and chain", 0o400)
CA = FileEntry("tls/ca.pem", b"roots", 0o644)
LINK = Symlink("tls/3f2a1b4c.0", "ca.pem")
MAIN_CF = FileEntry("main.cf", b"myhostname = mx1.example.org\n", 0o644)
ALL: list[Entry] = [KEY, CA, LINK, MAIN_CF]
CODES = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.EMFILE)
NOBODY = Bringer("mail-pki/test", report=lambda _: None)
FAILING_CALLS = ("open", "mkdir", "chmod", "fchmod", "fsync", "rename", "symlink", "utime")


@pytest.fixture
def writer(tmp_path: Path) -> DirectoryWriter:
    """Return a writer for a directory that does not exist yet."""
    return DirectoryWriter(tmp_path / "out" / "postfix")


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Set one umask after the other."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def bring(
    writer: DirectoryWriter, desired: list[Entry], owned: dict[str, str] | None = None, take_over: Sequence[str] = ()
) -> TreePlan:
    """Plan and carry out, as a caller does."""
    present = writer.present(paths_to_inspect(desired, owned or {}))
    plan = plan_tree(desired, owned or {}, present, take_over=take_over)
    writer.apply(plan, age_seconds=5)
    return plan


def content_of(root: str) -> dict[str, tuple[int, bytes | str | None]]:
    """Return every file, link and directory below a root with its mode, links unresolved."""
    found: dict[str, tuple[int, bytes | str | None]] = {}
    for path in Path(root).rglob("*"):
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(root))] = (stat.S_IMODE(path.lstat().st_mode), content)
    return found


def traces_of(root: str) -> dict[str, tuple[int, int, int]]:
    """Return inode and times of everything below a root and of the root."""
    places = [Path(root), *Path(root).rglob("*")]
    return {str(p): (p.lstat().st_ino, p.lstat().st_mtime_ns, p.lstat().st_ctime_ns) for p in places}


def test_files_have_exactly_their_modes_whatever_the_umask(writer: DirectoryWriter, umask: int) -> None:
    """Neither a wide nor a narrow umask changes what is written."""
    bring(writer, ALL)
    assert content_of(writer.root) == {
        "main.cf": (0o644, MAIN_CF.content),
        "tls": (0o700, None),
        "tls/mx1.pem": (0o400, KEY.content),
        "tls/ca.pem": (0o644, CA.content),
        "tls/3f2a1b4c.0": (0o777, "ca.pem"),
    }
    assert stat.S_IMODE(Path(writer.root).stat().st_mode) == 0o755


def test_a_second_run_touches_nothing(writer: DirectoryWriter) -> None:
    """Inodes and times of files and directories stay when nothing changes."""
    owned = dict(bring(writer, ALL).owned)
    before = traces_of(writer.root)
    assert bring(writer, ALL, owned).is_empty
    assert traces_of(writer.root) == before


def test_files_are_dated_back_as_asked(writer: DirectoryWriter) -> None:
    """A file that Postfix would wait for is old enough when it appears."""
    bring(writer, [MAIN_CF])
    status = Path(writer.root, "main.cf").stat()
    assert status.st_ctime_ns - status.st_mtime_ns >= 5_000_000_000


def test_what_nobody_declared_stays_and_ours_goes(writer: DirectoryWriter) -> None:
    """Removing everything of ours leaves the other files and the directories that hold them."""
    owned = dict(bring(writer, ALL).owned)
    Path(writer.root, "tls/dh.pem").write_bytes(b"unknown")
    bring(writer, [], owned)
    assert content_of(writer.root) == {"tls": (0o700, None), "tls/dh.pem": (0o644, b"unknown")}


def test_directories_that_we_made_go_when_they_are_empty(writer: DirectoryWriter) -> None:
    """After a removal nothing of ours is left, the root included."""
    owned = dict(bring(writer, ALL).owned)
    bring(writer, [], owned)
    assert not Path(writer.root).exists()
    assert Path(writer.root).parent.exists()


def test_an_interrupted_run_leaves_files_that_the_next_one_removes(writer: DirectoryWriter) -> None:
    """Temporary files are recognised by their name, also next to files that do not change."""
    owned = dict(bring(writer, ALL).owned)
    stale = Path(writer.root, "tls/.postseal-0123456789abcdef")
    stale.write_bytes(b"half a k")
    Path(writer.root, "tls/.postseal-notes").write_bytes(b"not ours")
    bring(writer, ALL, owned)
    assert not stale.exists()
    assert Path(writer.root, "tls/.postseal-notes").exists()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a directory outside the root with a file that is not ours."""
    place = tmp_path / "outside"
    place.mkdir()
    place.joinpath("mx1.pem").write_bytes(b"theirs")
    return place


def test_a_symbolic_link_in_place_of_a_directory_is_refused(writer: DirectoryWriter, outside: Path) -> None:
    """The message names the link, and what it leads to is not touched."""
    link = Path(writer.root, "tls")
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(DeployError, match=str(link)):
        bring(writer, [KEY])
    assert link.is_symlink()
    assert content_of(str(outside)) == {"mx1.pem": (0o644, b"theirs")}


def test_a_symbolic_link_in_place_of_a_file_is_itself_replaced(writer: DirectoryWriter, outside: Path) -> None:
    """The key lies in the root afterwards, and what the link led to is not touched."""
    link = Path(writer.root, KEY.path)
    link.parent.mkdir(parents=True)
    link.symlink_to(outside / "mx1.pem")
    assert bring(writer, [KEY], take_over=[KEY.path]).taken_over == (KEY.path,)
    assert Path(f"{link}.before-postseal").readlink() == outside / "mx1.pem"
    assert not link.is_symlink()
    assert link.read_bytes() == KEY.content
    assert content_of(str(outside)) == {"mx1.pem": (0o644, b"theirs")}


def test_a_link_that_appears_after_planning_is_refused(writer: DirectoryWriter, tmp_path: Path) -> None:
    """What the plan saw may have been exchanged: every step looks again."""
    bring(writer, [MAIN_CF, CA])
    plan = plan_tree([KEY], {}, writer.present([ROOT, "tls/"]))
    Path(writer.root, "tls").rename(tmp_path / "elsewhere")
    Path(writer.root, "tls").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeployError, match="tls"):
        writer.apply(plan)
    assert not (tmp_path / "elsewhere/mx1.pem").exists()


def test_each_kind_of_thing_that_is_there_is_told_apart(writer: DirectoryWriter) -> None:
    """A pipe, a directory and a link that leads outside are described without being opened."""
    bring(writer, [MAIN_CF])
    os.mkfifo(Path(writer.root, "pipe"))
    Path(writer.root, "outside").symlink_to("/etc/passwd")
    found = writer.present([ROOT, "pipe", "outside", "missing", "main.cf/"])
    assert list(found) == [ROOT, "pipe", "outside", "main.cf/"]
    assert (found[ROOT], found["pipe"]) == (DIRECTORY, OTHER)
    assert found["outside"].startswith("sha256:")


def test_reading_gives_regular_files_only(writer: DirectoryWriter) -> None:
    """A link or a missing file reads as nothing."""
    bring(writer, ALL)
    assert writer.read("tls/mx1.pem") == KEY
    assert [writer.read(path) for path in (LINK.path, "missing", "no/such/place")] == [None, None, None]
    assert writer.names("tls/") == ["3f2a1b4c.0", "ca.pem", "mx1.pem"]
    assert writer.names("missing/") == []


def test_a_root_that_is_a_file_is_refused_and_stays(tmp_path: Path) -> None:
    """The message names the root and the file is as it was."""
    root = tmp_path / "root"
    root.write_bytes(b"something")
    with pytest.raises(DeployError, match=str(root)):
        bring(DirectoryWriter(root), [MAIN_CF])
    assert root.read_bytes() == b"something"


def test_two_runs_at_once_never_mix(writer: DirectoryWriter) -> None:
    """The second run is refused while the first one is at work."""
    bring(writer, [MAIN_CF])
    with writer.exclusive(), pytest.raises(DeployError, match="another run"):
        bring(writer, [KEY])
    assert content_of(writer.root) == {"main.cf": (0o644, MAIN_CF.content)}


def test_a_key_never_has_a_wider_mode_or_a_byte_before_it_is_closed(
    writer: DirectoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every call to the operating system, no file that may hold key bytes is open to others."""
    owned = dict(bring(writer, [CA]).owned)
    Path(writer.root, "tls").chmod(0o755)
    seen: list[int] = []

    def look(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            result = real(*arguments, **named)
            modes = [stat.S_IMODE(place.lstat().st_mode) for place in Path(writer.root, "tls").iterdir()]
            seen.extend(mode for mode in modes if mode != CA.mode)
            return result

        return call

    for name in ("open", "fchmod", "fsync", "utime", "rename", "unlink"):
        monkeypatch.setattr(os, name, look(getattr(os, name)))
    previous = os.umask(0)
    try:
        bring(writer, [KEY, CA], owned)
    finally:
        os.umask(previous)
    assert set(seen) == {KEY.mode}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=st.sampled_from(FAILING_CALLS), turn=st.integers(1, 30), code=st.sampled_from(CODES))
def test_a_failure_at_any_call_leaves_every_file_old_or_new(
    tmp_path_factory: pytest.TempPathFactory, call: str, turn: int, code: int
) -> None:
    """However the disk fails, no file is partial, no temporary file is left, and the next run completes the plan."""
    writer = DirectoryWriter(tmp_path_factory.mktemp("failing") / "root")
    old: list[Entry] = [KEY, FileEntry("tls/ca.pem", b"old roots", 0o644), FileEntry("gone", b"", 0o600)]
    new: list[Entry] = [FileEntry(KEY.path, b"new key", 0o400), CA, LINK, FileEntry("new/deep/file", b"", 0o644)]
    owned = bring_directory(writer.root, old, {}, NOBODY)
    before = content_of(writer.root)
    left = owned
    with pytest.MonkeyPatch.context() as patch:
        countdown = iter(range(turn - 1, -100, -1))
        real = getattr(os, call)

        def fail(*arguments: Any, **named: Any) -> Any:
            if next(countdown) == 0:
                raise OSError(code, os.strerror(code))
            return real(*arguments, **named)

        patch.setattr(os, call, fail)
        try:
            left = bring_directory(writer.root, new, owned, NOBODY)
        except DeployError:
            left = owned
    partly = content_of(writer.root)
    bring_directory(writer.root, new, left, NOBODY)
    after = content_of(writer.root)
    # Over the paths of all three: of those still there alone, what has vanished cannot be seen.
    paths = (before.keys() | partly.keys() | after.keys()) - {".postseal.json"}
    assert all(partly.get(path) in (before.get(path), after.get(path)) for path in paths)
    assert after["tls/mx1.pem"] == (0o400, b"new key")
    assert "gone" not in after
