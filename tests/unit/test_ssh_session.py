"""A session by SSH against the real program, with a shell of this machine in place of the connection."""

import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from postfix.deploy import host_program
from postfix.deploy.bundle import Bundle
from postfix.deploy.host_program import carry_out
from postfix.deploy.program_result import End
from postfix.deploy.session import LostError, UnreachableError
from postfix.deploy.sessions import ssh
from postfix.deploy.sessions.local import LocalSession
from postfix.deploy.sessions.ssh import SshSession, carried_program
from postfix.ssh_access import SshAccess, Sudo
from postseal.cli import main
from postseal_core.errors import DeployError
from postseal_core.files.tree import MARK_FILE, FileEntry

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl]

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpSaA4mPS6pd7nzktvzYmZHvxfrKtaNmW5JcvoqSqRH"
ACCESS = SshAccess(host="mx1.example.org", user="root", host_keys=(KEY,), sudo=Sudo.NONE)


class Connection:
    """Runs here what would run there; `asked` holds the verbs, `play` may answer in its place."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.play: Callable[[str], tuple[bytes, str] | None] = lambda _verb: None

    def request(self, remote: str, said: bytes, **_: Any) -> tuple[bytes, str]:
        """Run a command of the shell."""
        self.asked.append(said.rpartition(b"POSTSEAL1 ")[2].partition(b" ")[0].decode())
        played = self.play(self.asked[-1])
        if played is not None:
            return played
        ended = subprocess.run(["sh", "-c", remote], input=said, capture_output=True, check=False)
        return ended.stdout, ended.stderr.decode()

    def insist(self) -> None:
        """Do nothing."""


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    """Return what every session speaks through."""
    made = Connection()
    monkeypatch.setattr(ssh, "connection_to", lambda _access: made)
    monkeypatch.setattr(host_program, "sleep", lambda _seconds: None)
    return made


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Return a configuration directory."""
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "main.cf").write_text("myhostname = mx1.example.org\n")
    (conf / "clients").write_text("AA alice\n")
    return conf


def test_what_was_said_to_come_is_asked_at_once(connection: Connection, conf: Path) -> None:
    """One look for digests, contents, the mark, an open journal and what is kept."""
    far, here = SshSession(ACCESS, str(conf)), LocalSession(conf)
    paths = ("./", "main.cf", "clients", "none")
    far.prefetch(paths, read=("clients",))
    assert far.present(["./"]) == {"./": "directory"}
    assert far.present(paths) == here.present(paths)
    assert [far.read(path) for path in ("main.cf", "clients", MARK_FILE)] == [
        here.read(path) for path in ("main.cf", "clients", MARK_FILE)
    ]
    assert far.present([".postseal/journal/", ".postseal/unread"]) == {}
    assert far.names(".postseal/kept/") == []
    assert connection.asked == ["look"]


def test_what_was_not_said_to_come_is_asked_when_it_is_needed(connection: Connection, conf: Path) -> None:
    """And is right all the same."""
    far = SshSession(ACCESS, str(conf))
    assert far.read("clients") == LocalSession(conf).read("clients")
    assert far.read("main.cf") == LocalSession(conf).read("main.cf")
    assert far.present(["none"]) == {}
    assert connection.asked == ["look", "look"]


def test_what_the_program_may_have_changed_is_looked_at_anew(connection: Connection, conf: Path) -> None:
    """A session remembers what it saw only until then."""
    far = SshSession(ACCESS, str(conf))
    before = far.present(["main.cf"])
    (conf / "main.cf").write_text("myhostname = other\n")
    assert far.present(["main.cf"]) == before
    far.write_mark(FileEntry(MARK_FILE, b"{}", 0o600))
    assert far.present(["main.cf", MARK_FILE]) == LocalSession(conf).present(["main.cf", MARK_FILE])
    far.write_mark(None)
    assert far.read(MARK_FILE) is None
    assert connection.asked == ["look", "mark", "look", "mark", "look"]


def test_the_queue_directory_is_a_place_of_its_own(connection: Connection, conf: Path, tmp_path: Path) -> None:
    """Its name is that of the host's configuration, whatever the caller thinks it is."""
    queue = tmp_path / "spool"
    queue.mkdir()
    (queue / "etc").mkdir()
    (conf / "main.cf").write_text(f"queue_directory = {queue}\n")
    far = SshSession(ACCESS, str(conf))
    assert far.parameters(("queue_directory",)) == {"queue_directory": str(queue)}
    jail = far.at(str(queue))
    assert jail.present(["./", "etc/", MARK_FILE]) == {"./": "directory", "etc/": "directory"}
    jail.write_mark(FileEntry(MARK_FILE, b"{}", 0o600))
    assert (queue / MARK_FILE).read_bytes() == b"{}"
    assert not (conf / MARK_FILE).exists()
    assert connection.asked[-1] == "mark"


def test_main_cf_that_may_not_leave_the_host_is_an_error_and_not_absent(connection: Connection, conf: Path) -> None:
    """Otherwise a key in it would be taken for no main.cf, and be replaced."""
    (conf / "main.cf").write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(DeployError, match=r"main\.cf cannot be read: it holds a private key"):
        SshSession(ACCESS, str(conf)).read("main.cf")
    assert connection.asked == ["look"]


@pytest.mark.parametrize("text", ["exit 1", "echo complete", 'echo "fault\tform\tthere is no look"; echo complete'])
def test_another_program_than_ours_is_told_with_what_to_do(connection: Connection, conf: Path, text: str) -> None:
    """An old one that knows no `look`, another one that answers, and one that does not."""
    played = subprocess.run(["sh", "-c", text], capture_output=True, check=False).stdout
    connection.play = lambda _verb: (played, "")
    with pytest.raises(UnreachableError, match=r"another version|gave no answer"):
        SshSession(ACCESS, str(conf)).present(["./"])


def test_a_look_whose_connection_breaks_is_asked_a_second_time(connection: Connection, conf: Path) -> None:
    """And no third time."""

    def lose(_verb: str) -> None:
        if len(connection.asked) == 1 or is_gone:
            raise LostError("the connection broke")

    is_gone = False
    connection.play = lose
    assert SshSession(ACCESS, str(conf)).present(["./"])
    is_gone = True
    with pytest.raises(UnreachableError, match="the connection broke; nothing was changed"):
        SshSession(ACCESS, str(conf)).present(["./"])
    assert connection.asked == ["look"] * 4


class Answers:
    """A session whose program answers in turn; an exception is raised."""

    root = "/etc/postfix"

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def run_program(self, said: bytes) -> str:
        """Return the next answer."""
        self.asked.append(said.split(b" ")[1].decode())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


LOST = LostError("the connection broke")
DONE = "end\tcommitted\ncomplete\n"
GOING_ON = "working\tyes\nend\tunknown\ncomplete\n"
NEVER_BEGUN = "end\tunknown\ncomplete\n"
RESTORED = "fault\tprobe\tx\nend\trestored\ncomplete\n"


@pytest.mark.parametrize(
    ("answers", "end"),
    [
        ([DONE], End.COMMITTED),
        ([LOST, DONE], End.COMMITTED),
        ([LOST, LOST, GOING_ON, GOING_ON, LOST, RESTORED], End.RESTORED),
        ([LOST, NEVER_BEGUN, GOING_ON, DONE], End.COMMITTED),
        ([LOST, GOING_ON, NEVER_BEGUN, NEVER_BEGUN, NEVER_BEGUN], End.UNKNOWN),
    ],
)
@pytest.mark.usefixtures("connection")
def test_a_run_that_was_lost_is_asked_how_it_ended(answers: list[str | Exception], end: End) -> None:
    """As long as it is at work; one that never began is given up soon."""
    session = Answers(*answers)
    result = carry_out(session, lambda nonce: Bundle(nonce, b"x"))  # type: ignore[arg-type]  # only what is called
    assert result.end is end
    assert session.asked == ["run", *["result"] * (len(answers) - 1)]
    assert session.answers == []


@pytest.mark.usefixtures("connection")
def test_a_run_that_never_began_is_asked_for_a_second_time_and_no_third() -> None:
    """By the same id, so that nothing is done twice."""
    session = Answers(LOST, NEVER_BEGUN, NEVER_BEGUN, NEVER_BEGUN, DONE)
    assert carry_out(session, lambda nonce: Bundle(nonce, b"x")).end is End.COMMITTED  # type: ignore[arg-type]
    assert session.asked == ["run", "result", "result", "result", "run"]
    session = Answers(LOST, NEVER_BEGUN, NEVER_BEGUN, NEVER_BEGUN, LOST)
    with pytest.raises(LostError):
        carry_out(session, lambda nonce: Bundle(nonce, b"x"))  # type: ignore[arg-type]


@pytest.mark.usefixtures("connection")
def test_a_host_that_is_gone_after_a_run_was_lost_is_told_as_both() -> None:
    """The sentence says that what was begun goes on, and what to do."""
    session = Answers(LOST, UnreachableError("nothing listens on mx1"))
    with pytest.raises(
        DeployError, match=r"broke, and then: nothing listens on mx1; what was begun goes on .*run again"
    ):
        carry_out(session, lambda nonce: Bundle(nonce, b"x"))  # type: ignore[arg-type]


@pytest.mark.usefixtures("connection")
def test_a_host_that_loses_each_question_is_given_up() -> None:
    """As one whose /tmp is full: the program cannot even begin there."""
    session = Answers(*[LOST] * 100)
    with pytest.raises(DeployError, match=r"and then: the connection broke; run again"):
        carry_out(session, lambda nonce: Bundle(nonce, b"x"))  # type: ignore[arg-type]
    assert len(session.asked) < 10


def test_the_program_is_printed_as_it_is_brought_to_a_host(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """And its digest alone, to compare."""
    assert main(["host-program"]) == 0
    assert capfdbinary.readouterr().out == carried_program()
    assert main(["host-program", "--digest"]) == 0
    assert capfdbinary.readouterr().out.decode() == f"{sha256(carried_program()).hexdigest()}\n"
