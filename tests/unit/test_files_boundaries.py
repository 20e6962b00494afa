"""File sets at their limits: modes, depths and ages on both sides, and the words that are stored."""

import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.tree import (
    Directory,
    Entry,
    FileEntry,
    Symlink,
    TreePlan,
    digest,
    digest_of_link,
    directories_above,
    parents,
    paths_to_inspect,
    plan_tree,
    tree_problems,
)


@pytest.mark.parametrize("mode", [0, 1, 0o400, 0o777])
def test_permission_bits_are_modes(mode: int) -> None:
    """From none to all."""
    assert FileEntry("a", b"", mode).mode == mode


@pytest.mark.parametrize("mode", [-1, 0o1000, 0o4400])
def test_anything_beyond_permission_bits_is_no_mode(mode: int) -> None:
    """Neither a sticky bit nor one that changes the user."""
    with pytest.raises(ConfigError, match="is not within 0 to 0o777"):
        FileEntry("a", b"", mode)


@pytest.mark.parametrize("bit", range(9))
def test_a_file_is_private_as_long_as_no_bit_is_for_others(bit: int) -> None:
    """The upper three bits are the owner's."""
    assert FileEntry("a", b"", 1 << bit).is_private == (bit >= 6)
    assert FileEntry("a", b"", 0o700 | 1 << bit).is_private == (bit >= 6)


@pytest.mark.parametrize(
    ("path", "target", "is_inside"),
    [
        ("a", "b", True),
        ("a", ".", True),
        ("a", "..", False),
        ("a", "../b", False),
        ("d/a", "../b", True),
        ("d/a", "..", True),
        ("d/a", "../..", False),
        ("d/a", "./../..", False),
        ("d/a", ".././..", False),
        ("d/a", "..//..", False),
        ("d/a", "b/../..", True),
        ("d/a", "b/../../..", False),
        ("d/e/a", "../../b", True),
        ("d/e/a", "../../../b", False),
        ("a", "b///c", True),
        ("a", "", False),
        ("a", "/b", False),
        ("a", "b/", False),
        ("a", "b\n", False),
    ],
)
def test_a_link_stays_below_the_root(path: str, target: str, is_inside: bool) -> None:  # noqa: FBT001
    """Step by step: a target that leaves on its way and comes back is refused as well."""
    if is_inside:
        assert Symlink(path, target).target == target
    else:
        with pytest.raises(ConfigError, match="stays below the deployed directory"):
            Symlink(path, target)


def test_words_of_the_state_stay_what_they_are() -> None:
    """Digests and names of directories are stored, and compared with those of a later version."""
    assert parents("a/b/c") == ("./", "a/", "a/b/")
    assert parents("a/b/") == ("./", "a/")
    assert parents("./") == ()
    assert directories_above(["b/c", "a"]) == ["./", "b/"]
    assert digest(FileEntry("a", b"text", 0o644)) == (
        "sha256:149654ece57dfb4aba3c94032292b2cf83554feb565556d2cd9f48bdcb77dd9e"
    )
    assert digest_of_link(b"ca.pem") == digest(Symlink("a", "ca.pem"))
    assert digest(Symlink("a", "ca.pem")) == ("sha256:b68589e0dbb065822f8654db85cbeac483c9b9e5ebd88df67aa5c6439082fdaa")


def test_every_part_of_an_entry_is_in_its_digest() -> None:
    """Kind, mode and content; the path is beside it."""
    entries: list[Entry] = [
        FileEntry("a", b"b", 0o644),
        FileEntry("a", b"b", 0o600),
        FileEntry("a", b"c", 0o644),
        Symlink("a", "b"),
    ]
    assert len({digest(each) for each in entries}) == len(entries)
    assert digest(FileEntry("x", b"b", 0o644)) == digest(entries[0])


@pytest.mark.parametrize(("options", "age"), [({}, 0), ({"age_seconds": 5}, 5)], ids=["by itself", "put back"])
def test_a_file_is_as_old_as_asked(tmp_path: Path, options: dict[str, int], age: int) -> None:
    """To within what the writing takes."""
    DirectoryWriter(tmp_path).write(FileEntry("a", b"", 0o644), **options)
    status = (tmp_path / "a").stat()
    assert 0 <= status.st_ctime_ns - status.st_mtime_ns - age * 10**9 < 10**9


def test_a_temporary_file_has_a_name_by_which_the_next_run_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left where a run is killed, and holds what was to be written."""
    names: list[str] = []
    real = os.rename

    def renamed(source: str, target: str, **named: Any) -> None:
        names.append(source)
        real(source, target, **named)

    monkeypatch.setattr(os, "rename", renamed)
    writer = DirectoryWriter(tmp_path)
    writer.write(FileEntry("a", b"", 0o644))
    (name,) = names
    assert re.fullmatch(r"\.postseal-[0-9a-f]{16}", name)
    (tmp_path / name).write_bytes(b"half")
    writer.remove_leftovers(["./"])
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_directory_is_narrow_until_its_mode_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody enters in between, whatever the umask."""
    modes: list[int] = []
    real = os.mkdir

    def made(path: Any, mode: int = 0o777, **named: Any) -> None:
        real(path, mode, **named)
        modes.append(stat.S_IMODE(os.stat(path, **named).st_mode))  # noqa: PTH116  # relative to a directory

    monkeypatch.setattr(os, "mkdir", made)
    before = os.umask(0)
    try:
        DirectoryWriter(tmp_path).make_directory(Directory("d/", 0o755))
    finally:
        os.umask(before)
    assert modes == [0o700]
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    ("turn", "said"),
    [(1, "nothing was changed before that"), (2, "done before that: a"), (3, "done before that: a, b")],
)
def test_a_plan_that_fails_says_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: int, said: str
) -> None:
    """In order, and that it can be run again."""
    desired = [FileEntry(name, name.encode(), 0o644) for name in "abc"]
    plan: TreePlan = plan_tree(desired, {}, {"./": "directory"})
    assert paths_to_inspect(desired, {}) == ("./", "a", "b", "c")
    real, turns = os.rename, iter(range(1, 10))

    def renamed(*arguments: Any, **named: Any) -> None:
        if next(turns) == turn:
            raise OSError(28, "No space left on device")
        real(*arguments, **named)

    monkeypatch.setattr(os, "rename", renamed)
    with pytest.raises(DeployError) as caught:
        DirectoryWriter(tmp_path).apply(plan)
    assert str(caught.value).endswith(f"; {said}; run again to complete it")


NOTHING = plan_tree([], {}, {})


@pytest.mark.parametrize(
    "step",
    [
        {"make_directories": (Directory("d/", 0o755),)},
        {"write": (FileEntry("a", b"", 0o644),)},
        {"remove": ("a",)},
        {"remove_directories": ("d/",)},
    ],
    ids=lambda step: next(iter(step)),
)
def test_a_plan_with_a_step_of_any_kind_is_not_empty(step: dict[str, Any]) -> None:
    """One alone is enough; what is only told is none."""
    assert NOTHING.is_empty
    assert not replace(NOTHING, **step).is_empty
    assert replace(NOTHING, changed_outside=("b",), kept=("c",), owned={"a": "sha256:0"}).is_empty


def test_a_directory_of_links_is_open_to_others() -> None:
    """A link holds nothing that needs hiding; a key beside it does."""
    link = Symlink("roots/3f2a1b4c.0", "ca.pem")
    assert not link.is_private
    modes = {each.path: each.mode for each in plan_tree([link], {}, {}).make_directories}
    assert modes["roots/"] == 0o755
    beside = plan_tree([link, FileEntry("roots/key", b"", 0o400)], {}, {})
    assert {each.path: each.mode for each in beside.make_directories}["roots/"] == 0o700


def test_the_root_comes_before_names_that_sort_before_it() -> None:
    """It is made first."""
    assert directories_above(["!a/b", "-c/d"]) == ["./", "!a/", "-c/"]


def test_names_that_begin_alike_are_no_directory_of_each_other() -> None:
    """Only a file at the very place of a directory is in its way."""
    assert tree_problems([FileEntry("a", b"", 0), FileEntry("ax/b", b"", 0)]) == ()
    assert [each.path for each in tree_problems([FileEntry("a", b"", 0), FileEntry("a/b", b"", 0)])] == ["a"]


@pytest.mark.parametrize("target", ["x", "xax", "x/x"])
def test_a_target_may_have_any_letters(target: str) -> None:
    """Only slashes at its ends are none of a path."""
    assert Symlink("a", target).target == target
