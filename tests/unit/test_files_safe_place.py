"""Directories on the way to our files: whose they may be, who may write there, which links are followed."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.bringing import Bringer, bring_directory, problems_of_directory
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.safe_place import open_place
from postseal_core.files.tree import FileEntry, plan_tree
from postseal_core.files.trust import Place, Trust, link_complaint, place_complaint
from tests.support.other_user import as_user, uid_of

STRANGER = 65534
CA = FileEntry("ca/ca.pem", b"root", 0o644)
SOMEBODY = Bringer("mail-pki/dev", report=lambda _: None)
ROOT = Trust(0, frozenset({0}))
ALICE = Trust(1000, frozenset({0, 1000}), frozenset({1000}))


@pytest.mark.parametrize(
    ("trust", "uid", "gid", "mode", "on_the_way", "as_the_place"),
    [
        pytest.param(ROOT, 0, 0, 0o755, True, True, id="root: its own"),
        pytest.param(ROOT, 1000, 1000, 0o700, False, False, id="root: a user's"),
        pytest.param(ROOT, 0, 0, 0o775, False, False, id="root: for its group"),
        pytest.param(ROOT, 0, 0, 0o757, False, False, id="root: for everybody"),
        pytest.param(ROOT, 0, 0, 0o1777, True, False, id="root: sticky, as /tmp"),
        pytest.param(ROOT, 1000, 0, 0o1777, False, False, id="root: a user's sticky one"),
        pytest.param(ALICE, 1000, 1000, 0o755, True, True, id="a user: her own"),
        pytest.param(ALICE, 0, 0, 0o755, True, True, id="a user: root's"),
        pytest.param(ALICE, 1001, 1001, 0o755, False, False, id="a user: somebody else's"),
        pytest.param(ALICE, 1000, 1000, 0o775, True, True, id="a user: for her own group"),
        pytest.param(ALICE, 1000, 50, 0o775, False, False, id="a user: for another group"),
        pytest.param(ALICE, 1000, 1000, 0o777, False, False, id="a user: for everybody"),
        pytest.param(ALICE, 0, 0, 0o1777, True, False, id="a user: /tmp"),
    ],
)
def test_a_directory_is_trusted_if_nobody_else_can_exchange_what_lies_in_it(
    trust: Trust, uid: int, gid: int, mode: int, *, on_the_way: bool, as_the_place: bool
) -> None:
    """The rule of openssh; a sticky directory protects what lies in it, so it may be passed and not be the place."""
    place = Place("/srv/out", uid, gid, stat.S_IFDIR | mode)
    assert (place_complaint(place, trust, is_last=False) is None) == on_the_way
    assert (place_complaint(place, trust, is_last=True) is None) == as_the_place


@pytest.mark.parametrize(
    ("trust", "whose"), [(ROOT, "those of root,"), (ALICE, "those of uid 1000 or root,")], ids=["root", "a user"]
)
def test_a_refused_directory_is_told_with_those_that_would_do(trust: Trust, whose: str) -> None:
    """Root takes those of root alone; a user her own as well."""
    place = Place("/srv/out", 1001, 1001, stat.S_IFDIR | 0o755)
    complaint = place_complaint(place, trust, is_last=True) or ""
    assert complaint.startswith("'/srv/out' belongs to uid 1001")
    assert whose in complaint


def test_an_access_list_takes_away_what_a_private_group_gives() -> None:
    """With a list, the bits of the group are those of everybody who is on it."""
    place = Place("/srv/out", 1000, 1000, 0o775, has_acl=True)
    assert "chmod g-w" in (place_complaint(place, ALICE, is_last=True) or "")


def test_a_link_is_followed_if_root_or_the_user_made_it() -> None:
    """Anybody else could point it elsewhere."""
    assert link_complaint("/srv/out", 0, ALICE) is None
    assert link_complaint("/srv/out", 1000, ALICE) is None
    assert "name the directory itself" in (link_complaint("/srv/out", 1001, ALICE) or "")


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a directory in the system's /tmp that every user may enter and only root may write to."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


def foreign_directory(place: Path) -> None:
    """Give a directory to somebody else."""
    place.mkdir()
    os.chown(place, STRANGER, STRANGER)


def open_to_all(place: Path) -> None:
    """Let everybody write to a directory."""
    place.mkdir()
    place.chmod(0o777)


def open_to_a_group(place: Path) -> None:
    """Let a group write to a directory."""
    place.mkdir()
    place.chmod(0o775)


def sticky(place: Path) -> None:
    """Make a directory as /tmp."""
    place.mkdir()
    place.chmod(0o1777)


def foreign_link(place: Path) -> None:
    """Put a link of somebody else there, to a directory that is well."""
    target = place.with_name("elsewhere")
    target.mkdir()
    place.symlink_to(target)
    os.chown(place, STRANGER, STRANGER, follow_symlinks=False)


@pytest.mark.needs_root
@pytest.mark.parametrize(
    "make", [foreign_directory, open_to_all, open_to_a_group, sticky, foreign_link], ids=lambda make: make.__name__
)
@pytest.mark.parametrize("below", ["", "hosts/mx1"], ids=["the place itself", "above the place"])
def test_a_place_that_others_can_change_is_refused_and_nothing_is_written(
    shared: Path, make: object, below: str
) -> None:
    """In the preview, and again when files are written; the message names the directory and what to do."""
    assert callable(make)
    make(shared / "out")
    before = sorted(shared.rglob("*"))
    place = shared / "out" / below
    if make is sticky and below:
        # The control: below /tmp a directory of one's own is well, and it is made.
        assert problems_of_directory("directory", str(place)) == []
        assert bring_directory(place, [CA], {}, SOMEBODY)
        return
    (problem,) = problems_of_directory("directory", str(place))
    assert f"{shared}/out" in problem.message
    with pytest.raises(DeployError, match=str(shared / "out")):
        bring_directory(place, [CA], {}, SOMEBODY)
    assert sorted(shared.rglob("*")) == before


@pytest.mark.needs_root
@pytest.mark.parametrize("make", [foreign_directory, open_to_all, open_to_a_group], ids=lambda make: make.__name__)
def test_a_directory_inside_the_place_that_others_can_change_is_refused(shared: Path, make: object) -> None:
    """A folder for a key, made by somebody else before us."""
    assert callable(make)
    (shared / "out").mkdir()
    make(shared / "out/ca")
    with pytest.raises(DeployError, match=str(shared / "out/ca")):
        bring_directory(shared / "out", [CA], {}, SOMEBODY)
    assert [*(shared / "out/ca").iterdir()] == []


@pytest.mark.needs_root
def test_a_link_of_ones_own_is_followed_and_its_way_is_checked_too(shared: Path) -> None:
    """`out` may be a link to another disk; where it leads, the same rule holds."""
    good, bad = shared / "disk", shared / "open"
    good.mkdir()
    open_to_all(bad)
    (shared / "out").symlink_to("disk")
    (shared / "worse").symlink_to(bad / "out")
    assert bring_directory(shared / "out", [CA], {}, SOMEBODY)
    assert (good / "ca/ca.pem").read_bytes() == CA.content
    with pytest.raises(DeployError, match="everybody"):
        bring_directory(shared / "worse", [CA], {}, SOMEBODY)
    assert [*bad.iterdir()] == []


def test_a_chain_of_links_that_never_ends_is_one_sentence(tmp_path: Path) -> None:
    """Two links that lead to each other."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(DeployError, match="cannot"):
        DirectoryWriter(tmp_path / "a").present(["x"])


def test_what_is_swapped_after_it_was_opened_changes_nothing(tmp_path: Path) -> None:
    """Whoever holds the place open goes on in the directory that was checked, not in what has its name by now."""
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    writer = DirectoryWriter(out)
    plan = plan_tree([CA], {}, {})
    writer.make_root(plan)
    with writer.exclusive():
        out.rename(tmp_path / "moved")
        out.symlink_to(outside)
        writer.carry_out(plan)
    assert [*outside.iterdir()] == []
    assert (tmp_path / "moved/ca/ca.pem").read_bytes() == CA.content


def test_a_directory_that_becomes_a_link_between_look_and_use_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Swapped between the stat and the open of one step."""
    (tmp_path / "out/inner").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    real = os.stat

    def swap(path: str, **named: Any) -> os.stat_result:
        status: os.stat_result = real(path, **named)
        if path == "inner":
            (tmp_path / "out/inner").rename(tmp_path / "out/gone")
            (tmp_path / "out/inner").symlink_to(tmp_path / "outside")
        return status

    monkeypatch.setattr(os, "stat", swap)
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        open_place(str(tmp_path / "out/inner"))


@pytest.mark.needs_root
@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077], ids="{:03o}".format)
def test_directories_that_we_make_on_the_way_are_never_open_to_others(shared: Path, umask: int) -> None:
    """Whatever the umask: at most 0755 above the place, exactly the mode of the plan for the place itself."""
    previous = os.umask(umask)
    try:
        bring_directory(shared / "a/b/out", [CA], {}, SOMEBODY)
    finally:
        os.umask(previous)
    modes = [stat.S_IMODE((shared / path).stat().st_mode) for path in ("a", "a/b", "a/b/out", "a/b/out/ca")]
    assert modes == [0o755 & ~umask, 0o755 & ~umask, 0o755, 0o755]


@pytest.mark.needs_root
@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077], ids="{:03o}".format)
def test_a_checkout_of_a_user_with_a_group_of_her_own_is_a_good_place(shared: Path, umask: int) -> None:
    """With umask 002, directories have mode 0775, for a group that only she is in; `daemon` is alone in its group."""
    checkout = shared / "checkout"
    checkout.mkdir()
    os.chown(checkout, uid_of("daemon"), uid_of("daemon"))
    checkout.chmod(0o775)
    assert as_user("daemon", checkout / "out", umask=umask) == ""
    assert (checkout / "out/ca/ca.pem").read_bytes() == b"root"


@pytest.mark.needs_root
@pytest.mark.parametrize(
    ("user", "gid"), [("daemon", 0), ("nobody", STRANGER)], ids=["another group", "a group that several users have"]
)
def test_a_checkout_that_a_group_of_several_may_write_to_is_refused(shared: Path, user: str, gid: int) -> None:
    """The control: the same mode, and others are in the group."""
    checkout = shared / "checkout"
    checkout.mkdir()
    os.chown(checkout, uid_of(user), gid)
    checkout.chmod(0o775)
    assert "chmod g-w" in as_user(user, checkout / "out")
    assert [*checkout.iterdir()] == []
    checkout.chmod(0o755)
    assert as_user(user, checkout / "out") == ""


@pytest.mark.needs_root
def test_a_place_of_another_user_is_refused_to_a_user_too(shared: Path) -> None:
    """Also where the mode would let her write."""
    place = shared / "out"
    place.mkdir()
    os.chown(place, STRANGER, uid_of("daemon"))
    place.chmod(0o775)
    assert f"belongs to uid {STRANGER}" in as_user("daemon", place)
    assert [*place.iterdir()] == []


def test_a_mark_that_others_may_write_proves_nothing(tmp_path: Path) -> None:
    """It is refused rather than believed, and so is one that is no plain file or holds something else."""
    for mode, content in (
        (0o666, b"{}"),
        (0o600, b"["),
        (0o600, b"[]"),
        (0o600, b'{"format": 2}'),
        (0o600, b"[" * 9999),
    ):
        (tmp_path / ".postseal.json").write_bytes(content)
        (tmp_path / ".postseal.json").chmod(mode)
        with pytest.raises(ConfigError, match=r"\.postseal\.json: is not a mark"):
            bring_directory(tmp_path, [CA], {}, SOMEBODY)
        (tmp_path / ".postseal.json").unlink()
    (tmp_path / ".postseal.json").symlink_to("/etc/hostname")
    with pytest.raises(ConfigError, match="not a plain file"):
        bring_directory(tmp_path, [CA], {}, SOMEBODY)
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize(("links", "is_followed"), [(40, True), (41, False)])
def test_as_many_links_are_followed_as_the_system_follows(tmp_path: Path, links: int, *, is_followed: bool) -> None:
    """40, on Linux; what leads on and on is told as what it is."""
    where = tmp_path.resolve() / "place"
    where.mkdir()
    for number in range(links):
        (where.with_name(f"link-{number}")).symlink_to("place" if number == 0 else f"link-{number - 1}")
    last = str(where.with_name(f"link-{links - 1}"))
    if is_followed:
        os.close(open_place(last))
        assert Path(last).samefile(where)
        return
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        open_place(last)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        Path(last).stat()
