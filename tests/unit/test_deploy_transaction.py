"""Deployments over a session whose files are real and whose commands are played."""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from postfix.deploy.host_files import Deployed, HostFiles, Table
from postfix.deploy.transaction import Reloading, deploy, remove
from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.tree import FileEntry
from tests.support.examples import examples
from tests.support.recording_session import RecordingSession, Script

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

State = dict[str, tuple[int, int, bytes]]


@pytest.fixture
def session(tmp_path: Path) -> RecordingSession:
    """Return a host with a main.cf and a file of somebody else."""
    return new_host(tmp_path)


def new_host(place: Path) -> RecordingSession:
    """Make a host with a main.cf and a file of somebody else."""
    config, queue = place / "postfix", place / "spool"
    config.mkdir()
    queue.mkdir()
    (config / "main.cf").write_bytes(MAIN_CF)
    (config / "relay_clientcerts.db").write_bytes(b"somebody else's index")
    (config / "notes").write_bytes(b"unknown")
    return RecordingSession(config, Script(queue_directory=str(queue)))


def state_of(session: RecordingSession) -> State:
    """Return all files of the host with inode, mode and content."""
    files = [path for path in Path(session.root).parent.rglob("*") if path.is_file()]
    return {str(p): (p.stat().st_ino, stat.S_IMODE(p.stat().st_mode), p.read_bytes()) for p in files}


def failure_of(act: Callable[[], object]) -> DeployError | None:
    """Return how an action failed, None if it did not."""
    try:
        act()
    except DeployError as error:
        return error
    return None


def test_a_deployment_brings_files_tables_and_parameters_and_reloads_once(session: RecordingSession) -> None:
    """Each file has its mode, an index is of its own source, main.cf keeps what others wrote."""
    outcome = deploy(session, DESIRED)
    root = Path(session.root)
    assert outcome.reloading is Reloading.DONE
    assert session.script.commands.count("postfix reload") == 1
    assert (root / "relay_clientcerts.db").read_bytes() == b"index of " + CLIENTS.content
    assert stat.S_IMODE((root / "tls/mx1.pem").stat().st_mode) == 0o400
    assert (root / "main.cf").read_bytes().startswith(MAIN_CF)
    assert (root.parent / "spool/etc/ca/root.pem").read_bytes() == b"root"
    assert sorted(session.names("tls/")) == ["ca.pem", "mx1.pem", "sni", "sni.lmdb"]


def test_a_second_deployment_touches_nothing_and_reloads_nothing(session: RecordingSession) -> None:
    """Inodes stay, and the only command asks for the queue directory."""
    first = deploy(session, DESIRED)
    before = state_of(session)
    session.script.commands.clear()
    session.script.changes.clear()
    second = deploy(session, DESIRED, first.plan.deployed)
    assert second.reloading is Reloading.NOT_NEEDED
    assert second.plan.deployed == first.plan.deployed
    assert session.script.commands == ["postconf queue_directory"]
    assert session.script.changes == []
    assert state_of(session) == before


def test_a_host_on_which_nothing_runs_is_not_reloaded(session: RecordingSession) -> None:
    """The outcome says so, and the files are there for the next start."""
    session.script.is_running = False
    assert deploy(session, DESIRED).reloading is Reloading.NOT_RUNNING
    assert "postfix reload" not in session.script.commands


def test_removing_everything_leaves_what_others_wrote(session: RecordingSession) -> None:
    """Parameters, files, indexes and directories of ours go, and nothing else."""
    deployed = deploy(session, DESIRED).plan.deployed
    outcome = remove(session, deployed)
    assert outcome.plan.deployed == Deployed()
    left = {path.name: path.read_bytes() for path in Path(session.root).iterdir()}
    assert left == {"main.cf": MAIN_CF, "notes": b"unknown", "relay_clientcerts.db": b"somebody else's index"}
    assert list(Path(session.script.queue_directory).iterdir()) == []


def test_removing_from_a_host_that_is_gone_is_done_already(session: RecordingSession) -> None:
    """Without a configuration directory there is nothing of ours."""
    gone = session.at(session.root + "/gone")
    assert remove(gone, Deployed(files={"main.cf": "sha256:x"})).reloading is Reloading.NOT_NEEDED


WHOLE = HostFiles(files=(FileEntry("main.cf", b"myhostname = mx1.example.org\n", 0o644),))


def test_a_whole_configuration_can_be_removed(session: RecordingSession) -> None:
    """Without main.cf nothing is reloaded, and the outcome says what a running Postfix does."""
    Path(session.root, "main.cf").unlink()
    first = deploy(session, WHOLE)
    assert remove(session, first.plan.deployed).reloading is Reloading.NO_MAIN_CF
    assert not Path(session.root, "main.cf").exists()


def test_a_configuration_that_was_taken_over_is_given_back(session: RecordingSession) -> None:
    """The very file of the administrator, with a reload, as if nothing had been."""
    before = state_of(session)
    first = deploy(session, replace(WHOLE, take_over=("main.cf",)))
    assert first.plan.taken_over == ("main.cf",)
    assert Path(session.root, "main.cf.before-postseal").read_bytes() == MAIN_CF
    assert remove(session, first.plan.deployed).reloading is Reloading.DONE
    assert state_of(session) == before


@pytest.mark.parametrize("owner", ["", "mail-pki/dev"])
def test_where_the_original_of_an_edited_file_is_left_is_said(session: RecordingSession, owner: str) -> None:
    """Whoever removes a host learns of both: the edited file, and the one from before beside it."""
    first = deploy(session, replace(WHOLE, take_over=("main.cf",)), owner=owner)
    Path(session.root, "main.cf").write_bytes(b"myhostname = edited.example.org\n")
    left = remove(session, first.plan.deployed, owner).left
    assert left == (
        f"{session.root}/main.cf was edited by somebody, so it is left there; remove it if nobody needs it",
        f"{session.root}/main.cf.before-postseal is what it replaced",
    )


@pytest.mark.parametrize("path", ["main.cf", "relay_clientcerts", "relay_clientcerts.db", "tls/mx1.pem"])
def test_a_file_of_others_is_refused_unless_it_is_taken_over(session: RecordingSession, path: str) -> None:
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


def test_only_what_the_mark_proves_is_removed_whatever_a_request_says(session: RecordingSession) -> None:
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
    assert left == {Path(path).name: content for path, (_, _, content) in before.items()}


def test_what_a_run_that_was_killed_has_written_is_ours_to_the_next(
    session: RecordingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark is there before the first file, so a second run needs no permission and a removal finds everything."""
    monkeypatch.setattr("postfix.deploy.undo.UndoLog.undo", lambda _: "killed")
    session.script.complaints = {"postfix reload": "fatal: cannot"}
    with pytest.raises(DeployError, match="killed"):
        deploy(session, DESIRED)
    session.script.complaints = {}
    deployed = deploy(session, replace(DESIRED, take_over=())).plan.deployed
    remove(session, deployed)
    left = {path.name: path.read_bytes() for path in Path(session.root).iterdir() if ".postseal-" not in path.name}
    assert left == {"main.cf": MAIN_CF, "notes": b"unknown", "relay_clientcerts.db": b"somebody else's index"}


@pytest.mark.parametrize("command", ["postconf -n", "postmap"])
def test_a_failing_check_leaves_the_host_untouched(session: RecordingSession, command: str) -> None:
    """What postconf or postmap says of the copies is in the message, and nothing was done."""
    before = state_of(session)
    session.script.staged_complaints = {command: "fatal: no Berkeley DB, missing '='"}
    with pytest.raises(DeployError, match=r"(?s)missing '='.*nothing was changed"):
        deploy(session, DESIRED)
    assert session.script.changes == []
    assert state_of(session) == before


def test_faults_that_the_host_has_already_do_not_stop_a_deployment(session: RecordingSession) -> None:
    """A parameter that nobody uses in the administrator's part is not our business, on whatever line it is."""
    session.script.complaints = {"postconf -n": "warning: ROOT/main.cf, line 7: unused parameter: x=y"}
    session.script.staged_complaints = {"postconf -n": "warning: ROOT/main.cf, line 9: unused parameter: x=y"}
    assert deploy(session, DESIRED).reloading is Reloading.DONE


def test_only_root_may_deploy(session: RecordingSession) -> None:
    """postfix(1) refuses anybody else, so nothing is begun."""
    session.script.user = "1000"
    with pytest.raises(DeployError, match="only root"):
        deploy(session, DESIRED)
    assert session.script.changes == []


def test_a_missing_configuration_directory_is_refused(session: RecordingSession) -> None:
    """A mistyped path is not made into a directory."""
    with pytest.raises(DeployError, match="there is no directory"):
        deploy(session.at(session.root + "x"), DESIRED)
    assert not Path(session.root + "x").exists()


def test_a_second_run_at_the_same_time_is_refused(session: RecordingSession) -> None:
    """Two deployments never mix."""
    with session.exclusive(), pytest.raises(DeployError, match="another run"):
        deploy(session, DESIRED)


@pytest.mark.parametrize("command", ["postmap", "postfix reload"])
def test_a_failing_command_puts_everything_back(session: RecordingSession, command: str) -> None:
    """Every file is the very file it was, and the message says so."""
    deployed = deploy(session, DESIRED).plan.deployed
    before = state_of(session)
    session.script.complaints = {command: "fatal: cannot"}
    with pytest.raises(DeployError, match="fatal: cannot; all files are as they were before"):
        deploy(session, RENEWED, deployed)
    assert state_of(session) == before


def test_an_interrupt_puts_everything_back(session: RecordingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever presses Ctrl-C before the reload finds the host as it was."""
    deployed = deploy(session, DESIRED).plan.deployed
    before = state_of(session)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("postfix.deploy.execution.reload", interrupt)
    with pytest.raises(KeyboardInterrupt):
        deploy(session, RENEWED, deployed)
    assert state_of(session) == before


def test_a_queue_directory_that_postconf_does_not_tell_stops_a_copy_for_the_chroot(session: RecordingSession) -> None:
    """Copies go nowhere rather than to a guessed place."""
    session.script.queue_directory = ""
    with pytest.raises(DeployError, match="queue_directory"):
        deploy(session, DESIRED)
    assert session.script.changes == []


def test_a_file_that_cannot_be_put_back_is_named(session: RecordingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """If putting back fails too, the message says which files are still new."""
    session.script.complaints = {"postfix reload": "fatal: cannot"}

    def refuse(self: RecordingSession, path: str, other: str) -> None:
        raise DeployError("the disk is gone")

    monkeypatch.setattr(RecordingSession, "rename", refuse)
    with pytest.raises(DeployError, match=r"NOT everything .*/main\.cf \(the disk is gone\)"):
        deploy(session, HostFiles(parameters={"relayhost": "x"}))


def test_what_an_interrupted_run_left_is_removed_by_the_next(session: RecordingSession) -> None:
    """A kept key and a half index go, though nothing else changes."""
    deployed = deploy(session, DESIRED).plan.deployed
    for name in ("tls/.postseal-0123456789abcdef.old", ".postseal-0123456789abcdef.db"):
        Path(session.root, name).write_bytes(b"left")
    before = {path for path in state_of(session) if ".postseal-" not in path}
    assert deploy(session, DESIRED, deployed).plan.is_empty
    assert set(state_of(session)) == before


def test_a_failure_after_the_reload_says_that_the_rest_is_deployed(
    session: RecordingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An obsolete file that stays is told apart from a deployment that failed."""
    deployed = deploy(session, DESIRED).plan.deployed

    def refuse(self: RecordingSession, path: str) -> None:
        if path == "tls/ca.pem":
            raise DeployError("tls/ca.pem is immutable")
        super(RecordingSession, self).remove(path)

    monkeypatch.setattr(RecordingSession, "remove", refuse)
    with pytest.raises(DeployError, match=r"all is deployed, but .* tls/ca.pem is immutable"):
        deploy(session, RENEWED, deployed)
    assert Path(session.root, "tls/mx1.pem").read_bytes() == b"new key"


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fails_at=st.integers(1, 40), fails_late=st.booleans(), is_first=st.booleans())
def test_a_failure_at_any_change_leaves_the_host_as_it_was_or_complete(
    tmp_path_factory: pytest.TempPathFactory, fails_at: int, *, fails_late: bool, is_first: bool
) -> None:
    """Whichever change fails, before or after it took effect, no file is partial and none is left over."""
    session = new_host(tmp_path_factory.mktemp("host"))
    deployed = Deployed() if is_first else deploy(session, DESIRED).plan.deployed
    before = state_of(session)
    session.script.changes.clear()
    session.script.fails_at, session.script.fails_late = fails_at, fails_late
    failure = failure_of(lambda: deploy(session, RENEWED, deployed))
    assert (failure is not None) == (len(session.script.changes) >= fails_at)
    if failure and "all is deployed" not in str(failure):
        assert "all files are as they were before" in str(failure)
        assert state_of(session) == before
    elif failure:
        assert session.script.changes[-1] == "write .postseal.json"
        assert Path(session.root, "tls/mx1.pem").read_bytes() == b"new key"
    session.script.fails_at = 0
    plan = deploy(session, RENEWED, deployed).plan
    assert deploy(session, RENEWED, plan.deployed).plan.is_empty
    assert Path(session.root, "tls/mx1.pem").read_bytes() == b"new key"
    assert not [path for path in state_of(session) if ".postseal-" in path]
