"""Checks of main.cf values that name lookup tables or other programs, one for each kind.

See `postfix.values` for what a check takes and returns.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from postfix.list_items import literal_items, split_list
from postfix.next_hops import faults_of_next_hops, faults_of_transport
from postfix.references import is_reference
from postfix.sender_choices import faults_of_addresses, faults_of_content_actions
from postfix.table_places import CONFIGURED_TYPES, INDEXED_TYPES, PATTERN_TYPES, fault_of_table_file
from postfix.table_rules import faults_of_rules
from postseal_core.wording import shown

__all__ = [
    "ALL_TABLES",
    "DEEPEST",
    "Check",
    "access_list",
    "address_map_list",
    "content_map_list",
    "list_without_files",
    "map_list",
    "milters",
    "next_hops",
    "one_map",
    "transport",
]

Check = Callable[[str, tuple[str, ...]], Iterator[str]]

_WORD = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_COMPOSED = frozenset({"pipemap", "unionmap"})
_OTHER_TABLES = frozenset(
    {"environ", "fail", "inline", "internal", "netinfo", "nis", "nisplus"}
    | {"proxy", "randmap", "socketmap", "static", "tcp", "unix"}
)
ALL_TABLES: Final = INDEXED_TYPES | PATTERN_TYPES | CONFIGURED_TYPES | _COMPOSED | _OTHER_TABLES
"""Every type of table that Postfix has."""

_UNCHECKED = "or name this parameter under unchecked, where a reviewer sees it"
DEEPEST: Final = 3
"""How many tables may stand within each other."""
_MILTER = re.compile(r"(inet6?:[^:\s]+@\S+|inet6?:(\[[^\]\s]+\]|[^:\s]+):\S+|(unix|local):\S+)", re.ASCII)


def _table_problem(item: str, types: frozenset[str], depth: int = 0) -> Iterator[str]:
    table_type, colon, name = item.partition(":")
    if not colon:
        yield f"{shown(item)} names no table type; write type:name, as texthash:$config_directory/relay_clientcerts"
    elif not is_reference(table_type) and table_type not in types:
        yield f"{shown(table_type)} is no table type that can be used here; use one of {', '.join(sorted(types))}"
    elif table_type == "proxy" and depth < DEEPEST:
        yield from _table_problem(name, ALL_TABLES, depth + 1)
    elif table_type == "proxy":
        yield f"{shown(item)} has too many tables within tables; name the table itself"
    elif table_type in _COMPOSED:
        yield from _composed_problem(table_type, name, depth)
    elif _reads_file(table_type, name) and (fault := fault_of_table_file(table_type, name)):
        yield f"{fault}, {_UNCHECKED}"
    else:
        yield from faults_of_rules(table_type, name)


def _reads_file(table_type: str, name: str) -> bool:
    """Return whether a table is a file, or has one that says where it is; of an unknown type it may be."""
    if table_type in PATTERN_TYPES:
        return not name.startswith("{")
    if table_type in CONFIGURED_TYPES:
        # A word stands for parameters of main.cf that begin with it.
        return not _WORD.fullmatch(name)
    return table_type in INDEXED_TYPES or is_reference(table_type)


def _composed_problem(table_type: str, name: str, depth: int) -> Iterator[str]:
    inner = name.strip()
    if not (inner.startswith("{") and inner.endswith("}")) or depth >= DEEPEST:
        yield f"{shown(f'{table_type}:{name}')} composes no tables; write {table_type}:{{type:name, type:name}}"
        return
    for item in split_list(inner[1:-1]):
        if not is_reference(item):
            yield from _table_problem(item, ALL_TABLES, depth + 1)


def one_map(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for one table of one of the allowed types, of any type where none is listed, or nothing."""
    if value and not is_reference(value):
        yield from _table_problem(value, frozenset(allowed) or ALL_TABLES)


def map_list(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list of tables."""
    for item in split_list(value):
        if not is_reference(item):
            yield from _table_problem(item, ALL_TABLES)


def content_map_list(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list of tables as header_checks(5)."""
    yield from list(map_list(value, allowed)) or faults_of_content_actions(value)


def address_map_list(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list of tables that answer with addresses."""
    yield from list(map_list(value, allowed)) or faults_of_addresses(value)


def access_list(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list of the allowed words and of tables."""
    for item in split_list(value):
        if ":" in item:
            yield from _table_problem(item, ALL_TABLES)
        elif not is_reference(item) and item.lower() not in allowed:
            yield f"{shown(item)} is not one of {', '.join(allowed)}, nor a table as type:name"


def list_without_files(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for a list whose items Postfix may also read from a file or look up in a table.

    It shows lines of such a file in its log.
    """
    for word in re.split(r"[\s,]+", value):
        if word.lstrip("!{").startswith("/"):
            yield f"{shown(word)} is read as a file of the host; write its items here"
    for item in (each.strip("!{} \t") for each in split_list(value)):
        if item.partition(":")[0] in ALL_TABLES:
            yield from _table_problem(item, ALL_TABLES)


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
        yield from faults_of_next_hops(item)


def transport(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for one delivery service, with or without its next hop."""
    if value:
        yield from faults_of_transport(value)
