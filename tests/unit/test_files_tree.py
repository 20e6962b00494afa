"""Plans of file sets as values."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal_core.errors import ConfigError
from postseal_core.files.tree import (
    DIRECTORY,
    OTHER,
    ROOT,
    Directory,
    Entry,
    FileEntry,
    Symlink,
    digest,
    foreign_problems,
    manifest,
    parents,
    paths_to_inspect,
    plan_tree,
)

KEY = FileEntry("tls/mx1.pem", b"key and chain", 0o400)
CA = FileEntry("tls/ca.pem", b"roots", 0o644)
MAIN_CF = FileEntry("main.cf", b"myhostname = mx1.example.org\n", 0o644)
HERE = {ROOT: DIRECTORY}


def paths_of(error: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    """Return which paths an error speaks of."""
    return [problem.path for problem in error.value.problems]


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "tls/../../x", "tls//x", "./x", "tls/", "a\nb", "a\0b"])
def test_a_path_that_is_not_plain_and_relative_is_refused(path: str) -> None:
    """No entry can name a place outside its root or a path with two spellings."""
    with pytest.raises(ConfigError) as error:
        FileEntry(path, b"", 0o644)
    assert paths_of(error) == [path]


@pytest.mark.parametrize("mode", [-1, 0o1000, 0o4755])
def test_a_mode_with_other_bits_than_permissions_is_refused(mode: int) -> None:
    """Set-uid bits and negative numbers are no permissions."""
    with pytest.raises(ConfigError):
        FileEntry("main.cf", b"", mode)


@pytest.mark.parametrize("target", ["", "/etc/passwd", "../../x", "a/../../../x", "a\nb", "ca.pem/"])
def test_a_link_that_leaves_the_root_is_refused(target: str) -> None:
    """A declared link cannot lead out of the directory that is deployed."""
    with pytest.raises(ConfigError):
        Symlink("tls/link", target)


@pytest.mark.parametrize("target", ["ca.pem", "../main.cf", "./ca.pem", "sub/../ca.pem"])
def test_a_link_that_stays_below_the_root_is_accepted(target: str) -> None:
    """A link may climb as long as it stays inside."""
    assert Symlink("tls/link", target).target == target


def test_the_content_of_an_entry_never_shows() -> None:
    """A key in an entry stays out of logs and test reports."""
    assert "chain" not in repr(KEY)


@pytest.mark.parametrize(
    "other",
    [
        FileEntry(KEY.path, b"another", KEY.mode),
        FileEntry(KEY.path, KEY.content, 0o600),
        Symlink(KEY.path, "key and chain"),
    ],
)
def test_a_digest_tells_content_mode_and_kind_apart(other: Entry) -> None:
    """Whatever makes a file another file changes its digest."""
    assert digest(other) != digest(KEY)


def test_a_digest_is_the_same_for_the_same_file_elsewhere() -> None:
    """The digest does not depend on the path, so a moved file is recognised by eye."""
    assert digest(FileEntry("elsewhere", KEY.content, KEY.mode)) == digest(KEY)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("main.cf", (ROOT,)), ("a/b/c", (ROOT, "a/", "a/b/")), ("a/b/", (ROOT, "a/")), (ROOT, ())],
)
def test_the_directories_above_a_path_come_outermost_first(path: str, expected: tuple[str, ...]) -> None:
    """Directories are listed in the order in which they have to be made."""
    assert parents(path) == expected


def test_an_empty_place_gets_everything_with_directories_as_private_as_their_files() -> None:
    """A directory that holds a key is closed to others, the one that holds main.cf is not."""
    plan = plan_tree([MAIN_CF, CA, KEY], {}, {})
    assert plan.make_directories == (Directory(ROOT, 0o755), Directory("tls/", 0o700))
    assert plan.write == (MAIN_CF, CA, KEY)
    assert plan.owned == manifest([MAIN_CF, CA, KEY]) | {ROOT: DIRECTORY, "tls/": DIRECTORY}


def test_a_root_that_holds_only_private_files_is_private() -> None:
    """Archives that are handed out lie in a directory that nobody else may enter."""
    assert plan_tree([FileEntry("alice.p12", b"", 0o600)], {}, {}).make_directories == (Directory(ROOT, 0o700),)


def test_writes_follow_the_order_that_is_asked_for() -> None:
    """The caller puts main.cf last, though its name sorts first."""
    plan = plan_tree([MAIN_CF, CA, KEY], {}, {}, order=lambda entry: entry.path == "main.cf")
    assert [entry.path for entry in plan.write] == ["tls/ca.pem", "tls/mx1.pem", "main.cf"]


def test_only_what_differs_is_written() -> None:
    """One changed file is one write, whatever else is declared."""
    present = manifest([MAIN_CF, CA, KEY]) | HERE | {"tls/": DIRECTORY}
    renewed = FileEntry(KEY.path, b"new key", 0o400)
    plan = plan_tree([MAIN_CF, CA, renewed], manifest([MAIN_CF, CA, KEY]), present)
    assert (plan.write, plan.changed_outside) == ((renewed,), ())


@pytest.mark.parametrize("found", [digest(CA), None])
def test_a_file_of_ours_that_somebody_edited_or_deleted_is_reported_and_written_again(found: str | None) -> None:
    """A hand edit is undone, and the plan says that there was one."""
    present = HERE | ({KEY.path: found, "tls/": DIRECTORY} if found else {})
    plan = plan_tree([KEY], manifest([KEY]), present)
    assert (plan.write, plan.changed_outside, plan.taken_over) == ((KEY,), (KEY.path,), ())


@pytest.mark.parametrize("found", [digest(CA), digest(MAIN_CF)], ids=["another file", "the same bytes"])
def test_a_file_that_was_not_ours_is_replaced_only_where_that_is_said(found: str) -> None:
    """Overwriting what somebody else made never passes unsaid; also what is as declared would be removed later."""
    present = HERE | {MAIN_CF.path: found}
    with pytest.raises(ConfigError, match=r"main.cf: a file that is not ours stands there.*take_over: \[main.cf\]"):
        plan_tree([MAIN_CF], {}, present, take_over=["master.cf"])
    plan = plan_tree([MAIN_CF], {}, present, take_over=["main.cf"])
    assert (plan.write, plan.taken_over) == ((MAIN_CF,), (MAIN_CF.path,))


def test_files_of_others_at_one_place_are_one_problem_with_all_names_to_write() -> None:
    """Those that are named already stay in the list, so that it can be copied as it is."""
    present = HERE | dict.fromkeys(["main.cf", "master.cf", "notes", "tls/ca.pem"], digest(KEY))
    found = foreign_problems(["tls/ca.pem", "master.cf", "main.cf"], ["tls/ca.pem"], present, ["notes"])
    (problem,) = found
    assert problem.path == ""
    assert problem.message.startswith("2 files that are not ours stand there; ")
    assert "`take_over: [main.cf, master.cf]`" in problem.message
    (problem,) = foreign_problems(["master.cf", "main.cf", "tls/ca.pem"], (), present, ["main.cf"])
    assert "`take_over: [main.cf, master.cf, tls/ca.pem]`" in problem.message


def test_what_stands_where_an_original_would_be_kept_is_in_the_way() -> None:
    """Unless it is that original: a run that was cut off has kept it already."""
    present = HERE | {"main.cf": digest(CA), "main.cf.before-postseal": digest(KEY)}
    with pytest.raises(ConfigError, match=r"main.cf.before-postseal: is in the way"):
        plan_tree([MAIN_CF], {}, present, take_over=["main.cf"])
    again = present | {"main.cf.before-postseal": digest(CA)}
    assert plan_tree([MAIN_CF], {}, again, take_over=["main.cf"]).taken_over == ("main.cf",)


@pytest.mark.parametrize(
    ("found", "removed", "given_back", "left"),
    [
        (digest(MAIN_CF), (), ("main.cf",), ()),
        (None, (), ("main.cf",), ()),
        (digest(CA), (), (), ("main.cf",)),
    ],
    ids=["as we left it", "deleted by somebody", "edited by somebody"],
)
def test_what_ours_had_replaced_comes_back_when_ours_goes(
    found: str | None, removed: tuple[str, ...], given_back: tuple[str, ...], left: tuple[str, ...]
) -> None:
    """Ours is not removed and then missed: the original takes its place; what somebody edited stays."""
    present = HERE | {"main.cf.before-postseal": digest(KEY)} | ({"main.cf": found} if found else {})
    plan = plan_tree([], manifest([MAIN_CF]), present, kept=["main.cf"])
    assert (plan.remove, plan.give_back, plan.kept) == (removed, given_back, left)


@pytest.mark.parametrize("name", [".postseal.json", "tls/mx1.pem.before-postseal"])
def test_names_of_our_own_records_are_not_for_files(name: str) -> None:
    """A file under such a name would be taken for what it is not."""
    with pytest.raises(ConfigError, match="kept for our own records"):
        plan_tree([FileEntry(name, b"", 0o600)], {}, {})


def test_what_is_no_longer_declared_goes_if_it_is_still_ours() -> None:
    """A file is removed only as we left it, and a directory only if we made it."""
    owned = manifest([KEY, CA]) | {"tls/": DIRECTORY, ROOT: DIRECTORY}
    present = manifest([KEY]) | {CA.path: "sha256:edited", "tls/": DIRECTORY} | HERE
    plan = plan_tree([], owned, present)
    assert (plan.remove, plan.kept) == ((KEY.path,), (CA.path,))
    assert plan.remove_directories == ("tls/", ROOT)
    assert plan.owned == {}


def test_a_directory_that_was_there_before_us_is_never_removed() -> None:
    """What somebody else made stays, empty or not."""
    plan = plan_tree([], manifest([KEY]), manifest([KEY]) | HERE | {"tls/": DIRECTORY})
    assert (plan.remove, plan.remove_directories) == ((KEY.path,), ())


def test_all_collisions_are_reported_at_once() -> None:
    """A path declared twice, a file where a directory is needed, and what is in the way come together."""
    entries = [MAIN_CF, MAIN_CF, FileEntry("tls", b"", 0o644), KEY, FileEntry("socket", b"", 0o644)]
    with pytest.raises(ConfigError) as error:
        plan_tree(entries, {}, HERE | {"tls/": "sha256:of a link", "socket": OTHER})
    assert paths_of(error) == ["main.cf", "tls", "socket", "tls/"]


names = st.sampled_from(["a", "b", "c"])
entries = st.builds(
    FileEntry,
    st.lists(names, min_size=1, max_size=3).map("/".join),
    st.sampled_from([b"1", b"2"]),
    st.sampled_from([0o400, 0o644]),
)
trees = st.lists(entries, max_size=6, unique_by=lambda entry: entry.path).filter(
    lambda chosen: not {entry.path for entry in chosen} & {p[:-1] for e in chosen for p in parents(e.path)}
)


def after(present: Mapping[str, str], desired: list[FileEntry], owned: Mapping[str, str]) -> dict[str, str]:
    """Return what is there once the plan is carried out, by the plan's own words."""
    plan = plan_tree(desired, owned, present)
    made = {directory.path: DIRECTORY for directory in plan.make_directories}
    left = {path: value for path, value in present.items() if path not in plan.remove}
    return left | made | manifest(plan.write)


@given(trees)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(desired: list[FileEntry]) -> None:
    """Planning again from what a plan leads to gives an empty plan."""
    first = plan_tree(desired, {}, {})
    again = plan_tree(desired, first.owned, after({}, desired, {}))
    assert again.is_empty
    assert again.owned == first.owned


@given(trees)
def test_everything_that_is_needed_is_asked_for(desired: list[FileEntry]) -> None:
    """A plan from the paths it asks for equals the plan from everything that is there."""
    there = after({}, desired, {}) | {"unknown": "sha256:unknown"}
    asked = {path: there[path] for path in paths_to_inspect(desired, {}) if path in there}
    names = [entry.path for entry in desired]
    assert plan_tree(desired, {}, asked, take_over=names) == plan_tree(desired, {}, there, take_over=names)


@given(trees, trees)
def test_nothing_that_was_never_ours_is_removed(ours: list[FileEntry], others: list[FileEntry]) -> None:
    """Removals are a subset of what we wrote."""
    foreign = [entry for entry in others if entry.path not in manifest(ours)]
    plan = plan_tree([], manifest(ours), manifest(ours) | manifest(foreign) | HERE)
    assert set(plan.remove) == set(manifest(ours))
