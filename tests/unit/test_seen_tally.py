"""What is counted of logs: per client and generation, on which hosts, and of which time nobody can tell."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow, Why
from postseal.ledger.records import HostLedger, LedgerRow
from postseal.seen.instants import LogClock
from postseal.seen.known import Known, Registry, registry_of
from postseal.seen.listing import Listing, known_span, listings_of, spans_of
from postseal.seen.model import ClientName, HostLog, SeenClient, Standing, Use
from postseal.seen.tally import Tally

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CLOCK = LogClock(NOW, lambda naive: naive.replace(tzinfo=UTC))
ALICE, BOB, PARTNER = ClientName("", "alice"), ClientName("staff", "bob"), ClientName("", "partner", is_foreign=True)


def octets(pair: str) -> str:
    """Return a fingerprint that is one octet again and again."""
    return ":".join([pair] * 32)


REGISTRY = Registry(
    newest={ALICE: 2, BOB: 1, PARTNER: None},
    certificates={
        octets("A1"): Known(ALICE, 1, Standing.OVERLAP),
        octets("A2"): Known(ALICE, 2, Standing.CURRENT),
        octets("B1"): Known(BOB, 1, Standing.CURRENT),
        octets("F1"): Known(PARTNER, None, Standing.FOREIGN),
    },
    keys={octets("EA"): Known(ALICE, None, Standing.KEY)},
)
NAMES = {"mx1": "mx1", "mx2": "mx2"}


def said(message: str, at: datetime, host: str = "mx1") -> bytes:
    """Return a line of smtpd."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ} {host} postfix/smtpd[1]: {message}\n".encode()


def shown(pair: str, at: datetime, host: str = "mx1", key: str = "EE", address: str = "192.0.2.7") -> bytes:
    """Return the line of a certificate."""
    names = f"x[{address}]: subject_CN=a, issuer=b"
    return said(f"{names}, fingerprint={octets(pair)}, pkey_fingerprint={octets(key)}", at, host)


def summed(at: datetime, host: str = "mx1") -> bytes:
    """Return the line that sums a session with a certificate up."""
    return said("Untrusted TLS connection established from x[192.0.2.7]: TLSv1.3", at, host)


def tally(*lines: bytes | None, registry: Registry = REGISTRY, host: str = "", has_addresses: bool = False) -> Tally:
    """Return what was counted."""
    counted = Tally(registry, CLOCK, host, has_addresses)
    counted.read(lines)
    return counted


def clients(counted: Tally, listings: dict[ClientName, Listing] | None = None) -> dict[ClientName, SeenClient]:
    """Return the clients by name."""
    return {each.name: each for each in counted.clients(counted.hosts(NAMES), listings or {})}


def use(generation: int | None, standing: Standing, first: datetime, last: datetime, sessions: int, *hosts: str) -> Use:
    """Return a use."""
    return Use(generation=generation, standing=standing, first_at=first, last_at=last, sessions=sessions, hosts=hosts)


def test_each_generation_is_counted_by_itself() -> None:
    """The latest first; who is in no line has no use."""
    found = clients(
        tally(
            shown("A1", NOW - 3 * DAY),
            shown("A2", NOW - DAY),
            shown("A1", NOW - 5 * DAY, "mx2.example.org"),
            shown("F1", NOW),
        )
    )
    assert found[ALICE].uses == (
        use(2, Standing.CURRENT, NOW - DAY, NOW - DAY, 1, "mx1"),
        use(1, Standing.OVERLAP, NOW - 5 * DAY, NOW - 3 * DAY, 2, "mx1", "mx2"),
    )
    assert (found[ALICE].last, found[ALICE].sessions) == (found[ALICE].uses[0], 3)
    assert found[PARTNER].uses == (use(None, Standing.FOREIGN, NOW, NOW, 1, "mx1"),)
    assert (found[BOB].uses, found[BOB].last, found[BOB].addresses) == ((), None, None)


@given(st.permutations([shown(pair, NOW - n * DAY) for pair in ("A1", "A2", "B1", "77") for n in range(3)]))
def test_the_order_of_lines_and_files_does_not_matter(lines: list[bytes]) -> None:
    """Rotated logs are given in any order."""
    assert clients(tally(*lines)) == clients(tally(*sorted(lines)))
    assert tally(*lines).unlisted() == tally(*sorted(lines)).unlisted()


def test_a_client_is_known_by_its_key_where_its_certificate_is_unknown() -> None:
    """Which generation that was, nobody can tell."""
    found = clients(tally(shown("99", NOW, key="EA")))
    assert found[ALICE].uses == (use(None, Standing.KEY, NOW, NOW, 1, "mx1"),)


def test_the_certificate_decides_before_the_key() -> None:
    """Of a client that keeps its key, it tells the generation."""
    found = clients(tally(shown("A1", NOW, key="EA")))
    assert found[ALICE].uses == (use(1, Standing.OVERLAP, NOW, NOW, 1, "mx1"),)


def test_addresses_are_kept_on_demand_only() -> None:
    """The latest ones of each client, at most a hundred."""
    lines = [shown("A1", NOW, address=f"192.0.2.{number}") for number in (*range(150), 60, 150, 60)]
    assert clients(tally(*lines))[ALICE].addresses is None
    kept = clients(tally(*lines, has_addresses=True))[ALICE].addresses
    assert kept is not None
    assert kept == tuple(f"192.0.2.{number}" for number in (*(n for n in range(51, 150) if n != 60), 150, 60))


def test_what_is_nobodys_is_named_up_to_a_bound() -> None:
    """Anybody can show a new certificate in each session."""
    lines = [shown(f"{first:X}{second:X}", NOW, key=key) for first in range(16) for second in range(16) for key in
             ("C1", "C2", "C3", "C4", "C5")]  # fmt: skip
    counted = tally(*lines, *lines)
    assert len(counted.unlisted()) == 1000
    known = 4 * 5
    assert sum(each.sessions for each in counted.unlisted()) + counted.more_unlisted == 2 * (256 * 5 - known)


def test_what_counts_for_nobody_is_counted() -> None:
    """A name that holds a fingerprint, another digest, a line that is too long."""
    forged = shown("A1", NOW).replace(b"issuer=b", f"issuer=b, fingerprint={octets('A2')}".encode())
    counted = tally(forged, None, shown("A1", NOW).replace(octets("A1").encode(), b"A1:" * 15 + b"A1"))
    assert (counted.doubtful, counted.overlong, counted.other_digest) == (1, 1, 1)
    assert not any(each.uses for each in clients(counted).values())
    assert counted.unlisted() == ()


def test_all_lines_are_from_the_host_that_is_named() -> None:
    """As where the log names a container."""
    found = tally(shown("A1", NOW, "4f2a"), host="mx2")
    assert [(each.logged_as, each.host) for each in found.hosts(NAMES)] == [("mx2", "mx2")]
    assert clients(found)[ALICE].uses[0].hosts == ("mx2",)


def log(*lines: bytes) -> HostLog:
    """Return what the log of mx1 covers."""
    (found,) = tally(*lines).hosts(NAMES)
    return found


def test_a_log_covers_the_time_of_its_sessions() -> None:
    """Also of those without certificate."""
    found = log(said("connect from x[192.0.2.7]", NOW - 2 * DAY), shown("A1", NOW - DAY), summed(NOW - DAY))
    assert (found.first_at, found.last_at, found.named_from) == (NOW - 2 * DAY, NOW - DAY, NOW - 2 * DAY)
    assert (found.sessions, found.unnamed) == (1, 0)


def test_sessions_that_are_not_named_end_what_can_be_told() -> None:
    """Before `peercert` was set a client may have been there; sessions run side by side."""
    minute = timedelta(seconds=1)
    found = log(
        summed(NOW - 3 * DAY),
        summed(NOW - 2 * DAY),
        shown("A1", NOW - DAY),
        shown("A2", NOW - DAY + minute),
        summed(NOW - DAY + minute),
        summed(NOW - DAY + 2 * minute),
    )
    assert (found.sessions, found.unnamed, found.named_from) == (2, 2, NOW - 2 * DAY)


def test_certificates_without_summaries_do_not_stand_for_later_sessions() -> None:
    """Where the log named certificates only, and later sums sessions up only."""
    found = log(*[shown("A1", NOW - 2 * DAY)] * 5, summed(NOW - DAY))
    assert (found.unnamed, found.named_from) == (1, NOW - DAY)


@pytest.mark.parametrize(
    ("logged_as", "host"),
    [("mx1", "mx1"), ("MX1", "mx1"), ("mx1.example.org", "mx1"), ("mx3", ""), ("twice", "")],
)
def test_a_log_is_of_the_host_that_is_called_so(logged_as: str, host: str) -> None:
    """Capital letters do not matter; a name of two hosts is nobody's."""
    (found,) = tally(shown("A1", NOW, logged_as)).hosts({**NAMES, "twice": ""})
    assert found.host == host


SPANS = {"mx1": (NOW - 9 * DAY, NOW - DAY), "mx2": (NOW - 5 * DAY, NOW)}


@pytest.mark.parametrize(
    ("hosts", "since", "span"),
    [
        ({"mx1"}, None, (NOW - 9 * DAY, NOW - DAY)),
        ({"mx1", "mx2"}, None, (NOW - 5 * DAY, NOW - DAY)),
        ({"mx1", "mx2"}, NOW - 2 * DAY, (NOW - 2 * DAY, NOW - DAY)),
        ({"mx1"}, NOW, (None, None)),
        ({"mx1", "mx3"}, None, (None, None)),
    ],
)
def test_a_client_would_have_been_seen_while_all_its_hosts_log(
    hosts: set[str], since: datetime | None, span: tuple[datetime | None, datetime | None]
) -> None:
    """With the log of one host missing, nobody can tell."""
    assert known_span(Listing(frozenset(hosts), since), SPANS) == span


def test_who_is_listed_nowhere_cannot_be_told() -> None:
    """No log would show it."""
    assert known_span(None, SPANS) == (None, None)


@pytest.mark.parametrize(("last", "days"), [(None, 9), (NOW - 4 * DAY, 4), (NOW - 20 * DAY, 9), (NOW + DAY, 0)])
def test_the_days_without_a_session_are_counted_to_the_end_of_the_logs(last: datetime | None, days: int) -> None:
    """From the last session or from the begin of the logs, whichever is later."""
    uses = (use(1, Standing.CURRENT, last, last, 1),) if last else ()
    seen = SeenClient(name=ALICE, newest=1, uses=uses, known_from=NOW - 9 * DAY, known_until=NOW)
    assert seen.unseen_days == days
    assert replace(seen, known_from=None).unseen_days is None


def test_logs_of_one_host_under_two_names_belong_together() -> None:
    """As by its short name, and by its long one."""
    logs = tally(shown("A1", NOW - DAY, "mx1"), shown("A1", NOW, "mx1.example.org"), shown("A1", NOW, "x")).hosts(NAMES)
    assert spans_of(logs) == {"mx1": (NOW - DAY, NOW)}


def row(client: str, pair: str, host: str = "mx1", *, why: Why = Why.CURRENT, generation: int | None = 1,
        since: datetime = NOW) -> LedgerRow:  # fmt: skip
    """Return a row of a host."""
    accepted = AcceptedRow(client=client, why=why, generation=generation, fingerprint_sha256=octets(pair))
    return LedgerRow(host=host, service="smtp", accepted=accepted, since=since)


def ledgers(rows: Iterable[LedgerRow]) -> list[HostLedger]:
    """Return hosts with these rows."""
    by_host: dict[str, list[LedgerRow]] = {}
    for each in rows:
        by_host.setdefault(each.host, []).append(each)
    return [HostLedger(host=host, place="", rows=tuple(found)) for host, found in by_host.items()]


def test_a_client_is_listed_since_its_first_row() -> None:
    """A client of a later generation had rows before; one of the first generation, or from elsewhere, had none."""
    found = listings_of(
        ledgers(
            [
                row("alice", "A2", generation=2, since=NOW - DAY),
                row("carol", "C1", since=NOW - 3 * DAY),
                row("carol", "C1", "mx2", since=NOW - DAY),
                row("partner", "F1", why=Why.FOREIGN, generation=None, since=NOW - DAY),
            ]
        )
    )
    assert found[ALICE] == Listing(frozenset({"mx1"}), None)
    assert found[ClientName("", "carol")] == Listing(frozenset({"mx1", "mx2"}), NOW - 3 * DAY)
    assert found[PARTNER] == Listing(frozenset({"mx1"}), NOW - DAY)


def test_a_row_that_no_certificate_of_the_stack_has_is_known_too() -> None:
    """From elsewhere, or of a client that was taken out and stands there still; by certificate or key."""
    registry = registry_of([], ledgers([row("alice", "A1"), row("alice", "F1", why=Why.FOREIGN, generation=None)]))
    own, foreign = Known(ALICE, 1, Standing.LISTED), Known(replace(ALICE, is_foreign=True), None, Standing.FOREIGN)
    assert registry.of(octets("A1"), octets("77")) == registry.of(octets("77"), octets("A1")) == own
    assert registry.of(octets("F1"), "") == registry.of("", octets("F1")) == foreign
    assert registry.of(octets("77"), "") is None
    assert registry.newest == {own.name: None, foreign.name: None}
