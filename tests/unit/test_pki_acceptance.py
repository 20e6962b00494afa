"""The one rule which fingerprints of a client are let in, under which generation, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow, Admitted, Why, accepted_rows, admitted, one_row_a_fingerprint
from pki.fields import Match
from pki.generations import AcceptedGeneration, Cause
from pki.model import RevocationReason, SerialNumber, SlotId, Validity
from pki.records import Identity, IssuedCertificate, IssuedGeneration
from postseal_core.values import UNKNOWN, is_unknown

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
OLD, NEW = SlotId("mail-ca", 1), SlotId("mail-ca", 2)


def identity(certificate: str, key: str | None = None) -> Identity:
    """Return an identity; by default each certificate has a key of its own."""
    public_key = key or f"key of {certificate}"
    return Identity(
        fingerprint_sha256=certificate, public_key_fingerprint_sha256=public_key, serial_number=SerialNumber(1)
    )


def earlier(generation: int, *, key: str | None = None, days: int = 14) -> IssuedGeneration:
    """Return an earlier generation that is accepted for so many days after START."""
    schedule = AcceptedGeneration(
        generation=generation,
        not_before=START - 300 * DAY,
        not_after=START + 65 * DAY,
        retire_at=START + days * DAY,
        issuer=OLD,
    )
    return IssuedGeneration(schedule=schedule, identity=identity(f"g{generation}", key))


CURRENT: Final = Admitted(
    generation=3,
    validity=Validity(START, START + 365 * DAY),
    issuer=NEW,
    identity=identity("g3"),
    previous=(earlier(1, days=7), earlier(2)),
)


def test_the_current_generation_is_let_in_beside_those_that_overlap() -> None:
    """The oldest first; each says why, since when it is valid, until when, and who signed it."""
    first = AcceptedRow(
        client="alice",
        why=Why.OVERLAP,
        generation=1,
        not_before=START - 300 * DAY,
        not_after=START + 65 * DAY,
        until=START + 7 * DAY,
        issuer=OLD,
        fingerprint_sha256="g1",
    )
    assert list(accepted_rows("alice", CURRENT)) == [
        first,
        replace(first, generation=2, until=START + 14 * DAY, fingerprint_sha256="g2"),
        AcceptedRow(
            client="alice",
            generation=3,
            not_before=START,
            not_after=START + 365 * DAY,
            until=START + 365 * DAY,
            issuer=NEW,
            fingerprint_sha256="g3",
        ),
    ]


def test_who_is_revoked_is_not_let_in_at_all() -> None:
    """Neither with the current certificate nor with an earlier one."""
    assert list(accepted_rows("alice", replace(CURRENT, revoked_at=START))) == []


@pytest.mark.parametrize("match", Match)
def test_a_row_has_the_fingerprint_that_the_client_is_matched_by(match: Match) -> None:
    """Of its certificate, or of its public key; the other one is no row."""
    rows = accepted_rows("alice", replace(CURRENT, match=match))
    prefix = "key of " if match is Match.PUBLIC_KEY else ""
    assert [row.fingerprint_sha256 for row in rows] == [f"{prefix}g1", f"{prefix}g2", f"{prefix}g3"]


def test_generations_that_share_a_key_have_one_row_until_the_last_of_them_ends() -> None:
    """It is that of the latest generation; with keys of their own there are as many rows as generations."""
    kept = replace(
        CURRENT, match=Match.PUBLIC_KEY, identity=identity("g3", "k"), previous=(earlier(1), earlier(2, key="k"))
    )
    rows = one_row_a_fingerprint(accepted_rows("alice", kept))
    assert [(row.fingerprint_sha256, row.generation, row.until) for row in rows] == [
        ("key of g1", 1, START + 14 * DAY),
        ("k", 3, START + 365 * DAY),
    ]


def test_a_shared_key_stays_let_in_as_long_as_the_longest_of_its_generations() -> None:
    """A certificate that was shortened to its issuer's end does not end the row of the one before."""
    short = replace(
        CURRENT,
        match=Match.PUBLIC_KEY,
        validity=Validity(START, START + DAY),
        identity=identity("g3", "k"),
        previous=(earlier(2, key="k"),),
    )
    (row,) = one_row_a_fingerprint(accepted_rows("alice", short))
    assert (row.generation, row.until) == (3, START + 14 * DAY)


def test_what_is_not_issued_yet_has_rows_of_its_own() -> None:
    """Two clients whose fingerprints a preview cannot know are two rows; so are two generations."""
    unknown = replace(CURRENT, identity=Identity(), previous=())
    rows = [row for name in ("alice", "bob") for row in accepted_rows(name, unknown)]
    assert all(is_unknown(row.fingerprint_sha256) for row in rows)
    assert [row.client for row in one_row_a_fingerprint(rows)] == ["alice", "bob"]


def test_a_fingerprint_from_elsewhere_without_dates_stays_let_in() -> None:
    """Of it nothing ends by itself, also where one of ours has the same fingerprint and an end."""
    foreign = AcceptedRow(client="partner", why=Why.FOREIGN, fingerprint_sha256="g3")
    ours = AcceptedRow(client="alice", generation=3, until=START + DAY, fingerprint_sha256="g3")
    assert [row.until for row in one_row_a_fingerprint([foreign, ours])] == [None]


ISSUED: Final = IssuedCertificate(
    subject="CN=alice@example.org",
    issuer="mail-ca-2 generation 1",
    issuer_slot=NEW,
    generation=3,
    key_generation=3,
    validity=CURRENT.validity,
    renew_at=START + 200 * DAY,
    cause=Cause.RENEWAL_DUE,
    reason="renewal due",
    certificate_pem="",
    identity=CURRENT.identity,
    previous=CURRENT.previous,
)


def test_an_issued_certificate_says_everything_that_the_rule_asks_for() -> None:
    """Of a single resource and of a roster's row alike."""
    assert admitted(Match.CERTIFICATE, ISSUED) == CURRENT
    revoked = replace(ISSUED, revoked_at=START, revocation_reason=RevocationReason.SUPERSEDED)
    assert list(accepted_rows("alice", admitted(Match.CERTIFICATE, revoked))) == []


@given(
    st.lists(
        st.builds(
            AcceptedRow,
            client=st.sampled_from(["alice", "bob"]),
            generation=st.integers(1, 3),
            until=st.none() | st.integers(0, 9).map(lambda days: START + days * DAY),
            fingerprint_sha256=st.sampled_from(["a", "b", "c", UNKNOWN]),
        ),
        max_size=8,
    )
)
def test_merging_keeps_every_fingerprint_and_never_shortens(rows: list[AcceptedRow]) -> None:
    """Whoever was let in is let in afterwards, at least as long; merging again changes nothing."""
    merged = one_row_a_fingerprint(rows)
    known = [row for row in merged if not is_unknown(row.fingerprint_sha256)]
    assert len({row.fingerprint_sha256 for row in known}) == len(known)
    for row in rows:
        (kept,) = [
            each
            for each in merged
            if each.fingerprint_sha256 == row.fingerprint_sha256
            and (
                not is_unknown(row.fingerprint_sha256) or (each.client, each.generation) == (row.client, row.generation)
            )
        ]
        assert kept.until is None or (row.until is not None and row.until <= kept.until)
    assert one_row_a_fingerprint(merged) == merged
