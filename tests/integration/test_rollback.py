"""A host goes back to an earlier state that it keeps, by a command that needs no stack: one more transaction."""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from postfix.deploy.host_program import earlier_states, roll_back, sentences_of_rollback
from postseal.cli import main
from tests.support.relay import ALICE, BOB, NEW, OLD, SERVERS, SHELLS, Relay, declared, failure_of, relay_below

KEPT = 20


@pytest.fixture
def relay(started: Relay) -> Iterator[Relay]:
    """Return it after two deployments, OLD and NEW, each of which has left what was there before."""
    started.session.use("/bin/sh")
    started.session.has_trial = False
    started.session.before()
    if started.instance.master_pid() is None:
        started.instance.start()
    started.up(OLD, generations=KEPT)
    started.up(NEW, generations=KEPT)
    assert started.is_new()
    started.session.forget()
    yield started
    started.session.before()


def last_of(relay: Relay) -> int:
    """Return the number of the last state that is kept."""
    return earlier_states(relay.session).kept[-1].number


@pytest.mark.parametrize("shell", SHELLS)
def test_a_host_goes_back_and_forth(relay: Relay, shell: str) -> None:
    """Files, rows and served certificate are those of then; the way back is kept as well, and the next run ends it."""
    path = SHELLS[shell]
    if path is None:
        pytest.skip(f"{shell} is not here")
    relay.session.use(path)
    new = relay.content()
    number = last_of(relay)
    roll_back(relay.session, number)
    assert relay.is_old()
    old = relay.content()
    assert relay.leftovers() == ["rolled_back"]
    assert (
        f"to its earlier state {number}; `up` brings again what is declared" in sentences_of_rollback(relay.session)[0]
    )
    roll_back(relay.session, last_of(relay))
    assert relay.is_new()
    assert relay.content() == new
    roll_back(relay.session, last_of(relay))
    assert relay.content() == old
    relay.up(NEW, generations=KEPT)
    assert relay.is_new()
    assert relay.leftovers() == []
    assert sentences_of_rollback(relay.session) == []


def test_several_deployments_are_taken_back_at_once(relay: Relay) -> None:
    """What was put there after the chosen state goes, whichever run has brought it; also a setting, and a file."""
    number, content = last_of(relay) + 1, relay.content()
    relay.up(declared(SERVERS[0], BOB, smtpd_helo_required="yes"), served=SERVERS[0], generations=KEPT)
    relay.up(declared(SERVERS[1], ALICE, kind="lmdb"), served=SERVERS[1], generations=KEPT)
    relay.up(declared(SERVERS[0], ALICE, BOB), served=SERVERS[0], generations=KEPT)
    roll_back(relay.session, number)
    assert relay.is_new()
    assert relay.content() == content


def test_before_the_first_deployment_there_was_nothing_of_ours(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Directories and the mark go as well; and from there is a way forward."""
    with relay_below(tmp_path_factory.mktemp("first")) as relay:
        untouched, spoken = relay.content(), relay.state()
        relay.up(OLD, generations=KEPT)
        relay.up(NEW, generations=KEPT)
        roll_back(relay.session, 1)
        assert relay.content() == untouched
        assert relay.state() == spoken
        roll_back(relay.session, last_of(relay))
        assert relay.is_new()


@pytest.mark.parametrize("lost", ["old", "baseline", "info", "manifest", "targets"])
def test_a_state_that_is_not_whole_any_more_is_no_way_back(relay: Relay, lost: str) -> None:
    """Somebody has tidied up: that is said, instead of what cp(1) says."""
    number, before = last_of(relay), relay.content()
    (state,) = (relay.instance.config_directory / ".postseal/kept").glob(f"{number:06d}.*")
    _remove(state / lost)
    said = failure_of(lambda: roll_back(relay.session, number))
    assert f"the earlier state {number} lacks " in said
    assert f"somebody has removed that from {relay.session.root}/.postseal/kept" in said
    assert "nothing was changed" in said
    assert relay.content() == before
    shutil.rmtree(state)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"rolled_back\n", b"rolled_back\t1\n", b"kept\tx\n", b"end\trefused\n", b"\xff\x00\x1b[2J\tx"],
)
def test_a_note_of_a_rollback_that_nobody_can_read_still_says_that_there_was_one(relay: Relay, content: bytes) -> None:
    """One sentence, whatever has become of the note; the next run ends it."""
    (relay.instance.config_directory / ".postseal/rolled_back").write_bytes(content)
    relay.session.forget()
    (sentence,) = sentences_of_rollback(relay.session)
    assert f"{relay.session.root} was taken back by `postseal rollback` at " in sentence
    assert sentence.isprintable()
    relay.up(NEW, generations=KEPT)
    relay.session.forget()
    assert sentences_of_rollback(relay.session) == []


def test_an_edit_by_somebody_else_since_then_is_not_lost(relay: Relay) -> None:
    """Nothing is touched, and the file is named; main.cf, which the last run has not changed, may have been edited."""
    table, main_cf = (relay.instance.config_directory / name for name in ("relay_clientcerts", "main.cf"))
    mended, plain = table.read_bytes(), main_cf.read_bytes()
    table.write_bytes(mended + b"AA:BB by hand\n")
    main_cf.write_bytes(plain + b"biff = no\n")
    before = relay.content()
    said = failure_of(lambda: roll_back(relay.session, last_of(relay)))
    assert f"{table} was changed by somebody else since, and a rollback would lose that" in said
    assert "nothing was changed" in said
    assert relay.content() == before
    table.write_bytes(mended)
    roll_back(relay.session, last_of(relay))
    assert relay.is_old()
    assert main_cf.read_bytes() == plain + b"biff = no\n"
    main_cf.write_bytes(plain)


def test_a_rollback_that_the_service_does_not_follow_is_undone(relay: Relay) -> None:
    """Each server has to do again what it did then: here one that served another certificate is expected."""
    before = relay.content()
    relay.session.before("reload", "sed -i 's/tls /tls 00:/' \"$tx/expected\"")
    said = failure_of(lambda: roll_back(relay.session, last_of(relay)))
    relay.session.before()
    assert "and was tls 00:" in said
    assert "all files are as they were before, and Postfix answers as it did" in said
    assert relay.content() == before
    assert relay.is_new()


def test_a_kill_before_any_step_is_made_good_by_the_next_run(relay: Relay) -> None:
    """Either way: the host is as it was then, or as it was now."""
    roll_back(relay.session, last_of(relay))
    points = list(dict.fromkeys(relay.session.steps))
    assert {"unpack", "open", "reload", "probe", "commit", "close", "publish"} <= {*points}
    wrong = {}
    for point in points:
        relay.up(NEW, generations=KEPT)
        relay.session.before(point)
        failure_of(lambda: roll_back(relay.session, last_of(relay)))
        relay.session.before()
        relay.up(NEW, generations=KEPT)
        if not relay.is_new() or relay.leftovers():
            wrong[point] = relay.state(), relay.leftovers()
        roll_back(relay.session, last_of(relay))
    assert wrong == {}


def test_what_is_kept_stays_readable_by_nobody_else_and_is_not_the_file_in_use(relay: Relay) -> None:
    """An edit in place of what came back does not reach what is kept."""
    number = last_of(relay)
    roll_back(relay.session, number)
    in_use = {
        path.stat().st_ino for path in relay.instance.config_directory.rglob("*") if ".postseal" not in path.parts
    }
    kept = [path for path in (relay.instance.config_directory / ".postseal/kept").rglob("old/*") if path.is_file()]
    assert kept
    chosen = [path for path in kept if path.parts[-3].startswith(f"{number:06d}.")]
    assert not in_use & {path.stat().st_ino for path in chosen}
    assert (relay.instance.config_directory / ".postseal").stat().st_mode & 0o077 == 0


def test_the_command_lists_and_goes_back(relay: Relay, capsys: pytest.CaptureFixture[str]) -> None:
    """By the directory alone; a number that is not kept, or a directory without any, changes nothing."""
    root, number = relay.session.root, last_of(relay)
    assert main(["rollback", root, "--list"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.split()[0] == str(number)
    assert "when p/dev deployed to it" in first
    before = relay.content()
    assert main(["rollback", root, "--to", "999"]) == 3
    assert "--to: got 999, expected the number of a kept state: " in capsys.readouterr().err
    assert main(["rollback", "etc/postfix"]) == 3
    assert relay.content() == before
    assert main(["rollback", root]) == 0
    assert f"{root} is as it was before 20" in capsys.readouterr().out
    assert relay.is_old()


def test_another_run_is_never_mixed_with_it(relay: Relay) -> None:
    """The second one is told that another is at work."""
    before = relay.content()
    with (relay.instance.config_directory / ".postseal/lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another run is at work" in failure_of(lambda: roll_back(relay.session, last_of(relay)))
        # What was sent may hold keys; the other run may end long after. The room that is kept is for both.
        assert "another run is at work" in failure_of(lambda: relay.up(OLD, generations=KEPT))
        assert {*relay.leftovers()} <= {"reserve", "reserve.probe"}
    assert relay.content() == before
