"""What a way to a place is called and leaves open, which names files may have, what a mark says while it changes."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from postseal_core.errors import DeployError
from postseal_core.files import safe_place
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.mark import Mark, MarkedFile, MarkedSetting, after_plan, before_plan, mark_entry
from postseal_core.files.safe_place import complaint_of_place, open_place
from postseal_core.files.tree import FileEntry, kept_name, plan_tree

OURS = "mail-pki/test"
THEIRS = "mail-pki/prod"


@pytest.mark.parametrize("path", ["x", "mx", "xx.x", "box/mx", "x/x", ".x", "x.", "tls./.x"])
def test_a_file_is_found_under_the_name_that_it_was_written_under(tmp_path: Path, path: str) -> None:
    """Whatever the name begins or ends with, nothing is cut from it, and nothing else appears."""
    writer = DirectoryWriter(tmp_path)
    (tmp_path / path).parent.mkdir(exist_ok=True)
    entry = FileEntry(path, b"roots", 0o644)
    writer.write(entry)
    assert (tmp_path / path).read_bytes() == b"roots"
    assert [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()] == [path]
    assert writer.read(path) == entry
    assert [*writer.present([path])] == [path]
    writer.remove(path)
    assert not (tmp_path / path).exists()


@pytest.mark.parametrize("way", ["{}", "{}/", "{}/.", "{}//./", "./{}", ".//{}/./."])
@pytest.mark.parametrize("mode", [0o700, 0o750])
def test_the_mode_of_a_place_does_not_depend_on_how_its_path_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, mode: int
) -> None:
    """A dot at the end is no directory of its own: it would leave the place with the mode of those on the way."""
    monkeypatch.chdir(tmp_path)
    os.close(open_place(way.format("above/place"), make_mode=mode))
    assert stat.S_IMODE((tmp_path / "above").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "above/place").stat().st_mode) == mode


def test_a_directory_is_refused_by_the_name_that_it_has_from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is reached by a relative path, by dots, or by a link to an absolute path."""
    with tempfile.TemporaryDirectory() as short:  # a long name would be shortened in the message
        place = Path(short).resolve() / "open"
        place.mkdir()
        (place.parent / "link").symlink_to(place)
        (place.parent / "near").symlink_to("open")
        monkeypatch.chdir(short)
        for path in (str(place), "open", "open/../open", "link", "near", "./near/."):
            assert complaint_of_place(path) is None
        place.chmod(0o777)
        for path in (str(place), "open", "open/../open", "link", "near", "./near/.", "near/below"):
            assert (complaint_of_place(path) or "").startswith(f"'{place}' can be written by everybody")


def test_the_root_of_the_disk_is_judged_as_well_and_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the way it may be sticky, as any other directory; as a place, or open to all, it may not."""
    root = Path("/").stat()
    seen = {"mode": stat.S_IFDIR | 0o755}
    real = os.fstat

    def status(handle: int) -> os.stat_result:
        found = real(handle)
        return os.stat_result((seen["mode"], *found[1:])) if os.path.samestat(found, root) else found

    monkeypatch.setattr(os, "fstat", status)
    assert complaint_of_place(str(tmp_path)) is None
    seen["mode"] = stat.S_IFDIR | 0o777
    assert (complaint_of_place(str(tmp_path)) or "").startswith("'/' can be written by everybody")
    seen["mode"] |= stat.S_ISVTX
    assert complaint_of_place(str(tmp_path)) is None
    assert (complaint_of_place("/") or "").startswith("'/' can be written by everybody")


@pytest.mark.parametrize("target", ["{}", "there", "./there/../there", "{}/../there"])
def test_a_way_over_a_link_leaves_no_handle_open(tmp_path: Path, target: str) -> None:
    """Neither one that begins at the root of the disk again, nor one that goes on, nor one that leads nowhere."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(target.format(tmp_path.resolve() / "there"))
    (tmp_path / "nowhere").symlink_to("absent")
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names alone
    for _ in range(3):
        os.close(open_place(str(tmp_path / "link")))
        with pytest.raises(FileNotFoundError):
            open_place(str(tmp_path / "link/absent"))
        with pytest.raises(FileNotFoundError):
            open_place(str(tmp_path / "nowhere/there"))
    (tmp_path / "there").chmod(0o777)
    with pytest.raises(DeployError):
        open_place(str(tmp_path / "link"))
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208  # names alone


@pytest.mark.parametrize("uid", [0, 1, 1000])
def test_root_and_the_user_may_own_a_directory_on_the_way(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    """Besides nobody where root has no number here; the groups are those of the user alone."""
    asked: list[int] = []

    def groups(number: int) -> list[int]:
        asked.append(number)
        return [number + 1]

    monkeypatch.setattr(safe_place, "_private_gids", groups)
    monkeypatch.setattr(safe_place, "_nobody_in_here", lambda: [65534])
    trust = safe_place._trust_of.__wrapped__(uid)
    assert trust.uid == uid
    assert trust.owners == {0, uid, 65534}
    assert trust.private_gids == {uid + 1}
    assert asked == [uid]


def test_while_a_place_changes_a_file_of_ours_may_be_what_it_was_or_what_it_will_be() -> None:
    """Where another stack had the path, or nobody, what was there is not ours; what the plan does not name stays."""
    kept = MarkedFile(owner=THEIRS, digests=("other",))
    before = {
        "again.pem": MarkedFile(owner=OURS, digests=("old", "older")),
        "same.pem": MarkedFile(owner=OURS, digests=("same",)),
        "theirs.pem": MarkedFile(owner=THEIRS, digests=("old",)),
        "kept.pem": kept,
    }
    after = {
        path: MarkedFile(owner=OURS, digests=(digest,), kept="original")
        for path, digest in {"again.pem": "new", "same.pem": "same", "theirs.pem": "new", "first.pem": "new"}.items()
    }
    during = before_plan(Mark(files=before), Mark(files=after))
    assert {path: file.digests for path, file in during.files.items()} == {
        "again.pem": ("old", "older", "new"),
        "same.pem": ("same",),
        "theirs.pem": ("new",),
        "kept.pem": ("other",),
        "first.pem": ("new",),
    }
    assert {(file.owner, file.kept) for path, file in during.files.items() if path != "kept.pem"} == {
        (OURS, "original")
    }
    assert during.files["kept.pem"] == kept


def test_while_a_place_changes_a_setting_keeps_the_value_that_it_had_before_any_of_ours() -> None:
    """What is recorded first is what somebody else wrote; a new one is recorded with it."""
    old = {"main.cf: relayhost": MarkedSetting(owner=OURS, before="[smart.example.org]")}
    new = {
        "main.cf: relayhost": MarkedSetting(owner=OURS, before="ours"),
        "main.cf: mynetworks": MarkedSetting(owner=OURS),
    }
    during = before_plan(Mark(settings=old), Mark(settings=new))
    assert during.settings == {**new, **old}


def test_a_mark_can_be_read_by_people_who_wonder_whose_a_file_is() -> None:
    """One thing a line, in the order of the alphabet, so that two marks can be compared; it names its format."""
    files = {
        "tls/b.pem": MarkedFile(owner=OURS, digests=("1", "2")),
        "ca.pem": MarkedFile(owner=THEIRS, digests=("3",)),
    }
    written = mark_entry(Mark(files=files))
    assert written is not None
    lines = written.content.decode().splitlines()
    assert [line for line in lines if OURS in line] == [f'   "owner": "{OURS}"']
    assert [line for line in lines if ".pem" in line] == ['  "ca.pem": {', '  "tls/b.pem": {']
    assert [line for line in lines if "format" in line] == [' "format": 1']
    assert written.content.endswith(b"}\n")


@pytest.mark.parametrize(
    ("marked", "is_there", "kept"),
    [
        pytest.param(MarkedFile(owner=OURS, digests=("old",), kept="original"), True, "original", id="ours"),
        pytest.param(MarkedFile(owner=OURS, digests=("old",), kept="original"), False, "", id="taken away by somebody"),
        pytest.param(MarkedFile(owner=THEIRS, digests=("old",), kept="original"), True, "", id="of another stack"),
        pytest.param(None, True, "", id="not marked"),
    ],
)
def test_an_original_goes_on_being_kept_as_long_as_it_is_there_and_ours(
    marked: MarkedFile | None, *, is_there: bool, kept: str
) -> None:
    """A file that merely has the name of a kept one is nobody's original."""
    present = {"main.cf": "old", kept_name("main.cf"): "original"} if is_there else {"main.cf": "old"}
    plan = plan_tree([FileEntry("main.cf", b"new", 0o644)], {"main.cf": "old"}, present)
    mark = Mark(files={"main.cf": marked} if marked else {})
    assert after_plan(OURS, plan, ["main.cf"], present, mark).files["main.cf"].kept == kept
