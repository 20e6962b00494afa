"""Pack many records into one text, because the engine is slow with many separate values."""

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final, TypeVar

from postseal_core.errors import PostsealError
from postseal_core.records import Plain, decode_stored, encode, is_current, wire_names
from postseal_core.values import is_unknown

__all__ = [
    "json_line",
    "lines_of",
    "pack",
    "pack_lines",
    "pack_records",
    "parts_of_lines",
    "record_line",
    "records_of_lines",
    "unpack",
    "unpack_lines",
    "unpack_records",
]

R = TypeVar("R")

# Certificates and keys hardly shrink: level 6 takes twice as long and saves a tenth of the bytes.
_LEVEL: Final = 1
# One call for each line takes twice as long, one for all lines twice the memory.
_PARSED_TOGETHER: Final = 500
# 10,000 clients have about 15 MB; the limit keeps a damaged state from filling the memory.
_MAXIMUM_BYTES: Final = 256 * 1024 * 1024
_encode_sorted = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def json_line(plain: Plain) -> str:
    """Return plain values as one line of canonical JSON: names sorted, no blanks; equal values give equal lines."""
    return _encode_sorted(plain)


def lines_of(text: str) -> list[str]:
    r"""Return the lines of a text; only `\n` ends one, other separators may stand inside of a JSON string."""
    return text.split("\n") if text else []


def pack(text: str) -> str:
    """Return a text as base64 (RFC 4648 section 4) of a zlib stream (RFC 1950) of its UTF-8 (none for none)."""
    return _packed([text]) if text else ""


def unpack(packed: str) -> str:
    """Return the text that `pack` was given.

    Raises:
        PostsealError: it is no packed text, is cut short, or holds more than 256 MiB.
    """
    try:
        return _inflated(base64.b64decode(packed, validate=True)).decode() if packed else ""
    except (binascii.Error, zlib.error, ValueError) as error:
        raise PostsealError(f"packed records cannot be read ({error}); run `pulumi up` to write them anew") from error


def record_line(record: object) -> str:
    """Return a record as one line of JSON, its fields in their order.

    What is unknown is left out, so a field that may be unknown needs UNKNOWN as its default.
    """
    plain = encode(record)
    try:
        return _encode(plain)
    except TypeError:  # Few records hold anything unknown, and only JSON looks at each value anyway.
        return _encode(_known(plain))


def records_of_lines(kind: type[R], lines: list[str]) -> Iterator[R]:
    """Yield the records of lines that `record_line` made.

    Raises:
        PostsealError: a line is no record of this kind.
    """
    return (decode_stored(kind, plain, _name_in(plain)) for plain in _each_parsed(lines))


def parts_of_lines(kind: type[R], lines: list[str], whole: type[Any] | None = None) -> Iterator[R]:
    """Read only some fields of each packed line, as a smaller record.

    `whole`: the class of the lines; a line that an older version of it wrote is brought up to date first. Without it,
    such a line is refused.

    Raises:
        PostsealError: as `records_of_lines`.
    """
    names, written = wire_names(kind), whole or kind
    for plain in _each_parsed(lines):
        current = plain if is_current(written, plain) else encode(decode_stored(written, plain))
        yield decode_stored(kind, {name: value for name, value in current.items() if name in names})


def pack_lines(lines: Iterable[str]) -> str:
    """Return lines packed; the whole text never stands in memory."""
    each = iter(lines)
    first = next(each, "")
    return _packed(chain([first], (f"\n{line}" for line in each))) if first else ""


def unpack_lines(packed: str) -> list[str]:
    """Return the lines that `pack_lines` or `pack_records` made.

    Raises:
        PostsealError: as `unpack`.
    """
    return lines_of(unpack(packed))


def pack_records(records: Iterable[object]) -> str:
    """Return records packed, see `record_line`."""
    return pack_lines(map(record_line, records))


def unpack_records(kind: type[R], packed: str) -> Iterator[R]:
    """Yield the records that `pack_records` was given.

    Raises:
        PostsealError: as `unpack` and `records_of_lines`.
    """
    return records_of_lines(kind, unpack_lines(packed))


def _name_in(plain: Plain) -> str:
    """Return the name of a packed record, which its problems begin with; empty for one without."""
    return str(plain.get("name", ""))


def _each_parsed(lines: list[str]) -> Iterator[Plain]:
    for start in range(0, len(lines), _PARSED_TOGETHER):
        yield from _parsed(lines[start : start + _PARSED_TOGETHER])


def _parsed(lines: list[str]) -> list[Plain]:
    try:
        plain: list[Plain] = json.loads(f"[{','.join(lines)}]")
    except (ValueError, RecursionError) as error:
        raise PostsealError("packed records are no JSON; run `pulumi up` to write them anew") from error
    if not all(isinstance(each, dict) for each in plain):
        raise PostsealError("a line of packed records is no JSON object; run `pulumi up` to write them anew")
    return plain


def _known(value: Any) -> Any:
    """Return a plain value without the members that are unknown, at any depth."""
    if isinstance(value, dict):
        return {name: _known(member) for name, member in value.items() if not is_unknown(member)}
    return [_known(item) for item in value] if isinstance(value, list) else value


def _packed(parts: Iterable[str]) -> str:
    stream = zlib.compressobj(_LEVEL)
    compressed = [stream.compress(part.encode()) for part in parts]
    return base64.b64encode(b"".join([*compressed, stream.flush()])).decode("ascii")


def _inflated(packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    data = stream.decompress(packed, _MAXIMUM_BYTES)
    if stream.unconsumed_tail:
        raise ValueError("it holds more than 256 MiB")
    if not stream.eof:
        raise ValueError("it is cut short")
    return data
