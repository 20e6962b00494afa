"""Pack many records into one text: an engine that writes every value to its log is fast with few values only."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["json_line", "lines_of", "pack", "pack_records", "unpack", "unpack_records"]

_encode_sorted = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def json_line(record: Mapping[str, Any]) -> str:
    """Return a record as one line of canonical JSON: names sorted, no blanks; equal records give equal lines."""
    return _encode_sorted(record)


def lines_of(text: str) -> list[str]:
    r"""Return the lines of a text; only `\n` ends one, other separators may stand inside of a JSON string."""
    return text.split("\n") if text else []


def pack(text: str) -> str:
    """Return a text as base64 (RFC 4648 section 4) of a zlib stream (RFC 1950) of its UTF-8 (none for none)."""
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode("ascii") if text else ""


def unpack(packed: str) -> str:
    """Return the text that `pack` was given."""
    return zlib.decompress(base64.b64decode(packed)).decode() if packed else ""


def pack_records(records: Iterable[Mapping[str, Any]]) -> str:
    """Return records packed, one line of JSON each."""
    return pack("\n".join(map(_encode, records)))


def unpack_records(packed: str) -> Iterator[dict[str, Any]]:
    """Yield the records that `pack_records` was given."""
    text = unpack(packed)
    if text:
        yield from json.loads(f"[{text.replace(chr(10), ',')}]")
