"""Plain values and the one marker for what a preview cannot know."""

import pytest

from postseal_core.values import UNKNOWN, Path, contains_unknown, is_unknown, value_at

PROPERTIES = {"accepted": [{"retire_at": "2026-06-01"}, {"retire_at": UNKNOWN}], "n": 0, "": {"x": "named by nothing"}}


def test_an_unknown_value_has_no_truth() -> None:
    """A decision that rests on an unknown value fails at once instead of going one way."""
    with pytest.raises(TypeError, match="test it with is_unknown first"):
        bool(UNKNOWN)
    assert repr(UNKNOWN) == "UNKNOWN"


@pytest.mark.parametrize(
    ("value", "is_it", "has_it"),
    [
        (UNKNOWN, True, True),
        ("", False, False),
        (None, False, False),
        ("UNKNOWN", False, False),
        ([1, UNKNOWN], False, True),
        (("a", UNKNOWN), False, True),
        ({"a": {"b": [UNKNOWN]}}, False, True),
        ({"a": {"b": ["x"]}}, False, False),
    ],
)
def test_unknown_is_told_apart_from_containing_something_unknown(value: object, *, is_it: bool, has_it: bool) -> None:
    """The value itself and what is in it are two questions."""
    assert is_unknown(value) is is_it
    assert contains_unknown(value) is has_it


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), PROPERTIES),
        (("n",), 0),
        (("accepted", 0, "retire_at"), "2026-06-01"),
        (("accepted", 1, "retire_at"), UNKNOWN),
        (("", "x"), "named by nothing"),
        (("missing",), None),
        (("accepted", 2), None),
        (("accepted", "retire_at"), None),
        (("n", 0), None),
        (("n", "x"), None),
    ],
)
def test_a_value_is_found_at_its_path(path: Path, expected: object) -> None:
    """A path that leads nowhere, past the end of a list or through a leaf, finds None."""
    assert value_at(PROPERTIES, path) == expected
