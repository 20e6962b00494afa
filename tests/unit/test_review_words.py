"""Phrases that reviews and previews tell: what is valid elsewhere, what a server forgets, what counts from when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow
from pki.fields import DeclaredCertificate, Match
from pki.generations import AcceptedGeneration, Cause, RevokedGeneration, Schedule
from pki.model import RevocationReason, Validity
from pki.schedule_words import steps_between, still_valid
from postseal.ledger.records import LedgerRow
from postseal.review.blocks import Bullets
from postseal.review.declared_words import declared_otherwise
from postseal.review.deliveries import delivery_blocks, receivers
from postseal.review.markdown import LONGEST, render_markdown
from postseal.review.model import Cause as WhyItHappens
from postseal.review.model import CertificateChange, FilesChange, HostReview, Mark, ResourceChange, Review, RowChange
from postseal.review.words import sentence_of_schedules
from postseal_core.values import UNKNOWN
from postseal_core.wording import listed

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
REASON = RevocationReason.KEY_COMPROMISE


def schedule(generation: int = 1, **fields: Any) -> Schedule:
    """Return a schedule of a certificate that is valid for a year and due after half of it."""
    validity = Validity(START, START + 365 * DAY)
    return Schedule(generation, generation, validity, START + 180 * DAY, Cause.FIRST, "because", **fields)


def earlier(generation: int, days: int) -> AcceptedGeneration:
    """Return a generation that is accepted beside a newer one, and valid for so many days."""
    return AcceptedGeneration(generation, START, START + days * DAY, START + 14 * DAY)


def revoked(generation: int) -> RevokedGeneration:
    """Return a generation that was revoked."""
    return RevokedGeneration(generation, START, START + 365 * DAY, START, REASON)


@pytest.mark.parametrize(
    ("gone", "until"),
    [
        (schedule(), "2027-01-01"),
        (schedule(2, accepted=(earlier(1, 400),)), "2027-02-05"),
        (schedule(2, accepted=(earlier(1, 30),)), "2027-01-01"),
        (schedule(2, revoked=(revoked(2),), accepted=(earlier(1, 30),)), "2026-01-31"),
        (schedule(2, revoked=(revoked(1),)), "2027-01-01"),
        (schedule(revoked=(revoked(1),)), ""),
    ],
)
def test_what_goes_without_being_revoked_says_until_when_others_accept_it(gone: Schedule, until: str) -> None:
    """The last of its ends counts, and of what is revoked nothing is left."""
    assert still_valid(gone).rpartition(" ")[2] == until
    assert bool(still_valid(gone)) == bool(until)


def test_an_earlier_certificate_of_a_server_is_not_called_accepted() -> None:
    """A client's is, until a day; a server's is served no more from the day on which there is another one."""
    before, after = schedule(), schedule(2, accepted=(earlier(1, 365),))
    client, server = (sentence_of_schedules(before, after, is_accepted=each) for each in (True, False))
    assert client.endswith("; generation 1 accepted until 2026-01-15 00:00")
    assert server.endswith("; it is served in place of generation 1")
    later = schedule(2)
    assert sentence_of_schedules(after, later) == "generation 1 retired, no longer accepted"
    told = "generation 1 forgotten; what is served is generation 2"
    assert sentence_of_schedules(after, later, is_accepted=False) == told
    assert steps_between(after, later) == ["g1 retired"]
    assert steps_between(after, later, is_accepted=False) == ["g1 forgotten; what is served is g2"]


def test_what_a_revoked_certificate_waits_for_is_said_once() -> None:
    """The flag in the state is explained when it is set, and not again."""
    held = schedule(2, revoked=(revoked(2),))
    outdated = replace(held, is_outdated=True)
    assert sentence_of_schedules(held, outdated).startswith("generation 2 stays revoked, and is issued anew if ")
    assert steps_between(held, outdated) == ["g2 stays revoked, and is issued anew if `revoke` is taken back"]
    assert steps_between(outdated, outdated) == []


DUE = START + 180 * DAY
QUARTER = DeclaredCertificate(validity_hours=90 * 24, overlap_hours=14 * 24)


@pytest.mark.parametrize(
    ("changed", "renewal", "told", "words"),
    [
        ({}, DUE, "", ""),
        (
            {"validity_hours": 60 * 24},
            DUE,
            "",
            "nothing is issued now; from the renewal on, due 2026-06-30: validity 90 d → 60 d",
        ),
        (
            {"validity_hours": 60 * 24, "renew_before_hours": 240},
            DUE,
            "its renewal moves",
            "from the renewal on, due 2026-06-30: validity 90 d → 60 d",
        ),
        ({"overlap_hours": 36}, None, "", "nothing is issued now; for the next one: overlap 14 d → 36 h"),
        (
            {"match": Match.PUBLIC_KEY},
            DUE,
            "",
            "nothing is issued now; declared otherwise for the next one: match certificate → public_key",
        ),
        ({"match": Match.PUBLIC_KEY}, DUE, "revoked", ""),
    ],
)
def test_another_lifetime_says_from_when_it_counts(
    changed: dict[str, Any], renewal: datetime | None, told: str, words: str
) -> None:
    """In days, at the renewal that is due; a point of renewal that has moved was told already."""
    assert declared_otherwise(QUARTER, replace(QUARTER, **changed), renewal, told=told) == words


def items_of(files: list[FilesChange], hosts: tuple[HostReview, ...] = (), names: int = 9) -> dict[str, str]:
    """Return what is told of each receiver."""
    return {
        who: what for block in delivery_blocks(files, hosts, names) if isinstance(block, Bullets)
        for who, what in block.items
    }  # fmt: skip


TOLD = {"clients/al": "generation 2: certificate, key", "clients/bo": "generation 2: certificate, key", "crl": "list 2"}


def test_who_gets_which_files_is_said_once_for_all_who_get_alike() -> None:
    """A folder for everybody says whom it is for, and one that goes, what is not undone."""
    change = FilesChange("hand-out", "out/x", TOLD, written=("clients/al", "clients/bo", "crl"), gone=("clients/eve",))
    assert receivers([change]) == ["al", "bo"]
    assert items_of([change]) == {
        "al, bo": "generation 2: certificate, key, in `out/x/clients`",
        "crl (to where revocation lists are fetched)": "list 2, in `out/x`",
        "eve": "removed: `out/x/clients/eve`; who was given a copy still has it",
    }
    assert list(items_of([change], names=1)) == [
        "crl (to where revocation lists are fetched)", "al and 1 more", "eve"
    ]  # fmt: skip
    assert items_of([FilesChange("hand-out", "out/x", {}, may=("clients/al",))]) == {
        "al, perhaps": "what `up` makes, in `out/x/clients`"
    }


def host_with(*rows: LedgerRow) -> HostReview:
    """Return a host on which these rows are new."""
    changes = tuple(RowChange(Mark.ADDED, each, "renewed", is_since_up=True) for each in rows)
    return HostReview("mx1", "mx1.example.org", None, None, is_changed=True, rows=changes)


def row(client: str, roster: str, fingerprint: Any = UNKNOWN) -> LedgerRow:
    """Return a row that is new, of what is issued now or what is known already."""
    accepted = AcceptedRow(client=client, generation=1, fingerprint_sha256=fingerprint)
    return LedgerRow(host="mx1", service="smtp", accepted=accepted, roster=roster, since=START)


def test_who_gets_a_certificate_and_no_files_is_named() -> None:
    """Clients of a roster that hands out nothing; neither who has files, nor who has the certificate already."""
    host = host_with(row("al", "staff"), row("bo", "staff"), row("di", ""), row("eve", "staff", "AA:BB"))
    told = items_of([FilesChange("staff-hand-out", "out/x", {}, written=("al",))], (host,))
    assert told.keys() == {"al", "bo"}
    assert told["bo"] == "a new certificate, and no files: `hand_out` of roster staff does not name them"


@given(names=st.lists(st.sampled_from("abcdef"), max_size=9), most=st.integers(0, 9))
def test_names_in_a_line_are_the_first_ones_and_a_count_of_the_rest(names: list[str], most: int) -> None:
    """Nobody is lost, and nothing is said where all are there."""
    text = listed(names, most)
    shown, _, more = text.partition(" and ")
    assert [each for each in shown.split(", ") if each] == names[:most]
    assert more == (f"{len(names) - most} more" if len(names) > most else "")


def test_of_many_hosts_the_first_are_told_and_what_follows_them_is_not_lost() -> None:
    """A comment has room for some of two hundred hosts, and for certificates and files behind them."""
    rows = [row(f"client-{number:03}-of-a-long-name", "staff", f"AA:{number:02X}") for number in range(60)]
    hosts = tuple(replace(host_with(*rows), name=f"mx{number:03}") for number in range(200))
    change = CertificateChange("client certificate", "alice", "issued", WhyItHappens.CHANGE)
    text = render_markdown(
        Review("mail", "prod", START, hosts, (change,), resources=(ResourceChange("urn", "update", ()),))
    )
    assert len(text) <= LONGEST
    assert "\nand 160 more changed hosts; `--format json` has all of them.\n" in text
    assert "| client certificate alice | issued | this change |" in text
    assert "This text is cut here" not in text
