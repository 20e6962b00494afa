"""Translate between the engine's `google.protobuf.Struct` and plain values.

Three things hide in a Struct: secrets and unknowns are magic objects and strings, and every number is a float, so a
whole number has at most 53 bits.
The constants are the engine's, see `pulumi.runtime.rpc` (a test compares them).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.struct_pb2 import NullValue, Struct, Value

from postseal_core.values import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN, Path, is_unknown

__all__ = ["SECRET_SIGNATURE", "SIGNATURE_KEY", "UNKNOWN_SENTINEL", "Decoded", "from_struct", "to_struct"]

UNKNOWN_SENTINEL: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_LARGEST_WHOLE_NUMBER: Final = 2**53


@dataclass(frozen=True, slots=True)
class Decoded:
    """Plain properties, which no `repr` shows, and the paths at which a secret stood."""

    properties: dict[str, Any] = field(repr=False)
    secret_paths: frozenset[Path]


def from_struct(struct: Struct) -> Decoded:
    """Return the plain values of a Struct; null members are left out, null items of a list stay None."""
    secret_paths: set[Path] = set()
    properties = _decode_members(struct, (), secret_paths)
    return Decoded(properties, frozenset(secret_paths))


def to_struct(properties: Mapping[str, Any], secret_paths: Collection[Path] = ()) -> Struct:
    """Return a Struct in which every value at one of `secret_paths` is wrapped as a secret."""
    struct = Struct()
    _encode_members(struct, properties, (), frozenset(secret_paths))
    return struct


def _decode_members(struct: Struct, path: Path, secret_paths: set[Path]) -> dict[str, Any]:
    # A Struct has no order, and Python may give it another one in each process: messages must not differ for that.
    named = sorted(struct.fields.items())
    members = {name: _decode_value(member, (*path, name), secret_paths) for name, member in named}
    return {name: member for name, member in members.items() if member is not None}


def _decode_value(value: Value, path: Path, secret_paths: set[Path]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_SENTINEL else value.string_value
    if kind == "number_value":
        return _decode_number(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode_value(item, (*path, index), secret_paths) for index, item in enumerate(value.list_value.values)]
    if kind == "struct_value":
        return _decode_struct(value.struct_value, path, secret_paths)
    return None


def _decode_number(number: float) -> int | float:
    """Return a whole number as `int`; one that was rounded on its way stays a float, which no field takes for whole."""
    return int(number) if number.is_integer() and abs(number) <= _LARGEST_WHOLE_NUMBER else number


def _decode_struct(struct: Struct, path: Path, secret_paths: set[Path]) -> Any:
    if SIGNATURE_KEY in struct.fields and struct.fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE:
        secret_paths.add(path)
        return _decode_value(struct.fields["value"], path, secret_paths)
    return _decode_members(struct, path, secret_paths)


def _encode_members(struct: Struct, members: Mapping[str, Any], path: Path, secret_paths: frozenset[Path]) -> None:
    struct.SetInParent()
    for name, member in members.items():
        if member is not None:
            _encode_value(struct.fields[name], member, (*path, name), secret_paths)


def _encode_value(target: Value, value: object, path: Path, secret_paths: frozenset[Path]) -> None:
    if path in secret_paths and not is_unknown(value):
        wrapper = target.struct_value
        wrapper.fields[SIGNATURE_KEY].string_value = SECRET_SIGNATURE
        _encode_plain(wrapper.fields["value"], value, path, secret_paths)
    else:
        _encode_plain(target, value, path, secret_paths)


def _encode_plain(target: Value, value: object, path: Path, secret_paths: frozenset[Path]) -> None:
    if value is None:
        target.null_value = NullValue.NULL_VALUE
    elif is_unknown(value):
        target.string_value = UNKNOWN_SENTINEL
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) <= _LARGEST_WHOLE_NUMBER):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        _encode_members(target.struct_value, value, path, secret_paths)
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for index, item in enumerate(value):
            _encode_value(target.list_value.values.add(), item, (*path, index), secret_paths)
    else:
        # The value itself must not appear here: it may be a secret.
        kind = "number of more than 53 bits" if isinstance(value, int) else type(value).__name__
        raise TypeError(f"{'.'.join(map(str, path))}: a {kind} cannot be sent to the engine")
