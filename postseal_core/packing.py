"""Pack many records into one text: an engine that writes every value to its log is fast with few values only."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

__all__ = ["json_line", "lines_of", "pack", "pack_records", "unpack", "unpack_records"]

_LEVEL = 6
# One call for each line takes twice as long, one for all lines twice the memory.
_PARSED_TOGETHER = 500
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
    return _packed([text]) if text else ""


def unpack(packed: str) -> str:
    """Return the text that `pack` was given."""
    return zlib.decompress(base64.b64decode(packed)).decode() if packed else ""


def pack_records(records: Iterable[Mapping[str, Any]]) -> str:
    """Return records packed, one line of JSON each; the whole text never stands in memory."""
    lines = map(_encode, records)
    first = next(lines, "")
    return _packed(chain([first], (f"\n{line}" for line in lines))) if first else ""


def unpack_records(packed: str) -> Iterator[dict[str, Any]]:
    """Yield the records that `pack_records` was given."""
    lines = lines_of(unpack(packed))
    for start in range(0, len(lines), _PARSED_TOGETHER):
        yield from json.loads(f"[{','.join(lines[start : start + _PARSED_TOGETHER])}]")


def _packed(parts: Iterable[str]) -> str:
    stream = zlib.compressobj(_LEVEL)
    compressed = [stream.compress(part.encode()) for part in parts]
    return base64.b64encode(b"".join([*compressed, stream.flush()])).decode("ascii")
