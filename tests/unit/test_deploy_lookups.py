"""Which keys of a table are looked up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.deploy import lookups
from postfix.deploy.lookups import as_lines, keys_of, lookups_of

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
    assert (keys_of(source), found.added, found.withdrawn) == (declared, added, withdrawn)


@given(now=ROWS, before=ROWS)
def test_whoever_was_let_in_and_is_not_any_more_is_asked_for(
    now: list[tuple[str, str]], before: list[tuple[str, str]]
) -> None:
    """Withdrawn are exactly the keys that were there, in any letters, and are declared no more."""
    found = lookups_of(text(now), text(before))
    declared = {key.lower() for key, _ in now}
    assert {key.decode() for key in found.withdrawn} == {key for key, _ in before if key.lower() not in declared}
    assert {key.decode() for key in found.added} >= {key for key, _ in now if key not in dict(before)}
    assert set(found.added) <= set(keys_of(text(now)))


@pytest.mark.parametrize("gone", [1, 16, 17, 40])
@pytest.mark.parametrize("blank", [" ", "\t", "\n"])
def test_of_many_keys_that_went_those_in_other_letters_stay(gone: int, blank: str) -> None:
    """However many there are, whatever ends a key, and where another key begins with the same letters."""
    before = b"".join(f"k{number:02} x\n".encode() for number in range(gone))
    now = f"K00{blank}y\nk010 z\n".encode()
    assert lookups_of(now, before).withdrawn == tuple(f"k{number:02}".encode() for number in range(1, gone))


def test_keys_go_to_postmap_one_a_line() -> None:
    """The last one ends its line as well."""
    assert as_lines([b"a", b"b"]) == b"a\nb\n"
    assert as_lines([]) == b""


def index_of(source: bytes) -> dict[str, str]:
    """Return what postmap(1) makes of rows: keys in small letters."""
    return {line.split()[0].lower(): line.split()[1] for line in source.decode().splitlines()}


UNIQUE_ROWS = st.lists(
    st.tuples(st.sampled_from("abcdefABCDEF"), st.sampled_from(["one", "two"])),
    max_size=6,
    unique_by=lambda row: row[0].lower(),
)


@given(now=UNIQUE_ROWS, before=UNIQUE_ROWS)
def test_an_index_that_is_brought_up_to_date_is_the_one_that_would_be_made_anew(
    now: list[tuple[str, str]], before: list[tuple[str, str]]
) -> None:
    """Without the withdrawn keys and with the rows that are given, those before become those now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookups, "_LARGE_BYTES", 0)
        patch.setattr(lookups, "_MOST_CHANGED", 1)
        found = lookups_of(text(now), text(before))
    index = index_of(text(before))
    for key in found.withdrawn:
        del index[key.decode().lower()]
    index |= index_of(found.rows)
    assert index == index_of(text(now)) or not found.rows
    assert bool(found.rows) == bool(found.added)


LINES = st.lists(st.sampled_from(["a 1", "a 2", "b 1", "A 1", "# a", "", " goes on", "bb 1", "c"]), max_size=12)


@given(head=LINES, tail=LINES, now=LINES, before=LINES, ended=st.booleans())
def test_lines_that_both_begin_and_end_with_need_no_comparison(
    head: list[str], tail: list[str], now: list[str], before: list[str], *, ended: bool
) -> None:
    """The same lines are left as where each is looked for in the whole other text, also if many are."""
    one, other = ("\n".join([*head, *lines, *tail]).encode() + b"\n" * ended for lines in (now, before))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookups, "_STEP", 4)
        for few in (0, 3):
            patch.setattr(lookups, "_FEW", few)
            found = lookups_of(one, other)
            new = b"\n".join(line for line in one.split(b"\n") if line not in other.split(b"\n"))
            gone = b"\n".join(line for line in other.split(b"\n") if line not in one.split(b"\n"))
            declared = {key.lower() for key in keys_of(one)}
            assert found.added == keys_of(new)
            assert found.withdrawn == tuple(key for key in keys_of(gone) if key.lower() not in declared)


LARGE = b"".join(b"k%06d client\n" % number for number in range(20_000))


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        (LARGE + b"new row\n", b"new row\n"),
        (LARGE.replace(b"k000007 client", b"k000007 other"), b"k000007 other\n"),
        (LARGE + b"new\n", b""),
        (LARGE + b"K000007 client\n", b""),
        (LARGE + b"new row\nnew again\n", b""),
        (LARGE + b"new row\n  goes on\n", b""),
        (LARGE.replace(b"k000007 client", b"k000007\tclient\n\tgoes on") + b"new row\n", b""),
        (LARGE + b"# new row\n", b""),
        (LARGE.replace(b"client", b"other"), b""),
        (LARGE[: len(LARGE) // 2], b""),
        (LARGE, b""),
    ],
)
def test_an_index_is_brought_up_to_date_only_by_plain_rows_that_nobody_else_has(source: bytes, rows: bytes) -> None:
    """What postmap would have to tell is left to it: a row without a value, one key twice, a line that goes on."""
    assert lookups_of(source, LARGE).rows == rows


def test_an_index_is_made_anew_where_a_row_that_went_on_does_so_no_more() -> None:
    """The line that is left of it is as before, so that its value would stay what it was."""
    before = LARGE.replace(b"k000007 client\n", b"k000007 client\n  goes on\n")
    assert lookups_of(LARGE + b"new row\n", before).rows == b""


def test_a_small_index_is_made_anew() -> None:
    """It takes no time."""
    assert lookups_of(b"a 1\nb 2\n" * 20, b"a 1\n" * 20).rows == b""
