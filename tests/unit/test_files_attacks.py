"""What others have left at a place, or do there meanwhile, makes nobody replace, remove, keep or lose a file."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.bringing import Bringer, bring_directory, changed_paths, release_directory
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.tree import LOCK_FILE, MARK_FILE, OF_ANOTHER, Entry, FileEntry, Symlink, digest, digest_of_link

OWNER = "mail-pki/dev"
NOBODY = 65534
OURS = FileEntry("main.cf", b"ours\n", 0o644)
THEIRS = FileEntry("main.cf", b"of an administrator\n", 0o644)


def bringer(lines: list[str] | None = None) -> Bringer:
    """Return who brings the files; `lines` takes what is said."""
    return Bringer(OWNER, ([] if lines is None else lines).append)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with a file of an administrator, which a forged mark may call ours."""
    place = tmp_path / "postfix"
    place.mkdir(mode=0o755)
    (place / THEIRS.path).write_bytes(THEIRS.content)
    (place / THEIRS.path).chmod(THEIRS.mode)
    return place


def forge_mark(place: Path, digests: Mapping[str, str]) -> Path:
    """Write a mark that lists these files as ours, and return it."""
    files = {path: {"owner": OWNER, "digests": [value]} for path, value in digests.items()}
    mark = place / MARK_FILE
    mark.write_text(json.dumps({"format": 1, "files": files}))
    mark.chmod(0o644)
    return mark


@pytest.mark.needs_root
@pytest.mark.parametrize("owner", [0, NOBODY])
def test_a_mark_of_another_user_proves_nothing(place: Path, owner: int) -> None:
    """Left from when the directory was theirs, it can be written by them for ever; one of root's own is believed."""
    os.chown(forge_mark(place, {THEIRS.path: digest(THEIRS)}), owner, owner)
    if owner == 0:
        bring_directory(place, [OURS], {}, bringer())
        assert (place / OURS.path).read_bytes() == OURS.content
        return
    for attempt in (
        lambda: bring_directory(place, [OURS], {}, bringer()),
        lambda: release_directory(place, {THEIRS.path: digest(THEIRS)}, bringer()),
    ):
        with pytest.raises(ConfigError, match="not a mark that this version has left here"):
            attempt()
    assert (place / THEIRS.path).read_bytes() == THEIRS.content


@pytest.mark.needs_root
def test_a_file_of_ours_that_is_another_users_now_is_written_again(tmp_path: Path) -> None:
    """Its owner can change it a moment after it was compared; a removal leaves it and says so."""
    files: list[Entry] = [OURS, Symlink("link", "main.cf")]
    owned = bring_directory(tmp_path, files, {}, bringer())
    assert changed_paths(tmp_path, owned) == []
    for name in owned:
        if name != "./":
            os.chown(tmp_path / name, NOBODY, NOBODY, follow_symlinks=False)
    assert changed_paths(tmp_path, owned) == ["link", "main.cf"]
    assert DirectoryWriter(tmp_path).present(["main.cf"]) == {"main.cf": digest(OURS) + OF_ANOTHER}
    assert bring_directory(tmp_path, files, owned, bringer()) == owned
    assert [(tmp_path / name).lstat().st_uid for name in ("link", "main.cf")] == [0, 0]
    os.chown(tmp_path / "main.cf", NOBODY, NOBODY)
    lines: list[str] = []
    release_directory(tmp_path, owned, bringer(lines))
    assert [*tmp_path.iterdir()] == [tmp_path / "main.cf"]
    assert len(lines) == 1


@pytest.mark.parametrize("path", ["../outside", "tls/../../outside", "./../outside", "/outside", "..", "tls/..", ""])
def test_no_path_of_a_record_leads_out_of_its_place(place: Path, path: str) -> None:
    """Not even where a mark lists it: a link outside would be looked at, and removed."""
    outside = place.parent / "outside"
    outside.symlink_to("elsewhere")
    (place / "tls").mkdir()
    value = digest_of_link(b"elsewhere")
    forge_mark(place, {path: value, THEIRS.path: digest(THEIRS)})
    with pytest.raises(DeployError, match="plain path below"):
        release_directory(place, {path: value}, bringer())
    assert outside.is_symlink()
    release_directory(place, {THEIRS.path: digest(THEIRS)}, bringer())
    assert not (place / THEIRS.path).exists()


@pytest.fixture
def _in_a_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a directory that somebody removes."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    yield
    os.chdir("/")


@pytest.mark.usefixtures("_in_a_directory_that_is_gone")
def test_a_lost_working_directory_is_no_lost_place(tmp_path: Path) -> None:
    """A removal said that all was well and left the key where it was."""
    place = tmp_path / "out"
    owned = bring_directory(place, [FileEntry("key.pem", b"key", 0o400)], {}, bringer())
    release_directory(place, owned, bringer())
    assert not place.exists()


LOCK = """
import fcntl, os, sys
opened = os.open(sys.argv[1], os.O_RDONLY)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for name in (".", ".postseal.lock", ".postseal.json"):
    try:
        fcntl.flock(os.open(name, os.O_RDONLY, dir_fd=opened), fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("locked", name)
    except (PermissionError, FileNotFoundError) as error:
        print(type(error).__name__, name)
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.mark.needs_root
def test_another_user_cannot_keep_our_runs_away(tmp_path: Path) -> None:
    """Everybody can open a directory of public files, and lock what they can open."""
    owned = bring_directory(tmp_path, [OURS], {}, bringer())
    tmp_path.chmod(0o755)
    (tmp_path / LOCK_FILE).touch(0o600)  # as a run that was killed leaves it
    command = [sys.executable, "-c", LOCK, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stranger:
        assert stranger.stdout
        said = [stranger.stdout.readline().split()[0] for _ in range(3)]
        assert said == ["locked", "PermissionError", "PermissionError"]
        bring_directory(tmp_path, [THEIRS], owned, bringer())
        stranger.communicate("")
    assert (tmp_path / THEIRS.path).read_bytes() == THEIRS.content


@pytest.mark.needs_root
@pytest.mark.parametrize(("mode", "owner"), [(0o600, NOBODY), (0o644, 0), (0o660, 0)])
def test_a_lock_file_that_others_can_open_is_replaced(tmp_path: Path, mode: int, owner: int) -> None:
    """Whoever has it open already holds the lock of nothing."""
    lock = tmp_path / LOCK_FILE
    lock.touch()
    lock.chmod(mode)
    os.chown(lock, owner, owner)
    first = lock.stat().st_ino
    writer = DirectoryWriter(tmp_path)
    with lock.open() as held, writer.exclusive():
        assert os.fstat(held.fileno()).st_nlink == 0
        assert (lock.stat().st_ino, lock.stat().st_uid, lock.stat().st_mode & 0o777) != (first, owner, mode)
        with pytest.raises(DeployError, match="another run"), DirectoryWriter(tmp_path).exclusive():
            pass
        assert lock.exists()
    assert not lock.exists()


def test_a_lock_is_free_after_a_run_that_removed_its_place(tmp_path: Path) -> None:
    """And a place that somebody else has begun to use meanwhile keeps their lock."""
    place = tmp_path / "out"
    release_directory(place, bring_directory(place, [OURS], {}, bringer()), bringer())
    assert not place.exists()
    with ExitStack() as second:
        with DirectoryWriter(tmp_path).exclusive():
            (tmp_path / LOCK_FILE).unlink()
            second.enter_context(DirectoryWriter(tmp_path).exclusive())
        assert (tmp_path / LOCK_FILE).exists()
    assert not (tmp_path / LOCK_FILE).exists()


@pytest.mark.parametrize(
    ("paths", "wrong"),
    [
        (["Anna/key.pem", "anna/cert.pem"], ["anna"]),
        (["tls/KEY.pem", "tls/key.pem"], ["tls/key.pem"]),
        (["m\u00fcller/key.pem", "mu\u0308ller/key.pem"], ["m\u00fcller"]),
        (["stra\u00dfe", "strasse"], ["stra\u00dfe"]),
        (["anna/key.pem", "bert/KEY.pem"], []),
    ],
)
def test_names_that_are_one_file_elsewhere_are_refused(tmp_path: Path, paths: list[str], wrong: list[str]) -> None:
    """Where capitals make no difference, one client's key would replace another's."""
    entries = [FileEntry(path, b"x", 0o644) for path in paths]
    if not wrong:
        assert bring_directory(tmp_path, entries, {}, bringer())
        return
    with pytest.raises(ConfigError, match="in capitals or accents only") as caught:
        bring_directory(tmp_path, entries, {}, bringer())
    assert [problem.path.removeprefix(f"{tmp_path}/") for problem in caught.value.problems] == wrong
    assert not [*tmp_path.iterdir()]
