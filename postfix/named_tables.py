"""Find the lookup tables that a value of main.cf names, and whose rows do not stand in it."""

import re
from collections.abc import Iterator
from typing import Final

from postfix.list_items import split_list
from postfix.references import is_reference
from postfix.sender_choices import OWN_DOMAINS
from postfix.table_places import CONFIGURED_TYPES
from postfix.table_values import ALL_TABLES, DEEPEST

__all__ = ["tables_named"]

_TABLES: Final = "map-list"
_ITEMS: Final = frozenset({"access-list", "list"})
_COMPOSED: Final = frozenset({"pipemap", "unionmap"})
_IN_PLACE: Final = frozenset({"fail", "inline", "internal", "randmap", "static"})
_IN_BRACES: Final = frozenset({"cidr", "pcre", "regexp"})
_PROXIES: Final = re.compile(r"\A(proxy:)+")


def tables_named(kind: str, allowed: tuple[str, ...], value: str) -> Iterator[str]:
    """Yield each table whose rows the value does not show; `kind` and `allowed` are those of the parameter.

    So `regexp:/etc/postfix/x`, `tcp:host:port` or a `$name` that only the host knows, but not `inline:{...}`. Of
    `unionmap:` and `pipemap:` each part by itself. A cache of Postfix's own is none: nobody writes rows for it, unless
    it is shared by other programs, as `memcache:`.
    """
    items = [value] if kind == "map" else split_list(value)
    for item in items if value else ():
        if kind == "map" and allowed:
            yield from (item,) if _type(item) in CONFIGURED_TYPES or is_reference(item) else ()
        elif kind == "map" or kind.endswith(_TABLES):
            yield from _within(item)
        elif kind in _ITEMS and _type(item) in ALL_TABLES:
            yield from _within(item.lstrip("!"))


def _type(item: str) -> str:
    return _PROXIES.sub("", item.lstrip("!")).partition(":")[0]


def _within(item: str, depth: int = 0) -> Iterator[str]:
    """Yield the tables in one: itself, or those that it is composed of."""
    table = _PROXIES.sub("", item)
    kind, _, content = table.partition(":")
    if kind in _COMPOSED and depth < DEEPEST:
        for each in split_list(content.strip().removeprefix("{").removesuffix("}")):
            yield from _within(each, depth + 1)
    elif not _shows_rows(kind, content):
        yield item


def _shows_rows(kind: str, content: str) -> bool:
    if kind in _IN_BRACES and not content.startswith("{"):
        return False
    is_in_place = kind in _IN_PLACE or kind in _IN_BRACES
    return is_in_place and "$" not in OWN_DOMAINS.sub("", content.replace("$$", ""))
