"""What a main.cf value may look like, one check for each kind of parameter.

Each check takes the value and the allowed words of the parameter's row in `parameters.tsv` and returns what is wrong
as lower-case sentences, none when Postfix would take the value as it is meant. `$name` stands for something only the
host knows, so a scalar that holds one, and an item of a list that holds one, is not looked into.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

__all__ = ["CHECKS", "LIST_KINDS", "split_list"]

Check = Callable[[str, tuple[str, ...]], Iterator[str]]

LIST_KINDS = frozenset({"fingerprints", "flags", "list", "map-list", "path-list", "protocols"})
_PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

_INT_MAX = 2**31 - 1
_TIME = re.compile(r"[0-9]+[smhdw]?", re.ASCII)
_PROTOCOL = re.compile(r"(?P<bound>[<>]=|!)?(?P<name>.*)", re.DOTALL)
_PROTOCOL_HEX = re.compile(r"0x[0-9a-f]{1,4}", re.ASCII | re.IGNORECASE)
_FINGERPRINT = re.compile(r"[0-9a-f]{2}(:?[0-9a-f]{2})+", re.ASCII | re.IGNORECASE)
_FILE_TABLES = frozenset({"btree", "cdb", "dbm", "hash", "lmdb", "sdbm", "texthash"})
_FILE_SOURCES = frozenset({"cidr", "pcre", "regexp", "sqlite"})
_OTHER_TABLES = frozenset(
    {"environ", "fail", "inline", "internal", "ldap", "memcache", "mongodb", "mysql", "netinfo", "nis", "nisplus"}
    | {"pgsql", "pipemap", "proxy", "randmap", "socketmap", "static", "tcp", "unionmap", "unix"}
)


def split_list(value: str) -> list[str]:
    """Split a value as Postfix splits lists: at blanks and commas, but not inside `{ ... }`."""
    items, depth = [""], 0
    for character in value:
        depth += (character == "{") - (character == "}")
        if depth <= 0 and character in ", \t\r\n":
            items.append("")
        else:
            items[-1] += character
    return [item for item in items if item]


def _literal_items(value: str) -> list[str]:
    return [item for item in split_list(value) if "$" not in item]


def _boolean(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    if value.lower() not in {"yes", "no"}:
        yield f"{value!r} is not yes or no; the Postfix process that reads it dies at start"


def _enum(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value and value.lower() not in allowed:
        yield f"{value!r} is not one of {', '.join(allowed)}"


def _flags(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    for item in _literal_items(value):
        yield from _enum(item, allowed)


def _integer(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    least = int(allowed[0])
    if not (value.isascii() and value.isdigit() and least <= int(value) <= _INT_MAX):
        yield f"{value!r} is not a whole number from {least} to {_INT_MAX}"


def _time(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    if not _TIME.fullmatch(value):
        yield f"{value!r} is not a time; write digits and one unit of s, m, h, d or w, as 3600s"


def _path(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value and value not in allowed and not value.startswith("/"):
        yield f"{value!r} is not absolute; Postfix looks below its queue_directory: write /... or $config_directory/..."


def _path_list(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    for item in split_list(value):
        if not item.startswith(("/", "$")) or set(item) & set("\"'\\"):
            yield (
                f"{item!r} is not an absolute path; the list is split at every blank and comma and knows no quotes, "
                "so a path must hold none"
            )


def _protocols(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    names = {name.lower() for name in _PROTOCOLS}
    for item in re.split(r"[\s,:]+", value):
        match = _PROTOCOL.fullmatch(item)
        bound, name = (match["bound"], match["name"].lower()) if match else (None, "")
        is_number = bound in ("<=", ">=") and _PROTOCOL_HEX.fullmatch(name)
        if item and "$" not in item and name not in names and not is_number:
            yield f"{item!r} is no TLS protocol, so Postfix turns TLS off; write it as >=TLSv1.2 or TLSv1.3"


def _fingerprints(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    for item in _literal_items(value):
        if not _FINGERPRINT.fullmatch(item):
            yield f"{item!r} is not a fingerprint; write hex pairs as AA:BB:..., separated by blanks or commas"


def _table_problem(item: str, types: frozenset[str]) -> Iterator[str]:
    table_type, colon, name = item.partition(":")
    if not colon:
        yield f"{item!r} names no table type; write type:name, as texthash:$config_directory/relay_clientcerts"
    elif "$" not in table_type and table_type not in types:
        yield f"{table_type!r} is no table type that can be used here; use one of {', '.join(sorted(types))}"
    elif table_type in _FILE_TABLES | _FILE_SOURCES and not name.startswith(("/", "$", "{")):
        yield f"the file of {item!r} is not absolute; Postfix looks below its queue_directory and finds nothing"


def _map(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value:
        yield from _table_problem(value, frozenset(allowed))


def _map_list(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    for item in split_list(value):
        if not item.startswith("$"):
            yield from _table_problem(item, _FILE_TABLES | _FILE_SOURCES | _OTHER_TABLES)


def _anything(_value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    yield from ()


def _unless_expanded(check: Check) -> Check:
    """Return `check` for values that hold no `$name`."""

    def checked(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
        if "$" not in value:
            yield from check(value, allowed)

    return checked


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "boolean": _unless_expanded(_boolean),
        "enum": _unless_expanded(_enum),
        "fingerprints": _fingerprints,
        "flags": _flags,
        "integer": _unless_expanded(_integer),
        "list": _anything,
        "map": _map,
        "map-list": _map_list,
        "path": _unless_expanded(_path),
        "path-list": _path_list,
        "protocols": _protocols,
        "string": _anything,
        "time": _unless_expanded(_time),
    }
)
