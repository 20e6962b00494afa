"""Values on their way between the engine's Struct and plain Python."""

from typing import Any

import pytest
from google.protobuf.struct_pb2 import NullValue, Struct
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from postseal_core.plugin.codec import (
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_SENTINEL,
    Decoded,
    from_struct,
    to_struct,
)
from postseal_core.plugin.handler import CheckRequest
from postseal_core.values import UNKNOWN, Path, is_unknown

EXACT_INTEGERS = st.integers(-(2**53), 2**53)
FRACTIONS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer())
TEXTS = st.text().filter(lambda text: text != UNKNOWN_SENTINEL)
NAMES = st.text(max_size=8).filter(lambda name: name != SIGNATURE_KEY)


class Wrapped:
    """Marks a value of a drawn tree as a secret."""

    def __init__(self, value: object) -> None:
        self.value = value


LEAVES = st.one_of(TEXTS, EXACT_INTEGERS, FRACTIONS, st.booleans(), st.just(UNKNOWN))
TREES = st.recursive(
    LEAVES | LEAVES.map(Wrapped),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(NAMES, inner, max_size=4),
        st.dictionaries(NAMES, inner, max_size=4).map(Wrapped),
        st.lists(inner, max_size=4).map(Wrapped),
    ),
    max_leaves=20,
)


def taken_apart(tree: object, path: Path = ()) -> tuple[Any, set[Path]]:
    """Return the plain value of a drawn tree, and where its known secrets stand."""
    if isinstance(tree, Wrapped):
        plain, paths = taken_apart(tree.value, path)
        return plain, paths if is_unknown(plain) else paths | {path}
    if isinstance(tree, dict):
        members = {name: taken_apart(member, (*path, name)) for name, member in tree.items()}
        return {name: plain for name, (plain, _) in members.items()}, set().union(*(p for _, p in members.values()))
    if isinstance(tree, list):
        items = [taken_apart(item, (*path, index)) for index, item in enumerate(tree)]
        return [plain for plain, _ in items], set().union(*(paths for _, paths in items))
    return tree, set()


def test_the_markers_are_those_of_the_sdk() -> None:
    """The three constants of the wire format are the ones that the SDK of this version uses."""
    assert rpc._special_sig_key == SIGNATURE_KEY
    assert rpc._special_secret_sig == SECRET_SIGNATURE
    assert UNKNOWN_SENTINEL == rpc.UNKNOWN


@given(st.dictionaries(NAMES, TREES, max_size=5))
def test_values_secrets_and_unknowns_survive_the_way_to_the_engine_and_back(tree: dict[str, Any]) -> None:
    """Whatever is nested how deep, decoding what was encoded gives the same values and the same secrets."""
    plain, paths = taken_apart(tree)
    assert from_struct(to_struct(plain, paths)) == Decoded(plain, frozenset(paths))


@given(EXACT_INTEGERS)
def test_whole_numbers_stay_whole(number: int) -> None:
    """The wire knows floats only; a count that comes back is an int again, inside a list as well."""
    back = from_struct(to_struct({"hours": number, "list": [number]})).properties
    assert [type(back["hours"]), type(back["list"][0])] == [int, int]


@pytest.mark.parametrize("number", [2.0**53 + 2, -(2.0**53) - 2, 1e300, float("inf")])
def test_a_number_that_may_have_been_rounded_is_not_taken_for_whole(number: float) -> None:
    """A program's 9007199254740993 arrives as another number: whoever reads it as whole refuses it."""
    struct = Struct()
    struct.update({"number": number})
    assert from_struct(struct).properties == {"number": number}
    assert type(from_struct(struct).properties["number"]) is float


@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_does_not_become_a_number(*, value: bool) -> None:
    """A boolean is a boolean on the wire and back."""
    assert from_struct(to_struct({"confirm": value})).properties["confirm"] is value


def test_a_secret_reads_as_the_sdk_reads_it() -> None:
    """What this codec wraps, the SDK takes for a secret; what the SDK's markers wrap, this codec unwraps."""
    struct = to_struct({"outer": [{"passphrase": "open sesame"}]}, [("outer", 0, "passphrase")])
    theirs = rpc.deserialize_properties(struct, keep_unknowns=True)
    assert rpc.is_rpc_secret(theirs["outer"])
    assert rpc.unwrap_rpc_secret(theirs["outer"]) == [{"passphrase": "open sesame"}]
    ours = Struct()
    ours.update({"key": {rpc._special_sig_key: rpc._special_secret_sig, "value": {"pem": "x"}}})
    assert from_struct(ours) == Decoded({"key": {"pem": "x"}}, frozenset({("key",)}))


def test_a_secret_that_is_unknown_goes_out_as_unknown() -> None:
    """The engine takes the bare marker for unknown, and stores nothing of it."""
    struct = to_struct({"passphrase": UNKNOWN}, [("passphrase",)])
    assert struct.fields["passphrase"].string_value == rpc.UNKNOWN


def test_an_object_with_another_signature_is_no_secret() -> None:
    """Only the signature of a secret is unwrapped; other special objects stay the members that they are."""
    struct = Struct()
    struct.update({"asset": {rpc._special_sig_key: rpc._special_asset_sig, "text": "x"}})
    assert from_struct(struct) == Decoded({"asset": {SIGNATURE_KEY: rpc._special_asset_sig, "text": "x"}}, frozenset())


def test_no_value_shows_in_the_repr_of_properties() -> None:
    """Properties hold keys and passphrases on their way; what ends up in a log or a traceback says none of them."""
    properties = {"private_key_pem": "hush-hush"}
    decoded = from_struct(to_struct(properties, {("private_key_pem",)}))
    assert decoded.properties == properties
    carriers = (decoded, CheckRequest(old=properties, new=properties))
    assert [each for each in map(repr, carriers) if "hush" in each] == []


def test_members_come_in_the_order_of_their_names() -> None:
    """A Struct has none of its own; messages about several members must not change from run to run."""
    names = [f"{number % 7}-{number}" for number in range(40)]
    struct = Struct()
    struct.update({"inner": dict.fromkeys(names, 1)} | dict.fromkeys(names, 1))
    properties = from_struct(struct).properties
    assert list(properties) == sorted([*names, "inner"])
    assert list(properties["inner"]) == sorted(names)


def test_nulls_are_left_out_of_objects_and_keep_their_place_in_lists() -> None:
    """A member that is null is not there; an item that is null still counts, or all after it would move."""
    struct = Struct()
    struct.update({"a": None, "list": ["x", None, "y"]})
    struct.fields["never set"].SetInParent()
    struct.update({"hidden": {rpc._special_sig_key: rpc._special_secret_sig, "value": None}})
    decoded = from_struct(struct)
    assert decoded.properties == {"list": ["x", None, "y"]}
    encoded = to_struct({"a": None, **decoded.properties})
    assert list(encoded.fields) == ["list"]
    assert encoded.fields["list"].list_value.values[1].null_value == NullValue.NULL_VALUE
    assert encoded.fields["list"].list_value.values[1].WhichOneof("kind") == "null_value"


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({"archive": b"hush-hush"}, "archive"),
        ({"folders": {"ca": [{"base64": b"hush-hush"}]}}, "folders.ca.0.base64"),
        ({"when": {"hush-hush"}}, "when"),
        ({"n": [2**53 + 1]}, "n.0"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_path_and_without_its_value(
    properties: dict[str, Any], path: str
) -> None:
    """Bytes and other types are refused; the message names the place and the type, never the value."""
    with pytest.raises(
        TypeError, match=f"^{path}: a (bytes|set|number of more than 53 bits) cannot be sent to the engine$"
    ) as caught:
        to_struct(properties)
    assert "hush-hush" not in str(caught.value)
    assert "9007" not in str(caught.value)


@pytest.mark.parametrize("number", [2**53, -(2**53)])
def test_a_number_is_sent_up_to_what_the_engine_holds_exactly(number: int) -> None:
    """It has 53 bits; one more would come back as another number."""
    assert from_struct(to_struct({"n": number}, frozenset())).properties == {"n": number}
    for beyond in (number + 1, number - 1):
        if abs(beyond) > 2**53:
            with pytest.raises(TypeError, match=r"^n: a number of more than 53 bits cannot be sent"):
                to_struct({"n": beyond}, frozenset())
