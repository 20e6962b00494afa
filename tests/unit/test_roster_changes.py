"""What a reviewer reads of a roster: a line per client, fewer lines for many, one summary, and the accepted rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pki.model import Validity
from pki.roster.changes import (
    MAX_SINGLE_LINES,
    Touch,
    TouchKind,
    change_lines,
    describe_addition,
    describe_removal,
    summary_line,
)
from pki.roster.ledger import accepted_rows
from pki.schedule import HOLD, AcceptedGeneration, RevokedGeneration, Schedule

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def schedule(generation: int = 1, **fields: Any) -> Schedule:
    """Return a schedule of a certificate that is valid for a year."""
    validity = Validity(START, START + YEAR)
    return Schedule(generation, generation, validity, START + YEAR / 2, "because", "ca", **fields)


def test_up_to_the_limit_every_client_has_a_line_of_its_own() -> None:
    """A reviewer sees who changes and how."""
    touches = [Touch(f"c{number}", TouchKind.RENEWED, "g1 -> g2") for number in range(MAX_SINGLE_LINES)]
    assert change_lines(touches) == {f"c{number}": "g1 -> g2" for number in range(MAX_SINGLE_LINES)}


def test_above_the_limit_clients_with_one_sentence_share_a_line_that_names_them_all() -> None:
    """A first `up` of many clients is a few lines, and nobody is missing from them."""
    names = [f"c{number}" for number in range(MAX_SINGLE_LINES)]
    touches = [Touch(name, TouchKind.ADDED, "added") for name in names] + [Touch("z", TouchKind.REMOVED, "removed")]
    assert change_lines(touches) == {"added": f"500 clients: {', '.join(names)}", "removed": "1 client: z"}


def test_the_summary_counts_in_a_fixed_order_and_says_when_something_is_due() -> None:
    """Kinds that do not occur are left out."""
    touches = [Touch("a", TouchKind.REMOVED, ""), Touch("b", TouchKind.RENEWED, ""), Touch("c", TouchKind.RENEWED, "")]
    assert summary_line(10_000, touches, "2027-03-01T10:00:00Z") == (
        "10,000 clients: 2 renewed, 1 removed; next due 2027-03-01"
    )
    assert summary_line(1, [], "") == "1 client: none touched"


@given(st.lists(st.sampled_from(TouchKind)))
def test_the_summary_counts_every_touch_once(kinds: list[TouchKind]) -> None:
    """The numbers add up to the clients that are touched."""
    summary = summary_line(0, [Touch("", kind, "") for kind in kinds], "")
    numbers = [int(part.split()[0]) for part in summary.partition(": ")[2].split(", ") if part != "none touched"]
    assert sum(numbers) == len(kinds)


def test_a_certificate_that_is_taken_over_keeps_its_generation_in_the_sentence() -> None:
    """Taking over is not issuing, and if something must be issued at once both is said."""
    before = schedule(3)
    assert describe_addition("alice", before, before).sentence == "taken over as it is, g3 until 2027-01-01"
    replaced = schedule(4, accepted=(AcceptedGeneration(3, START + YEAR, START + YEAR / 12, "ca"),))
    touch = describe_addition("alice", replaced, before)
    assert (touch.kind, touch.sentence) == (
        TouchKind.TAKEN_OVER,
        "taken over, g3 -> g4, because; g3 accepted until 2026-01-31",
    )


def test_removing_a_revoked_client_takes_nothing_away_from_anybody() -> None:
    """Its certificate was not accepted any more, so the line does not pretend that it was."""
    revoked = schedule(revoked=(RevokedGeneration(1, START + YEAR, START, HOLD),))
    assert describe_removal("alice", revoked).sentence == "removed"


def client(name: str, match: str = "certificate", **fields: Any) -> dict[str, Any]:
    """Return a record of the ledger."""
    return {"name": name, "match": match, "previous": [], "revoked": []} | issued(2, "B2", "K1") | fields


def issued(generation: int, fingerprint: str, key: str) -> dict[str, Any]:
    """Return what identifies one generation."""
    prints = {"fingerprint_sha256": fingerprint, "public_key_fingerprint_sha256": key}
    return prints | {"generation": generation, "not_after": f"202{generation}-01-01T00:00:00Z"}


def test_each_accepted_fingerprint_is_one_row_with_name_generation_and_date() -> None:
    """Earlier generations come before the current one."""
    rows = accepted_rows([client("alice", previous=[issued(1, "A1", "K0")]), client("bob", **issued(3, "C3", "K3"))])
    assert rows == (
        "A1 alice generation=1 not_after=2021-01-01\n"
        "B2 alice generation=2 not_after=2022-01-01\n"
        "C3 bob generation=3 not_after=2023-01-01\n"
    )


def test_generations_that_share_a_key_share_the_row_of_a_client_matched_by_its_key() -> None:
    """Postfix would complain about a key that stands in a table twice."""
    rows = accepted_rows([client("alice", "public_key", previous=[issued(1, "A1", "K1")])])
    assert rows == "K1 alice generation=2 not_after=2022-01-01\n"


def test_a_revoked_client_has_no_row() -> None:
    """Its current generation is dropped in the same `up` that revokes it."""
    assert accepted_rows([client("alice", revoked_at="2026-01-01T00:00:00Z")]) == ""
