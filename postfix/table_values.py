"""Checks of main.cf values that name lookup tables or other programs, one for each kind.

See `postfix.values` for what a check takes and returns.
"""

import re
from collections.abc import Callable, Iterator

from postseal_core.wording import shown

__all__ = ["Check", "access_list", "literal_items", "map_list", "milters", "next_hops", "one_map", "split_list"]

Check = Callable[[str, tuple[str, ...]], Iterator[str]]

_FILE_TABLES = frozenset({"btree", "cdb", "dbm", "hash", "lmdb", "sdbm", "texthash"})
_FILE_SOURCES = frozenset({"cidr", "pcre", "regexp", "sqlite"})
_COMPOSED = frozenset({"pipemap", "unionmap"})
_OTHER_TABLES = frozenset(
    {"environ", "fail", "inline", "internal", "ldap", "memcache", "mongodb", "mysql", "netinfo", "nis", "nisplus"}
    | {"pgsql", "proxy", "randmap", "socketmap", "static", "tcp", "unix"}
)
_ALL_TABLES = _FILE_TABLES | _FILE_SOURCES | _COMPOSED | _OTHER_TABLES
_DEEPEST = 3
_MILTER = re.compile(r"(inet6?:[^:\s]+@\S+|inet6?:(\[[^\]\s]+\]|[^:\s]+):\S+|(unix|local):\S+)", re.ASCII)
_NEXT_HOP = re.compile(r"((inet|unix):)?(\[[A-Za-z0-9.:_-]+\]|[A-Za-z0-9._/-]+)(:[A-Za-z0-9_-]+)?", re.ASCII)


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


def literal_items(value: str) -> list[str]:
    """Split a list, and leave out the items that hold something only the host knows."""
    return [item for item in split_list(value) if "$" not in item]


def _table_problem(item: str, types: frozenset[str], depth: int = 0) -> Iterator[str]:
    table_type, colon, name = item.partition(":")
    if not colon:
        yield f"{shown(item)} names no table type; write type:name, as texthash:$config_directory/relay_clientcerts"
    elif "$" not in table_type and table_type not in types:
        yield f"{shown(table_type)} is no table type that can be used here; use one of {', '.join(sorted(types))}"
    elif table_type == "proxy" and depth < _DEEPEST:
        yield from _table_problem(name, _ALL_TABLES, depth + 1)
    elif table_type in _COMPOSED:
        yield from _composed_problem(table_type, name, depth)
    elif table_type in _FILE_TABLES | _FILE_SOURCES and not name.startswith(("/", "$", "{")):
        yield f"the file of {shown(item)} is not absolute; Postfix looks below its queue_directory and finds nothing"


def _composed_problem(table_type: str, name: str, depth: int) -> Iterator[str]:
    inner = name.strip()
    if not (inner.startswith("{") and inner.endswith("}")) or depth >= _DEEPEST:
        yield f"{shown(f'{table_type}:{name}')} composes no tables; write {table_type}:{{type:name, type:name}}"
        return
    for item in literal_items(inner[1:-1]):
        yield from _table_problem(item, _ALL_TABLES, depth + 1)


def one_map(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for one table of one of the allowed types, of any type where none is listed, or nothing."""
    if value and not value.startswith("$"):
        yield from _table_problem(value, frozenset(allowed) or _ALL_TABLES)


def map_list(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list of tables."""
    for item in split_list(value):
        if not item.startswith("$"):
            yield from _table_problem(item, _ALL_TABLES)


def access_list(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list of the allowed words and of tables."""
    for item in literal_items(value):
        if ":" in item:
            yield from _table_problem(item, _ALL_TABLES)
        elif item.lower() not in allowed:
            yield f"{shown(item)} is not one of {', '.join(allowed)}, nor a table as type:name"


def milters(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list of mail filters, each `inet:host:port`, `unix:path`, or one of those with options in braces."""
    for item in literal_items(value):
        is_braced = item.startswith("{") and item.endswith("}")
        endpoint = next(iter(split_list(item[1:-1])), "") if is_braced else item
        if not _MILTER.fullmatch(endpoint):
            yield f"{shown(item)} is no mail filter; write inet:host:port or unix:path"


def next_hops(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list of next hops."""
    for item in literal_items(value):
        if not _NEXT_HOP.fullmatch(item):
            yield f"{shown(item)} is no next hop; write a domain, or [host]:port"
