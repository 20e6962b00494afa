"""Which keys of a table are looked up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.deploy.lookups import as_lines, lookups_of

ROWS = st.lists(st.tuples(st.sampled_from("abcABC"), st.sampled_from(["one", "two"])), max_size=8)


def text(rows: list[tuple[str, str]]) -> bytes:
    """Return rows as a table's source."""
    return b"".join(f"{key} {value}\n".encode() for key, value in rows)


@pytest.mark.parametrize(
    ("source", "before", "declared", "added", "withdrawn"),
    [
        (b"", b"", (), (), ()),
        (b"a 1\nb 2\n", b"", (b"a", b"b"), (b"a", b"b"), ()),
        (b"a 1\nb 2\n", b"a 1\nc 3\n", (b"a", b"b"), (b"b",), (b"c",)),
        (b"A 1\n", b"a 1\n", (b"A",), (b"A",), ()),
        (b"a 2\n", b"a 1\n", (b"a",), (b"a",), ()),
        (b"# a 1\n  b 2\n\nc\n", b"", (b"c",), (b"c",), ()),
        (b"a 1\na 2\n", b"", (b"a",), (b"a",), ()),
        (b"", b"# x\n y\nz 1", (), (), (b"z",)),
    ],
)
def test_each_key_is_looked_up_where_it_matters(
    source: bytes, before: bytes, declared: tuple[bytes, ...], added: tuple[bytes, ...], withdrawn: tuple[bytes, ...]
) -> None:
    """Comments, blank lines and lines that go on are no rows; letters are folded for what goes."""
    found = lookups_of(source, before)
    assert (found.declared, found.added, found.withdrawn) == (declared, added, withdrawn)


@given(now=ROWS, before=ROWS)
def test_whoever_was_let_in_and_is_not_any_more_is_asked_for(
    now: list[tuple[str, str]], before: list[tuple[str, str]]
) -> None:
    """Withdrawn are exactly the keys that were there, in any letters, and are declared no more."""
    found = lookups_of(text(now), text(before))
    declared = {key.lower() for key, _ in now}
    assert {key.decode() for key in found.withdrawn} == {key for key, _ in before if key.lower() not in declared}
    assert {key.decode() for key in found.declared} == {key for key, _ in now}
    assert {key.decode() for key in found.added} >= {key for key, _ in now if key not in dict(before)}
    assert set(found.added) <= set(found.declared)


def test_keys_go_to_postmap_one_a_line() -> None:
    """The last one ends its line as well."""
    assert as_lines([b"a", b"b"]) == b"a\nb\n"
    assert as_lines([]) == b""
