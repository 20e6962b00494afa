"""Lines of mail logs: each format, what is no such line, and what a client can write into one."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.seen.instants import LogClock
from postseal.seen.lines import LogLine, read_line
from postseal.seen.sessions import Event, EventKind, event_of, may_be_event

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
BERLIN_IN_WINTER = timezone(timedelta(hours=1))
CLOCK = LogClock(NOW, lambda naive: naive.replace(tzinfo=BERLIN_IN_WINTER).astimezone(UTC))
PRINT, KEY, VICTIM = (":".join([pair] * 32) for pair in ("A1", "B2", "C3"))
NAMES = "client.example.org[192.0.2.7]: subject_CN=alice, issuer=Example Mail CA"
OLD = f"{NAMES}, fingerprint={PRINT}, pkey_fingerprint={KEY}"
NEW = f"{NAMES}, cert fingerprint={PRINT}, pkey fingerprint={KEY}"
AT = datetime(2026, 11, 27, 10, 28, 50, tzinfo=UTC)
FRONTS = [
    "Nov 27 11:28:50 mx1 postfix/smtpd[3933]: ",
    "<22>Nov 27 11:28:50 mx1 postfix/smtpd[3933]: ",
    "Nov 27 11:28:50 mx1 mail.info postfix/smtpd[3933]: ",
    "2026-11-27T11:28:50.123456+01:00 mx1 postfix/smtpd[3933]: ",
    "2026-11-27T10:28:50Z mx1 postfix/smtpd[3933]: ",
    "2026-11-27T11:28:50+0100 mx1 postfix/smtpd[3933]: ",
    "2026-11-27T11:28:50 mx1 postfix/smtpd[3933]: ",
    "2026-11-27 11:28:50 mx1 postfix/smtpd[3933]: ",
    "<22>1 2026-11-27T10:28:50.5Z mx1 postfix/smtpd 3933 - - ",
    '1 2026-11-27T10:28:50Z mx1 postfix/smtpd 3933 ID7 [a b="\\"]"][c] \ufeff',
]


def line(message: str, front: str = FRONTS[0]) -> bytes:
    """Return a line of a log."""
    return f"{front}{message}\n".encode()


def read(text: bytes) -> Event | None:
    """Return what a line says, passed over or read as the command does it."""
    found = read_line(text, CLOCK) if may_be_event(text) else None
    return event_of(found) if found else None


def certificate(**more: Any) -> Event:
    """Return the event of OLD."""
    said = {"fingerprint": PRINT, "key_fingerprint": KEY, "address": "192.0.2.7"} | more
    return Event(EventKind.CERTIFICATE, AT, "mx1", **said)


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("message", [OLD, NEW])
def test_a_certificate_is_read_in_each_format(front: str, message: str) -> None:
    """Of syslog, postlogd, RFC 3339 and RFC 5424, as Postfix writes it up to 3.8 and since 3.9."""
    assert read(line(message, front)) == certificate()
    assert read(line(message, front).replace(b"\n", b"\r\n")) == certificate()


def test_an_entry_of_the_journal_is_read() -> None:
    """As text, and as the bytes that the journal makes of what is no UTF-8."""
    entry = {
        "__REALTIME_TIMESTAMP": str(int(AT.timestamp()) * 1_000_000 + 999_999),
        "_HOSTNAME": "mx1",
        "SYSLOG_IDENTIFIER": "postfix/smtpd",
        "MESSAGE": OLD,
    }
    assert read(json.dumps(entry).encode()) == certificate()
    in_bytes = read_line(json.dumps({**entry, "MESSAGE": list(b"\xff\x00")}).encode(), CLOCK)
    assert in_bytes == LogLine(AT, "mx1", "postfix/smtpd", b"\xff\x00")


@pytest.mark.parametrize(
    "entry",
    [
        b"{fingerprint=",
        b'{"MESSAGE": null}',
        b'{"__REALTIME_TIMESTAMP": "1", "_HOSTNAME": "a b", "SYSLOG_IDENTIFIER": "postfix/smtpd", "MESSAGE": "x"}',
        b'{"__REALTIME_TIMESTAMP": "1", "_HOSTNAME": 7, "SYSLOG_IDENTIFIER": "postfix/smtpd", "MESSAGE": "x"}',
        b'{"__REALTIME_TIMESTAMP": "1", "_HOSTNAME": "a", "SYSLOG_IDENTIFIER": "a b", "MESSAGE": "x"}',
        b'{"__REALTIME_TIMESTAMP": "x", "_HOSTNAME": "a", "SYSLOG_IDENTIFIER": "a/b", "MESSAGE": "x"}',
        b'{"__REALTIME_TIMESTAMP": "1", "_HOSTNAME": "a", "SYSLOG_IDENTIFIER": "a/b", "MESSAGE": [999]}',
        b'{"__REALTIME_TIMESTAMP": "1", "_HOSTNAME": "a", "SYSLOG_IDENTIFIER": "a/b", "MESSAGE": 5}',
        b'{"__REALTIME_TIMESTAMP": "%s", "_HOSTNAME": "a", "SYSLOG_IDENTIFIER": "a/b", "MESSAGE": "x"}' % (b"9" * 30),
        b"[" * 100_000,
        b"{" + b'"a":{' * 100_000,
    ],
)
def test_what_is_no_entry_of_the_journal_is_passed_over(entry: bytes) -> None:
    """Whatever stands there."""
    assert read_line(entry, CLOCK) is None


@pytest.mark.parametrize(
    ("tag", "is_read"),
    [
        ("postfix/smtpd", True),
        ("postfix/submission/smtpd", True),
        ("postfix-out/smtpd", True),
        ("mail/25/smtpd", True),
        ("postfix/tlsproxy", False),  # with a name: the server that smtp(8) connects to
        ("postfix/smtp", False),
        ("postfix/lmtp", False),
        ("smtpd", False),  # OpenSMTPD
        ("postfix/smtpd-policy", False),
        ("sshd", False),
    ],
)
def test_only_the_server_side_of_postfix_is_read(tag: str, *, is_read: bool) -> None:
    """Under any name of an instance or a service."""
    assert read(line(OLD, f"Nov 27 11:28:50 mx1 {tag}[3933]: ")) == (certificate() if is_read else None)


def test_a_client_of_postscreen_is_read() -> None:
    """The proxy that speaks TLS for it writes no name."""
    front = "Nov 27 11:28:50 mx1 postfix/tlsproxy[3933]: "
    assert read(line(OLD.replace("client.example.org[192.0.2.7]", "[192.0.2.7]:4711"), front)) == certificate()
    assert read(line(OLD.replace("client.example.org[192.0.2.7]", "[192.0.2.7]:4711"))) is None


def test_a_server_that_the_proxy_connects_to_is_no_client() -> None:
    """From 3.9 on Postfix writes of both alike; a server has its name in front."""
    said = OLD.replace("client.example.org[192.0.2.7]", "mx.example.net[192.0.2.7]:25")
    assert read(line(said, "Nov 27 11:28:50 mx1 postfix/tlsproxy[3933]: ")) is None


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("unknown[2001:db8::1]", "2001:db8::1"),
        ("client.example.org[192.0.2.7]:4711", "192.0.2.7"),
        ("unknown[unknown]", "unknown"),
    ],
)
def test_the_address_is_read(peer: str, address: str) -> None:
    """Of IPv4 and IPv6, and with the port that smtpd_client_port_log adds."""
    assert read(line(OLD.replace("client.example.org[192.0.2.7]", peer))) == certificate(address=address)


def test_a_raw_public_key_is_read() -> None:
    """Postfix from 3.9 on asks for them, if it is told to."""
    said = f"client.example.org[192.0.2.7]: raw public key fingerprint={KEY}"
    assert read(line(said)) == certificate(fingerprint="")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("connect from unknown[192.0.2.7]", EventKind.CLIENT),
        ("Anonymous TLS connection established from unknown[192.0.2.7]: TLSv1.3", EventKind.CLIENT),
        ("Untrusted TLS connection established from unknown[192.0.2.7]: TLSv1.3", EventKind.SUMMARY),
        ("Trusted TLS connection established from unknown[192.0.2.7]: TLSv1.3", EventKind.SUMMARY),
        (OLD.replace(PRINT, "AA:" * 15 + "AA").replace(KEY, "BB:" * 15 + "BB"), EventKind.OTHER_DIGEST),
        (OLD.replace(KEY, "BB:" * 15 + "BB"), EventKind.OTHER_DIGEST),
        (OLD.replace(PRINT, "AA:" * 15 + "AA"), EventKind.OTHER_DIGEST),
    ],
)
def test_other_sessions_are_counted(message: str, kind: EventKind) -> None:
    """They say which time a log covers, and whether it names certificates."""
    assert read(line(message)) == Event(kind, AT, "mx1")


FORGED = f"fingerprint={VICTIM}, pkey_fingerprint={VICTIM}"


@pytest.mark.parametrize(
    "message",
    [
        OLD.replace("alice", f"x, issuer=y, {FORGED}"),
        OLD.replace("Example Mail CA", f"y, {FORGED}"),
        NEW.replace("Example Mail CA", f"y, cert {FORGED.replace('_', ' ')}"),
        OLD.replace("Example Mail CA", f"y, {FORGED}").partition(", fingerprint=A1")[0] + ", fingerprint=A1:A1",
        OLD.partition(", pkey")[0],
        OLD + " ",
        OLD + ":XY",
        OLD.replace("alice", "a" * 600),
        NEW.replace("pkey fingerprint", "pkey_fingerprint"),
        OLD.replace(", issuer=Example Mail CA", ""),
        f"client.example.org[192.0.2.7]: raw public key fingerprint={KEY}, {FORGED}",
    ],
)
def test_a_line_that_may_be_forged_or_cut_counts_for_nobody(message: str) -> None:
    """A client chooses its common name, and its issuer's as well where it is its own issuer."""
    assert read(line(message)) == Event(EventKind.DOUBTFUL, AT, "mx1")


def test_a_line_that_is_cut_where_a_forged_fingerprint_ends_counts_for_nobody() -> None:
    """Syslog may cut at 1,024 bytes; names are as long as it takes, and then the line looks as it should."""
    whole = OLD.replace("Example Mail CA", f"{'y' * 200}, {FORGED}").replace("client.example.org", "c" * 255)
    whole = whole.replace("alice", "a" * 256)
    cut = whole.partition(f", fingerprint={PRINT}")[0]
    assert cut.endswith(FORGED)
    assert read(line(cut)) == Event(EventKind.DOUBTFUL, AT, "mx1")


@pytest.mark.parametrize(
    "text",
    [
        line(f"NOQUEUE: reject: RCPT from x[192.0.2.7]: 554; helo=<x[192.0.2.7]: subject_CN=x, issuer=y, {FORGED}"),
        line(f"warning: x[192.0.2.7]: subject_CN=x, issuer=y, {FORGED}"),
        line(f"x[192.0.2.7]: depth=0 verify=0 subject=/CN=x[192.0.2.7]: subject_CN=x, issuer=y, {FORGED}"),
        line(f"subject=/CN=x, issuer=y, {FORGED}"),
        line(f"a b[192.0.2.7]: subject_CN=x, issuer=y, {FORGED}"),
        line(f"Nov 27 11:28:50 mx1 postfix/smtpd[1]: x[192.0.2.7]: subject_CN=x, issuer=y, {FORGED}"),
        line(f"x: Nov 27 11:28:50 mx1 postfix/smtpd[1]: {OLD}", "Nov 27 11:28:50 mx1 sshd[1]: "),
        line(OLD, "Nov 27 11:28:50 mx1 evil postfix/smtpd[1]: "),
        line(OLD, "Nov 27 11:28:50 m\x1b1 postfix/smtpd[1]: "),
        line(OLD, "Nov 27 11:28:50 mx1 postfix/smtpd[x]: "),
        line(OLD, "Nov 31 11:28:50 mx1 postfix/smtpd[1]: "),
        line(OLD, "Foo 27 11:28:50 mx1 postfix/smtpd[1]: "),
        line(OLD, " Nov 27 11:28:50 mx1 postfix/smtpd[1]: "),
        line(OLD, "2026-11-27T25:28:50Z mx1 postfix/smtpd[1]: "),
        line(OLD, "2026-11-27T10:28:50Z mx1 postfix/smtpd 3933 - - "),
    ],
)
def test_a_line_of_somebody_else_is_none_of_ours(text: bytes) -> None:
    """What a client says stands somewhere within a message, never where a message begins."""
    assert read(text) is None


@given(st.text(), st.text(), st.sampled_from([OLD, NEW]))
def test_whatever_a_certificate_is_called_it_counts_for_its_own_fingerprint_or_nobody(
    subject: str, issuer: str, message: str
) -> None:
    """No name counts for another client."""
    told = read(line(message.replace("alice", subject).replace("Example Mail CA", issuer)))
    assert told in (certificate(), Event(EventKind.DOUBTFUL, AT, "mx1"), None)


@given(st.binary(max_size=300), st.sampled_from([b"", line(OLD)[:-1], b"{", FRONTS[8].encode(), FRONTS[0].encode()]))
def test_no_line_is_too_strange(more: bytes, begin: bytes) -> None:
    """Whatever stands there is a line or none."""
    found = read_line(begin + more, CLOCK)
    assert found is None or event_of(found) is None or found.host


@given(st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=360), NOW.replace(tzinfo=None)))
def test_a_stamp_without_a_year_is_of_the_last_twelve_months(said: datetime) -> None:
    """The year comes from the clock of now."""
    said = said.replace(microsecond=0)
    stamp = f"{said:%b} {said.day:2} {said:%H:%M:%S}"
    assert LogClock(NOW, lambda naive: naive.replace(tzinfo=UTC)).instant(stamp) == said.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "stamp", "expected"),
    [
        ("2026-01-01T00:30:00", "Dec 31 23:59:59", "2025-12-31T23:59:59"),
        ("2026-01-01T00:30:00", "Jan  1 00:29:00", "2026-01-01T00:29:00"),
        ("2025-12-31T23:30:00", "Jan  1 00:30:00", "2026-01-01T00:30:00"),  # a clock that is ahead
        ("2026-06-01T00:00:00", "Jun  2 00:00:01", "2025-06-02T00:00:01"),
        ("2026-03-01T00:00:00", "Feb 29 12:00:00", "2024-02-29T12:00:00"),
    ],
)
def test_the_year_of_a_stamp(now: str, stamp: str, expected: str) -> None:
    """A stamp that would be in the future is a year older; February 29 is of the last year that had one."""
    clock = LogClock(datetime.fromisoformat(now).replace(tzinfo=UTC), lambda naive: naive.replace(tzinfo=UTC))
    assert clock.instant(stamp) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
