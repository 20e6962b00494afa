"""What an entry of a roster may say: one table of fields, their types, and how a cell of a CSV file spells them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pki.lifetime import parse_fraction
from pki.pkcs12 import Pkcs12Profile
from postseal_core.errors import Problem

__all__ = ["FIELDS", "NO_ARCHIVE", "ROSTER_WIDE", "problems_of_fields", "value_of_cell"]

NO_ARCHIVE = "none"
"""The word of `pkcs12` for a client without an archive in a roster that makes them."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Kind:
    """`read` turns a cell into a value and may raise ValueError; `expected` completes `got ..., expected ...`."""

    is_valid: Callable[[Any], bool]
    expected: str
    read: Callable[[str], Any]


def _read_flag(cell: str) -> bool:
    return {"true": True, "false": False}[cell.lower()]


def _is_fraction(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(parse_fraction(value))
    except ValueError:
        return False


_TEXT = _Kind(lambda value: isinstance(value, str), "text", str)
_TEXTS = _Kind(
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "a list of texts (in a CSV file separated by `;`)",
    lambda cell: [item.strip() for item in cell.split(";") if item.strip()],
)
_WHOLE = _Kind(lambda value: type(value) is int and value >= 0, "a whole number", int)
_FLAG = _Kind(lambda value: isinstance(value, bool), "true or false", _read_flag)
_FRACTION = _Kind(_is_fraction, "a part of the lifetime, as 2/3", str)
_ARCHIVE = _Kind(
    lambda value: value in (*Pkcs12Profile, NO_ARCHIVE), f"one of: {', '.join((*Pkcs12Profile, NO_ARCHIVE))}", str
)
_NAMES = _Kind(
    lambda value: isinstance(value, str) and bool(_NAME.fullmatch(value)),
    "1 to 64 letters, digits and . _ @ + -, beginning with a letter or digit",
    str,
)

_ONE_CLIENT: Mapping[str, _Kind] = {
    "name": _NAMES,
    "email": _TEXT,
    "dns_names": _TEXTS,
    "common_name": _TEXT,
    "confirmed_generation": _WHOLE,
    "revoke": _TEXT,
    "issue_again": _FLAG,
}
ROSTER_WIDE: Mapping[str, _Kind] = {
    "organization": _TEXT,
    "organizational_unit": _TEXT,
    "locality": _TEXT,
    "state_or_province": _TEXT,
    "country": _TEXT,
    "crl_urls": _TEXTS,
    "key_algorithm": _TEXT,
    "match": _TEXT,
    "validity_hours": _WHOLE,
    "renew_fraction": _FRACTION,
    "renew_before_hours": _WHOLE,
    "overlap_hours": _WHOLE,
    "renew_key_every": _WHOLE,
    "confirm": _FLAG,
    "fail_beyond_issuer": _FLAG,
    "pkcs12": _ARCHIVE,
}
"""Fields that a roster sets for all of its clients; a client's own value takes the place of the roster's."""

FIELDS: Mapping[str, _Kind] = {**_ONE_CLIENT, **ROSTER_WIDE}
"""All fields of an entry."""


def problems_of_fields(entry: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the fields of an entry by type; names and lifetimes are judged with the decision."""
    for field, value in entry.items():
        kind = FIELDS.get(field)
        if kind is None:
            yield Problem(field, f"unknown field; the fields are: {', '.join(FIELDS)}")
        elif not kind.is_valid(value):
            yield Problem(field, f"got {_shown(value)}, expected {kind.expected}")
    if "name" not in entry:
        yield Problem("name", "is missing; every client has one")


def value_of_cell(field: str, cell: str) -> Any:
    """Return what a cell of a CSV file means; a cell that cannot be read is returned as it is, for its problem."""
    try:
        return FIELDS[field].read(cell)
    except (KeyError, ValueError):
        return cell


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
