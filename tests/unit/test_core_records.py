"""The codec of records: what was written comes back, and all that cannot be read is a problem with its path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal_core.bounds import LONGEST_HOURS
from postseal_core.errors import ConfigError, PostsealError, Problem
from postseal_core.records import (
    INLINE,
    SECRET,
    Upgrade,
    Wire,
    decode,
    decode_some,
    decode_stored,
    encode,
    encode_some,
    is_current,
    secret_names,
    wire_names,
)
from postseal_core.values import MUST_BE_KNOWN, UNKNOWN, Maybe

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Colour(StrEnum):
    """Words, one of which is empty."""

    NONE = ""
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A class with a text form of its own."""

    street: str
    number: int

    def __str__(self) -> str:
        return f"{self.street}/{self.number}"

    @classmethod
    def from_text(cls, text: str) -> "Place":
        """Return the place of a text."""
        street, _, number = text.rpartition("/")
        return cls(street, int(number))


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A rule."""

    least: int

    def fault(self, value: int) -> str:
        """Refuse what is smaller."""
        return "" if value >= self.least else f"got {value}, expected {self.least} or more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A record that stands within others."""

    begin: datetime
    end: Annotated[datetime | None, Wire("until")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A nested record with an inlined one."""

    name: str
    span: Annotated[Span, INLINE]
    number: Maybe[str] = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A record with every kind of field."""

    name: str
    place: Place
    span: Annotated[Span, INLINE]
    leaf: Leaf
    count: Annotated[int, AtLeast(0)] = 7
    is_tall: bool = True
    share: Fraction = Fraction(2, 3)
    colour: Colour = Colour.RED
    note: str | None = None
    planted_at: datetime | None = None
    home: Maybe[Place] = UNKNOWN
    hours: Maybe[int] | None = None
    leaves: Annotated[tuple[Leaf, ...], Wire("leaf_list")] = ()
    colours: tuple[Colour, ...] = (Colour.GREEN,)
    by_name: Mapping[str, Mapping[str, Maybe[Leaf]]] = field(default_factory=dict)
    many: Maybe[tuple[int | None, ...]] = ()
    passphrase: Annotated[Maybe[str] | None, SECRET] = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A complete record."""

    IS_COMPLETE: ClassVar[bool] = True

    name: str
    seen_at: datetime | None
    colour: Colour = Colour.NONE
    place: Place | None = None
    number: Maybe[int] = UNKNOWN
    count: int | None = None
    span: Annotated[Span, INLINE] = Span(begin=NOON)
    leaves: tuple[Leaf, ...] = ()


TEXTS = st.text(max_size=8)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-11, minutes=-30))])
# The years 100 to 3900.
INSTANTS = st.builds(
    lambda seconds, zone: (NOON + timedelta(seconds=seconds)).astimezone(zone),
    st.integers(-60_000_000_000, 60_000_000_000),
    ZONES,
)
WHOLE_NUMBERS = st.integers(-(2**52), 2**52)
PLACES = st.builds(Place, TEXTS, WHOLE_NUMBERS)
SPANS = st.builds(Span, begin=INSTANTS, end=st.none() | INSTANTS)
LEAVES = st.builds(Leaf, name=TEXTS, span=SPANS, number=TEXTS | st.just(UNKNOWN))
TREES = st.builds(
    Tree,
    name=TEXTS,
    place=PLACES,
    span=SPANS,
    leaf=LEAVES,
    count=st.integers(0, 2**52),
    is_tall=st.booleans(),
    share=st.builds(Fraction, st.integers(-(10**30) + 1, 10**30 - 1), st.integers(1, 10**30 - 1)),
    colour=st.sampled_from(Colour),
    note=st.none() | TEXTS,
    planted_at=st.none() | INSTANTS,
    home=PLACES | st.just(UNKNOWN),
    hours=st.none() | WHOLE_NUMBERS | st.just(UNKNOWN),
    leaves=st.lists(LEAVES, max_size=2).map(tuple),
    colours=st.lists(st.sampled_from(Colour), max_size=2).map(tuple),
    by_name=st.dictionaries(TEXTS, st.dictionaries(TEXTS, LEAVES | st.just(UNKNOWN), max_size=2), max_size=2),
    many=st.lists(st.none() | WHOLE_NUMBERS, max_size=3).map(tuple) | st.just(UNKNOWN),
    passphrase=st.none() | TEXTS | st.just(UNKNOWN),
)
WHOLES = st.builds(
    Whole,
    name=TEXTS,
    seen_at=st.none() | INSTANTS,
    colour=st.sampled_from(Colour),
    place=st.none() | PLACES,
    number=WHOLE_NUMBERS | st.just(UNKNOWN),
    count=st.none() | WHOLE_NUMBERS,
    span=SPANS,
    leaves=st.lists(LEAVES, max_size=2).map(tuple),
)

SMALLEST: dict[str, Any] = {
    "name": "oak",
    "place": "elm street/5",
    "begin": "2026-06-01T12:00:00Z",
    "leaf": {"name": "first", "begin": "2026-06-01T12:00:00Z"},
}


def problems_of(kind: type[Any], values: Mapping[str, object], path: str = "") -> dict[str, str]:
    """Return what is wrong with plain values, by path."""
    with pytest.raises(ConfigError) as caught:
        decode(kind, values, path)
    return {problem.path: problem.message for problem in caught.value.problems}


def is_plain(value: object) -> bool:
    """Return whether a value is one that the engine can take."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and is_plain(member) for name, member in value.items())
    if isinstance(value, list):
        return all(item is None or is_plain(item) for item in value)
    return value is UNKNOWN or type(value) in (str, int, bool)


@given(record=TREES | WHOLES)
def test_what_is_written_is_plain_and_reads_back_as_it_was(record: Tree | Whole) -> None:
    """Whatever the fields hold, instants of any zone and the unknown included."""
    plain = encode(record)
    assert is_plain(plain)
    assert decode(type(record), plain) == record
    assert decode_stored(type(record), plain) == record


@given(record=TREES)
def test_some_fields_are_written_and_read_alone(record: Tree) -> None:
    """What is named is there also at its default, unless it is None; nothing else is."""
    names = {"count", "leaf_list", "passphrase", "until", "begin"}
    plain = encode_some(record, names)
    assert {"count", "leaf_list", "begin"} <= plain.keys() <= names
    back, given_names = decode_some(Tree, SMALLEST | plain)
    assert (back.count, back.leaves, back.passphrase, back.span) == (
        record.count,
        record.leaves,
        record.passphrase,
        record.span,
    )
    assert given_names == SMALLEST.keys() | plain.keys()


def test_a_field_at_its_default_is_left_out() -> None:
    """States and previews stay short, and what reads them fills in the same defaults."""
    record = decode(Tree, SMALLEST)
    assert encode(record) == SMALLEST
    assert (record.place, record.leaf.number, record.colours) == (Place("elm street", 5), UNKNOWN, (Colour.GREEN,))


def test_a_complete_record_has_every_field() -> None:
    """What is None is empty text, because the SDK takes an output that is missing for unknown."""
    record = Whole(name="", seen_at=None)
    assert encode(record) == {
        "name": "",
        "seen_at": "",
        "colour": "",
        "place": "",
        "number": UNKNOWN,
        "count": "",
        "begin": "2026-06-01T12:00:00Z",
        "leaves": [],
    }


def test_empty_text_stands_for_none_except_where_a_text_is_expected() -> None:
    """Outputs of a complete record can be handed on; a note that is empty is not a note that is missing."""
    given_plain = SMALLEST | {"note": "", "planted_at": "", "hours": "", "passphrase": ""}
    record = decode(Tree, given_plain)
    assert (record.note, record.planted_at, record.hours, record.passphrase) == ("", None, None, "")
    assert decode(Tree, SMALLEST | {"note": None, "count": None}) == decode(Tree, SMALLEST)


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"name": 5}, "name", "got a whole number, expected a text"),
        ({"count": "5"}, "count", "got a text, expected a whole number"),
        ({"count": True}, "count", "got true or false, expected a whole number"),
        ({"count": 1.5}, "count", "got a number that is not whole, or too large, expected a whole number"),
        ({"count": -1}, "count", "got -1, expected 0 or more"),
        ({"is_tall": 1}, "is_tall", "got a whole number, expected true or false"),
        ({"share": "2/0"}, "share", "got '2/0', expected a fraction, as 2/3"),
        ({"share": "half"}, "share", "got 'half', expected a fraction, as 2/3"),
        ({"colour": "blue"}, "colour", "got 'blue', expected one of: red, green"),
        ({"place": "elm street"}, "place", "got 'elm street', expected the text of a Place"),
        ({"planted_at": "June"}, "planted_at", "got 'June', expected an instant, as 2027-03-01T00:00:00Z"),
        (
            {"planted_at": "2026-06-01T12:00:00"},
            "planted_at",
            "got '2026-06-01T12:00:00', expected an instant, as 2027-03-01T00:00:00Z",
        ),
        ({"note": ["a"]}, "note", "got a list, expected a text"),
        ({"hours": {"a": 1}}, "hours", "got a mapping, expected a whole number"),
        ({"leaf": "first"}, "leaf", "got a text, expected a mapping"),
        ({"leaf_list": "ab"}, "leaf_list", "got a text, expected a list"),
        ({"leaf_list": [SMALLEST["leaf"], 5]}, "leaf_list[1]", "got a whole number, expected a mapping"),
        ({"leaf_list": [{"name": 5, "begin": "2026-06-01T12:00:00Z"}]}, "leaf_list[0].name", "got a whole number, "),
        ({"leaf_list": [{"name": ""}]}, "leaf_list[0].begin", "missing; add it"),
        ({"many": [1, "2"]}, "many[1]", "got a text, expected a whole number"),
        ({"by_name": []}, "by_name", "got a list, expected a mapping"),
        ({"by_name": {"a": {"b c": 5}}}, "by_name.a.b c", "got a whole number, expected a mapping"),
        ({"by_name": {"a": {"b": {"name": ""}}}}, "by_name.a.b.begin", "missing; add it"),
        ({"until": 5}, "until", "got a whole number, expected an instant"),
        ({"end": "2026-06-01T12:00:00Z"}, "end", "unknown key; expected one of: begin, by_name, colour,"),
        ({"cuont": 5}, "cuont", "unknown key; did you mean count?"),
        ({"leaf": {**SMALLEST["leaf"], "nmae": ""}}, "leaf.nmae", "unknown key; did you mean name?"),
        ({"colours": [None]}, "colours[0]", "got nothing, expected one of: red, green"),
        ({"name": "x" * 80, "colour": "x" * 80}, "colour", f"got '{'x' * 59}..., expected one of"),
        ({"name": UNKNOWN}, "name", MUST_BE_KNOWN),
        ({"count": UNKNOWN}, "count", MUST_BE_KNOWN),
        ({"leaf_list": UNKNOWN}, "leaf_list", MUST_BE_KNOWN),
        ({"leaf_list": [UNKNOWN]}, "leaf_list[0]", MUST_BE_KNOWN),
        ({"by_name": {"a": UNKNOWN}}, "by_name.a", MUST_BE_KNOWN),
        ({"leaf": {"name": UNKNOWN, "begin": UNKNOWN}}, "leaf.begin", MUST_BE_KNOWN),
    ],
)
def test_what_cannot_be_read_says_where_what_was_found_and_what_is_expected(
    changes: dict[str, Any], path: str, message: str
) -> None:
    """The path is that of the wire, through lists, mappings and inlined records."""
    found = problems_of(Tree, SMALLEST | changes)
    assert found[path].startswith(message)
    assert problems_of(Tree, SMALLEST | changes, "trees.oak").keys() == {f"trees.oak.{each}" for each in found}


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """One run shows all mistakes; a rule is not asked of what has the wrong type already."""
    found = problems_of(
        Tree,
        {
            "nmae": "oak",
            "place": UNKNOWN,
            "begin": 5,
            "until": "later",
            "leaf": {"name": 1, "begin": 2, "x": 3},
            "count": "many",
            "leaf_list": [{}, "leaf"],
            "many": [True, 1, "x"],
        },
    )
    assert list(found) == [
        "nmae",
        "name",
        "place",
        "begin",
        "until",
        "leaf.x",
        "leaf.name",
        "leaf.begin",
        "count",
        "leaf_list[0].name",
        "leaf_list[0].begin",
        "leaf_list[1]",
        "many[0]",
        "many[2]",
    ]


def test_what_is_no_mapping_is_one_problem() -> None:
    """With the path that the caller gave it."""
    assert problems_of(Tree, ["oak"], "trees.oak") == {"trees.oak": "got a list, expected a mapping"}  # type: ignore[arg-type]
    assert problems_of(Tree, UNKNOWN) == {"": MUST_BE_KNOWN}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """A record of secrets, some of which have a form."""

    passphrase: Annotated[str, SECRET] = ""
    keys: Annotated[Mapping[str, Maybe[str]], SECRET] = field(default_factory=dict)
    day: Annotated[datetime | None, SECRET] = None
    word: Annotated[Colour, SECRET] = Colour.RED
    plain: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A record with secrets further inside."""

    safe: Annotated[Safe, INLINE]
    safes: tuple[Safe, ...] = ()
    by_name: Mapping[str, Safe] = field(default_factory=dict)
    open: tuple[Leaf, ...] = ()


@pytest.mark.parametrize("value", ["open sesame", ["open sesame"], {"a": ["open sesame"]}, 170417041704])
def test_no_message_quotes_a_secret(value: object) -> None:
    """Whether of the wrong type or of the wrong form, what is expected is said and the value is not."""
    with pytest.raises(ConfigError) as caught:
        decode(Safe, {"passphrase": 5, "keys": {"a": value, "b": 6}, "day": value, "word": value, "plain": "text"})
    assert {"passphrase", "keys.b", "day", "word", "plain"} <= {problem.path for problem in caught.value.problems}
    assert "sesame" not in str(caught.value)
    assert "1704" not in str(caught.value)
    assert "keys.b: got a whole number, expected a text" in str(caught.value)


def test_an_unknown_secret_is_told_as_any_other_value() -> None:
    """The sentence holds nothing of it."""
    assert problems_of(Safe, {"passphrase": UNKNOWN, "word": UNKNOWN}) == dict.fromkeys(
        ("passphrase", "word"), MUST_BE_KNOWN
    )


def test_whatever_holds_a_secret_is_secret_by_its_name_on_the_wire() -> None:
    """The engine stores top-level values encrypted: an inlined secret is one, and all of a list that has one."""
    assert secret_names(Safe) == {"passphrase", "keys", "day", "word"}
    assert secret_names(Vault) == secret_names(Safe) | {"safes", "by_name"}
    assert secret_names(Tree) == {"passphrase"}
    assert secret_names(Whole) == frozenset()


def test_names_on_the_wire_are_those_of_inlined_records_too() -> None:
    """And those that a mark gives instead of the field's own."""
    assert wire_names(Leaf) == {"name", "begin", "until", "number"}


class Output:
    """What the SDK has for a value that is known later."""

    def __getattr__(self, name: str) -> "Output":
        return self

    def __call__(self) -> None:
        """Fail: every attribute is an output, too."""
        raise AssertionError("an output must not be used")


def test_outputs_of_a_program_stay_what_they_are() -> None:
    """Whatever stands in place of a value, of an item or of a member is handed to the engine."""
    later: Any = Output()
    leaf = Leaf(name=later, span=Span(begin=later, end=later), number=later)
    tree = Tree(
        name=later,
        place=later,
        span=Span(begin=later),
        leaf=leaf,
        count=later,
        colour=later,
        leaves=(later, leaf),
        by_name={"a": later, "b": {"c": later}},
        passphrase=later,
    )
    plain = encode(tree)
    in_leaf = {"name", "begin", "until", "number"}
    assert plain.keys() == {
        *("name", "place", "begin", "leaf", "count", "colour", "leaf_list", "by_name", "passphrase")
    }
    assert [name for name, value in plain.items() if value is later] == [
        *("name", "place", "begin", "count", "colour", "passphrase")
    ]
    inner: Any = plain["leaf"]
    assert inner.keys() == in_leaf
    assert all(value is later for value in inner.values())
    items: Any = plain["leaf_list"]
    assert items[0] is later
    assert items[1].keys() == in_leaf
    members: Any = plain["by_name"]
    assert members["a"] is later
    assert members["b"]["c"] is later


def _with_hours(plain: Mapping[str, object]) -> dict[str, object]:
    days = plain["days"]
    assert isinstance(days, int)
    return {"name": plain["name"], "hours": 24 * days}


def _with_name(plain: Mapping[str, object]) -> dict[str, object]:
    return {**plain, "name": f"{plain['name']}!"}


@dataclass(frozen=True, slots=True)
class Grown:
    """The third version of a record."""

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (_with_hours, _with_name)

    name: str
    hours: int = 24


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"name": "a", "days": 2}, Grown("a!", 48)),
        ({"record_version": 1, "name": "a", "days": 1}, Grown("a!")),
        ({"record_version": 2, "name": "a", "hours": 5}, Grown("a!", 5)),
        ({"record_version": 3, "name": "a"}, Grown("a")),
    ],
)
def test_what_an_earlier_version_stored_is_read(stored: dict[str, object], expected: Grown) -> None:
    """One step after the other, from the version it was written in; only the last is current."""
    before = dict(stored)
    assert decode_stored(Grown, stored) == expected
    assert stored == before
    assert is_current(Grown, stored) == (stored.get("record_version") == 3)
    assert encode(expected)["record_version"] == 3
    assert decode_stored(Grown, encode(expected)) == expected
    assert is_current(Grown, encode(expected))


def test_a_record_without_upgrades_is_of_the_first_version() -> None:
    """It says nothing of versions."""
    assert is_current(Tree, SMALLEST)
    assert "record_version" not in encode(decode(Tree, SMALLEST))


@pytest.mark.parametrize("version", [0, 4, -1, "3", True, 3.5])
def test_what_a_newer_version_stored_is_refused(version: object) -> None:
    """One sentence says which versions are known and which plugin can read it."""
    with pytest.raises(PostsealError, match="knows 3: use the plugin that wrote it, or a newer one") as caught:
        decode_stored(Grown, {"record_version": version, "name": "a"})
    assert "\n" not in str(caught.value)


def test_a_damaged_state_is_one_sentence() -> None:
    """All that is wrong stands in it, and it is no mistake of what is declared."""
    with pytest.raises(
        PostsealError, match=r"Grown .*nmae: unknown key.*; name: missing.*; hours: got a text"
    ) as caught:
        decode_stored(Grown, {"record_version": 3, "nmae": "a", "hours": "5"})
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, ConfigError)


def test_a_program_cannot_hand_in_a_version() -> None:
    """Only what is stored has one."""
    assert problems_of(Grown, {"record_version": 3, "name": "a"})["record_version"].startswith("unknown key")


class Plain:
    """No record."""


@dataclass(frozen=True)
class Twice:
    """Two fields of one name."""

    begin: str
    span: Annotated[Span, INLINE]


@dataclass(frozen=True)
class Either:
    """Two types for one field."""

    value: int | str


@dataclass(frozen=True)
class Lossy:
    """None would come back as 5."""

    value: int | None = 5


@dataclass(frozen=True)
class NoDefault:
    """None would come back as a missing field."""

    value: Maybe[int] | None


@dataclass(frozen=True)
class Ambiguous:
    """None would come back as None, and so would empty text."""

    IS_COMPLETE: ClassVar[bool] = True

    value: str | None = None


@dataclass(frozen=True)
class Pair:
    """A tuple that is no list."""

    value: tuple[int, int]


@dataclass(frozen=True)
class Foreign:
    """A type that has no plain form."""

    value: bytes


@dataclass(frozen=True)
class Quoting:
    """A rule for a secret."""

    value: Annotated[int, SECRET, AtLeast(3)]


@pytest.mark.parametrize(
    "kind", [Plain, Twice, Either, Lossy, NoDefault, Ambiguous, Pair, Foreign, Quoting], ids=lambda kind: kind.__name__
)
def test_a_class_that_would_not_come_back_as_it_was_is_no_record(kind: type[object]) -> None:
    """Whoever writes one learns it at its first use, not from a state that cannot be read."""
    with pytest.raises(TypeError):
        decode(kind, {"value": 5})


def test_problems_are_put_below_a_path() -> None:
    """A name follows a dot, a position follows at once, and what is wrong with the whole has the path itself."""
    paths = [Problem(path, "x").below("hosts.mx1").path for path in ("", "name", "[0]", "[0].name")]
    assert paths == ["hosts.mx1", "hosts.mx1.name", "hosts.mx1[0]", "hosts.mx1[0].name"]


@dataclass(frozen=True, slots=True)
class Lasting:
    """Two numbers, one of which dates are computed with."""

    overlap_hours: int = 0
    rows: int = 0


@pytest.mark.parametrize(
    ("name", "value", "is_good"),
    [
        ("overlap_hours", LONGEST_HOURS, True),
        ("overlap_hours", LONGEST_HOURS + 1, False),
        ("rows", LONGEST_HOURS + 1, True),
    ],
)
def test_hours_are_as_many_as_dates_can_be_computed_with(name: str, value: int, *, is_good: bool) -> None:
    """A number of another kind may be larger."""
    if is_good:
        assert getattr(decode(Lasting, {name: value}), name) == value
    else:
        with pytest.raises(ConfigError, match=name):
            decode(Lasting, {name: value})
