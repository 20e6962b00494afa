"""The pure parts of the ledger on records made by hand: who is chosen, what is over, whose life it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pki.acceptance import AcceptedRow, Why
from pki.fields import Match
from pki.generations import AcceptedGeneration, Cause
from pki.model import Profile, SerialNumber, SlotId, Validity
from pki.records import Identity, IssuedCertificate, IssuedGeneration
from postseal.ledger.ahead import rows_ahead
from postseal.ledger.holders import Holder
from postseal.ledger.left import still_let_in
from postseal.ledger.life import Happening, explained
from postseal.ledger.reading import StackLedger, read_ledger
from postseal.ledger.records import HostLedger, LedgerRow
from postseal.ledger.selection import LedgerSelection, selected
from postseal_core.errors import ConfigError
from tests.unit.test_who_command import NOW, STORED, host_of, rows_of

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
BEGIN = AT - timedelta(days=30)


def row(client: str, why: Why = Why.CURRENT, *, service: str = "smtp", until: datetime | None = None) -> LedgerRow:
    """Return the row of a client."""
    accepted = AcceptedRow(client=client, why=why, generation=3, until=until, fingerprint_sha256="AA:BB:CC:DD:EE")
    return LedgerRow(host="mx1", service=service, accepted=accepted, since=BEGIN)


def ledger(*rows: LedgerRow) -> StackLedger:
    """Return the ledger of one host."""
    return StackLedger("mail-pki", "prod", AT, (HostLedger(host="mx1", place="local /etc/postfix", rows=rows),))


def holder(name: str, profile: Profile = Profile.CLIENT, known_as: tuple[str, ...] = (), serial: int = 0x5) -> Holder:
    """Return a holder in its third generation, of which nothing before is kept."""
    issued = IssuedCertificate(
        subject=f"CN={name}",
        issuer="ca",
        issuer_slot=SlotId("ca"),
        generation=3,
        key_generation=3,
        validity=Validity(BEGIN, AT + timedelta(days=60)),
        renew_at=AT + timedelta(days=30),
        cause=Cause.FIRST,
        reason="a reason",
        identity=Identity(
            serial_number=SerialNumber(serial), fingerprint_sha256="AA", public_key_fingerprint_sha256="BB"
        ),
    )
    return Holder(name, profile, "", known_as, Match.CERTIFICATE, issued)


def test_services_are_told_apart() -> None:
    """Rows of another one are left out."""
    both = ledger(row("alice"), row("bob", service="submission"))
    (host,) = selected(both, (), LedgerSelection(services=("smtp",))).hosts
    assert [each.accepted.client for each in host.rows] == ["alice"]


@pytest.mark.parametrize(("why", "is_kept"), [(Why.OVERLAP, False), (Why.CURRENT, True), (Why.FOREIGN, True)])
def test_only_an_overlap_is_over_by_itself(why: Why, is_kept: bool) -> None:  # noqa: FBT001  # what is expected
    """Of a client of which nothing is decided here; from its end on, and not a second before."""
    ends = row("alice", why, until=AT)
    assert list(rows_ahead([ends], (), AT)) == ([ends] if is_kept else [])
    assert list(rows_ahead([ends], (), AT - timedelta(seconds=1))) == [ends]


def test_a_life_counts_what_is_gone_and_says_where_it_is_let_in_by_its_own_certificate_only() -> None:
    """A row from elsewhere with that name is another life; an authority with that name is let in nowhere."""
    rows = ledger(row("alice"), row("ca"), replace(row("alice", Why.FOREIGN), since=AT))
    found = explained((holder("alice"), holder("ca", Profile.ROOT)), rows, "alice")
    assert [each.kind for each in found] == ["client", "elsewhere"]
    assert [sum(event.what is Happening.LISTED for event in each.events) for each in found] == [1, 1]
    assert found[0].notes == ("generation 1 to 2: no longer accepted, and not in the state any more",)
    (authority,) = explained((holder("ca", Profile.ROOT),), rows, "ca")
    assert not any(event.what is Happening.LISTED for event in authority.events)
    assert "no host lets it in" not in authority.notes


def test_a_server_that_is_a_client_too_is_let_in() -> None:
    """Its life has the row."""
    (life,) = explained((holder("mx1", Profile.SERVER_AND_CLIENT),), ledger(row("mx1")), "mx1")
    assert any(event.what is Happening.LISTED for event in life.events)


def test_a_short_serial_number_is_found_whole() -> None:
    """As authorities that count give them; a part of one is none."""
    holders = (holder("alice", serial=0x1005), holder("bob", serial=0x10))
    assert [each.name for each in explained(holders, ledger(), "10:05")] == ["alice"]
    assert [each.name for each in explained(holders, ledger(), "0010")] == ["bob"]
    with pytest.raises(ConfigError):
        explained(holders, ledger(), "100")


@pytest.mark.parametrize(
    "subject",
    ["0x1234567890abcdef", "12:34:56:78:90:AB:CD:EF", "12 34 56 78 90 ab cd ef", "serial=1234567890ABCDEF",
     "1311768467294899695", "sha256 Fingerprint=AA:BB:CC:DD:EE", "SHA256:aabbccddee", " AA BB CC DD "],
)  # fmt: skip
def test_numbers_and_fingerprints_are_taken_as_tools_write_them(subject: str) -> None:
    """Of openssl, of Postfix's log, and of whoever counts in tens; a control differs in the last digit."""
    alice = holder("alice", serial=0x1234567890ABCDEF)
    alice = replace(alice, issued=replace(alice.issued, identity=replace(
        alice.issued.identity, fingerprint_sha256="AA:BB:CC:DD:EE")))  # fmt: skip
    assert [each.name for each in explained((alice, holder("bob")), ledger(), subject)] == ["alice"]
    with pytest.raises(ConfigError):
        explained((alice, holder("bob")), ledger(), f"{subject.strip()}0")


@pytest.mark.parametrize("subject", ["9" * 50, "9" * 5_000, "0x", "SHA256:", "", ":"])
def test_what_is_no_number_is_nobody(subject: str) -> None:
    """Nothing is taken for the begin of everything, and a number of many digits for no work without end."""
    with pytest.raises(ConfigError, match="no client, serial number or fingerprint"):
        explained((holder("alice"),), ledger(), subject)


def test_a_name_is_found_however_it_is_written_and_several_are_told() -> None:
    """Exactly first; where two differ in that only, nobody guesses which one."""
    both = (holder("Alice"), holder("ALICE"), holder("j\u00f6rg"))
    rows = ledger(row("Partner", Why.FOREIGN))
    assert [each.name for each in explained(both, rows, "Alice")] == ["Alice"]
    assert [each.name for each in explained(both, rows, "JO\u0308RG")] == ["j\u00f6rg"]
    assert [each.name for each in explained(both, rows, "partner")] == ["Partner"]
    with pytest.raises(ConfigError, match="'alice' is the name of several here: 'ALICE', 'Alice'"):
        explained(both, rows, "alice")


def test_who_left_is_found_by_each_name_that_a_state_has_of_it() -> None:
    """Capital and small letters are the same; a name of somebody who is not listed is no row."""
    holders = (holder("alice", known_as=("192.0.2.7", "Alice Example")), holder("bob", known_as=("bob@example.org",)))
    for name in ("192.0.2.7", "alice example", "ALICE"):
        assert still_let_in(ledger(row("alice")), holders, [name]).is_let_in
    left = still_let_in(ledger(row("alice")), holders, ["bob@example.org"])
    assert (left.is_let_in, left.absent) == (False, ())


@pytest.mark.parametrize("written", ["J\u00f6rg", "jo\u0308rg", "J\u00d6RG", "relay.example.org.", "\uff4aörg"])
def test_the_same_name_may_be_written_in_several_ways(written: str) -> None:
    """An accent by itself or not, a host name with the root's dot: who is not found would be let in."""
    names = ("j\u00f6rg", "relay.example.org")
    assert still_let_in(ledger(row("alice")), [holder("alice", known_as=names)], [written]).is_let_in


@pytest.mark.parametrize(
    ("cause", "earlier", "may_be"),
    [(Cause.CHANGED, (2,), True), (Cause.RENEWAL_DUE, (2,), False), (Cause.RENEWAL_DUE, (1, 2), True),
     (Cause.CHANGED, (), False)],
)  # fmt: skip
def test_an_earlier_certificate_may_have_the_name_of_who_left(
    cause: Cause,
    earlier: tuple[int, ...],
    may_be: bool,  # noqa: FBT001  # what is expected
) -> None:
    """Of a client that was given another address; a state does not keep the one before, so it cannot say no."""
    alice = holder("alice", known_as=("new@example.org",))
    previous = tuple(
        IssuedGeneration(
            schedule=AcceptedGeneration(each, BEGIN, AT + timedelta(days=9), AT + timedelta(days=9)),
            identity=Identity(fingerprint_sha256="CC"),
        )
        for each in earlier
    )
    alice = replace(alice, issued=replace(alice.issued, cause=cause, previous=previous))
    rows = ledger(row("alice"), *(row("alice", Why.OVERLAP) for _ in earlier))
    left = still_let_in(rows, [alice], ["old@example.org"])
    assert (left.is_let_in, left.absent) == (may_be, ("old@example.org",))
    assert left.unknown == (("alice on mx1",) if may_be else ())
    assert not still_let_in(ledger(row("bob")), [alice], ["old@example.org"]).is_let_in
    assert still_let_in(rows, [alice], ["new@example.org"]).unknown == ()


def test_the_instant_of_the_last_run_is_answered_and_is_not_ahead() -> None:
    """A second earlier is refused."""
    last = max(row.since for host in read_ledger(STORED, NOW).hosts for row in host.rows)
    without_time = {"deployment": {"resources": STORED["deployment"]["resources"]}}
    told = read_ledger(without_time, last, last)
    assert not told.is_ahead
    assert sum(len(host.rows) for host in told.hosts) == len(rows_of(host_of(STORED, "mx1")["outputs"]))
    with pytest.raises(ConfigError, match="lies before"):
        read_ledger(without_time, last, last - timedelta(seconds=1))


def test_what_is_listed_on_a_later_day_stands_there_since_it_did_or_will_be_issued() -> None:
    """A row that is there keeps its day; one that comes has the day of its issue, as far as an hour."""
    at = NOW + timedelta(days=19)
    now, then = ({(r.accepted.client, r.accepted.generation): r for h in each.hosts for r in h.rows}
                 for each in (read_ledger(STORED, NOW), read_ledger(STORED, NOW, at)))  # fmt: skip
    assert then["alice", 2].since == now["alice", 2].since
    # Known by its key, which stays: it is the same row.
    assert then["relay", 3].since == now["relay", 2].since
    assert NOW + timedelta(days=10) < then["alice", 3].since < at
