"""The one marker for what a preview cannot know, and places inside plain values."""

import pulumi
import pytest

from postseal_core.errors import PostsealError
from postseal_core.values import UNKNOWN, Path, is_deferred, is_unknown, known, value_at

PROPERTIES = {"accepted": [{"retire_at": "2026-06-01"}, {"retire_at": UNKNOWN}], "n": 0, "": {"x": "named by nothing"}}


def test_an_unknown_value_has_no_truth() -> None:
    """A decision that rests on an unknown value fails at once instead of going one way."""
    with pytest.raises(TypeError, match="test it with is_unknown first"):
        bool(UNKNOWN)
    assert repr(UNKNOWN) == "UNKNOWN"


@pytest.mark.parametrize(
    ("value", "is_it"), [(UNKNOWN, True), ("", False), (None, False), ("UNKNOWN", False), ([UNKNOWN], False)]
)
def test_only_the_marker_itself_is_unknown(value: object, *, is_it: bool) -> None:
    """What holds something unknown is known itself, as a list whose length is."""
    assert is_unknown(value) is is_it


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


@pytest.mark.parametrize("value", [None, "", 0, (), {}, UNKNOWN, [pulumi.ResourceOptions]])
def test_only_an_output_of_a_program_is_known_later(value: object) -> None:
    """An unknown value of the plugin is none: the engine has decided that already."""
    assert not is_deferred(value)
    assert is_deferred(pulumi.Output.from_input("x"))


def test_what_must_be_known_is_returned_or_refused() -> None:
    """Outside of a preview everything is known; where it is not, one sentence says what to do."""
    assert [known(value) for value in ("", 0, None)] == ["", 0, None]
    with pytest.raises(PostsealError, match="run `pulumi up` again"):
        known(UNKNOWN)
