"""Table sources hold rows that Postfix finds, in an order that does not change by itself."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.tables import (
    ClientRow,
    Row,
    client_rows,
    parse_source,
    problems_of_client_rows,
    problems_of_rows,
    render_source,
)
from postseal_core.errors import ConfigError

WORDS = st.text(alphabet='abc:.@[]é#"', min_size=1, max_size=12)
ROWS = st.lists(
    st.builds(Row, WORDS, st.lists(WORDS, min_size=1, max_size=3).map(" ".join)), unique_by=lambda row: row.key.lower()
).map(lambda rows: [row for row in rows if not row.key.startswith(("#", '"'))])
FINGERPRINT = ":".join(["AB"] * 32)
OTHER = ":".join(["CD"] * 32)
NOT_AFTER = datetime(2027, 2, 1, 12, tzinfo=UTC)


def client(fingerprint: str = FINGERPRINT, name: str = "alice", generation: int = 1) -> ClientRow:
    """Return a client's row with defaults."""
    return ClientRow(fingerprint, name, generation, NOT_AFTER)


@given(ROWS)
def test_what_is_rendered_reads_back_the_same(rows: list[Row]) -> None:
    """A table's source gives back its rows in order."""
    assert parse_source(render_source(rows)) == rows


@given(st.lists(st.builds(client, st.sampled_from([FINGERPRINT, OTHER]), st.just("alice"), st.integers(1, 5))))
def test_the_order_of_declaration_makes_no_difference(clients: list[ClientRow]) -> None:
    """The same clients give the same rows, whatever their order."""
    assert client_rows(clients) == client_rows(reversed(clients))


def test_rows_say_whose_they_are_in_order_of_name_and_generation() -> None:
    """A reader sees client, generation and the UTC date of its end beside the fingerprint."""
    zone = timezone(timedelta(hours=14))
    late = ClientRow(":".join(["EF"] * 32), "bob", 1, datetime(2027, 2, 2, 5, tzinfo=zone))
    assert client_rows([late, client(OTHER, generation=2), client()]) == (
        Row(FINGERPRINT, "alice generation=1 not_after=2027-02-01"),
        Row(OTHER, "alice generation=2 not_after=2027-02-01"),
        Row(late.fingerprint_sha256, "bob generation=1 not_after=2027-02-01"),
    )


def test_a_client_without_generations_stands_before_those_with_them() -> None:
    """One from elsewhere has none; of two rows of one name it is always the first."""
    foreign = ClientRow(":".join(["EF"] * 32), "bob")
    numbered = [ClientRow(":".join([pair] * 32), "bob", number, NOT_AFTER) for number, pair in ((1, "AB"), (2, "AA"))]
    for order in ([foreign, *numbered], [*reversed(numbered), foreign]):
        assert [row.key[:2] for row in client_rows(order)] == ["EF", "AB", "AA"]


def test_a_table_never_has_one_fingerprint_twice() -> None:
    """Postfix complains about a key that is there twice; who may relay is one row a fingerprint before it is here."""
    with pytest.raises(ConfigError):
        render_source(client_rows([client(), client(generation=2)]))


@pytest.mark.parametrize(
    "clients",
    [
        pytest.param([client(), client(name="bob")], id="one fingerprint for two clients"),
        pytest.param([client(FINGERPRINT.lower())], id="lower case"),
        pytest.param([client(FINGERPRINT.replace(":", ""))], id="no colons"),
        pytest.param([client(f"sha256:{FINGERPRINT}")], id="prefixed"),
        pytest.param([client(FINGERPRINT[:-3])], id="too short"),
        pytest.param([client(name="alice smith")], id="blank in a name"),
        pytest.param([client(name="alice\nBB:CC bob")], id="line break in a name"),
        pytest.param([client(name="alice#1")], id="hash in a name"),
        pytest.param([client(name="")], id="no name"),
        pytest.param([client(generation=0)], id="generation 0"),
    ],
)
def test_a_client_that_would_not_match_or_mislead_is_one_problem(clients: list[ClientRow]) -> None:
    """Postfix would deny such a client without a word, or let in more than is declared."""
    assert len(problems_of_client_rows(clients)) == 1
    with pytest.raises(ConfigError):
        client_rows(clients)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([Row("a", "1"), Row("A", "2")], id="one key twice, letter case folded"),
        pytest.param([Row("", "1")], id="no key"),
        pytest.param([Row("a b", "1")], id="blank in a key"),
        pytest.param([Row("#a", "1")], id="comment"),
        pytest.param([Row('"a"', "1")], id="quoted key"),
        pytest.param([Row("a", " ")], id="no value"),
        pytest.param([Row("a", "1\nb 2")], id="line break in a value"),
    ],
)
def test_a_row_that_postfix_would_misread_is_one_problem(rows: list[Row]) -> None:
    """Postfix only warns about such rows, or says nothing."""
    assert len(problems_of_rows(rows)) == 1
    with pytest.raises(ConfigError):
        render_source(rows)


def test_sources_of_others_are_read_as_postmap_reads_them() -> None:
    """Continuations, remarks, tabs and CRLF are understood; a key without a value is no row."""
    text = "# remark\r\na\t1\r\n  and more\r\n\r\nlonely\nb   2"
    assert parse_source(text) == [Row("a", "1 and more"), Row("b", "2")]
