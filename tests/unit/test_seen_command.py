"""The command `postseal seen`: where logs come from, options, exit codes, messages, and documents."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.cli import main
from postseal.ledger.reading import read_holders
from postseal.seen.documents import COLUMNS, render_csv, render_json, render_text
from postseal.seen.lines import LONGEST_LINE_BYTES
from postseal.seen.model import ClientName, HostLog, Seen, SeenClient, Standing, Unlisted, Use
from postseal.seen.sources import bounded_lines
from postseal_core.instants import parse_instant
from tests.support.stored_states import STATES

GOLDEN = Path(__file__).parents[1] / "golden" / "seen"
EXPORT = STATES / "1/export.json"
STORED: dict[str, Any] = json.loads(EXPORT.read_text())
CLOCK = (STATES / "1/clock").read_text().strip()
NOW = parse_instant(CLOCK)
KEY = ":".join(["0B"] * 32)
(ALICE,) = (each.issued.identity for each in read_holders(STORED) if each.name == "alice")


def shown(at: datetime, fingerprint: object = ALICE.fingerprint_sha256, host: str = "mx1") -> bytes:
    """Return the line of a session in a log of syslog."""
    peer = f"{at:%b} {at.day:2} {at:%H:%M:%S} {host} postfix/smtpd[1]: x[192.0.2.7]: "
    return f"{peer}subject_CN=a, issuer=b, fingerprint={fingerprint}, pkey_fingerprint={KEY}\n".encode()


LOG = shown(NOW - timedelta(days=1))


def run(*arguments: str) -> int:
    """Run the command on the stored state; a usage error leaves through SystemExit."""
    try:
        return main(["seen", *arguments, "--state", str(EXPORT), "--now", CLOCK])
    except SystemExit as leaving:
        return int(str(leaving.code))


def sessions(capsys: pytest.CaptureFixture[str]) -> int:
    """Return how often alice was seen, of JSON on standard output."""
    document = json.loads(capsys.readouterr().out)
    return sum(use["sessions"] for each in document["clients"] if each["client"] == "alice" for use in each["uses"])


def twice(log: bytes) -> bytes:
    """Return two compressed logs, one behind the other."""
    return gzip.compress(log) + gzip.compress(log)


@pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress, twice])
def test_a_log_is_read_however_it_is_compressed(
    packed: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is called; gzip files may stand one behind the other."""
    path = tmp_path / "log"
    path.write_bytes(packed(LOG))
    assert run(str(path), "--format", "json", "--zone", "UTC") == 0
    assert sessions(capsys) == (2 if packed is twice else 1)


def test_logs_are_counted_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In any order; one that is named twice counts once."""
    (tmp_path / "a").write_bytes(LOG)
    (tmp_path / "b").write_bytes(gzip.compress(LOG + LOG))
    assert run(str(tmp_path / "b"), str(tmp_path / "a"), str(tmp_path / "a"), "--format", "json") == 0
    assert sessions(capsys) == 3


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_standard_input_is_read(
    packed: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compressed or not."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(packed(LOG)))))
    assert run("-", "--format", "json") == 0
    assert sessions(capsys) == 1


def with_journal(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put something in the place of journalctl."""
    (directory / "journalctl").write_text(f"#!/bin/sh\n{script}\n")
    (directory / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")


def test_the_journal_is_read_where_no_log_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What Postfix's units wrote to it, as JSON."""
    entry = {
        "__REALTIME_TIMESTAMP": str(int(NOW.timestamp()) * 1_000_000),
        "_HOSTNAME": "mx1",
        "SYSLOG_IDENTIFIER": "postfix/smtpd",
        "MESSAGE": LOG.decode().partition("]: ")[2].rstrip("\n"),
    }
    (tmp_path / "entries").write_text(json.dumps(entry) + "\n")
    with_journal(tmp_path, monkeypatch, f'test "$1 $2" = "--unit=postfix* --output=json" && cat {tmp_path}/entries')
    assert run("--format", "json") == 0
    assert sessions(capsys) == 1


def test_a_journal_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it says, and what to give instead; the same where there is none."""
    with_journal(tmp_path, monkeypatch, "echo 'No journal\x1b[31m' >&2; exit 1")
    assert run() == 3
    told = capsys.readouterr().err
    assert "journalctl fails with exit code 1" in told
    assert "name the logs" in told
    assert "\x1b" not in told
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert run() == 3
    assert "there is no journalctl here; name the logs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(LOG * 99)[:-20], "damaged or cut; nothing was counted"),
        (lzma.compress(LOG * 99)[:-20], "damaged or cut; nothing was counted"),
        (bz2.compress(LOG * 99)[:-20], "damaged or cut; nothing was counted"),
        (b"\x1f\x8b" + b"x" * 99, "cannot be read"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_a_log_that_cannot_be_read_ends_it(
    content: bytes | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part of the logs would show less than there was."""
    path = tmp_path / "mail.log.2"
    if content is not None:
        path.write_bytes(content)
    assert run(str(path)) == 3
    said = capsys.readouterr()
    assert f"{path}: " in said.err
    assert told in said.err
    assert said.out == ""


def test_zstd_needs_a_python_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a command that does without."""

    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("postseal.seen.sources.import_module", missing)
    (tmp_path / "log").write_bytes(b"\x28\xb5\x2f\xfd\x00")
    assert run(str(tmp_path / "log")) == 3
    assert "zstdcat LOG | postseal seen -" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "mx9"], "--host: 'mx9' is no host of this stack"),
        (["--zone", "Mars/Phobos"], "--zone: 'Mars/Phobos' is no time zone that this machine knows"),
        (["--zone", "../etc"], "--zone: '../etc' is no time zone"),
    ],
)
def test_a_mistake_is_told(arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence."""
    (tmp_path / "log").write_bytes(LOG)
    assert run(str(tmp_path / "log"), *arguments) == 3
    assert told in capsys.readouterr().err


def test_state_and_log_are_not_both_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    """Only one of them can come from there."""
    assert main(["seen", "-", "--state", "-"]) == 3
    assert "standard input is the state already" in capsys.readouterr().err


@pytest.mark.parametrize(("zone", "at"), [("UTC", "12:00:00Z"), ("Europe/Berlin", "11:00:00Z"), ("", "12:00:00Z")])
def test_stamps_are_of_the_zone_that_is_named(
    zone: str, at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or of that of this machine."""
    monkeypatch.setenv("TZ", "UTC")
    noon = datetime(NOW.year - 1, 12, 3, 12)  # noqa: DTZ001 - the log has none
    (tmp_path / "log").write_bytes(shown(noon))
    assert run(str(tmp_path / "log"), "--format", "json", "--zone", zone) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["hosts"][0]["first_at"].endswith(at)
    assert "read in" in document["zone"]


@given(st.lists(st.integers(0, 3 * LONGEST_LINE_BYTES), max_size=5), st.booleans())
def test_lines_of_any_length_are_told_apart(lengths: list[int], has_end: bool) -> None:  # noqa: FBT001 - drawn
    """One that is too long stands for itself, and hides no other."""
    lines = [b"x" * length + b"\n" for length in lengths]
    whole = b"".join(lines) if has_end else b"".join(lines)[:-1]
    expected = [None if len(line) > LONGEST_LINE_BYTES else line.rstrip(b"\n") for line in lines]
    if not has_end and lengths and not lengths[-1]:
        expected.pop()
    if not has_end and lengths and lengths[-1] == LONGEST_LINE_BYTES:
        expected[-1] = None
    found = [None if each is None else each.rstrip(b"\n") for each in bounded_lines(io.BytesIO(whole))]
    assert found == expected


# Golden files are about no stored state, whose clock moves with it.
WRITTEN_AT = datetime(2026, 11, 26, 17, tzinfo=UTC)


def use(generation: int | None, standing: Standing, days: int) -> Use:
    """Return a use, some days ago."""
    at = WRITTEN_AT - timedelta(days=days)
    return Use(generation=generation, standing=standing, first_at=at, last_at=at, sessions=1234, hosts=("mx1", "mx2"))


def unlisted(fingerprint: str) -> Unlisted:
    """Return what is nobody's."""
    return Unlisted(
        fingerprint_sha256=fingerprint,
        public_key_fingerprint_sha256=KEY,
        first_at=WRITTEN_AT,
        last_at=WRITTEN_AT,
        sessions=1,
        hosts=("mx1",),
    )


def named(name: str) -> Seen:
    """Return a document in which everything that people name is called so."""
    uses = (use(2, Standing.CURRENT, 1), use(1, Standing.REVOKED, 2), use(None, Standing.KEY, 3))
    log = HostLog(
        logged_as="4f2a",
        host="mx1",
        first_at=WRITTEN_AT,
        last_at=WRITTEN_AT,
        sessions=1,
        unnamed=3,
        named_from=WRITTEN_AT,
    )
    return Seen(
        project=name,
        stack=name,
        now=WRITTEN_AT,
        zone="time stamps without a zone read in UTC",
        hosts=(log, replace(log, logged_as="db1", host="", unnamed=0)),
        clients=(
            SeenClient(name=ClientName("", name), newest=2, uses=uses, addresses=("192.0.2.7", "2001:db8::1")),
            SeenClient(name=ClientName(name, "bob"), newest=3, uses=uses[1:]),
            SeenClient(name=ClientName("", "partner", is_foreign=True), uses=(use(None, Standing.FOREIGN, 1),)),
            SeenClient(name=ClientName("", f"{name}2"), newest=1),
        ),
        unlisted=(*(unlisted(f"{number:02X}") for number in range(25)), unlisted("")),
        more_unlisted=7,
        doubtful=2,
        other_digest=1,
        overlong=1,
    )


HOSTILE = 'eve\x1b[2J\r\n\u202emx, "quoted"'
RENDERED = {
    "seen.txt": render_text(named(HOSTILE)),
    "seen.json": render_json(named(HOSTILE)),
    "seen.csv": render_csv(named(HOSTILE)),
    "nothing.txt": render_text(Seen(project="mail-pki", stack="prod", now=WRITTEN_AT, zone="read in UTC")),
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_document_is_the_golden_one(name: str) -> None:
    """Byte by byte, line ends included."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(RENDERED[name].encode())
    assert RENDERED[name].encode() == path.read_bytes()


@given(st.text())
def test_no_name_brings_a_control_character_to_a_terminal(name: str) -> None:
    """In text and CSV only the line ends are ours; JSON is ASCII."""
    document = named(name)
    assert all(line.isprintable() for line in render_text(document).split("\n"))
    assert all(line.isprintable() for line in render_csv(document).split("\r\n"))
    assert all(line.isprintable() and line.isascii() for line in render_json(document).split("\n"))
    lines = list(csv.reader(io.StringIO(render_csv(document), newline=""), strict=True))
    assert tuple(lines[0]) == COLUMNS
    for line in lines[1:]:
        assert len(line) == len(COLUMNS)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in line)
