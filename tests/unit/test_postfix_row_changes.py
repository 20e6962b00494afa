"""A reviewer reads who comes, goes and is beside a newer certificate; the numbers are those of the rows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.acceptance import AcceptedRow, Why
from postfix.host_resource.records import HostRow
from postfix.host_resource.row_changes import row_changes, rows_in_words
from postfix.tables import client_label, labelled_generation

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
END, OVERLAP = NOW + timedelta(days=365), NOW + timedelta(days=14)
TABLE = "relay_clientcerts"


def row(client: str, generation: int | None, *, is_earlier: bool = False) -> AcceptedRow:
    """Return a row of the stack, or of a certificate from elsewhere."""
    why = Why.FOREIGN if generation is None else Why.OVERLAP if is_earlier else Why.CURRENT
    until = OVERLAP if is_earlier else END
    fingerprint = f"{client} {generation}"
    return AcceptedRow(
        client=client, why=why, generation=generation, not_after=END, until=until, fingerprint_sha256=fingerprint
    )


def lines(*rows: AcceptedRow) -> dict[str, str]:
    """Return the lines that a table has for rows."""
    return {client_label(each.client, each.generation, each.not_after): "AA:BB" for each in rows}


def changes(
    before: list[AcceptedRow], after: list[AcceptedRow], roster: tuple[AcceptedRow, ...] = ()
) -> dict[str, str]:
    """Return what is told of one table."""
    listed = [(each, "") for each in after] + [(each, "staff") for each in roster]
    return row_changes({TABLE: lines(*before)}, {TABLE: listed})


RENEWED = [row("al", 1, is_earlier=True), row("al", 2)]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([row("al", 1)], [row("al", 1)], {}),
        ([], [row("al", 1)], {"let in: g1 until 2028-01-04": "al"}),
        ([row("al", 1)], [], {"will no longer be let in": "al"}),
        ([row("al", 1)], RENEWED, {"g2 until 2028-01-04 beside g1 until 2027-01-18": "al"}),
        ([row("al", 1), row("al", 2)], [row("al", 2)], {"will lose g1": "al"}),
        ([row("al", 1)], [row("al", 2)], {"g2 until 2028-01-04; will lose g1": "al"}),
        ([row("al", 1), row("bo", 1)], [], {"will no longer be let in": "2 in all: al, bo"}),
        ([row("partner", None)], [], {}),
    ],
)
def test_clients_with_the_same_change_share_a_line(
    before: list[AcceptedRow], after: list[AcceptedRow], told: dict[str, str]
) -> None:
    """What comes has its end, what stays beside it too; rows from elsewhere have lines of their own."""
    assert changes(before, after) == told


def test_who_moves_into_a_roster_has_not_gone() -> None:
    """The roster's own line tells who is in it."""
    assert changes([row("al", 1)], [], (row("al", 1),)) == {}
    assert changes([], [], (row("al", 1),)) == {}


def test_a_table_that_was_not_there_is_shown_as_it_is() -> None:
    """Where nothing was there before, each line is new."""
    assert row_changes({}, {TABLE: [(row("al", 1), "")]}) == {}


def test_of_several_tables_each_says_which_it_is() -> None:
    """Who leaves one may stay in the other."""
    both = {TABLE: lines(row("al", 1)), "submission_clientcerts": lines(row("al", 1))}
    told = row_changes(both, {TABLE: [], "submission_clientcerts": [(row("al", 1), "")]})
    assert told == {"will no longer be let in": f"{TABLE}: al"}


def host_rows(*rows: AcceptedRow) -> list[HostRow]:
    """Return the rows as a state has them."""
    return [HostRow(service="smtp", accepted=each, since=NOW) for each in rows]


def test_the_line_of_a_host_counts_its_rows_and_names_who_is_about() -> None:
    """Added, renewed, one generation less, gone; and until when older certificates are let in."""
    before = host_rows(row("al", 1), row("bo", 1, is_earlier=True), row("bo", 2), row("eve", 1))
    after = host_rows(row("al", 1, is_earlier=True), row("al", 2), row("bo", 2), row("frank", 1))
    assert rows_in_words(before, after, is_complete=True) == (
        "4 rows before, 4 rows after; added: frank; renewed: al; an older one taken off: bo; removed: eve; "
        "1 beside a newer one until 2027-01-18"
    )


def test_of_a_roster_that_is_not_known_nobody_is_said_to_have_gone() -> None:
    """Cannot tell is never no."""
    told = rows_in_words(host_rows(row("eve", 1)), [], is_complete=False)
    assert told == "1 row before, 0 rows after and those of a roster that only `up` knows"


def test_the_line_of_a_host_says_at_which_service_a_client_comes_or_goes() -> None:
    """Who submits is not who relays at port 25, the service that goes without saying."""
    before = [*host_rows(row("al", 1)), *at_submission(row("bo", 1))]
    after = [*host_rows(row("al", 1)), *at_submission(row("al", 1))]
    told = rows_in_words(before, after, is_complete=True)
    assert told == "2 rows before, 2 rows after; added: al (submission); removed: bo (submission)"


def at_submission(*rows: AcceptedRow) -> list[HostRow]:
    """Return the rows as a state has them, of the service for mail programs."""
    return [HostRow(service="submission", accepted=each, since=NOW) for each in rows]


def test_many_names_are_cut_and_counted() -> None:
    """A line stays a line."""
    many = host_rows(*(row(f"u{number:02}", 1) for number in range(12)))
    assert rows_in_words([], many, is_complete=True).endswith("u07 and 4 more")


ROWS = st.dictionaries(st.sampled_from("abcde"), st.sets(st.integers(1, 4), min_size=1), max_size=5)


@given(before=ROWS, after=ROWS)
def test_whoever_differs_is_named_and_nobody_else(before: dict[str, set[int]], after: dict[str, set[int]]) -> None:
    """In the lines of the diff and in the line of the host alike."""
    old = [row(name, number) for name, numbers in before.items() for number in numbers]
    new = [row(name, number) for name, numbers in after.items() for number in numbers]
    differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    told = [name for names in changes(old, new).values() for name in names.rpartition(": ")[2].split(", ")]
    assert sorted(told) == sorted(differing)
    line = rows_in_words(host_rows(*old), host_rows(*new), is_complete=True)
    kinds = ("added: ", "renewed: ", "an older one taken off: ", "removed: ")
    named = [part.partition(": ")[2].split(", ") for part in line.split("; ") if part.startswith(kinds)]
    assert {name for names in named for name in names} == differing


@given(name=st.from_regex(r"[a-z][a-z0-9.@-]{0,20}", fullmatch=True), generation=st.integers(1, 999))
def test_a_label_of_the_stack_is_read_back(name: str, generation: int) -> None:
    """With an end and without; one from elsewhere is none of ours."""
    for end in (END, None):
        assert labelled_generation(client_label(name, generation, end)) == (name, generation)
        assert labelled_generation(client_label(name, None, end)) is None
