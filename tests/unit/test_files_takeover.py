"""Files of others in a place of ours: never replaced unless that is said, never lost, given back when ours go."""

import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from postseal_core.errors import ConfigError
from postseal_core.files.bringing import Bringer, bring_directory, foresee_directory, release_directory
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.mark import read_mark
from postseal_core.files.tree import MARK_FILE, FileEntry, Symlink, kept_name
from tests.support.examples import examples

OWNER, OTHER_STACK = "mail-pki/dev", "mail-pki/prod"
MAIN_CF = FileEntry("main.cf", b"myhostname = mx1.example.org\n", 0o644)
KEY = FileEntry("tls/mx1.pem", b"key", 0o400)
THEIRS = b"# the administrator's\n"


def bringer(*take_over: str, owner: str = OWNER, lines: list[str] | None = None) -> Bringer:
    """Return somebody who brings files, and keeps what is reported."""
    return Bringer(owner, (lines if lines is not None else []).append, frozenset(take_over))


def files_of(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Return content, mode and inode of all files, the mark left out."""
    files = (path for path in root.rglob("*") if (path.is_file() or path.is_symlink()) and path.name != MARK_FILE)
    return {
        str(path.relative_to(root)): (path.read_bytes(), stat.S_IMODE(path.lstat().st_mode), path.lstat().st_ino)
        for path in files
    }


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with a main.cf and a table of an administrator."""
    root = tmp_path / "postfix"
    root.mkdir()
    (root / "main.cf").write_bytes(THEIRS)
    (root / "main.cf").chmod(0o640)
    (root / "notes").write_bytes(b"mine")
    return root


def test_a_file_of_others_is_refused_with_its_path_and_the_way_out(place: Path) -> None:
    """In the preview and in the run; nothing is touched, not even a mark is left."""
    before = files_of(place)
    for act in (
        lambda: foresee_directory(place, ["main.cf", "tls/mx1.pem"], {}, bringer("master.cf")),
        lambda: bring_directory(place, [MAIN_CF, KEY], {}, bringer("master.cf")),
    ):
        with pytest.raises(ConfigError) as caught:
            act()
        assert [problem.path for problem in caught.value.problems] == [f"{place}/main.cf"]
        assert "take_over: [main.cf]" in caught.value.problems[0].message
    assert files_of(place) == before
    assert not (place / MARK_FILE).exists()


def test_what_is_taken_over_is_kept_said_and_given_back_with_owner_mode_and_bytes(place: Path) -> None:
    """The very file: not a copy of it, so nothing about it can be another."""
    if os.geteuid() == 0:
        os.chown(place / "main.cf", 65534, 65534)
    before, status = files_of(place), (place / "main.cf").stat()
    lines: list[str] = []
    foresee_directory(place, ["main.cf", "tls/mx1.pem"], {}, bringer("main.cf", lines=lines))
    owned = bring_directory(place, [MAIN_CF, KEY], {}, bringer("main.cf", lines=lines))
    assert lines[0] == lines[1]
    assert f"{place}/main.cf is not ours and is taken over" in lines[0]
    assert (place / "main.cf").read_bytes() == MAIN_CF.content
    assert files_of(place)[kept_name("main.cf")] == before["main.cf"]
    owned = bring_directory(place, [MAIN_CF], owned, bringer())
    release_directory(place, owned, bringer(lines=lines))
    assert files_of(place) == before
    after = (place / "main.cf").stat()
    assert (after.st_uid, after.st_gid, after.st_mtime_ns) == (status.st_uid, status.st_gid, status.st_mtime_ns)
    assert not (place / MARK_FILE).exists()
    assert lines[2:] == [f"{place}/main.cf is given back, the very file that ours had replaced"]


def test_a_file_that_is_declared_no_more_is_given_back_too(place: Path) -> None:
    """Without waiting for the rest to go."""
    before = files_of(place)
    owned = bring_directory(place, [MAIN_CF, KEY], {}, bringer("main.cf"))
    owned = bring_directory(place, [KEY], owned, bringer("main.cf"))
    assert files_of(place)["main.cf"] == before["main.cf"]
    assert kept_name("main.cf") not in files_of(place)
    assert "main.cf" not in owned


@pytest.mark.parametrize("call", ["link", "rename"])
def test_a_file_with_the_bytes_of_ours_survives_a_run_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The mark names its digest already, and nothing is kept beside it yet: it is still theirs."""
    (tmp_path / "main.cf").write_bytes(MAIN_CF.content)
    real = getattr(os, call)

    def dying(*arguments: Any, **named: Any) -> None:
        if arguments[0] == "main.cf" or "main.cf" in arguments[1:2]:
            raise Killed
        real(*arguments, **named)

    with monkeypatch.context() as patch, suppress(Killed):
        patch.setattr(os, call, dying)
        bring_directory(tmp_path, [MAIN_CF], {}, bringer("main.cf"))
    release_directory(tmp_path, {"main.cf": "", "./": ""}, bringer())
    assert (tmp_path / "main.cf").read_bytes() == MAIN_CF.content


@pytest.mark.parametrize("kind", ["link", "same bytes"])
def test_links_and_files_with_the_same_bytes_are_of_others_too(tmp_path: Path, kind: str) -> None:
    """A link is kept and given back as the link that it is; equal bytes are no proof of whose they are."""
    (tmp_path / "elsewhere").write_bytes(THEIRS)
    if kind == "link":
        (tmp_path / "main.cf").symlink_to("elsewhere")
    else:
        (tmp_path / "main.cf").write_bytes(MAIN_CF.content)
    before = files_of(tmp_path)
    with pytest.raises(ConfigError):
        bring_directory(tmp_path, [MAIN_CF], {}, bringer())
    owned = bring_directory(tmp_path, [MAIN_CF], {}, bringer("main.cf"))
    assert (tmp_path / "elsewhere").read_bytes() == THEIRS
    release_directory(tmp_path, owned, bringer())
    assert files_of(tmp_path) == before


def test_a_removal_takes_only_what_the_mark_proves_whatever_its_request_says(place: Path) -> None:
    """Anybody can compute the digest of a file; without a mark, or with one of another stack, nothing goes."""
    present = DirectoryWriter(place).present(["main.cf", "notes", "./"])
    before = files_of(place)
    lines: list[str] = []
    release_directory(place, present, bringer(lines=lines))
    assert files_of(place) == before
    assert [line.partition(" ")[0] for line in lines] == [f"{place}/main.cf", f"{place}/notes"]
    owned = bring_directory(place, [KEY], {}, bringer())
    release_directory(place, owned, bringer(owner=OTHER_STACK))
    assert (place / KEY.path).exists()
    release_directory(place, {**owned, **present}, bringer())
    assert files_of(place) == before


def test_a_file_of_ours_that_somebody_edited_is_left_and_said(place: Path) -> None:
    """With the original beside it, if there is one."""
    owned = bring_directory(place, [MAIN_CF, KEY], {}, bringer("main.cf"))
    (place / "main.cf").write_bytes(b"edited\n")
    lines: list[str] = []
    release_directory(place, owned, bringer(lines=lines))
    assert (place / "main.cf").read_bytes() == b"edited\n"
    assert (place / kept_name("main.cf")).read_bytes() == THEIRS
    assert not (place / "tls").exists()
    assert [line.partition(" ")[0] for line in lines] == [f"{place}/main.cf", f"{place}/{kept_name('main.cf')}"]


def test_files_of_another_stack_are_files_of_others(tmp_path: Path) -> None:
    """Two stacks with one directory: the second one is refused, until it is told to take over."""
    first = bring_directory(tmp_path, [MAIN_CF], {}, bringer())
    with pytest.raises(ConfigError, match="take_over"):
        bring_directory(tmp_path, [FileEntry("main.cf", b"x", 0o644)], {}, bringer(owner=OTHER_STACK))
    other = bring_directory(tmp_path, [KEY], {}, bringer(owner=OTHER_STACK))
    release_directory(tmp_path, other, bringer(owner=OTHER_STACK))
    assert files_of(tmp_path).keys() == {"main.cf"}
    release_directory(tmp_path, first, bringer())
    assert files_of(tmp_path) == {}


def test_a_lost_state_is_found_again_and_a_stack_under_a_new_name_keeps_its_files(tmp_path: Path) -> None:
    """The mark proves without the record, the record without the mark."""
    bring_directory(tmp_path, [MAIN_CF], {}, bringer())
    owned = bring_directory(tmp_path, [MAIN_CF], {}, bringer())
    renamed = bring_directory(tmp_path, [MAIN_CF], owned, bringer(owner=OTHER_STACK))
    (tmp_path / MARK_FILE).unlink()
    again = bring_directory(tmp_path, [MAIN_CF], renamed, bringer(owner=OTHER_STACK))
    release_directory(tmp_path, again, bringer(owner=OTHER_STACK))
    assert files_of(tmp_path) == {}


def test_the_mark_is_private_and_holds_no_content(tmp_path: Path) -> None:
    """Paths and digests, for its owner; an unchanged run does not touch it."""
    owned = bring_directory(tmp_path, [MAIN_CF, KEY, Symlink("tls/link", "mx1.pem")], {}, bringer())
    mark = tmp_path / MARK_FILE
    assert stat.S_IMODE(mark.stat().st_mode) == 0o600
    assert b"mx1.example.org" not in mark.read_bytes()
    before = mark.stat()
    bring_directory(tmp_path, [MAIN_CF, KEY, Symlink("tls/link", "mx1.pem")], owned, bringer())
    assert mark.stat() == before
    files = read_mark(DirectoryWriter(tmp_path).read(MARK_FILE), "").files
    assert {path: file.digests for path, file in files.items()} == {path: (value,) for path, value in owned.items()}


def test_the_original_has_its_second_name_on_the_disk_before_ours_takes_its_place(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mark, then link, then a sync of the directory, and only then the rename."""
    calls: list[str] = []

    def noted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> Any:
            calls.append(f"{name} {arguments[1]}" if name in ("link", "rename") else name)
            return real(*arguments, **named)

        return call

    for name in ("link", "rename", "fsync"):
        monkeypatch.setattr(os, name, noted(name))
    bring_directory(place, [MAIN_CF], {}, bringer("main.cf"))
    link = calls.index("link main.cf.before-postseal")
    assert calls[:link] == ["fsync", f"rename {MARK_FILE}", "fsync"]
    assert calls[link + 1 :] == ["fsync", "fsync", "rename main.cf", "fsync"]


class Killed(BaseException):
    """The process is gone: nothing that it would still do happens."""


class Place(RuleBasedStateMachine):
    """A directory that a stack and other people write to, with runs that are killed at any call."""

    names = st.sampled_from(["main.cf", "ca/ca.pem", "ca/x"])
    sets = st.sets(names, max_size=3)

    def __init__(self) -> None:
        super().__init__()
        self.kept = tempfile.TemporaryDirectory()
        self.root = Path(self.kept.name) / "out"
        self.owned: Mapping[str, str] = {}
        self.precious: dict[str, bytes] = {}
        self.number = 0

    def teardown(self) -> None:
        """Remove the directory."""
        self.kept.cleanup()

    def next_bytes(self, word: str) -> bytes:
        """Return bytes that nobody has written before."""
        self.number += 1
        return f"{word} {self.number}".encode()

    def is_marked(self, name: str) -> bool:
        """Return whether the mark speaks of a file."""
        if not self.root.exists():
            return False
        writer = DirectoryWriter(self.root)
        return name in read_mark(writer.read(MARK_FILE), writer.present([MARK_FILE]).get(MARK_FILE)).files

    @rule(name=names)
    def others_write(self, name: str) -> None:
        """Somebody writes a file of their own, or another one in its place; files of ours are not theirs to edit."""
        if self.is_marked(name):
            return
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        self.precious[name] = self.next_bytes("theirs")
        with suppress(FileNotFoundError):
            (self.root / name).unlink()
        (self.root / name).write_bytes(self.precious[name])

    @rule(declared=sets, take_over=sets, changes=st.booleans(), is_lost=st.booleans(), dies_at=st.integers(0, 60))
    def run(self, declared: set[str], take_over: set[str], *, changes: bool, is_lost: bool, dies_at: int) -> None:
        """`pulumi up`, with a state or without, that may be killed."""
        entries = [FileEntry(name, self.next_bytes("ours") if changes else b"ours", 0o644) for name in declared]
        owned = {} if is_lost else self.owned
        with suppress(ConfigError, Killed):
            self.owned = self.killed_at(
                dies_at, lambda: bring_directory(self.root, entries, owned, bringer(*take_over))
            )

    @precondition(lambda self: self.root.exists())
    @rule(forged=st.booleans(), dies_at=st.integers(0, 60))
    def remove(self, *, forged: bool, dies_at: int) -> None:
        """`pulumi destroy`, or a request to delete whatever there is."""
        names = [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()]
        everything = DirectoryWriter(self.root).present([*names, "./", "ca/"])
        with suppress(Killed):
            self.killed_at(
                dies_at, lambda: release_directory(self.root, everything if forged else self.owned, bringer())
            )
            self.owned = {}

    def killed_at(self, turn: int, act: Callable[[], Any]) -> Any:
        """Do something during which the process dies at a call to the operating system; 0: it lives."""
        with pytest.MonkeyPatch.context() as patch:
            turns = [turn]

            def dying(real: Callable[..., Any]) -> Callable[..., Any]:
                def call(*arguments: Any, **named: Any) -> Any:
                    turns[0] -= 1
                    if turn and turns[0] <= 0:
                        raise Killed
                    return real(*arguments, **named)

                return call

            for name in ("mkdir", "link", "rename", "unlink", "rmdir", "fsync", "fchmod"):
                patch.setattr(os, name, dying(getattr(os, name)))
            return act()

    @invariant()
    def nothing_of_others_is_lost(self) -> None:
        """Every byte that somebody else wrote is still there, under its name or beside it."""
        for name, content in self.precious.items():
            there = [self.root / name, self.root / kept_name(name)]
            assert content in [path.read_bytes() for path in there if path.exists()]

    @invariant()
    def an_unnamed_file_is_where_it_was(self) -> None:
        """What is kept beside has ours in its place, and nothing else."""
        for name in self.precious:
            if kept_name(name) not in self.owned and not (self.root / kept_name(name)).exists():
                assert (self.root / name).read_bytes() == self.precious[name]


TestPlace = Place.TestCase
TestPlace.settings = examples(60, stateful_step_count=20)
