"""Whom a user trusts on the way to a place: a group of her own, access lists, and root where it is not mapped."""

import errno
import grp
import os
import pwd
import stat
from pathlib import Path

import pytest

from postseal_core.errors import DeployError
from postseal_core.files import safe_place
from postseal_core.files.safe_place import complaint_of_place, open_place, parent_of_place
from postseal_core.files.trust import Trust


@pytest.fixture
def group_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that a private group may write to, as umask 002 makes it."""
    place = tmp_path / "out"
    place.mkdir()
    place.chmod(0o775)
    gid = place.stat().st_gid
    monkeypatch.setattr(
        safe_place, "_trust", lambda: Trust(os.geteuid(), frozenset({0, os.geteuid()}), frozenset({gid}))
    )
    return place


@pytest.mark.parametrize(
    ("number", "is_taken"),
    [(errno.ENODATA, True), (errno.ENOTSUP, True), (errno.EACCES, False), (errno.ENOENT, False), (None, False)],
    ids=["no list", "a disk without lists", "may not look", "no /proc", "a list"],
)
def test_a_directory_of_a_private_group_is_taken_unless_it_may_have_an_access_list(
    group_place: Path, monkeypatch: pytest.MonkeyPatch, number: int | None, *, is_taken: bool
) -> None:
    """With a list, the bits of the group are those of everybody on it; what cannot be told counts as one."""

    def attribute(_path: str, name: str) -> bytes:
        assert name == "system.posix_acl_access"
        if number is not None:
            raise OSError(number, os.strerror(number))
        return b"\x02\x00\x00\x00"

    monkeypatch.setattr(os, "getxattr", attribute)
    if is_taken:
        os.close(open_place(str(group_place)))
        return
    with pytest.raises(DeployError, match="chmod g-w"):
        open_place(str(group_place))
    group_place.chmod(0o755)  # without the bits of the group there is nothing that a list could give
    os.close(open_place(str(group_place)))


def test_a_real_directory_of_a_private_group_is_read_by_the_system(group_place: Path) -> None:
    """The same question to the kernel: a fresh directory has no list."""
    assert complaint_of_place(str(group_place)) is None
    group_place.chmod(0o777)
    assert "everybody" in (complaint_of_place(str(group_place)) or "")


@pytest.mark.parametrize("is_able", [True, False])
def test_a_system_without_such_attributes_has_no_such_lists(
    group_place: Path, monkeypatch: pytest.MonkeyPatch, *, is_able: bool
) -> None:
    """Where Python knows no getxattr, the mode is all that is asked."""
    if not is_able:
        monkeypatch.delattr(os, "getxattr")
    assert complaint_of_place(str(group_place)) is None


@pytest.mark.parametrize(
    ("rows", "uids"),
    [
        ("         0          0 4294967295\n", []),
        ("         0       1000          1\n", []),
        ("         0       1000          1\n         1     100000      65536\n", []),
        ("      1000       1000          1\n", [65534]),
        ("      1000       1000          1\n      1001     100000      65536\n", [65534]),
        ("", []),
        ("what\n", []),
        (None, []),
    ],
    ids=[
        "all users",
        "root alone",
        "root of one's own",
        "one user",
        "several without root",
        "empty",
        "nonsense",
        "no /proc",
    ],
)
def test_the_overflow_user_is_trusted_only_where_root_is_not_mapped(
    monkeypatch: pytest.MonkeyPatch, rows: str | None, uids: list[int]
) -> None:
    """There, files of root appear as those of nobody; elsewhere, nobody is a user like others (user_namespaces(7))."""
    texts = {Path("/proc/self/uid_map"): rows, Path("/proc/sys/kernel/overflowuid"): "65534\n"}

    def read(path: Path) -> str:
        text = texts[path]
        if text is None:
            raise FileNotFoundError(path)
        return text

    monkeypatch.setattr(Path, "read_text", read)
    assert [*safe_place._nobody_in_here()] == uids


ALICE = pwd.struct_passwd(("alice", "x", 5001, 5001, "", "/", "/bin/sh"))
BOB = pwd.struct_passwd(("bob", "x", 5002, 5001, "", "/", "/bin/sh"))
CAROL = pwd.struct_passwd(("carol", "x", 5003, 5003, "", "/", "/bin/sh"))


@pytest.mark.parametrize(
    ("uid", "users", "members", "gids"),
    [
        (5001, [ALICE, CAROL], [], [5001]),
        (5001, [ALICE, CAROL], ["alice"], [5001]),
        (5001, [ALICE, CAROL], ["carol"], []),
        (5001, [ALICE, BOB], [], []),
        (5001, [ALICE], None, []),
        (5009, [ALICE], [], []),
        (0, [ALICE], [], []),
    ],
    ids=["alone", "named in it", "a member", "the first group of another", "no such group", "no such user", "root"],
)
def test_a_group_is_private_if_nobody_else_is_in_it(
    monkeypatch: pytest.MonkeyPatch,
    uid: int,
    users: list[pwd.struct_passwd],
    members: list[str] | None,
    gids: list[int],
) -> None:
    """Neither by the list of members nor as their first group; root has none, for its files are never a group's."""

    def user(number: int) -> pwd.struct_passwd:
        return {each.pw_uid: each for each in users}[number]

    def group(number: int) -> grp.struct_group:
        if members is None:
            raise KeyError(number)
        return grp.struct_group(("alice", "x", number, members))

    monkeypatch.setattr(pwd, "getpwuid", user)
    monkeypatch.setattr(pwd, "getpwall", lambda: users)
    monkeypatch.setattr(grp, "getgrgid", group)
    assert [*safe_place._private_gids(uid)] == gids


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory, which is the working directory as well."""
    monkeypatch.chdir(tmp_path)
    return tmp_path.resolve()


@pytest.mark.parametrize("path", ["absent/..", "absent/../", "absent/../.", "there/..", "."])
def test_two_dots_behind_what_is_absent_lead_back_and_make_nothing(here: Path, path: str) -> None:
    """The parent of a place is looked at before the place is there."""
    (here / "there").mkdir()
    handle = open_place(path)
    try:
        assert os.path.samestat(os.fstat(handle), here.stat())
    finally:
        os.close(handle)
    assert [each.name for each in here.iterdir()] == ["there"]


def test_the_parent_of_a_place_is_had_whether_the_place_is_there_or_not(here: Path) -> None:
    """By its handle, and with the name that the place has in it."""
    for _ in range(2):
        with parent_of_place(str(here / "out")) as (handle, name):
            assert name == "out"
            assert os.path.samestat(os.fstat(handle), here.stat())
        (here / "out").mkdir(exist_ok=True)


def test_a_place_that_is_absent_is_absent_and_made_only_when_asked_for(here: Path) -> None:
    """The control of the dots above."""
    with pytest.raises(FileNotFoundError):
        open_place("absent/deep")
    os.close(open_place("absent/deep", make_mode=0o750))
    assert stat.S_IMODE((here / "absent/deep").stat().st_mode) == 0o750
