"""Deployments by the real program to a host whose Postfix is played."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from postfix.deploy.host_files import Deployed, HostFiles, Table
from postfix.deploy.session import Configuration
from postfix.deploy.transaction import Reloading, deploy, remove
from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.tree import FileEntry
from tests.support.played_host import PlayedHost, play

MAIN_CF = b"# the administrator's\nmyhostname = mx1.example.org\n"
KEY = FileEntry("tls/mx1.pem", b"key and chain", 0o400)
CLIENTS = FileEntry("relay_clientcerts", b"AA:BB alice generation=1\n", 0o644)
DESIRED = HostFiles(
    files=(KEY, FileEntry("tls/ca.pem", b"roots", 0o644)),
    tables=(Table(CLIENTS, "hash"), Table(FileEntry("tls/sni", b"a b\n", 0o400), "lmdb", has_file_names=True)),
    parameters={"smtpd_tls_security_level": "may"},
    chroot=(FileEntry("etc/ca/root.pem", b"root", 0o644),),
    take_over=("relay_clientcerts",),
)
RENEWED = replace(
    DESIRED,
    files=(replace(KEY, content=b"new key"), FileEntry("tls/new/file", b"", 0o600)),
    tables=(Table(replace(CLIENTS, content=b"CC:DD alice generation=2\n"), "hash"),),
    parameters={"smtpd_tls_security_level": "encrypt"},
    chroot=(FileEntry("etc/ca/root.pem", b"another root", 0o644),),
)

pytestmark = [pytest.mark.needs_root, pytest.mark.takes_long]

State = dict[str, tuple[int, int, bytes]]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[PlayedHost]:
    """Return a host with a main.cf and a file of somebody else."""
    host = play(tmp_path)
    config = Path(host.root)
    (config / "main.cf").write_bytes(MAIN_CF)
    (config / "relay_clientcerts.db").write_bytes(b"somebody else's index")
    (config / "notes").write_bytes(b"unknown")
    yield host
    host.stop()


def state_of(session: PlayedHost) -> State:
    """Return all files of the host with inode, mode and content; what an undo puts back of an index is a copy."""
    files = [path for place in (Path(session.root), session.queue_directory) for path in place.rglob("*")]
    return {
        str(path): (path.stat().st_ino * (path.suffix != ".db"), stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in files
        if path.is_file() and ".postseal" not in path.parts
    }


def test_a_deployment_brings_files_tables_and_parameters_and_reloads_once(session: PlayedHost) -> None:
    """Each file has its mode, an index is of its own source, main.cf keeps what others wrote."""
    outcome = deploy(session, DESIRED)
    root = Path(session.root)
    assert outcome.reloading is Reloading.DONE
    assert session.commands.count("postfix reload") == 1
    assert (root / "relay_clientcerts.db").read_bytes() == b"index of " + CLIENTS.content
    assert stat.S_IMODE((root / "tls/mx1.pem").stat().st_mode) == 0o400
    assert (root / "main.cf").read_bytes().startswith(MAIN_CF)
    assert (root.parent / "spool/etc/ca/root.pem").read_bytes() == b"root"
    assert sorted(session.names("tls/")) == ["ca.pem", "mx1.pem", "sni", "sni.lmdb"]


def test_a_second_deployment_touches_nothing_and_reloads_nothing(session: PlayedHost) -> None:
    """Inodes stay, and the only command asks for the queue directory."""
    first = deploy(session, DESIRED)
    before = state_of(session)
    session.forget()
    second = deploy(session, DESIRED, first.plan.deployed)
    assert second.reloading is Reloading.NOT_NEEDED
    assert second.plan.deployed == first.plan.deployed
    assert session.commands == ["postconf queue_directory"]
    assert state_of(session) == before


def test_a_host_on_which_nothing_runs_is_not_reloaded(tmp_path: Path) -> None:
    """The outcome says so, and the files are there for the next start."""
    session = play(tmp_path)
    Path(session.root, "main.cf").write_bytes(MAIN_CF)
    session.stop()
    assert deploy(session, DESIRED).reloading is Reloading.NOT_RUNNING
    assert "postfix reload" not in session.commands


def test_where_nobody_can_tell_whether_postfix_runs_nothing_is_changed(session: PlayedHost) -> None:
    """A queue directory that is not there is no proof that nothing runs."""
    (session.place / "queue_directory").write_text("/nonexistent\n")
    before = state_of(session)
    with pytest.raises(DeployError, match=r"cannot be told whether a Postfix runs .*/nonexistent.*; nothing was chan"):
        deploy(session, replace(DESIRED, chroot=()))
    assert state_of(session) == before


def test_removing_everything_leaves_what_others_wrote(session: PlayedHost) -> None:
    """Parameters, files, indexes and directories of ours go, and nothing else."""
    deployed = deploy(session, DESIRED).plan.deployed
    outcome = remove(session, deployed)
    assert outcome.plan.deployed == Deployed()
    left = {path.name: path.read_bytes() for path in Path(session.root).iterdir()}
    assert left == {"main.cf": MAIN_CF, "notes": b"unknown", "relay_clientcerts.db": b"somebody else's index"}
    assert [path.name for path in session.queue_directory.iterdir()] == ["pid"]


def test_removing_from_a_host_that_is_gone_is_done_already(session: PlayedHost) -> None:
    """Without a configuration directory there is nothing of ours."""
    assert (
        remove(PlayedHost(Path(session.root, "gone")), Deployed(files={"main.cf": "sha256:x"})).reloading
        is Reloading.NOT_NEEDED
    )


WHOLE = HostFiles(files=(FileEntry("main.cf", b"myhostname = mx1.example.org\n", 0o644),))


def test_a_whole_configuration_can_be_removed(session: PlayedHost) -> None:
    """Without main.cf nothing is reloaded, and the outcome says what a running Postfix does."""
    Path(session.root, "main.cf").unlink()
    first = deploy(session, WHOLE)
    assert remove(session, first.plan.deployed).reloading is Reloading.NO_MAIN_CF
    assert not Path(session.root, "main.cf").exists()


def test_a_configuration_that_was_taken_over_is_given_back(session: PlayedHost) -> None:
    """The very file of the administrator, with a reload, as if nothing had been."""
    before = state_of(session)
    first = deploy(session, replace(WHOLE, take_over=("main.cf",)))
    assert first.plan.taken_over == ("main.cf",)
    assert Path(session.root, "main.cf.before-postseal").read_bytes() == MAIN_CF
    assert remove(session, first.plan.deployed).reloading is Reloading.DONE
    assert state_of(session) == before


@pytest.mark.parametrize("owner", ["", "mail-pki/dev"])
def test_where_the_original_of_an_edited_file_is_left_is_said(session: PlayedHost, owner: str) -> None:
    """Whoever removes a host learns of both: the edited file, and the one from before beside it."""
    first = deploy(session, replace(WHOLE, take_over=("main.cf",)), owner=owner)
    Path(session.root, "main.cf").write_bytes(b"myhostname = edited.example.org\n")
    left = remove(session, first.plan.deployed, owner).left
    assert left == (
        f"{session.root}/main.cf was edited by somebody, so it is left there; remove it if nobody needs it",
        f"{session.root}/main.cf.before-postseal is what it replaced",
    )


@pytest.mark.parametrize("path", ["main.cf", "relay_clientcerts", "relay_clientcerts.db", "tls/mx1.pem"])
def test_a_file_of_others_is_refused_unless_it_is_taken_over(session: PlayedHost, path: str) -> None:
    """Nothing is changed, and the message names the whole path and what to write."""
    Path(session.root, path).parent.mkdir(exist_ok=True)
    Path(session.root, path).write_bytes(b"somebody else's")
    before = state_of(session)
    desired = replace(DESIRED, files=(*DESIRED.files, *WHOLE.files), parameters={}, take_over=())
    whole_list = ", ".join(sorted({"main.cf", "relay_clientcerts.db", path}))
    with pytest.raises(ConfigError) as caught:
        deploy(session, desired)
    (problem,) = caught.value.problems
    assert problem.path == str(session.root)
    assert f"`take_over: [{whole_list}]`" in problem.message
    assert state_of(session) == before


def test_only_what_the_mark_proves_is_removed_whatever_a_request_says(session: PlayedHost) -> None:
    """Files, parameters with values to give back, services and indexes that somebody makes up are left, and named."""
    Path(session.root, "main.cf").write_bytes(MAIN_CF + b"mynetworks = 127.0.0.0/8\n")
    before = state_of(session)
    present = session.present(["notes", "main.cf"])
    forged = Deployed(
        files=present,
        indexes=("relay_clientcerts.db",),
        parameters=("mynetworks",),
        originals={"mynetworks": "0.0.0.0/0"},
        has_services=True,
        services=("smtp/inet",),
    )
    outcome = remove(session, forged)
    assert state_of(session) == before
    assert len(outcome.left) == 4

    ours = deploy(session, DESIRED).plan.deployed
    shown = replace(ours, originals={"smtpd_tls_security_level": "none"}, files={**ours.files, **present})
    remove(session, shown)
    left = {path.name: path.read_bytes() for path in Path(session.root).iterdir()}
    assert left == {Path(path).name: content for path, (_, _, content) in before.items() if "spool" not in path}


@pytest.mark.parametrize("command", ["postconf-n", "postmap"])
def test_a_failing_check_leaves_the_host_untouched(session: PlayedHost, command: str) -> None:
    """What postconf or postmap says of the copies is in the message, and nothing was done."""
    before = state_of(session)
    session.complain(f"staged-{command}", "fatal: no Berkeley DB, missing '='")
    with pytest.raises(DeployError, match=r"(?s)missing '='.*nothing was changed"):
        deploy(session, DESIRED)
    assert state_of(session) == before
    assert ".postseal" not in session.names()


def test_faults_that_the_host_has_already_do_not_stop_a_deployment(session: PlayedHost) -> None:
    """A parameter that nobody uses in the administrator's part is not our business, on whatever line it is."""
    warning = "postconf: warning: {}/main.cf, line {}: unused parameter: x=y\n"
    session.complain("postconf-n", warning.format(session.root, 7))
    session.complain("staged-postconf-n", warning.format(f"{session.root}/.postseal/tx/conf", 9))
    assert deploy(session, DESIRED).reloading is Reloading.DONE


def test_only_root_may_deploy(session: PlayedHost) -> None:
    """postfix(1) refuses anybody else, so nothing is begun."""
    before = state_of(session)
    (session.place / "user").write_text("1000\n")
    with pytest.raises(DeployError, match="only root"):
        deploy(session, DESIRED)
    assert state_of(session) == before


def test_a_missing_configuration_directory_is_refused(session: PlayedHost) -> None:
    """A mistyped path is not made into a directory."""
    with pytest.raises(DeployError, match="there is no directory"):
        deploy(PlayedHost(Path(session.root + "x")), DESIRED)
    assert not Path(session.root + "x").exists()


def test_a_second_run_at_the_same_time_is_refused(session: PlayedHost) -> None:
    """Two deployments never mix."""
    with session.exclusive(), pytest.raises(DeployError, match="another run"):
        deploy(session, DESIRED)


def test_a_reload_that_fails_puts_everything_back(session: PlayedHost) -> None:
    """Every file is the very file it was, and the message says so."""
    deployed = deploy(session, DESIRED).plan.deployed
    before = state_of(session)
    session.complain("postfix-reload", "fatal: cannot")
    with pytest.raises(DeployError, match="fatal: cannot; all files are as they were before"):
        deploy(session, RENEWED, deployed)
    assert state_of(session) == before
    session.is_at_peace()
    assert deploy(session, RENEWED, deployed).reloading is Reloading.DONE


def test_a_queue_directory_that_postconf_does_not_tell_stops_a_copy_for_the_chroot(session: PlayedHost) -> None:
    """Copies go nowhere rather than to a guessed place."""
    before = state_of(session)
    (session.place / "queue_directory").write_text("\n")
    with pytest.raises(DeployError, match="queue_directory"):
        deploy(session, DESIRED)
    assert state_of(session) == before


def test_what_an_earlier_version_left_when_it_was_cut_off_is_removed(session: PlayedHost) -> None:
    """A kept key and a half index go, though nothing else changes."""
    deployed = deploy(session, DESIRED).plan.deployed
    for name in ("tls/.postseal-0123456789abcdef.old", ".postseal-0123456789abcdef.db"):
        Path(session.root, name).write_bytes(b"left")
    before = {path for path in state_of(session) if ".postseal-" not in path}
    assert deploy(session, DESIRED, deployed).plan.is_empty
    assert set(state_of(session)) == before


def test_a_file_that_somebody_changes_after_the_plan_is_planned_anew(session: PlayedHost) -> None:
    """What they wrote is in the new main.cf, beside ours; a file that changes at every look is given up."""
    edits = iter([b"biff = no\n"])

    def edit(_: Configuration) -> tuple[str, ...]:
        main_cf = Path(session.root, "main.cf")
        main_cf.write_bytes(main_cf.read_bytes() + next(edits, b""))
        return ()

    assert deploy(session, DESIRED, before_change=edit).reloading is Reloading.DONE
    content = Path(session.root, "main.cf").read_bytes()
    assert b"biff = no\n" in content
    assert b"smtpd_tls_security_level = may" in content

    edits = iter([b"a = 1\n", b"b = 1\n"])
    before = Path(session.root, "tls/mx1.pem").read_bytes()
    with pytest.raises(DeployError, match=r"main\.cf was changed by somebody else .*; nothing was changed"):
        deploy(session, RENEWED, before_change=edit)
    assert Path(session.root, "tls/mx1.pem").read_bytes() == before


@pytest.mark.parametrize("value", [None, b"smtpd_tls_security_level = none\n"], ids=["new", "theirs"])
def test_what_a_run_has_set_that_nobody_remembers_is_not_taken_for_somebody_elses(
    session: PlayedHost, value: bytes | None
) -> None:
    """The state knows of an earlier run only; what is given back in the end is what was there before both."""
    main_cf = Path(session.root, "main.cf")
    main_cf.write_bytes(MAIN_CF + (value or b""))
    before = main_cf.read_bytes()
    first = deploy(session, replace(DESIRED, parameters={"biff": "no"}), owner="p/dev").plan.deployed
    deploy(session, DESIRED, first, owner="p/dev")
    last = deploy(session, DESIRED, first, owner="p/dev").plan.deployed
    remove(session, last, owner="p/dev")
    assert main_cf.read_bytes() == before


@pytest.mark.parametrize("kind", ["symbolic link", "hard link"])
def test_a_main_cf_that_is_no_file_of_its_own_is_refused_by_what_it_is(session: PlayedHost, kind: str) -> None:
    """A rename would replace the link, and leave what others maintain as it was."""
    main_cf, elsewhere = Path(session.root, "main.cf"), session.place / "checkout.cf"
    main_cf.rename(elsewhere)
    if kind == "symbolic link":
        main_cf.symlink_to("../checkout.cf")
    else:
        main_cf.hardlink_to(elsewhere)
    with pytest.raises((ConfigError, DeployError)) as caught:
        deploy(session, DESIRED)
    words = {"symbolic link": "a symbolic link to ../checkout.cf", "hard link": "more than one name (a hard link)"}
    assert words[kind] in str(caught.value)
    assert elsewhere.read_bytes() == MAIN_CF


def test_earlier_states_are_kept_as_many_as_asked_for_and_go_with_the_last_of_ours(session: PlayedHost) -> None:
    """Each has the bytes that were there before."""
    deployed = Deployed()
    for number in range(4):
        desired = replace(DESIRED, files=(replace(KEY, content=b"key %d" % number),))
        deployed = deploy(session, desired, deployed, kept_generations=2).plan.deployed
    kept = sorted(Path(session.root, ".postseal/kept").iterdir())
    keys = [[path.read_bytes() for path in each.glob("old/*") if path.read_bytes().startswith(b"key")] for each in kept]
    assert keys == [[b"key 1"], [b"key 2"]]
    remove(session, deployed)
    assert ".postseal" not in session.names()
