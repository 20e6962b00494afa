"""Comparing old with new inputs, leaf by leaf."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal_core.plugin.diff import Change, compare, member_of, without_told
from postseal_core.values import UNKNOWN

ADD, DELETE, UPDATE = Change.ADD, Change.DELETE, Change.UPDATE
LEAVES = st.one_of(st.text(max_size=5), st.integers(), st.just(UNKNOWN))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
PROPERTIES = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Change]]] = {
    "a leaf": ({"n": 1}, {"n": 2}, {"n": UPDATE}),
    "a new member": ({}, {"reason": "x"}, {"reason": ADD}),
    "a lost member": ({"reason": "x"}, {}, {"reason": DELETE}),
    "a whole object is one change": ({}, {"a": {"b": 1, "c": 2}}, {"a": ADD}),
    "a leaf below": ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, {"a.b.c": UPDATE}),
    "a name with a dot": ({"main_cf": {"a.b": 1}}, {"main_cf": {"a.b": 2}}, {'main_cf["a.b"]': UPDATE}),
    "a name with brackets": ({"rows": {"[::1]": 1}}, {"rows": {}}, {'rows["[::1]"]': DELETE}),
    "a name with a quote": ({"rows": {'a"b': 1}}, {"rows": {}}, {'rows["a\\"b"]': DELETE}),
    "a name with a backslash": ({"rows": {"a\\b": 1}}, {"rows": {}}, {'rows["a\\\\b"]': DELETE}),
    "a name with both": ({"rows": {'a\\"b': 1}}, {"rows": {}}, {'rows["a\\\\\\"b"]': DELETE}),
    "a name with blanks": ({"r": {}}, {"r": {"alice generation=1": "x"}}, {'r["alice generation=1"]': ADD}),
    "a name that starts with a digit": ({"r": {"1a": 1}}, {"r": {"1a": 2}}, {'r["1a"]': UPDATE}),
    "a name that ends a line": ({"r": {"a\n": 1}}, {"r": {"a\n": 2}}, {'r["a\n"]': UPDATE}),
    "below such a name": ({"r": {"a b": {"c": 1}}}, {"r": {"a b": {"c": 2}}}, {'r["a b"].c': UPDATE}),
    "such a name at the top": ({"a b": 1}, {"a b": 2}, {'["a b"]': UPDATE}),
    "a list that grows": ({"l": ["a"]}, {"l": ["a", "b", "c"]}, {"l[1]": ADD, "l[2]": ADD}),
    "a list that shrinks": ({"l": ["a", "b"]}, {"l": ["a"]}, {"l[1]": DELETE}),
    "a list that moves": ({"l": ["a", "b"]}, {"l": ["b"]}, {"l[0]": UPDATE, "l[1]": DELETE}),
    "an object in a list": ({"l": [{"x": 1}]}, {"l": [{"x": 2}]}, {"l[0].x": UPDATE}),
    "a list in a list": ({"l": [[1], [2]]}, {"l": [[1], [3]]}, {"l[1][0]": UPDATE}),
    "another kind of value": ({"l": ["a"]}, {"l": {"0": "a"}}, {"l": UPDATE}),
    "unknown against known": ({"content": "sha256:1"}, {"content": UNKNOWN}, {"content": UPDATE}),
    "unknown against an object": ({"content": {"a": 1}}, {"content": UNKNOWN}, {"content": UPDATE}),
    "unknown below": ({"c": {"a": 1, "b": 2}}, {"c": {"a": UNKNOWN, "b": 2}}, {"c.a": UPDATE}),
}


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES.keys())
def test_each_changed_leaf_has_its_path_and_its_kind(
    old: dict[str, Any], new: dict[str, Any], expected: dict[str, Change]
) -> None:
    """Paths read as the engine writes them: members by dot or quoted in brackets, items by position."""
    assert compare(old, new) == expected


@given(PROPERTIES)
def test_what_stays_the_same_is_no_change(properties: dict[str, Any]) -> None:
    """Inputs compared with themselves differ nowhere."""
    assert compare(properties, properties) == {}


@given(PROPERTIES, PROPERTIES)
def test_there_is_a_change_exactly_where_something_differs(old: dict[str, Any], new: dict[str, Any]) -> None:
    """No difference is overlooked and none is invented; the way back shows the same paths, additions as deletions."""
    changes = compare(old, new)
    assert bool(changes) == (old != new)
    turned = {ADD: DELETE, DELETE: ADD, UPDATE: UPDATE}
    assert compare(new, old) == {path: turned[change] for path, change in changes.items()}


@pytest.mark.parametrize(
    ("path", "member"),
    [("reason", "reason"), ("entries[0].name", "entries"), ("main_cf.x[0]", "main_cf"), ('rows["a.b"]', "rows")],
)
def test_a_path_begins_with_the_member_it_is_in(path: str, member: str) -> None:
    """Whatever stands behind it."""
    assert member_of(path) == member


def test_data_is_not_shown_where_its_lines_tell_the_change() -> None:
    """A reviewer reads the line; data that changes without one is shown, and nothing else is left out."""
    told_by = {"entries": "revoked", "issuer_slot": "issuer"}
    of_data = {"entries[0].reason": UPDATE, "entries[1]": ADD, "entries_count": UPDATE, "issuer_slot": UPDATE}
    assert without_told({**of_data, 'revoked["alice"]': UPDATE}, told_by) == {
        "entries_count": UPDATE,
        "issuer_slot": UPDATE,
        'revoked["alice"]': UPDATE,
    }
    assert without_told(of_data, told_by) == of_data
