"""What a host of somebody else had comes back, byte for byte, after real deployments to a real Postfix."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from postfix.deploy.host_files import Deployed, HostFiles, Table
from postfix.deploy.transaction import deploy, remove
from postfix.master_cf import Service
from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.tree import FileEntry
from tests.support.cut_program import CutSession
from tests.support.postfix_instance import PostfixInstance, boot

pytestmark = [pytest.mark.needs_postfix]

BOOTED = "# The administrator's.\ncompatibility_level = 3.6\nmyhostname = mx1.example.org\n"
# Warnings that Postfix gave before ours came: a repeated entry, and a parameter that nothing uses.
ODD = (
    b"\n# Gr\xfc\xdfe\nunused_one = 1\nsmtpd_banner = first\nsmtpd_banner = $myhostname\tESMTP gr\xfc\xdfe\n"
    b"mynetworks =\n\t127.0.0.0/8\n# the second site\n\n\t192.0.2.0/28\nsmtpd_helo_required = no"
)
PARAMETERS = {
    "mynetworks": "127.0.0.0/8",
    "smtpd_banner": "$myhostname",
    "smtpd_helo_required": "no",
    "mydomain": "a.test",
}
FIRST = HostFiles(files=(FileEntry("tls/a.pem", b"a\n", 0o400),), parameters=PARAMETERS)
SECOND = HostFiles(parameters={"mynetworks": "192.0.2.0/28", "smtpd_helo_restrictions": ""})
OWNER = "p/dev"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostfixInstance]:
    """Return a running Postfix of somebody else.

    It logs to syslog. With maillog_file every process tells its warnings to postlogd, which master ends at a reload and
    starts again; where ten messages wait at most (net.unix.max_dgram_qlen), master itself waits for the one that it
    has not started yet, for ever.
    """
    directory = tmp_path_factory.mktemp("host")
    (directory / "rendered").mkdir()
    (directory / "rendered/main.cf").write_text(BOOTED)
    with boot(directory / "rendered", overrides={"maillog_file": ""}) as instance:
        yield instance


@pytest.fixture
def host(started: PostfixInstance, tmp_path: Path) -> Iterator[CutSession]:
    """Return a session for it, with its odd main.cf, and put all back in the end."""
    conf = started.config_directory
    if started.master_pid() is None:
        started.start()
    before = {name: (conf / name).read_bytes() for name in ("main.cf", "master.cf")}
    (conf / "main.cf").write_bytes(before["main.cf"] + ODD)
    tmp_path.chmod(0o755)
    (tmp_path / "program").mkdir()
    yield CutSession(conf, tmp_path / "program")
    for name, content in before.items():
        (conf / name).unlink()
        (conf / name).write_bytes(content)
    for left in (".postseal", "tls"):
        shutil.rmtree(conf / left, ignore_errors=True)
    for left in (".postseal.json", "main.cf.before-postseal", "access"):
        (conf / left).unlink(missing_ok=True)


def read(session: CutSession) -> dict[str, bytes]:
    """Return every file of the configuration by its path."""
    files = (path for path in Path(session.root).rglob("*") if path.is_file())
    return {str(path.relative_to(session.root)): path.read_bytes() for path in files}


def up(session: CutSession, desired: HostFiles, deployed: Deployed | None = None) -> Deployed:
    """Deploy."""
    return deploy(session, desired, deployed or Deployed(), OWNER).plan.deployed


def test_an_odd_main_cf_comes_back_byte_for_byte_with_its_warnings(host: CutSession) -> None:
    """Values with tabs and in Latin-1, comments inside them, repeated entries, no end of the last line."""
    before = read(host)
    deployed = up(host, FIRST)
    assert b"smtpd_banner = first" not in read(host)["main.cf"]
    deployed = up(host, SECOND, deployed)
    remove(host, deployed, OWNER)
    assert read(host) == before


def test_whatever_step_the_first_run_is_killed_at_all_is_given_back(host: CutSession, started: PostfixInstance) -> None:
    """The next run, which declares other things, finds what there was before the first; nothing of it stays.

    Of a Postfix that does not run: one that is reloaded so often in a few seconds holds postlogd back for a minute.
    """
    started.stop()
    before = read(host)
    deployed = up(host, FIRST)
    steps = host.steps
    remove(host, deployed, OWNER)
    assert read(host) == before
    assert len(steps) > 10
    for step in dict.fromkeys(steps):
        host.before(step)
        with pytest.raises(DeployError):
            up(host, FIRST)
        host.before()
        deployed = up(host, SECOND)
        assert b"mydomain" not in read(host)["main.cf"], step
        remove(host, deployed, OWNER)
        assert read(host) == before, step


def attributes(path: Path) -> tuple[int, int, int, dict[str, bytes]]:
    """Return mode, owner, group and extended attributes of a file, access list among them."""
    status = path.stat()
    return status.st_mode, status.st_uid, status.st_gid, {name: os.getxattr(path, name) for name in os.listxattr(path)}


def decorate(path: Path) -> None:
    """Give a file a group, an access list and an attribute."""
    path.chmod(0o640)
    os.chown(path, 0, 4)
    if setfacl := shutil.which("setfacl"):
        subprocess.run([setfacl, "-m", "u:2:r", str(path)], check=True)
    with suppress(OSError):  # a file system without them
        os.setxattr(path, "user.note", b"mine")


MERGED = HostFiles(parameters={"smtpd_helo_required": "no"}, services=(Service("127.0.0.1:0", "inet", "smtpd"),))


@pytest.mark.parametrize("way", ["merged", "whole", "merged, then whole", "whole, then merged"])
def test_owner_mode_access_list_and_attributes_come_back(host: CutSession, way: str) -> None:
    """However main.cf was ours in between; its bytes as well."""
    main_cf = Path(host.root, "main.cf")
    decorate(main_cf)
    before, content = attributes(main_cf), read(host)
    whole = HostFiles(
        files=(FileEntry("main.cf", b"# ours\n" + BOOTED.encode() + _own(content["main.cf"]), 0o644),),
        take_over=("main.cf",),
    )
    merged = replace(MERGED, services=())
    deployed = Deployed()
    for each in way.split(", then "):
        deployed = up(host, merged if each == "merged" else whole, deployed)
        is_whole = each == "whole"
        assert main_cf.read_bytes().startswith(b"# ours\n") is is_whole
        assert is_whole or attributes(main_cf) == before
    remove(host, deployed, OWNER)
    assert sorted(read(host)) == sorted(content)
    assert read(host) == content
    assert attributes(main_cf) == before


def _own(main_cf: bytes) -> bytes:
    """Return what the instance needs of its main.cf: where it keeps its queue, data and log."""
    needed = (b"queue_directory", b"data_directory", b"maillog_", b"inet_", b"alias_", b"meta_", b"daemon_")
    return b"".join(line + b"\n" for line in main_cf.split(b"\n") if line.startswith(needed))


@pytest.mark.parametrize("lost", ["begin", "end", "both"])
def test_a_mark_that_was_removed_by_hand_never_makes_a_second_block(host: CutSession, lost: str) -> None:
    """One of two is refused with its line; without both the values are found where they stand."""
    up(host, FIRST)
    main_cf = Path(host.root, "main.cf")
    lines = main_cf.read_bytes().split(b"\n")
    ours = [line for line in lines if line.startswith(b"# --- Postseal:")]
    assert len(ours) == 2
    gone = {"begin": ours[:1], "end": ours[1:], "both": ours}[lost]
    main_cf.write_bytes(b"\n".join(line for line in lines if line not in gone))
    os.utime(main_cf, (1, 1))
    changed = replace(FIRST, parameters={**PARAMETERS, "smtpd_helo_restrictions": "", "mydomain": "b.test"})
    if lost == "both":
        up(host, changed)
    else:
        with pytest.raises(ConfigError, match=r"main.cf line \d+: a block of ours"):
            up(host, changed)
    assert main_cf.read_bytes().count(b"# --- Postseal: begin") <= 1


def test_a_main_cf_of_two_names_is_refused_with_words(host: CutSession) -> None:
    """A change would reach one of them; with one name it is the control."""
    other = Path(host.root, "another-name")
    os.link(Path(host.root, "main.cf"), other)
    before = read(host)
    with pytest.raises(DeployError, match="more than one name"):
        up(host, FIRST)
    assert {path: each for path, each in read(host).items() if not path.startswith(".postseal")} == before
    other.unlink()
    deployed = up(host, FIRST)
    remove(host, deployed, OWNER)


def _types(instance: PostfixInstance) -> set[str]:
    return set(instance.command("postconf", "-c", str(instance.config_directory), "-m").stdout.split())


@pytest.mark.parametrize("kind", ["hash", "btree", "lmdb", "cdb"])
def test_an_indexed_table_is_made_beside_a_repeated_entry(
    host: CutSession, started: PostfixInstance, kind: str
) -> None:
    """Each command of Postfix warns of it, and none of that is about the table."""
    if kind not in _types(started):
        pytest.skip(f"this Postfix has no {kind}")
    before = read(host)
    with Path(host.root, "main.cf").open("ab") as file:
        file.write(b"\nalways_bcc =\nalways_bcc =\n")
    before = read(host)
    table = Table(FileEntry("access", b"a.test OK\n", 0o644), kind)
    restrictions = {"smtpd_client_restrictions": f"check_client_access {kind}:$config_directory/access"}
    deployed = up(host, HostFiles(tables=(table,), parameters=restrictions))
    assert b"always_bcc =\nalways_bcc =\n" in read(host)["main.cf"]
    found = started.command("postmap", "-c", host.root, "-q", "a.test", f"{kind}:{host.root}/access")
    assert found.stdout == "OK\n"
    bad = Table(FileEntry("access", b"a.test\n", 0o644), kind)
    with pytest.raises(DeployError, match="postmap cannot make"):
        up(host, HostFiles(tables=(bad,), parameters=restrictions), deployed)
    remove(host, deployed, OWNER)
    assert read(host) == before


def test_nothing_is_left_in_the_directory_for_temporary_files(
    host: CutSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also where a run was killed while it had something there, once the next one has run."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    held: list[object] = []
    _killed(lambda: held.extend([scratch := host.scratch(), scratch.__enter__()]))
    assert list(place.iterdir())
    deployed = up(host, FIRST)
    assert list(place.iterdir()) == []
    remove(host, deployed, OWNER)


def _killed(act: Callable[[], object]) -> None:
    """Act in a process that is then gone, without any tidying up."""
    child = os.fork()
    if not child:
        try:
            act()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
