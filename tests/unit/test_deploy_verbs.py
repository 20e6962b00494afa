"""What the program on the host says to whoever speaks to it, with a Postfix that is played."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from postfix.deploy.bundle import Bundle, Proof, bundle_of, request
from postfix.deploy.host_files import Deployed, HostFiles, Situation
from postfix.deploy.plan import plan_deployment
from postfix.deploy.program_result import End, read_result
from postfix.deploy.transaction import Reloading, deploy, remove
from postseal_core.errors import DeployError
from postseal_core.files.tree import DIRECTORY, ROOT, FileEntry
from tests.support.cut_program import program_that
from tests.support.played_host import PlayedHost, play

pytestmark = [pytest.mark.needs_root, pytest.mark.takes_long]

MAIN_CF = FileEntry("main.cf", b"# the administrator's\n", 0o644)
DESIRED = HostFiles(files=(FileEntry("tls/mx1.pem", b"a key", 0o400),), parameters={"biff": "no"})


@pytest.fixture
def host(tmp_path: Path) -> Iterator[PlayedHost]:
    """Return a host with a main.cf of somebody else."""
    played = play(tmp_path)
    played.write(MAIN_CF)
    yield played
    played.stop()


def bundle(nonce: str = "1") -> Bundle:
    """Return a first deployment."""
    situation = Situation(files={ROOT: DIRECTORY}, configuration={"main.cf": MAIN_CF})
    plan = plan_deployment(DESIRED, Deployed(), situation, "p")
    return bundle_of(plan, DESIRED, situation, Proof(), nonce=nonce)


def ask(host: PlayedHost, verb: str, made: Bundle, archive: bytes = b"") -> str:
    """Return what the program prints."""
    return host.run_program(request(verb, host.root, made.id, archive))


def test_a_caller_that_was_cut_off_hears_again_how_its_run_ended(host: PlayedHost) -> None:
    """By asking, and by sending the same once more: nothing is done a second time."""
    made = bundle()
    first = ask(host, "run", made, made.archive)
    assert read_result(first).end is End.COMMITTED
    assert ask(host, "result", made) == first
    host.forget()
    assert ask(host, "run", made, made.archive) == first
    assert host.commands == ["id -u"]


def test_of_a_run_that_nobody_knows_nothing_is_said(host: PlayedHost) -> None:
    """Neither that it ended well nor that it did not."""
    assert read_result(ask(host, "result", bundle())).end is End.UNKNOWN


def test_a_caller_that_was_killed_with_the_program_hears_what_the_next_run_made_of_it(host: PlayedHost) -> None:
    """The next run finishes it, and keeps that under the name of the first."""
    made = bundle()
    host.program = program_that(host.place, "reload", "kill -9 -$$")
    assert read_result(ask(host, "run", made, made.archive)).end is End.UNKNOWN
    host.program = type(host).program
    said = host.run_program(request("recover", host.root, "another"))
    assert (read_result(said).end, read_result(said).recovered) == (End.COMMITTED, "forward")
    assert read_result(ask(host, "result", made)).end is End.COMMITTED


@pytest.mark.parametrize("sent", [0, 1, 5000], ids=["nothing", "a byte", "a half"])
def test_half_a_bundle_changes_nothing_and_leaves_nothing(host: PlayedHost, sent: int) -> None:
    """The digest in the first line is that of the whole; the whole is the control."""
    made = bundle()
    whole = request("run", host.root, made.id, made.archive)
    cut = whole[: len(whole) - len(made.archive) + sent]
    result = read_result(host.run_program(cut))
    assert (result.end, result.faults[0].kind) == (End.REFUSED, "bundle")
    assert host.names("tls/") == []
    assert host.read("main.cf") == MAIN_CF
    assert read_result(host.run_program(whole)).end is End.COMMITTED


def test_to_look_changes_nothing(host: PlayedHost) -> None:
    """Whether Postfix runs, whether a run was cut off, and what main.cf is."""
    assert host.run_program(request("inspect", host.root, "-")).splitlines() == [
        "program\t1",
        "journal\tnone",
        "unread\tno",
        "running\tyes",
        "complete",
    ]
    assert host.names() == ["main.cf"]
    main_cf = Path(host.root, "main.cf")
    main_cf.rename(host.place / "main.cf")
    main_cf.symlink_to("../main.cf")
    (host.queue_directory / "pid/master.pid").unlink()
    assert "file\tlink\t../main.cf\tmain.cf\nrunning\tno\n" in host.run_program(request("inspect", host.root, "-"))


@pytest.mark.parametrize(
    "head",
    ["", "POSTSEAL2 run 1 - /etc/postfix", "POSTSEAL1 format 1 - /", "POSTSEAL1 run ../x - /", "POSTSEAL1 run 1 - etc"],
)
def test_what_the_program_does_not_know_is_refused(host: PlayedHost, head: str) -> None:
    """Of another version, an unknown verb, a name that leads elsewhere, a directory that is relative."""
    assert read_result(host.run_program(f"{head}\n".encode())).end is End.REFUSED
    assert host.names() == ["main.cf"]


def test_a_deployment_that_finds_a_cut_run_says_what_became_of_it(host: PlayedHost) -> None:
    """One that was cut before the reload is finished, one half-way undone; both end as declared."""
    for step, words in (("reload", "was finished"), ("swap:2", "was put back")):
        host.program = program_that(host.place, step, "kill -9 -$$")
        with pytest.raises(DeployError, match="run again"):
            deploy(host, DESIRED, owner="p")
        host.program = type(host).program
        outcome = deploy(host, DESIRED, owner="p")
        assert words in outcome.recovered
        assert host.read("tls/mx1.pem") == DESIRED.files[0]
        assert deploy(host, DESIRED, outcome.plan.deployed, owner="p").recovered == ""
        remove(host, outcome.plan.deployed, owner="p")
        assert host.names() == ["main.cf"]


def test_a_cut_run_whose_files_somebody_has_edited_stops_a_deployment(host: PlayedHost) -> None:
    """And a removal; after the operator has decided it goes on."""
    host.program = program_that(host.place, "reload", "kill -9 -$$")
    with pytest.raises(DeployError):
        deploy(host, DESIRED, owner="p")
    host.program = type(host).program
    edited = FileEntry("main.cf", b"# edited\n", 0o644)
    host.write(edited)
    acts: list[Callable[[], object]] = [
        lambda: deploy(host, DESIRED, owner="p"),
        lambda: remove(host, Deployed(), owner="p"),
    ]
    for act in acts:
        with pytest.raises(DeployError, match=r"main\.cf was changed by somebody else after a run had been cut off"):
            act()
    assert host.read("main.cf") == edited
    shutil.rmtree(Path(host.root, ".postseal/journal"))
    assert deploy(host, DESIRED, owner="p").reloading is Reloading.DONE
