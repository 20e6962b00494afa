"""The digest of a host's ledger: another one for whoever else is let in, the same whatever the clock says."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow, Why
from pki.model import SlotId
from postfix.host_resource.ledger_digest import ledger_digest
from postfix.host_resource.records import HostInputs, HostRow
from postfix.target import Directory
from postseal.ledger.records import ledger_of_host
from postseal_core.values import UNKNOWN

SINCE = datetime(2026, 3, 1, 9, tzinfo=UTC)
OPEN = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
MAIN_CF = {"mynetworks": "127.0.0.0/8 [::1]/128", "smtpd_relay_restrictions": OPEN, "myhostname": "mx1.example.org"}
HOST = HostInputs(name="mx1", target=Directory("out/mx1").record, main_cf=MAIN_CF)


def fingerprint(number: int) -> str:
    """Return the fingerprint that is a number."""
    return number.to_bytes(32).hex(":").upper()


def row(client: str, number: int, service: str = "smtp", **more: Any) -> HostRow:
    """Return a row of generation 1; `more`: fields of `AcceptedRow`."""
    accepted: dict[str, Any] = {"client": client, "generation": 1, "fingerprint_sha256": fingerprint(number)} | more
    return HostRow(service=service, accepted=AcceptedRow(**accepted), since=SINCE)


ROWS = (row("alice", 1), row("bob", 2), row("partner", 3, generation=None, why=Why.FOREIGN))


def with_main_cf(**changed: str | None) -> HostInputs:
    """Return the host with other parameters; None takes one out."""
    return replace(HOST, main_cf={name: value for name, value in (MAIN_CF | changed).items() if value is not None})


def test_it_is_the_digest_of_these_lines() -> None:
    """As docs/who.md has them: whoever has the ledger can compute it without any of our code."""
    lines = (
        f'["certificate", "smtp", "{fingerprint(1)}", "alice", 1]\n'
        f'["certificate", "smtp", "{fingerprint(2)}", "bob", 1]\n'
        f'["certificate", "smtp", "{fingerprint(3)}", "partner", null]\n'
        '["networks", ["127.0.0.0/8", "[::1]/128"]]\n'
        '["restrictions", "smtpd_relay_restrictions", '
        '["permit_mynetworks", "permit_sasl_authenticated", "reject_unauth_destination"]]\n'
        '["version", 1]\n'
    )
    assert ledger_digest(HOST, ROWS) == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    ("host", "rows"),
    [
        (HOST, ROWS[1:]),
        (HOST, (*ROWS, row("carol", 4))),
        (HOST, (row("alice", 9), *ROWS[1:])),
        (HOST, (row("alice", 1, generation=2), *ROWS[1:])),
        (HOST, (row("eve", 1), *ROWS[1:])),
        (HOST, (row("alice", 1, "submission"), *ROWS[1:])),
        (with_main_cf(mynetworks="127.0.0.0/8"), ROWS),
        (with_main_cf(mynetworks="[::1]/128 127.0.0.0/8"), ROWS),
        (with_main_cf(mynetworks=""), ROWS),
        (with_main_cf(mynetworks=None), ROWS),
        (with_main_cf(smtpd_relay_restrictions="permit_mynetworks, reject_unauth_destination"), ROWS),
        (with_main_cf(smtpd_relay_restrictions=None), ROWS),
        (with_main_cf(smtpd_recipient_restrictions="permit_sasl_authenticated"), ROWS),
        (replace(HOST, master_cf={"submission/inet": "smtpd -o { smtpd_sasl_auth_enable = yes }"}), ROWS),
        (replace(HOST, unchecked={"smtpd_sasl_path": "private/auth"}), ROWS),
        (replace(HOST, unknown_tables={"tables.local": "pcre:/etc/x"}), ROWS),
    ],
)
def test_whoever_else_is_let_in_makes_another_one(host: HostInputs, rows: tuple[HostRow, ...]) -> None:
    """By certificate, by network, by login, or by what nobody has checked; networks are searched in their order."""
    assert ledger_digest(host, rows) != ledger_digest(HOST, ROWS)


@given(st.permutations(ROWS), st.integers(0, 400), st.sampled_from(Why))
def test_neither_the_clock_nor_the_order_nor_another_word_makes_another_one(
    rows: list[HostRow], days: int, why: Why
) -> None:
    """Nor since or until when, nor who signed it, nor the roster, nor the host's name, nor how a list is written."""
    at = SINCE + timedelta(days)
    dates: dict[str, Any] = {"not_before": at, "not_after": at, "until": at, "issuer": SlotId("ca", 2), "why": why}
    changed = [replace(each, accepted=replace(each.accepted, **dates), since=at, roster="staff") for each in rows]
    other = replace(with_main_cf(mynetworks="127.0.0.0/8,\n  [::1]/128", myhostname="mx2"), name="mx2", reload="x")
    other = replace(other, master_cf={"partner/unix": "smtp -o { smtp_tls_security_level = encrypt }"})
    assert ledger_digest(other, changed) == ledger_digest(HOST, ROWS)


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_no_name_makes_one_list_look_like_another(names: list[str]) -> None:
    """Whatever is in it, ends of lines and quotes included; nor does one name that holds two lines."""
    one, other = names
    forged = f'{one}", 1]\n["certificate", "smtp", "{fingerprint(2)}", "{other}'
    seen = {
        ledger_digest(HOST, rows)
        for rows in ([row(one, 1), row(other, 2)], [row(other, 1), row(one, 2)], [row(forged, 1)])
    }
    assert len(seen) == 3


def test_it_is_unknown_while_a_fingerprint_is() -> None:
    """What a preview cannot know yet is not guessed; everything else it can."""
    assert ledger_digest(HOST, (*ROWS, row("carol", 4, fingerprint_sha256=UNKNOWN))) is UNKNOWN
    assert isinstance(ledger_digest(HOST, ()), str)


def test_the_ledger_has_the_digest_of_its_rows() -> None:
    """`who` and the host decide it by one function."""
    assert ledger_of_host(HOST, iter(ROWS)).digest == ledger_digest(HOST, ROWS)
