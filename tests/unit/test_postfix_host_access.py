"""Who may relay through a host: one row a fingerprint, wherever it comes from and however often."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow, Admitted
from pki.fields import Match
from pki.generations import AcceptedGeneration, RevokedGeneration
from pki.model import RevocationReason, SlotId, Validity
from pki.records import Identity, IssuedGeneration, RevokedIssue
from postfix.host import HostDeclaration, ServerSide
from postfix.host_resource.access import (
    ServiceAccess,
    access_by_service,
    problems_of_access,
    rows_of_host,
    with_earlier_dates,
)
from postfix.host_resource.records import AccessArgs, ForeignClient, HostRow, RosterAccess
from postfix.settings import RelayPolicy, ServerSettings
from postfix.tables import ClientRow
from postseal_core.packing import pack_records, unpack_records
from postseal_core.plugin.memory import Memory
from postseal_core.values import UNKNOWN

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
END = datetime(2027, 2, 1, 12, tzinfo=UTC)
SLOT = SlotId("mail-ca")
HOST = HostDeclaration("mx1", "mx1.example.org", ServerSide(ServerSettings(), ("mx1",)))


def fingerprint(pair: str) -> str:
    """Return a fingerprint of one pair."""
    return ":".join([pair] * 32)


def row(client: str = "alice", generation: int = 1, pair: str = "AB", **changes: Any) -> AcceptedRow:
    """Return a row of a roster."""
    known = AcceptedRow(
        client=client,
        generation=generation,
        not_after=END,
        until=END,
        issuer=SLOT,
        fingerprint_sha256=fingerprint(pair),
    )
    return replace(known, **changes)


def known(generation: int = 1, pair: str = "AB", **changes: Any) -> Admitted:
    """Return a client that is matched by its certificate."""
    identity = Identity(fingerprint_sha256=fingerprint(pair), public_key_fingerprint_sha256=fingerprint("00"))
    admitted = Admitted(generation=generation, validity=Validity(NOW, END), issuer=SLOT, identity=identity)
    return replace(admitted, **changes)


def access(**members: Any) -> ServiceAccess:
    """Return who may relay through the host."""
    return access_by_service(HOST, {"smtp": AccessArgs(**members)}, Memory())["smtp"]


def roster(rows: Sequence[AcceptedRow]) -> RosterAccess:
    """Return a roster with these rows."""
    return RosterAccess(description="some clients", accepted_rows=pack_records(rows))


@given(
    st.lists(
        st.builds(row, st.sampled_from(["alice", "bob"]), st.integers(1, 5), st.sampled_from(["AB", "CD", "EF"])),
        max_size=8,
    )
)
def test_order_and_repetition_make_no_difference(rows: list[AcceptedRow]) -> None:
    """The same rows in one roster or two, in any order and twice, give one row for each fingerprint."""
    once = access(rosters={"staff": roster(rows)})
    again = access(rosters={"staff": roster(rows[::-1]), "others": roster(rows)})
    prints = [each.fingerprint_sha256 for each in again.rows]
    assert len(prints) == len(set(prints)) == len(once.rows)
    if not [*problems_of_access({"smtp": once})]:
        assert again.rows == once.rows


def test_generations_with_one_public_key_make_one_row() -> None:
    """Postfix complains about a key that is there twice, so the latest generation stands for all."""
    earlier = AcceptedGeneration(1, NOW - timedelta(days=300), LATER, LATER, SLOT)
    previous = IssuedGeneration(schedule=earlier, identity=known().identity)
    both = access(clients={"alice": known(2, match=Match.PUBLIC_KEY, previous=(previous,))})
    assert both.clients == (ClientRow(fingerprint("00"), "alice", 2, END),)
    assert [*both.lines] == ["alice generation=1 not_after=2026-07-01", "alice generation=2 not_after=2027-02-01"]


def test_one_fingerprint_for_two_clients_is_a_problem_wherever_they_come_from() -> None:
    """Merged into one row, it would be unclear whom it admits."""
    both = access(clients={"alice": known()}, rosters={"staff": roster([row("bob")])})
    assert [problem.path for problem in problems_of_access({"smtp": both})] == ["relay_clients"]


def test_a_service_without_a_table_is_a_problem() -> None:
    """Whoever lists clients of a service that has no list yet is told so."""
    services = access_by_service(HOST, {"lmtp": AccessArgs()}, Memory())
    assert [problem.path for problem in problems_of_access(services)] == ["access.lmtp"]


@pytest.mark.parametrize("has_server", [True, False])
def test_a_host_without_clients_has_an_empty_table_or_none(*, has_server: bool) -> None:
    """An empty table is there if main.cf names it."""
    services = access_by_service(HOST if has_server else replace(HOST, server=None), {}, Memory())
    assert {service: each.clients for service, each in services.items()} == ({"smtp": ()} if has_server else {})


@pytest.mark.parametrize(
    "members",
    [
        {"clients": {"alice": known(identity=Identity()), "bob": known(pair="CD")}},
        {
            "clients": {"bob": known(pair="CD")},
            "rosters": {"staff": RosterAccess(description="", accepted_rows=UNKNOWN)},
        },
    ],
)
def test_one_row_that_is_not_known_yet_makes_the_table_unknown(members: dict[str, Any]) -> None:
    """The lines of the others are known all the same."""
    partial = access(**members)
    assert partial.clients is UNKNOWN
    assert partial.lines["bob generation=1 not_after=2027-02-01"] == fingerprint("CD")


def test_rows_on_a_host_say_where_they_come_from() -> None:
    """Client, generation, end, issuer and roster are data; a client by itself is not its roster's."""
    services = {
        "smtp": access(
            clients={"alice": known()},
            rosters={"staff": roster([row(), row("carol", 3, "CD")])},
            extra={"bob": ForeignClient(fingerprint_sha256=fingerprint("EF"), not_after=LATER)},
        )
    }
    alice, bob, carol = rows_of_host(HOST, services, NOW)
    assert (alice.accepted.client, alice.roster, alice.accepted.issuer, alice.accepted.until) == (
        "alice",
        "",
        SLOT,
        END,
    )
    assert (bob.accepted.client, bob.accepted.generation, bob.accepted.until) == ("bob", None, LATER)
    assert (carol.accepted.client, carol.roster, carol.accepted.generation) == ("carol", "staff", 3)
    assert {(each.service, each.since) for each in (alice, bob, carol)} == {("smtp", NOW)}
    assert [*unpack_records(HostRow, pack_records((alice, bob, carol)))] == [alice, bob, carol]
    by_password = replace(ServerSettings(), relay=RelayPolicy(client_certificates=False))
    assert rows_of_host(replace(HOST, server=ServerSide(by_password, ("mx1",))), services, NOW) == ()


def test_a_row_that_stays_keeps_its_date() -> None:
    """A new generation, a client made anew and another certificate from elsewhere are rows of their own."""

    def rows(now: datetime, generation: int, pair: str) -> dict[str, HostRow]:
        bob = ForeignClient(fingerprint_sha256=fingerprint("CD"))
        eve = ForeignClient(fingerprint_sha256=fingerprint(f"E{pair}"))
        clients = {"alice": known(generation), "carol": known(pair=f"C{pair}"), "dave": known(pair="AA")}
        found = access(clients=clients, extra={"bob": bob, "eve": eve})
        return {each.accepted.client: each for each in rows_of_host(HOST, {"smtp": found}, now)}

    earlier, now = rows(NOW, 1, "E"), rows(LATER, 2, "F")
    since = {each.accepted.client: each.since for each in with_earlier_dates(now.values(), earlier.values())}
    assert since == {"alice": LATER, "bob": NOW, "carol": LATER, "dave": NOW, "eve": LATER}


@pytest.mark.parametrize("pair", ["AB", "00", "CD"], ids=["certificate", "public key", "an earlier one"])
def test_a_revoked_certificate_is_not_let_in_by_a_row_from_elsewhere(pair: str) -> None:
    """Neither by its own fingerprint nor by that of its key, and whatever the row is called; others are."""
    earlier = RevokedIssue(
        schedule=RevokedGeneration(1, NOW, END, NOW, RevocationReason.KEY_COMPROMISE),
        identity=Identity(fingerprint_sha256=fingerprint("CD"), public_key_fingerprint_sha256=fingerprint("CE")),
    )
    alice = known(2, revoked=(earlier,), revoked_at=NOW)
    for each, is_refused in ((pair, True), ("EF", False)):
        extra = {"alice-old": ForeignClient(fingerprint_sha256=fingerprint(each))}
        problems = [
            *problems_of_access(
                access_by_service(HOST, {"smtp": AccessArgs(clients={"alice": alice}, extra=extra)}, Memory())
            )
        ]
        assert [problem.path for problem in problems] == ["extra_relay_clients"] * is_refused
        assert all("of alice, which was revoked" in problem.message for problem in problems)


def test_a_certificate_from_elsewhere_comes_before_the_generations_of_a_client_of_its_name() -> None:
    """It has none of its own; in whatever order they are declared."""
    elsewhere = ForeignClient(fingerprint_sha256=fingerprint("CD"))
    found = access(clients={"alice": known(1)}, extra={"alice": elsewhere}, rosters={"r": roster([row(generation=2)])})
    assert [each.generation for each, _ in found.listed] == [None, 1, 2]
