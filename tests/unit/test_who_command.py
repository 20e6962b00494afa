"""The commands `postseal who` and `postseal explain`: options, exit codes, messages, on the state of a stored stack."""

import csv
import io
import json
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pki.acceptance import AcceptedRow
from postfix.host_resource.records import HostRow
from postseal.cli import main
from postseal.ledger.life import Happening, Life, LifeEvent
from postseal.ledger.life_document import render_lives, render_lives_json
from postseal_core.instants import format_instant, parse_instant
from postseal_core.packing import pack_records, unpack_records
from tests.support.stack_state import certificate, export, large_stack
from tests.support.stored_states import STATES

EXPORT = STATES / "1/export.json"
STORED: dict[str, Any] = json.loads(EXPORT.read_text())
CLOCK = (STATES / "1/clock").read_text().strip()
NOW = parse_instant(CLOCK)


def run(command: str, *arguments: str, state: Path = EXPORT) -> int:
    """Run a command on a state; a usage error leaves through SystemExit."""
    file = "--file" if command in ("report", "forecast") else "--state"
    try:
        return main([command, *arguments, file, str(state), "--now", CLOCK])
    except SystemExit as leaving:
        return int(str(leaving.code))


def rows_of(outputs: dict[str, Any]) -> list[AcceptedRow]:
    """Return the rows of a host as they are packed in its state."""
    return [each.accepted for each in unpack_records(HostRow, outputs["rows"])]


def host_of(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the resource of a host."""
    rows: list[dict[str, Any]] = state["deployment"]["resources"]
    return next(each for each in rows if each["urn"].endswith(f"PostfixHost::{name}"))


def test_who_tells_each_row_of_the_state(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON and as CSV the same rows as the host's state has, as text each client."""
    expected = sorted(str(row.fingerprint_sha256) for row in rows_of(host_of(STORED, "mx1")["outputs"]))
    assert run("who", "--format", "json") == 0
    hosts = {each["host"]: each for each in json.loads(capsys.readouterr().out)["hosts"]}
    assert sorted(each["fingerprint_sha256"] for each in hosts["mx1"]["rows"]) == expected
    assert {name: len(each["rows"]) for name, each in hosts.items() if name != "mx1"} == {
        "answered": 0,
        "open": 0,
        "relay": 0,
    }
    assert run("who", "--format", "csv") == 0
    lines = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert sorted(each["fingerprint_sha256"] for each in lines if each["way"] == "certificate") == expected
    assert run("who") == 0
    text = capsys.readouterr().out
    assert "mx1 (directory out/test/mx1/postfix): by certificate 7 clients, 11 rows\n" in text
    assert "  partner        -           " in text
    assert "dave" not in text


def test_what_is_asked_for_is_told_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """By host, service and client; with clients, what names nobody is left out; who is not listed has no row."""
    assert run("who", "--host", "mx1", "--service", "smtp", "--client", "carol", "--client", "dave") == 0
    text = capsys.readouterr().out
    assert "by certificate 1 client, 2 rows" in text
    assert "carol (staff)" in text
    assert not any(word in text for word in ("alice", "networks", "open", "dave"))


def test_all_that_is_not_there_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Hosts, services and clients, each with what was perhaps meant."""
    assert run("who", "--host", "mx", "--host", "none", "--service", "smtps", "--client", "alicia\x1b[2J") == 3
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4
    assert told[0] == "postseal: --host: 'mx' is no host of this stack; did you mean mx1?"
    assert "expected one of: answered, mx1, open, relay" in told[1]
    assert told[2] == "--service: 'smtps' is no service of this stack; did you mean smtp?"
    assert told[3].startswith("--client: 'alicia\\x1b[2J' is no client of this stack; ")


def test_a_day_before_the_last_run_is_not_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that are gone are not in the state; the message says which day is the first."""
    written = STORED["deployment"]["manifest"]["time"].partition(".")[0]
    assert run("who", "--at", format_instant(NOW - timedelta(days=1))) == 3
    assert f"lies before {written}Z, when this state was written last" in capsys.readouterr().err


def test_a_later_day_is_told_as_what_will_be(capsys: pytest.CaptureFixture[str]) -> None:
    """Overlaps are over, renewals are there, without a fingerprint yet; the certificate from elsewhere stays."""
    assert run("who", "--host", "mx1", "--at", format_instant(NOW + timedelta(days=19)), "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["is_ahead"]
    rows = document["hosts"][0]["rows"]
    told = {(each["client"], each["generation"], each["fingerprint_sha256"] is not None) for each in rows}
    assert told == {
        *((name, 2, True) for name in ("alice", "bob", "carol", "mx1")),
        *((name, 3, False) for name in ("alice", "bob", "carol", "mx1")),
        ("relay", 3, True),
        ("erin", 1, True),
        ("partner", None, True),
    }


def written(place: Path, text: str | bytes) -> str:
    """Return the path of a list of who left."""
    path = place / "left.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("alice\n", 1, ["alice", "by certificate 1 client, 2 rows"]),
        ("# left in May\n\n  ALICE@example.org  # phone lost\r\n", 1, ["by certificate 1 client, 2 rows"]),
        ("\N{BOM}carol\nerin@example.org\n", 1, ["carol (staff)", "erin (staff)"]),
        ("partner", 1, ["partner", "from elsewhere"]),
        ("Alice A. <ALICE@example.org>  # as mail programs write it", 1, ["by certificate 1 client, 2 rows"]),
        ("dave\n", 0, ["mx1 (directory out/test/mx1/postfix): by certificate nobody"]),
        ("mallory\nalic", 0, ["declared for no certificate of this stack (taken out, or misspelt): mallory, alic"]),
    ],
)
def test_who_left_and_is_still_let_in_has_an_exit_code(
    text: str, code: int, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 and the rows where one of them is, 0 where none is; who is unknown is named."""
    assert run("who", "--left", written(tmp_path, text)) == code
    told = capsys.readouterr().out
    assert all(each in told for each in words), told
    assert "a login of theirs may relay, look there: relay\n" in told


def test_who_left_is_told_to_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same in JSON and CSV."""
    path = written(tmp_path, "alice\nmallory\n")
    assert run("who", "--left", path, "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["absent"] == ["mallory"]
    assert document["unknown"] == []
    assert [len(each["rows"]) for each in document["hosts"]] == [0, 2, 0, 0]
    assert run("who", "--left", path, "--format", "csv") == 1
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [each["way"] for each in lines] == ["none", "certificate", "certificate", "none", "none"]


def test_who_may_be_let_in_under_an_earlier_name_is_told_to_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In text and JSON, with the exit code of somebody who is: alice was given other names a generation ago."""
    state = deepcopy(STORED)
    alice = next(each for each in state["deployment"]["resources"] if each["urn"].endswith("ClientCertificate::alice"))
    assert alice["outputs"]["cause"] == "renewal_due"
    alice["outputs"]["cause"] = "changed"
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    left = written(tmp_path, "mallory\n")
    assert run("who", "--left", left, state=path) == 1
    assert "are known here no more; an earlier export says: alice on mx1\n" in capsys.readouterr().out
    assert run("who", "--left", left, "--format", "json", state=path) == 1
    assert json.loads(capsys.readouterr().out)["unknown"] == ["alice on mx1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot read"),
        ("", "names nobody"),
        ("# alice\n \n", "names nobody"),
        (b"\xff\xfe", "no text in UTF-8"),
    ],
)
def test_a_list_that_says_nothing_is_no_answer(
    text: str | bytes | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not "nobody is let in"."""
    path = str(tmp_path / "none.txt") if text is None else written(tmp_path, text)
    assert run("who", "--left", path) == 3
    assert words in capsys.readouterr().err


def changed(place: Path, **outputs: Any) -> Path:
    """Return the path of a state in which the host mx1 has other outputs."""
    state = deepcopy(STORED)
    host_of(state, "mx1")["outputs"].update(outputs)
    path = place / "state.json"
    path.write_text(json.dumps(state))
    return path


@pytest.mark.parametrize("rows", ["eAHV", "???", 7])
def test_rows_that_cannot_be_read_are_not_nobody(
    rows: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command fails with the name of the host."""
    assert run("who", state=changed(tmp_path, rows=rows)) == 3
    assert "mx1" in capsys.readouterr().err


def test_a_row_less_in_the_state_is_a_row_less_in_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A control: rows come from the host's state, not from what is declared."""
    rows = unpack_records(HostRow, host_of(STORED, "mx1")["outputs"]["rows"])
    fewer = pack_records(each for each in rows if each.accepted.client != "alice")
    assert run("who", "--client", "alice", state=changed(tmp_path, rows=fewer)) == 0
    assert "by certificate nobody" in capsys.readouterr().out


def test_a_host_that_is_not_removed_yet_still_lets_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The engine has it marked for deletion, as after a run that was broken off."""
    state = deepcopy(STORED)
    host_of(state, "mx1")["delete"] = True
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    assert run("who", "--host", "mx1", state=path) == 0
    told = capsys.readouterr().out
    assert "by certificate 7 clients, 11 rows" in told
    assert "look at last run: it is declared no more, or not there; the next `up` removes what is ours" in told


def test_a_stack_without_hosts_has_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, as an empty output could be taken for a failure."""
    path = tmp_path / "state.json"
    path.write_text(json.dumps(export(certificate("mx1"))))
    assert run("who", state=path) == 0
    assert "no host is in this state" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", [("who",), ("explain", "alice"), ("report",), ("forecast", "--until", "2027-01-01")]
)
@pytest.mark.parametrize("state", ["there", "going", "waiting"])
def test_a_type_of_a_later_version_is_not_nobody(
    command: tuple[str, ...], state: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may let in anybody, or expire; a component of that name is no resource."""
    stored = deepcopy(STORED)
    host = deepcopy(host_of(stored, "mx1"))
    host |= {"type": "postseal:index:RelayHost", "urn": host["urn"].replace("mx1", "mx9")}
    host |= {"delete": True} if state == "going" else {"inputs": {"awaits": "mail-ca"}} if state == "waiting" else {}
    stored["deployment"]["resources"].append(host)
    path = tmp_path / "state.json"
    path.write_text(json.dumps(stored))
    assert run(*command, state=path) == 3
    told = capsys.readouterr().err
    assert "mx9: is of the type 'postseal:index:RelayHost', which this version of postseal does not know" in told
    host["custom"] = False
    path.write_text(json.dumps(stored))
    assert run(*command, state=path) != 3


@pytest.mark.parametrize("command", [("who", "--at"), ("forecast", "--until")])
def test_a_day_too_far_ahead_is_refused_at_once(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """To the end of the calendar there are millions of decisions."""
    assert run(*command, "9999-12-31") == 3
    assert "9999-12-31T00:00:00Z is too far ahead" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("alice", ["alice (alice@example.org): client", "generation 1 retires", "to come:", "let in on mx1 (smtp)"]),
        ("erin", ["of roster staff"]),
        ("dave", ["revoked: ", "note: no host lets it in"]),
        ("relay", ["note: relays know it by its public key"]),
        ("AB:AB:AB:AB", ["partner: elsewhere", "it stays until it is taken out"]),
        ("root-2", ["root-2", "signed by itself"]),
    ],
)
def test_a_life_is_told(subject: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Of clients, authorities and certificates from elsewhere."""
    assert run("explain", subject) == 0
    told = capsys.readouterr().out
    assert all(each in told for each in words), told
    assert run("explain", subject, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["lives"][0]["events"]


def test_a_life_of_nobody_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    """With the name that was perhaps meant."""
    assert run("explain", "alise") == 3
    assert "did you mean alice?" in capsys.readouterr().err


def test_a_life_has_stable_words_and_no_control_character() -> None:
    """What was until now stands before what is to come; a name does nothing to a terminal."""
    events = (
        LifeEvent(parse_instant("2026-11-01T00:00:00Z"), Happening.BEGINS, 2, "begins", ""),
        LifeEvent(parse_instant("2027-11-01T00:00:00Z"), Happening.LISTED, None, "let in on \x1b[2J", "mx1"),
    )
    life = Life("a\x1b]0;x\x07", "server_and_client", "staff", ("b\r\nc",), events, ("a note",))
    now = parse_instant("2026-12-01T00:00:00Z")
    assert render_lives([life, life], now).split("\n\n")[0] == (
        "a\ufffd]0;x\ufffd (b\ufffd\ufffdc): server and client of roster staff, all times UTC\n"
        "  2026-11-01 00:00  generation 2 begins\n"
        "  to come:\n"
        "  2027-11-01 00:00  let in on \ufffd[2J\n"
        "  note: a note"
    )
    document = render_lives_json([life], now)
    assert document.isascii()
    assert json.loads(document) == {
        "format_version": 1,
        "now": "2026-12-01T00:00:00Z",
        "lives": [
            {
                "name": life.name,
                "kind": "server_and_client",
                "roster": "staff",
                "known_as": ["b\r\nc"],
                "events": [
                    {
                        "at": "2026-11-01T00:00:00Z",
                        "what": "begins",
                        "generation": 2,
                        "host": None,
                        "sentence": "begins",
                    },
                    {
                        "at": "2027-11-01T00:00:00Z",
                        "what": "listed",
                        "generation": None,
                        "host": "mx1",
                        "sentence": "let in on \x1b[2J",
                    },
                ],
                "notes": ["a note"],
            }
        ],
    }


@pytest.mark.parametrize(
    "arguments",
    [("who", "--at", "soon"), ("who", "--format", "xml"), ("who", "--state", "a", "--stack", "b"), ("explain",)],
)
def test_wrong_usage_leaves_with_three(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """As of every command here."""
    try:
        code = main(arguments)
    except SystemExit as leaving:
        code = int(str(leaving.code))
    assert code == 3
    assert "usage: postseal" in capsys.readouterr().err


def test_a_client_of_a_large_roster_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Among a thousand of them."""
    path = tmp_path / "state.json"
    path.write_text(json.dumps(large_stack(1_000)))
    assert run("explain", "client-00007", state=path) == 0
    assert "client of roster branches" in capsys.readouterr().out
