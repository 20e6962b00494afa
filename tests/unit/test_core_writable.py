"""What nobody can have meant is found wherever it stands, and nothing else is."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal_core.values import MUST_BE_KNOWN
from postseal_core.writable import faults_in, is_text

LARGEST = 2**53 - 1
HALF = "holds half of a character, which cannot be written as UTF-8"
TOO_LARGE = "is a number beyond 9,007,199,254,740,991, which the engine cannot hand on"
CIRCLE = "holds itself, or is nested too deeply"
TEXTS = st.text(st.characters(codec="utf-8"))
WRITABLE = st.recursive(
    TEXTS
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-LARGEST, LARGEST),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@dataclass(frozen=True)
class Holder:
    """Something with a field."""

    names: Any = ()


@given(WRITABLE)
def test_what_json_can_hold_has_no_fault(value: object) -> None:
    """Whatever it is for."""
    assert [*faults_in(value)] == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("a\ud800", HALF),
        (LARGEST + 1, TOO_LARGE),
        (-LARGEST - 1, TOO_LARGE),
        (10**5000, TOO_LARGE),
        (pulumi.Output.from_input("x"), MUST_BE_KNOWN),
    ],
    ids=["half a character", "large", "small", "5001 digits", "output"],
)
def test_a_fault_is_found_at_every_depth_with_its_place(wrong: object, message: str) -> None:
    """In lists, mappings and dataclasses."""
    assert [*faults_in(wrong)] == [((), message)]
    assert [*faults_in({"a": ["b", wrong], "c": Holder({"d": (wrong,)})})] == [
        (("a", 1), message),
        (("c", "names", "d", 0), message),
    ]


def test_the_largest_numbers_can_be_written() -> None:
    """Both; one more cannot, as above."""
    assert [*faults_in([LARGEST, -LARGEST])] == []


def test_keys_are_texts() -> None:
    """Each that is none is told at the mapping that it stands in."""
    faults = [*faults_in({"a": {5: "x", b"k": "y", "h\udfff": "z", "good": "w"}})]
    assert [path for path, _ in faults] == [("a",)] * 3
    assert [message.partition(" as a key")[0] for _, message in faults] == ["got 5", "got a bytes", "got 'h\\udfff'"]


def test_what_holds_itself_comes_to_an_end_and_what_stands_twice_is_no_circle() -> None:
    """An alias in YAML gives the same object twice."""
    circle: list[Any] = ["a"]
    circle.append({"again": circle})
    assert [*faults_in(circle)] == [((1, "again"), CIRCLE)]
    shared = ["a"]
    assert [*faults_in([shared, shared])] == []


def test_nesting_has_an_end() -> None:
    """Nobody nests so deeply, and Python would fail without a word for it."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert [message for _, message in faults_in(deep)] == [CIRCLE]


@given(st.text())
def test_a_text_is_one_that_utf_8_can_hold(text: str) -> None:
    """Python's own codec says the same."""
    try:
        text.encode()
    except UnicodeEncodeError:
        assert not is_text(text)
    else:
        assert is_text(text)
