"""Many records in one text: what was packed comes back, and what is damaged is one sentence."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal_core import packing
from postseal_core.errors import PostsealError
from postseal_core.packing import (
    json_line,
    lines_of,
    pack,
    pack_lines,
    pack_records,
    parts_of_lines,
    record_line,
    records_of_lines,
    unpack,
    unpack_lines,
    unpack_records,
)
from postseal_core.records import INLINE, Plain, Upgrade
from postseal_core.values import UNKNOWN, Maybe


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What may be unknown."""

    serial_number: Maybe[str] = UNKNOWN
    ends_at: Maybe[datetime] = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row with what may be unknown, also further inside."""

    name: str
    known: Annotated[Known, INLINE]
    earlier: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A part of a row."""

    name: str


def _named(plain: Plain) -> Plain:
    """Turn version 1, in which the name was a `title`, into version 2."""
    return {("name" if name == "title" else name): value for name, value in plain.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterRow:
    """A row as a later version of this package writes it."""

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (_named,)

    name: str
    count: int = 0


KNOWN = st.builds(
    Known,
    serial_number=st.text(max_size=5) | st.just(UNKNOWN),
    ends_at=st.just(datetime(2026, 6, 1, tzinfo=UTC)) | st.just(UNKNOWN),
)
# Texts include what other libraries take for the end of a line.
ROWS = st.builds(
    Row,
    name=st.text(max_size=8) | st.sampled_from(["a\nb", "a\u2028b", "a\x85b", "\r", ""]),
    known=KNOWN,
    earlier=st.lists(KNOWN, max_size=2).map(tuple),
)


@given(rows=st.lists(ROWS, max_size=5))
def test_records_come_back_in_their_order(rows: list[Row]) -> None:
    """What is unknown is left out and is unknown again; each record is one line."""
    packed = pack_records(rows)
    assert list(unpack_records(Row, packed)) == rows
    lines = unpack_lines(packed)
    assert lines == [record_line(row) for row in rows] == lines_of(unpack(packed))
    assert pack_lines(lines) == packed
    assert list(records_of_lines(Row, lines)) == rows
    assert [each.name for each in parts_of_lines(Name, lines)] == [row.name for row in rows]
    assert bool(packed) == bool(rows)


def test_parts_of_an_older_row_are_those_of_the_row_brought_up_to_date() -> None:
    """Whether the version stands in the line or, as of the first, does not; a part has no version of its own."""
    lines = ['{"title":"a","count":1}', '{"record_version":1,"title":"b"}', record_line(LaterRow(name="c", count=3))]
    assert [each.name for each in records_of_lines(LaterRow, lines)] == ["a", "b", "c"]
    assert list(parts_of_lines(Name, lines, LaterRow)) == [Name(name="a"), Name(name="b"), Name(name="c")]


@pytest.mark.parametrize("whole", [None, Row, LaterRow])
def test_parts_of_a_row_of_an_unknown_version_are_refused(whole: type[Any] | None) -> None:
    """Its fields may mean something else by now."""
    with pytest.raises(PostsealError, match="was written by version 3"):
        list(parts_of_lines(Name, ['{"record_version":3,"name":"a"}'], whole))


def test_more_records_than_are_parsed_at_once_come_back() -> None:
    """None is lost where one portion ends and the next begins."""
    rows = [Row(name=str(number), known=Known()) for number in range(1201)]
    assert list(unpack_records(Row, pack_records(rows))) == rows


@given(text=st.text())
def test_a_text_comes_back(text: str) -> None:
    """Whatever stands in it; the packed text is plain ASCII."""
    packed = pack(text)
    assert unpack(packed) == text
    assert packed.isascii()


@given(plain=st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4) | st.booleans(), max_size=4))
def test_equal_values_give_equal_lines(plain: dict[str, Any]) -> None:
    """In whatever order the names were; a line has no end of line inside."""
    line = json_line(plain)
    assert line == json_line(dict(reversed(plain.items())))
    assert json.loads(line) == plain
    assert lines_of(line) == [line]


def test_a_name_comes_before_a_later_one_and_no_blank_stands_between() -> None:
    """The line is what is compared and hashed: its form is fixed."""
    assert json_line({"b": ["x", 1], "a": "ä\n"}) == '{"a":"ä\\n","b":["x",1]}'


def packed_bytes(data: bytes) -> str:
    """Return bytes as a packed text."""
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    "damaged",
    [
        "no base64!",
        "äöü",
        base64.b64encode(b"no zlib").decode(),
        packed_bytes(b"{}" * 100)[:12],
        packed_bytes(b"\xff\xfe"),
    ],
    ids=["base64", "ascii", "zlib", "cut", "utf-8"],
)
@pytest.mark.parametrize("read", [unpack, unpack_lines, lambda packed: list(unpack_records(Row, packed))])
def test_a_damaged_text_is_one_sentence(read: Callable[[str], object], damaged: str) -> None:
    """It says what to do, and holds nothing of the content."""
    with pytest.raises(PostsealError, match=r"^packed records cannot be read .*; run `pulumi up` to write") as caught:
        read(damaged)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{not json", "are no JSON"),
        ('{"name":"a"}\n\n{"name":"b"}', "are no JSON"),
        ('["name"]', "no JSON object"),
        ('{"name":5}', "name: got a whole number, expected a text"),
        ('{"name":"a","nmae":"b"}', "nmae: unknown key"),
        ('{"record_version":2,"name":"a"}', "was written by version 2"),
    ],
)
def test_lines_that_are_no_records_are_one_sentence(text: str, said: str) -> None:
    """Whether of another version, edited by hand or cut."""
    with pytest.raises(PostsealError, match=said) as caught:
        list(unpack_records(Row, pack(text)))
    assert "\n" not in str(caught.value)


def test_a_text_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short packed text may hold gigabytes; reading stops at a limit."""
    monkeypatch.setattr(packing, "_MAXIMUM_BYTES", 1000)
    assert len(unpack(pack("x" * 1000))) == 1000
    with pytest.raises(PostsealError, match="it holds more than 256 MiB"):
        unpack(pack("x" * 1001))


def test_the_largest_text_has_256_mib() -> None:
    """What the documentation of `unpack` says; one byte more is refused."""
    assert packing._MAXIMUM_BYTES == 2**28


@pytest.mark.parametrize("foreign", ["!", "\n", " ", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_character_that_does_not_belong_there_is_damage(foreign: str) -> None:
    """A reader that leaves it out would read something else than was written."""
    packed = pack("text")
    for place in (0, 5, len(packed)):
        with pytest.raises(PostsealError, match="packed records cannot be read"):
            unpack(packed[:place] + foreign + packed[place:])
