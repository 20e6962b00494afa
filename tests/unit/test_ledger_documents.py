"""The ledger as text, JSON and CSV: complete golden outputs, and what no name can do in any of them."""

import csv
import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow, Why
from pki.model import SlotId
from postfix.host_resource.records import HostInputs, HostRow
from postfix.target import Directory
from postseal.ledger.documents import COLUMNS, render_csv, render_json, render_text
from postseal.ledger.reading import StackLedger
from postseal.ledger.records import HostLedger, LedgerRow, ledger_of_host
from postseal_core.values import UNKNOWN

GOLDEN = Path(__file__).parents[1] / "golden" / "ledger"
AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
SINCE = datetime(2026, 3, 1, 9, tzinfo=UTC)
SLOT = SlotId("mail-ca", 2)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)")


def fingerprint(octet: int) -> str:
    """Return a fingerprint that is one octet again and again."""
    return ":".join([f"{octet:02X}"] * 32)


def row(client: str, octet: int, why: Why = Why.CURRENT, until: datetime | None = None, roster: str = "") -> LedgerRow:
    """Return a row of mx1."""
    is_foreign = why is Why.FOREIGN
    accepted = AcceptedRow(
        client=client,
        why=why,
        generation=None if is_foreign else octet,
        not_before=None if is_foreign else datetime(2026, 3, 1, 8, tzinfo=UTC),
        not_after=None if is_foreign else datetime(2026, 6, 1, 8, tzinfo=UTC),
        until=until,
        issuer=None if is_foreign else SLOT,
        fingerprint_sha256=fingerprint(octet) if octet else UNKNOWN,
    )
    return LedgerRow(host="mx1", service="smtp", accepted=accepted, roster=roster, since=SINCE)


HOSTILE = 'eve\x1b[2J\r\n\u202emx, "quoted"'
ROWS = (
    row("alice", 1, Why.OVERLAP, datetime(2026, 5, 18, 9, tzinfo=UTC)),
    row("alice", 2, until=datetime(2026, 6, 1, 8, tzinfo=UTC)),
    row("bob", 3, Why.OVERLAP, AT),
    row("carol", 4, until=datetime(2026, 5, 1, tzinfo=UTC), roster="staff"),
    row("partner", 0xAB, Why.FOREIGN),
    row("expired", 0xAC, Why.FOREIGN, AT),
    row(HOSTILE, 5, until=datetime(2026, 6, 1, 8, tzinfo=UTC)),
    row("=1+1", 0, until=datetime(2026, 6, 1, 8, tzinfo=UTC)),
)
LEDGER = StackLedger(
    "mail-pki",
    "prod",
    AT,
    (
        HostLedger(
            host="mx1",
            place="directory out/prod/mx1/postfix",
            rows=ROWS,
            networks=("127.0.0.0/8", "192.0.2.0/28"),
            has_login=True,
            to_review={"tables.local": "nobody has checked what 'pcre:/etc/x' holds"},
            digest="0123456789abcdef" * 4,
        ),
        HostLedger(host="mx2", place="local /etc/postfix", networks=(), has_login=False),
        HostLedger(host="out", place="local /etc/postfix"),
    ),
)
RENDERED = {
    "who.txt": render_text(LEDGER),
    "who.json": render_json(LEDGER),
    "who.csv": render_csv(LEDGER),
    "who.ahead.txt": render_text(replace(LEDGER, is_ahead=True, hosts=LEDGER.hosts[1:])),
    "who.rows.txt": render_text(LEDGER, only_rows=True),
    "who.none.txt": render_text(replace(LEDGER, hosts=())),
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_document_is_the_golden_one(name: str) -> None:
    """Byte by byte, line ends included."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(RENDERED[name].encode())
    assert RENDERED[name].encode() == path.read_bytes()


def named(name: str) -> StackLedger:
    """Return a ledger in which everything that people name is called so."""
    here = row(name, 1, roster=name)
    host = HostLedger(host=name, place=name, rows=(here,), networks=(name,), has_login=True, to_review={name: name})
    return StackLedger(name, name, AT, (host,))


@given(st.text())
def test_no_name_brings_a_control_character_to_a_terminal(name: str) -> None:
    """In text and CSV only the line ends are ours; JSON is ASCII."""
    ledger = named(name)
    assert all(line.isprintable() for line in render_text(ledger).split("\n"))
    assert all(line.isprintable() for line in render_csv(ledger).split("\r\n"))
    assert all(line.isprintable() and line.isascii() for line in render_json(ledger).split("\n"))
    assert json.loads(render_json(ledger))["hosts"][0]["rows"][0]["client"] == name


@given(st.sampled_from(FORMULAS).flatmap(lambda begin: st.text().map(lambda rest: begin + rest)) | st.text())
def test_no_cell_of_csv_is_a_formula(name: str) -> None:
    """What a spreadsheet would compute begins with an apostrophe; each line has the cells of the header."""
    lines = list(csv.reader(io.StringIO(render_csv(named(name)), newline=""), strict=True))
    assert tuple(lines[0]) == COLUMNS
    for line in lines[1:]:
        assert len(line) == len(COLUMNS)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in line)


@pytest.mark.parametrize(
    ("main_cf", "networks", "login"),
    [
        ({}, None, None),
        ({"mynetworks": ""}, (), None),
        ({"mynetworks": "10.0.0.0/8, [::1]/128"}, ("10.0.0.0/8", "[::1]/128"), None),
        ({"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"}, None, False),
        ({"smtpd_relay_restrictions": "permit_sasl_authenticated, reject"}, None, True),
        # Postfix's own smtpd_relay_restrictions stands beside it, and permits logins.
        ({"smtpd_recipient_restrictions": "reject_unauth_destination"}, None, None),
        ({"smtpd_recipient_restrictions": "permit_sasl_authenticated reject"}, None, True),
    ],
)
def test_what_a_host_does_not_say_is_not_a_no(
    main_cf: dict[str, str],
    networks: tuple[str, ...] | None,
    login: bool | None,  # noqa: FBT001  # what is expected
) -> None:
    """Only the host itself knows it then."""
    inputs = HostInputs(name="mx1", target=Directory("out").record, main_cf=main_cf)
    found = ledger_of_host(inputs, [])
    assert (found.networks, found.has_login) == (networks, login)


def test_what_may_let_somebody_in_beside_rows_is_in_the_ledger() -> None:
    """What reviewers are told to look at, tables that nobody checked, parameters that nothing judged."""
    inputs = HostInputs(
        name="mx1",
        target=Directory("out").record,
        main_cf={},
        to_review={"relayhost": "a"},
        unknown_tables={"access": "b"},
        unchecked={"x": "c"},
    )
    accepted = row("bob", 1).accepted
    found = ledger_of_host(inputs, [HostRow(service="smtp", accepted=accepted, since=SINCE)])
    assert found.to_review == {"relayhost": "a", "access": "b", "x": "c"}
    assert found.rows == (row("bob", 1),)
