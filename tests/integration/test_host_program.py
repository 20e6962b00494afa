"""Transactions on a real Postfix: every end, a kill before every step, and what a running service does not bear."""

import fcntl
import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from postfix.deploy.host_files import Deployed, HostFiles, Table
from postfix.deploy.transaction import Reloading, remove
from postseal_core.errors import DeployError
from postseal_core.files.tree import FileEntry
from tests.support.cut_program import names_of_steps
from tests.support.loopback import greeting, until
from tests.support.relay import ALICE, BOB, NEW, OLD, SERVERS, SHELLS, Relay, declared, failure_of
from tests.support.test_authority import colon_hex

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl]


@pytest.fixture
def relay(started: Relay) -> Iterator[Relay]:
    """Return it as OLD says, however the test before has left it."""
    started.session.use("/bin/sh")
    started.session.has_trial = False
    started.session.before()
    if started.instance.master_pid() is None:
        started.instance.start()
    started.up(OLD)
    assert started.is_old()
    started.session.forget()
    yield started
    started.session.before()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_change_is_in_force_and_proven_when_it_ends(relay: Relay, shell: str) -> None:
    """Under each shell; what was asked of the service is told, the second run does nothing, nothing is left."""
    path = SHELLS[shell]
    if path is None:
        pytest.skip(f"{shell} is not here")
    relay.session.use(path)
    outcome = relay.up(NEW)
    assert outcome.reloading is Reloading.DONE
    assert relay.is_new()
    told = {(each.kind, *each.fields) for each in outcome.evidence}
    server = f"127.0.0.1:{relay.instance.port}"
    said = f"tls {SERVERS[1].fingerprint_sha256}"
    assert any(each[:4] == ("server", server, "starttls", said) for each in told)
    assert {each[1:] for each in told if each[0] == "table"} == {
        ("hash:relay_clientcerts", "found", "1"),
        ("hash:relay_clientcerts", "absent", "1"),
    }
    assert relay.leftovers() == []
    relay.session.forget()
    assert relay.up(NEW).reloading is Reloading.NOT_NEEDED
    assert relay.session.steps == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_wrong_certificate_on_the_live_port_is_undone(relay: Relay, shell: str) -> None:
    """Under each shell: what is served is not what was declared, so all is as it was, proven."""
    path = SHELLS[shell]
    if path is None:
        pytest.skip(f"{shell} is not here")
    relay.session.use(path)
    before = relay.content()
    said = failure_of(lambda: relay.up(NEW, served=SERVERS[0]))
    assert f"serves {SERVERS[1].fingerprint_sha256}, which is not declared" in said
    assert "all files are as they were before, and Postfix answers as it did" in said
    assert relay.content() == before
    assert relay.is_old()
    assert relay.leftovers() == []
    relay.up(NEW)
    assert relay.is_new()


NOT_BORNE = {
    "no boolean": {"smtpd_helo_required": "yess"},
    "no number": {"smtpd_client_connection_count_limit": "abc"},
    "an unknown restriction": {"smtpd_recipient_restrictions": "reject_everybody_else"},
    "an unknown map": {"smtpd_recipient_restrictions": "check_recipient_access nonesuch:/x"},
    "a missing map": {"smtpd_recipient_restrictions": "check_recipient_access hash:/nonesuch"},
    "wrong protocols": {"smtpd_tls_protocols": "TLSv9"},
    "a missing chain": {"smtpd_tls_chain_files": "/nonexistent"},
    "an interface of another host": {"inet_interfaces": "192.0.2.77"},
}


@pytest.mark.parametrize("fault", NOT_BORNE)
def test_what_the_running_service_does_not_bear_never_stays(relay: Relay, fault: str) -> None:
    """Values that no command finds: the error says so, and the service answers at once, as before."""
    before = relay.content()
    desired = declared(SERVERS[1], BOB, **NOT_BORNE[fault])
    said = failure_of(lambda: relay.up(desired, served=SERVERS[1]))
    assert re.search("nothing was changed|all files are as they were before, and Postfix answers as it did", said), said
    # Where a command cannot work with such a configuration, its tables are not to blame.
    assert "declare texthash" not in said
    assert relay.content() == before
    assert relay.is_old()
    assert relay.leftovers() == []


def test_a_master_that_dies_at_the_reload_is_started_again(relay: Relay) -> None:
    """With the files that it had."""
    pid = relay.instance.master_pid()
    relay.session.before("probe", f"kill -9 {pid}; sleep 0.3")
    said = failure_of(lambda: relay.up(NEW))
    assert "Postfix stopped at the reload" in said
    assert until(relay.is_old, 10)
    assert relay.instance.master_pid() not in (None, pid)


def test_a_postfix_that_was_stopped_before_stays_so(relay: Relay) -> None:
    """The files are in place for its start, and the tables were asked all the same."""
    relay.instance.stop()
    outcome = relay.up(NEW)
    assert outcome.reloading is Reloading.NOT_RUNNING
    assert {each.kind for each in outcome.evidence} == {"table", "trial", "time"}
    assert relay.instance.master_pid() is None
    relay.instance.start()
    assert relay.is_new()


def test_a_service_that_somebody_else_has_broken_is_mended_without_a_minute_of_silence(relay: Relay) -> None:
    """A value that kills every server, reloaded by hand; ours replaces it, and master is made to try again."""
    relay.up(declared(SERVERS[0], ALICE, smtpd_helo_required="no"), served=SERVERS[0])
    main_cf = relay.instance.config_directory / "main.cf"
    text = main_cf.read_text()
    main_cf.write_text(text.replace("smtpd_helo_required = no", "smtpd_helo_required = yess"))
    os.utime(main_cf, (1, 1))
    relay.instance.command("postfix", "-c", str(relay.instance.config_directory), "reload")
    # Whoever waited at the old server is still greeted.
    assert until(lambda: greeting(relay.instance.port, has_tls=False) == "", 10)
    relay.up(declared(SERVERS[0], ALICE, smtpd_helo_required="no"), served=SERVERS[0])
    assert relay.is_old()


@pytest.mark.parametrize(
    "broken",
    [
        "smtpd_recipient_limit = 5x",
        "smtpd_milters = inet:127.0.0.1:1\nmilter_default_action = tempfail",
        "tls_server_sni_maps = inline:{{mx1.example.org = /nonexistent}}",
    ],
)
def test_what_others_have_broken_keeps_no_row_and_no_certificate_on_the_host(relay: Relay, broken: str) -> None:
    """A client is withdrawn, and a certificate renewed, where nobody can see it; that is told, and main.cf stays."""
    main_cf = relay.instance.config_directory / "main.cf"
    text = main_cf.read_text()
    main_cf.write_text(f"{text}{broken}\n")
    os.utime(main_cf, (1, 1))
    relay.instance.command("postfix", "-c", str(relay.instance.config_directory), "reload")
    try:
        relay.up(declared(SERVERS[0], BOB), served=SERVERS[0], names=("mx1.example.org",))
        assert ALICE.fingerprint_sha256 not in (relay.instance.config_directory / "relay_clientcerts").read_text()
        if "sni" not in broken:
            relay.session.has_trial = True
            outcome = relay.up(NEW)
            assert any(each.fields[2:3] in (("dead",), ("broken",)) for each in outcome.evidence)
            assert SERVERS[1].chain_pem in (relay.instance.config_directory / "tls/mx1.pem").read_text()
    finally:
        main_cf.write_text(main_cf.read_text().replace(f"{broken}\n", ""))
        os.utime(main_cf, (1, 1))
        relay.instance.stop()
        relay.instance.start()


def test_a_main_cf_with_which_nothing_runs_is_named(relay: Relay) -> None:
    """By the look-up of rows, and by a removal that asks of no row; nothing is blamed on the table."""
    main_cf = relay.instance.config_directory / "main.cf"
    text = main_cf.read_text()
    main_cf.write_text(f"{text}message_size_limit = 10M\n")
    os.utime(main_cf, (1, 1))
    try:
        for act in (lambda: relay.up(NEW), lambda: remove(relay.session, relay.deployed, "p/dev")):
            said = failure_of(act)
            assert "bad numerical configuration: message_size_limit = 10M" in said
            assert "rows are found" not in said
    finally:
        main_cf.write_text(text)
        os.utime(main_cf, (1, 1))
        relay.instance.reload()


def test_where_the_old_service_does_not_answer_either_that_is_said(relay: Relay) -> None:
    """Somebody breaks main.cf while ours is put back; once it is mended a run without any change makes it answer."""
    main_cf = relay.instance.config_directory / "main.cf"
    before = main_cf.read_bytes()
    relay.session.before("undo-reload", f"echo 'smtpd_helo_required = yess' >>'{main_cf}'")
    said = failure_of(lambda: relay.up(NEW, served=SERVERS[0]))
    assert "Postfix does not answer as it did before" in said
    assert f"127.0.0.1:{relay.instance.port} is dead" in said
    main_cf.write_bytes(before)
    relay.session.before()
    assert relay.up(OLD).reloading is Reloading.DONE
    assert relay.is_old()
    assert relay.up(OLD).reloading is Reloading.NOT_NEEDED


def test_an_open_session_of_a_withdrawn_client_ends(relay: Relay) -> None:
    """It would keep the old rows for as long as it lasts; with no row withdrawn it is left alone."""
    with socket.create_connection(("127.0.0.1", relay.instance.port), 10) as connection:
        assert connection.recv(100).startswith(b"220")
        relay.up(declared(SERVERS[0], ALICE, BOB), served=SERVERS[0])
        connection.sendall(b"NOOP\r\n")
        assert connection.recv(100).startswith(b"250")
        outcome = relay.up(declared(SERVERS[0], BOB), served=SERVERS[0])
        (cut,) = [each.fields for each in outcome.evidence if each.kind == "sessions"]
        if cut == ("0", "1"):
            pytest.skip("this kernel cannot end a connection of others")
        assert cut == ("1", "0")
        with suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def points_of(relay: Relay, desired: HostFiles) -> list[str]:
    """Return the steps of a deployment, from a run of it, and put back what was."""
    relay.session.forget()
    relay.up(desired)
    points = relay.session.steps
    relay.up(OLD)
    relay.session.forget()
    return points


def test_a_kill_before_any_step_is_made_good_by_the_next_run(relay: Relay) -> None:
    """There and back by turns: whatever is half done, somebody is served and no stranger relays in between.

    The next run ends as if nothing had been.
    """
    content = {id(OLD): relay.content()}
    relay.session.forget()
    relay.up(NEW)
    points, content[id(NEW)] = relay.session.steps, relay.content()
    assert relay.is_new()
    # What is killed while it runs beside is tested with the rest of that (test_trial_run.py).
    not_here = {"undo", "undo-reload", "undo-close", "trying", "restart", "patched"}
    assert {point.partition(":")[0] for point in points} == names_of_steps() - not_here
    wrong: dict[str, object] = {}
    for turn, point in enumerate(points):
        desired, is_wanted = (NEW, relay.is_new) if turn % 2 else (OLD, relay.is_old)
        relay.session.before(point)
        said = failure_of(lambda to=desired: relay.up(to))  # type: ignore[misc]
        assert "did not say how it ended" in said or "finished or undone by the next run" in said
        relay.session.before()
        between = relay.state()
        outcome = relay.up(desired)
        after = relay.up(desired)
        is_well = between[0] is not None and not between[3] and after.reloading is Reloading.NOT_NEEDED
        is_well = is_well and is_wanted() and relay.content() == content[id(desired)]
        if not (is_well and relay.leftovers() == []):
            wrong[point] = between, outcome.reloading, outcome.recovered, relay.leftovers()
        # Only where all was done already nothing is left to say; and never while Postfix had not read it.
        if outcome.reloading is Reloading.NOT_NEEDED and not outcome.recovered and point != "publish":
            wrong[f"{point}: nothing said"] = outcome.recovered
    assert wrong == {}


def test_a_kill_while_it_undoes_is_made_good_by_the_next_run(relay: Relay) -> None:
    """Also one while the next run recovers."""
    relay.session.forget()
    failure_of(lambda: relay.up(NEW, served=SERVERS[0]))
    points = [point for point in relay.session.steps if point.startswith("undo")]
    assert {point.partition(":")[0] for point in points} == {"undo", "undo-reload", "undo-close"}
    for point in (points[0], points[2], *points[-2:]):
        relay.session.before(point)
        failure_of(lambda: relay.up(NEW, served=SERVERS[0]))
        relay.session.before("reload")
        with suppress(DeployError):
            relay.up(NEW)
        relay.session.before()
        relay.up(NEW)
        assert relay.is_new()
        assert relay.leftovers() == []
        relay.up(OLD)


def test_what_is_read_only_at_a_start_takes_a_stop_and_a_start(relay: Relay) -> None:
    """A reload would leave it as it was; also where the run is killed while nothing runs, and where all is undone."""
    wider = declared(SERVERS[1], BOB, inet_interfaces="loopback-only")
    assert relay.up(wider, served=SERVERS[1]).reloading is Reloading.RESTARTED
    assert relay.is_new()
    assert relay.up(NEW).reloading is Reloading.RESTARTED
    assert (
        relay.up(replace(NEW, parameters={**NEW.parameters, "biff": "no"}), served=SERVERS[1]).reloading
        is Reloading.DONE
    )
    said = failure_of(lambda: relay.up(wider, served=SERVERS[0]))
    assert "all files are as they were before, and Postfix answers as it did" in said
    assert relay.is_new()
    relay.session.before("restart")
    failure_of(lambda: relay.up(wider, served=SERVERS[1]))
    assert relay.instance.master_pid() is None
    relay.session.before()
    assert "was finished" in relay.up(wider, served=SERVERS[1]).recovered
    assert relay.is_new()
    assert relay.leftovers() == []


def test_after_a_cut_before_the_reload_nobody_says_that_nothing_changed(relay: Relay) -> None:
    """All files are new, and Postfix was not told: the run that finds it so reloads and proves."""
    mark = relay.instance.mark()
    relay.session.before("reload")
    failure_of(lambda: relay.up(NEW))
    assert "reload -- version" not in relay.instance.log_since(mark)
    relay.session.before()
    outcome = relay.up(NEW)
    assert "was finished" in outcome.recovered
    relay.instance.wait_for_log("reload -- version", since=mark)
    assert relay.is_new()


def test_a_run_that_makes_a_cut_one_good_still_proves_its_own_change(relay: Relay) -> None:
    """Servers that were seen for the cut run are seen again, before and after, where main.cf stays as it is."""
    both, none = declared(SERVERS[0], ALICE, BOB), declared(SERVERS[0], BOB)
    relay.session.before("probe")
    failure_of(lambda: relay.up(both, served=SERVERS[0]))
    relay.session.before()
    outcome = relay.up(none, served=SERVERS[0])
    assert outcome.recovered
    said = f"tls {SERVERS[0].fingerprint_sha256}"
    assert any(each.kind == "server" and each.fields[2] == said for each in outcome.evidence)


@pytest.mark.parametrize("point", ["unpack", "stage", "preflight", "journal", "open"])
def test_what_was_staged_goes_also_where_nothing_is_left_to_deploy(relay: Relay, point: str) -> None:
    """It holds keys: whoever takes the change back after a kill leaves none of them on the host."""
    relay.session.before(point)
    failure_of(lambda: relay.up(NEW))
    assert relay.leftovers()
    relay.session.before()
    assert relay.up(OLD).reloading is Reloading.NOT_NEEDED
    assert relay.leftovers() == []


def test_an_edit_by_somebody_else_after_a_cut_is_a_conflict_and_nothing_is_touched(relay: Relay) -> None:
    """No mixture of old and new; once the operator has decided, the next run goes on."""
    desired = declared(SERVERS[1], BOB, smtpd_helo_required="no")
    relay.session.before("reload")
    failure_of(lambda: relay.up(desired, served=SERVERS[1]))
    relay.session.before()
    main_cf = relay.instance.config_directory / "main.cf"
    mended = main_cf.read_bytes()
    main_cf.write_bytes(mended + b"biff = no\n")
    before = relay.content()
    for _ in range(2):
        said = failure_of(lambda: relay.up(desired, served=SERVERS[1]))
        assert f"{main_cf} was changed by somebody else after a run had been cut off" in said
        assert f"remove {relay.session.root}/.postseal/journal" in said
        assert relay.content() == before
    main_cf.write_bytes(mended)
    assert "was finished" in relay.up(desired, served=SERVERS[1]).recovered
    assert relay.is_new()


def test_an_edit_just_before_the_rename_is_not_lost(relay: Relay) -> None:
    """The run puts its own back and plans anew, with what was written meanwhile."""
    main_cf = relay.instance.config_directory / "main.cf"
    desired = declared(SERVERS[1], BOB, smtpd_helo_required="no")
    points = points_of(relay, desired)
    last = [point for point in points if point.startswith("swap:")][-1]
    relay.session.before(last, f"grep -q biff '{main_cf}' || echo 'biff = no' >>'{main_cf}'")
    relay.up(desired, served=SERVERS[1])
    assert "biff = no" in main_cf.read_text()
    assert "smtpd_helo_required = no" in main_cf.read_text()
    assert relay.is_new()
    main_cf.write_bytes(main_cf.read_bytes().replace(b"biff = no\n", b""))


def test_an_index_that_somebody_puts_in_the_place_of_ours_never_stays(relay: Relay) -> None:
    """Neither in a run, where it is seen before the end and not touched, nor afterwards, where it is made again."""
    index, other = (relay.instance.config_directory / name for name in ("relay_clientcerts.db", "other"))
    other.write_text(f"{ALICE.fingerprint_sha256} client\n")
    made = relay.instance.command("postmap", "-c", relay.session.root, f"hash:{other}")
    assert made.returncode == 0
    relay.session.before("probe", f"cp '{other}.db' '{index}'")
    said = failure_of(lambda: relay.up(NEW))
    assert f"hash:{index.with_suffix('')} is not what was put there" in said
    assert f"{index} was changed by somebody else" in said
    assert index.read_bytes() == other.with_suffix(".db").read_bytes()
    relay.session.before()
    shutil.rmtree(relay.session.root + "/.postseal/journal")
    relay.up(NEW)
    assert relay.is_new()
    shutil.copy(other.with_suffix(".db"), index)
    assert relay.ask(ALICE).may_relay
    relay.up(NEW)
    assert relay.is_new()
    other.unlink()
    other.with_suffix(".db").unlink()


def test_two_runs_at_once_never_mix(relay: Relay) -> None:
    """The second one is told that another is at work, also where only the program on the host knows."""
    lock = relay.instance.config_directory / ".postseal/lock"
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = relay.content()
        assert "another run is at work" in failure_of(lambda: relay.up(NEW))
        assert relay.content() == before
    relay.up(NEW)
    assert relay.is_new()


def test_a_caller_that_goes_away_interrupts_nothing(relay: Relay) -> None:
    """Ctrl-C ends the waiting; the program commits, and after the next run nothing is left to do."""
    relay.session.before("swap:2", "kill -INT $PARENT; sleep 1".replace("$PARENT", str(os.getpid())))
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            relay.up(NEW)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert until(lambda: not (relay.instance.config_directory / ".postseal/journal").exists(), 20)
    assert until(lambda: "publish" in relay.session.steps, 10)
    assert relay.is_new()
    relay.session.before()
    # Which index was made did not come home, so it is made again, once.
    relay.up(NEW)
    assert relay.up(NEW).reloading is Reloading.NOT_NEEDED


def test_a_merged_file_keeps_owner_mode_and_access_list(relay: Relay) -> None:
    """Somebody gave a group the right to read it."""
    main_cf = relay.instance.config_directory / "main.cf"
    setfacl = shutil.which("setfacl")
    main_cf.chmod(0o640)
    os.chown(main_cf, 0, 4)
    if setfacl:
        relay.instance.command(setfacl, "-m", "u:2:r", str(main_cf))
    before = main_cf.stat()
    assert "smtpd_helo_required" not in main_cf.read_text()
    relay.up(declared(SERVERS[0], ALICE, smtpd_helo_required="no"), served=SERVERS[0])
    after = main_cf.stat()
    assert "smtpd_helo_required" in main_cf.read_text()
    assert (after.st_mode, after.st_gid) == (before.st_mode, before.st_gid)
    assert after.st_ino != before.st_ino
    if setfacl:
        assert "system.posix_acl_access" in os.listxattr(main_cf)
    main_cf.chmod(0o644)


def with_rows(number: int, kind: str, **parameters: str) -> HostFiles:
    """Return NEW with a table of bob and as many rows more."""
    prints = (colon_hex(sha256(b"%d" % each).digest()) for each in range(number))
    rows = "".join(f"{each} client generation=1 not_after=2027-01-01\n" for each in (*prints, BOB.fingerprint_sha256))
    return replace(
        NEW,
        tables=(Table(FileEntry("relay_clientcerts", rows.encode(), 0o644), kind),),
        parameters={**NEW.parameters, "relay_clientcerts": f"{kind}:$config_directory/relay_clientcerts", **parameters},
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (
            120_000,
            r"its rows take \d+ bytes, and lmdb_map_size gives an lmdb table 16777216: .*lmdb_map_size: 67108864",
        ),
        (80_000, r"found that should be .*if the table is larger than lmdb_map_size allows.*lmdb_map_size: 33554432"),
    ],
    ids=["its rows alone", "with its pages"],
)
def test_a_table_too_large_for_its_index_is_refused_with_a_size_that_fits(
    relay: Relay, number: int, words: str
) -> None:
    """An lmdb over its limit: postmap is silent, and every client would be refused; a smaller one is the control."""
    before = relay.content()
    said = failure_of(lambda: relay.up(with_rows(number, "lmdb"), served=SERVERS[1]))
    assert "nothing was changed" in said
    assert re.search(words, said), said
    assert relay.content() == before
    assert relay.is_old()
    relay.up(declared(SERVERS[1], BOB, kind="lmdb"), served=SERVERS[1])
    assert relay.is_new()


@pytest.mark.takes_long
@pytest.mark.parametrize("kind", ["texthash", "hash", "btree", "cdb", "lmdb"])
def test_120_000_rows_are_in_force_in_each_type_of_table(relay: Relay, kind: str) -> None:
    """With the size that the refusal names, where the type has one."""
    there = relay.instance.command("postconf", "-c", str(relay.instance.config_directory), "-m").stdout.split()
    if kind not in there:
        pytest.skip(f"this Postfix has no {kind}")
    size = {"lmdb_map_size": "67108864"} if kind == "lmdb" else {}
    relay.up(with_rows(120_000, kind, **size), served=SERVERS[1])
    assert relay.is_new()


def generations(relay: Relay) -> list[dict[str, str]]:
    """Return what is noted of each earlier state that is kept, the oldest first."""
    kept = sorted((relay.instance.config_directory / ".postseal/kept").glob("*"))
    notes = [(each / "info").read_text().splitlines() for each in kept]
    return [dict(line.split("\t") for line in lines) for lines in notes]


def test_as_many_earlier_states_stay_as_are_wanted_and_only_root_reads_them(relay: Relay) -> None:
    """The oldest go; each has what was there with its attributes, when, in which run, and by whom it was replaced."""
    relay.up(NEW, generations=2)
    assert len(generations(relay)) == 1
    for desired in (OLD, NEW, OLD):
        relay.up(desired, generations=2)
    first, last = generations(relay)
    assert first["time"] <= last["time"]
    assert first["id"] != last["id"]
    assert last["owner"] == "p/dev"
    kept = relay.instance.config_directory / ".postseal/kept"
    assert kept.stat().st_mode & 0o077 == 0
    newest = max(kept.iterdir())
    keys = [path for path in (newest / "old").iterdir() if path.read_bytes() == SERVERS[1].chain_pem.encode()]
    assert [path.stat().st_mode & 0o777 for path in keys] == [0o400]
    targets = [line.split("\t") for line in (newest / "targets").read_text().splitlines()]
    assert {line[4].rpartition("/")[2] for line in targets} >= {"mx1.pem", "relay_clientcerts"}
    relay.up(OLD, generations=1)
    assert [each["id"] for each in generations(relay)] == [last["id"]]
    relay.up(OLD, generations=0)
    assert not kept.exists()
    assert relay.is_old()


def test_what_is_kept_of_earlier_states_has_a_bound_and_the_last_one_stays(relay: Relay) -> None:
    """With a bound of nothing each change leaves one; with the usual one it is as many as are wanted."""
    program = Path(relay.session.program)
    text = program.read_text()
    assert text.count("\nkept_kib=262144\n") == 1
    program.write_text(text.replace("\nkept_kib=262144\n", "\nkept_kib=0\n"))
    for desired in (NEW, OLD, NEW):
        relay.up(desired, generations=3)
        assert len(generations(relay)) == 1
    program.write_text(text)
    for desired in (OLD, NEW):
        relay.up(desired, generations=3)
    assert len(generations(relay)) == 3


def test_removing_all_of_ours_leaves_no_trace_and_a_service_that_answers(relay: Relay) -> None:
    """The control of all tests before: what they left is ours, and goes."""
    relay.up(NEW, generations=2)
    outcome = remove(relay.session, relay.deployed, "p/dev")
    relay.deployed = Deployed()
    assert outcome.reloading is Reloading.DONE
    assert {path.name for path in relay.instance.config_directory.iterdir()} == {"main.cf", "master.cf"}
    assert until(lambda: greeting(relay.instance.port, has_tls=False), 10)
    assert not relay.ask(BOB).may_relay
