"""The ledger says what the state of each host says, and of a later day what `up` then does, for any stack file."""

import json
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import replace
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow, Why
from pki.model import SlotId
from postseal.ledger.ahead import rows_ahead
from postseal.ledger.left import still_let_in
from postseal.ledger.life import Happening, explained
from postseal.ledger.reading import StackLedger, read_holders, read_ledger
from postseal.report.forecast import BLOCKED, forecast, schedules_at
from postseal.review.stored import without_ciphertext
from postseal_core.errors import PostsealError
from postseal_core.values import UNKNOWN
from tests.components.test_review_and_plugin import FIRST, LIFETIME, SECRETS, rows_in_force, stack_files
from tests.support.examples import examples
from tests.support.played_engine import PlayedStack, RefusedError

pytestmark = pytest.mark.takes_long


def export_of(stack: PlayedStack) -> Any:
    """Return the state as it is handed out, without ciphertext."""
    return without_ciphertext(json.loads(json.dumps(stack.export())))


def accepted(ledger: StackLedger) -> dict[str, set[AcceptedRow]]:
    """Return what is accepted by host."""
    return {host.host: {row.accepted for row in host.rows} for host in ledger.hosts}


def without_unknown(
    told: Mapping[str, set[AcceptedRow]], done: Mapping[str, set[AcceptedRow]]
) -> dict[str, set[AcceptedRow]]:
    """Return what was done, with the fingerprints that nobody could know taken out."""
    known = {row.fingerprint_sha256 for rows in told.values() for row in rows} - {UNKNOWN}
    return {
        host: {row if row.fingerprint_sha256 in known else replace(row, fingerprint_sha256=UNKNOWN) for row in rows}
        for host, rows in done.items()
    }


def run_until(stack: PlayedStack, sections: Mapping[str, Any], now: datetime, at: datetime) -> None:
    """Bring a stack up whenever something is due, and at the end of that time."""
    due = {each.at for each in forecast(stack.export(), now, at) if each.action != BLOCKED}
    for instant in (*sorted(due), at):
        stack.up(sections, instant)


@examples(20, deadline=None)
@given(first=stack_files(is_first=True), second=stack_files(), days=st.integers(0, 80), more=st.integers(1, 120))
def test_the_ledger_is_the_rows_of_each_host(
    first: dict[str, Any], second: dict[str, Any], days: int, more: int
) -> None:
    """Now, and on a later day, when `up` has run on each day on which something was due."""
    with TemporaryDirectory(prefix="postseal-") as name, chdir(name):
        stack, sections, now = PlayedStack(SECRETS), first, FIRST
        try:
            stack.up(first, now)
            now += timedelta(days=days)
            stack.up(second, now)
            sections = second
        except (PostsealError, RefusedError):
            event("a file is refused")
            if not stack.made:
                return
            stack.up(sections, now)
        export, at = export_of(stack), now + timedelta(days=more)
        assert accepted(read_ledger(export, now)) == rows_in_force(stack)
        told = accepted(read_ledger(export, now, at))
        run_until(stack, sections, now, at)
        done = rows_in_force(stack)
        event(f"rows then: {min(sum(map(len, done.values())), 3)}")
        assert told == without_unknown(told, done)


FOREIGN = ":".join(["AB"] * 32)


@pytest.mark.parametrize("days", [59, 61, 74, 75, 76, 121, 125, 200])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"match": "public_key", "lifetime": {"renew_key": "never"}},
        {"lifetime": {"renew_key": 2}},
        {"confirm": True},
        {"lifetime": {"overlap": "40d"}},
    ],
)
def test_a_later_day_is_as_up_then_makes_it(said: dict[str, Any], days: int) -> None:
    """Of keys that stay and keys that change, overlaps of any length, and of a certificate from elsewhere."""
    host = {
        "myhostname": "mx1.example.org",
        "relay_clients": ["alice"],
        "extra_relay_clients": [{"name": "partner", "fingerprint_sha256": FOREIGN}],
    }
    sections = SECTIONS | {"clients": {"alice": {"email": "alice@example.org", **said}}, "hosts": {"mx1": host}}
    with TemporaryDirectory(prefix="postseal-") as name, chdir(name):
        stack, at = PlayedStack(), FIRST + timedelta(days=days)
        stack.up(sections, FIRST)
        told = accepted(read_ledger(export_of(stack), FIRST, at))
        run_until(stack, sections, FIRST, at)
        assert told == without_unknown(told, rows_in_force(stack))
        assert {row.client for row in told["mx1"]} == {"alice", "partner"}


SECTIONS: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "path_length": 0, "protect": False},
    "lifetime": LIFETIME,
    "clients": {
        "alice": {"email": "alice@example.org", "person": "alice"},
        "alice-phone": {"email": "alice@example.org", "person": "alice"},
        "bob": {"email": "bob@example.org"},
    },
    "rosters": {"staff": {"clients": {"carol": {"email": "Carol@example.org"}}}},
    "hosts": {
        "mx1": {
            "myhostname": "mx1.example.org",
            "relay_clients": ["alice", "alice-phone", "bob"],
            "relay_rosters": ["staff"],
        },
        "mx2": {"myhostname": "mx2.example.org", "relay_clients": ["bob"]},
    },
}


@pytest.fixture(scope="module")
def lived() -> Any:
    """Return the state of a stack that has renewed once, and after that revoked bob."""
    with TemporaryDirectory(prefix="postseal-") as name, chdir(name):
        stack = PlayedStack()
        stack.up(SECTIONS, FIRST)
        stack.up(SECTIONS, FIRST + timedelta(days=61))
        bob = {"bob": SECTIONS["clients"]["bob"] | {"revoke": "keyCompromise"}}
        stack.up(SECTIONS | {"clients": SECTIONS["clients"] | bob}, FIRST + timedelta(days=62))
        return export_of(stack)


NOW = FIRST + timedelta(days=63)


def test_a_certificate_from_elsewhere_with_a_name_of_ours_is_not_renewed(lived: Any) -> None:
    """It stays beside the client's own rows, which go their way."""
    now = read_ledger(lived, NOW)
    mx1 = now.hosts[0]
    foreign = replace(mx1.rows[0], accepted=AcceptedRow(client="alice", why=Why.FOREIGN, fingerprint_sha256=FOREIGN))
    at = NOW + timedelta(days=70)
    schedules = schedules_at(lived, NOW, at)
    alone, beside = (set(rows_ahead(rows, schedules, at)) for rows in (mx1.rows, (foreign, *mx1.rows)))
    assert beside == {foreign, *alone}


def test_an_authority_that_is_not_in_the_state_is_still_named(lived: Any) -> None:
    """As one of another stack; what it has signed and what it will sign has its name on a later day as well."""
    rows = [each for each in lived["deployment"]["resources"] if not each["type"].endswith("index:Certificate")]
    later = read_ledger({"deployment": {"resources": rows}}, NOW, NOW + timedelta(days=70))
    assert {row.accepted.issuer for host in later.hosts for row in host.rows} == {SlotId("authority")}


@pytest.mark.parametrize(
    ("left", "rows", "absent"),
    [
        (("alice",), {("mx1", "alice"), ("mx1", "alice-phone")}, ()),
        (("alice-phone",), {("mx1", "alice-phone")}, ()),
        (("ALICE@example.org",), {("mx1", "alice"), ("mx1", "alice-phone")}, ()),
        (("carol@EXAMPLE.org", "nobody"), {("mx1", "carol")}, ("nobody",)),
        (("bob", "bob@example.org"), set(), ()),
        (("mx1.example.org",), set(), ()),
        (("example.org", "lice", "dave@example.org"), set(), ("example.org", "lice", "dave@example.org")),
    ],
)
def test_who_left_is_found_by_any_name_that_is_declared(
    lived: Any, left: tuple[str, ...], rows: set[tuple[str, str]], absent: tuple[str, ...]
) -> None:
    """By client, address, host name or person, and by no part of one; who is revoked has no row."""
    found = still_let_in(read_ledger(lived, NOW), read_holders(lived), left)
    assert {(host.host, row.accepted.client) for host in found.ledger.hosts for row in host.rows} == rows
    assert (found.is_let_in, found.absent) == (bool(rows), absent)


def test_a_life_has_each_decision_with_its_day(lived: Any) -> None:
    """Two generations of alice, and bob's end, from what the state keeps."""
    ledger, holders = read_ledger(lived, NOW), read_holders(lived)
    (alice,) = explained(holders, ledger, "alice")
    told = [(each.what, each.generation, (each.at - FIRST).days, each.host) for each in alice.events]
    assert told == [
        (Happening.BEGINS, 1, -1, ""),
        (Happening.LISTED, 1, 0, "mx1"),
        (Happening.BEGINS, 2, 60, ""),
        (Happening.LISTED, 2, 61, "mx1"),
        (Happening.RETIRES, 1, 75, ""),
        (Happening.RENEWED, 2, 120, ""),
        (Happening.ENDS, 2, 150, ""),
    ]
    (bob,) = explained(holders, ledger, "bob")
    revoked = [(each.generation, each.sentence) for each in bob.events if each.what is Happening.REVOKED]
    assert revoked == [(1, "revoked: keyCompromise"), (2, "revoked: keyCompromise")]
    assert bob.notes == ("no host lets it in",)


def test_a_life_is_found_by_number_and_fingerprint(lived: Any) -> None:
    """Whole or from eight digits on, as openssl and Postfix write them; of each generation that the state has."""
    ledger, holders = read_ledger(lived, NOW), read_holders(lived)
    for holder in holders:
        issued = holder.issued
        identities = [issued.identity, *(each.identity for each in (*issued.previous, *issued.revoked))]  # type: ignore[attr-defined]
        for identity in identities:
            serial = f"{identity.serial_number}"
            whole = (identity.fingerprint_sha256, identity.public_key_fingerprint_sha256, serial)
            for subject in (*whole, f"0{serial.upper()}", *(str(each)[:12] for each in whole)):
                assert [each.name for each in explained(holders, ledger, subject)] == [holder.name], subject
    for subject in ("", "0", "ab", "alice@example.org", "alic", "00:00:00:00:00"):
        with pytest.raises(PostsealError, match="no client, serial number or fingerprint"):
            explained(holders, ledger, subject)
