"""Who else is on this machine; what cannot be told is None, never "nobody"."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.doctor import neighbours
from postseal.doctor.facts import LocalUser
from postseal.doctor.neighbours import is_private_network, other_users

ABSENT = Path("/proc/4294967295")  # no process has such a number
STRANGER = 4_000_000_001


def user(name: str, uid: int, shell: str) -> pwd.struct_passwd:
    """Return a line of passwd(5)."""
    return pwd.struct_passwd((name, "x", uid, uid, "", "/", shell))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Play a machine with four users, and processes of which one ends while they are listed."""
    users = [
        user("root", 0, "/bin/bash"),
        user("me", os.geteuid(), "/bin/bash"),
        user("alice", 5001, "/bin/bash"),
        user("bob", 5002, "/usr/sbin/nologin"),
        user("web", 5003, "/bin/false"),
    ]
    monkeypatch.setattr(pwd, "getpwall", lambda: users)
    owners = {Path("/proc/1"): 0, Path("/proc/71"): 5003, Path("/proc/72"): STRANGER}

    def processes(_self: Path, _pattern: str) -> Iterator[Path]:
        yield from (ABSENT, *owners)

    real = Path.stat

    def status(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path in owners:
            return os.stat_result((0o040555, 1, 1, 1, owners[path], 0, 0, 0, 0, 0))
        return real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "glob", processes)
    monkeypatch.setattr(Path, "stat", status)


@pytest.mark.usefixtures("machine")
def test_others_are_those_who_can_log_in_or_run_something() -> None:
    """A process that ends meanwhile is passed over; one of a user without a name has a number."""
    assert other_users() == (
        LocalUser(name="alice", can_log_in=True, has_processes=False),
        LocalUser(name="web", can_log_in=False, has_processes=True),
        LocalUser(name=f"user {STRANGER}", can_log_in=False, has_processes=True),
    )


@pytest.mark.usefixtures("machine")
def test_where_processes_cannot_be_listed_nobody_knows_who_else_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As without /proc (macOS): the users who can log in alone would look like all."""
    assert other_users() is not None  # the control
    monkeypatch.setattr(neighbours, "_OWN_NETWORK", tmp_path / "absent")
    assert other_users() is None


@pytest.mark.parametrize(
    ("own", "of_all", "is_private"),
    [
        ("net:[1]", "net:[1]", False),
        ("net:[2]", "net:[1]", True),
        ("net:[1]", None, None),
        (None, "net:[1]", None),
    ],
)
def test_a_network_of_ones_own_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: str | None, of_all: str | None, *, is_private: bool | None
) -> None:
    """A user other than root may not read that of the first process in some containers."""
    for constant, target in (("_OWN_NETWORK", own), ("_NETWORK_OF_ALL", of_all)):
        place = tmp_path / constant
        if target:
            place.symlink_to(target)
        monkeypatch.setattr(neighbours, constant, place)
    assert is_private_network() is is_private
