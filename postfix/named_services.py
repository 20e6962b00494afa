"""Find the services of master.cf that a parameter names: as a transport, by a table in main.cf itself, by FILTER."""

import re
from collections.abc import Iterator
from typing import Final

from postfix.references import is_reference
from postfix.table_values import split_list

__all__ = ["transports_named"]

_NESTING: Final = frozenset({"pipemap", "unionmap"})
_PATTERN: Final = re.compile(r"!?\s*(?P<sign>[^\w\s])(\\.|(?!(?P=sign))[^\\])*(?P=sign)\w*\s+(?P<result>.*)", re.DOTALL)
_FILTER: Final = re.compile(r"FILTER\s+(?P<transport>.*)", re.ASCII | re.IGNORECASE | re.DOTALL)


def transports_named(parameter: str, kind: str, value: str) -> Iterator[str]:
    """Yield each transport, `service:next-hop`, that a value names; `kind` is that of the parameter.

    A table that is a file is not looked into.
    """
    if kind == "transport" and value and not is_reference(value):
        yield value
    elif parameter.endswith("transport_maps"):
        yield from map(_unescaped, _results(value))
    elif parameter.endswith("_checks"):
        matches = map(_FILTER.match, map(_unescaped, _results(value)))
        yield from (match["transport"] for match in matches if match)


def _unescaped(text: str) -> str:
    return text.replace("$$", "$").strip()


def _results(value: str) -> Iterator[str]:
    """Yield what the tables of a list may answer, as far as that stands in the list."""
    for item in split_list(value):
        table_type, _, content = item.partition(":")
        if table_type == "proxy":
            yield from _results(content)
        elif table_type == "static":
            yield content.removeprefix("{").removesuffix("}")
        elif content.startswith("{"):
            yield from _inline_results(table_type, content[1:].removesuffix("}"))


def _inline_results(table_type: str, content: str) -> Iterator[str]:
    if table_type in _NESTING:
        yield from _results(content)
        return
    for rule in (each.removeprefix("{").removesuffix("}").strip() for each in split_list(content)):
        if table_type == "randmap":
            yield rule
        elif table_type == "inline":
            yield rule.partition("=")[2].strip()
        elif table_type == "cidr":
            yield rule.partition(" ")[2].strip()
        elif match := _PATTERN.fullmatch(rule):
            yield match["result"]
