"""Find the services of master.cf that a parameter names: as a transport, by a table in main.cf itself, by FILTER."""

import re
from collections.abc import Iterator
from typing import Final

from postfix.references import is_reference
from postfix.table_rules import answers_of

__all__ = ["transports_named"]

_FILTER: Final = re.compile(r"FILTER\s+(?P<transport>.*)", re.ASCII | re.IGNORECASE | re.DOTALL)


def transports_named(kind: str, value: str) -> Iterator[str]:
    """Yield each transport, `service:next-hop`, that a value names; `kind` is that of the parameter.

    A table that is a file is not looked into: see `postfix.named_tables`.
    """
    if kind == "transport" and value and not is_reference(value):
        yield value
    elif kind == "transport-map-list":
        yield from answers_of(value)
    elif kind == "content-map-list":
        matches = map(_FILTER.match, answers_of(value))
        yield from (match["transport"] for match in matches if match)
