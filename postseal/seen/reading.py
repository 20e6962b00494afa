"""Read what `postseal seen --format json` has written; pure."""

from collections.abc import Mapping
from typing import Any

from postseal.seen.documents import SCHEMA, SCHEMA_VERSION
from postseal.seen.model import Seen, SeenClient
from postseal_core.errors import ConfigError, Problem
from postseal_core.records import decode, wire_names
from postseal_core.wording import shown

__all__ = ["read_seen"]

_EXPECTED = "expected what `postseal seen --format json` writes"


def read_seen(document: object, path: str) -> Seen:
    """Return what logs said; `path` is put in front of problems. Fields that a later release has added are passed over.

    Raises:
        ConfigError: it is another document, of a later version, or damaged.
    """
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise ConfigError([Problem(path, f"is something else; {_EXPECTED}")])
    if document.get("version") != SCHEMA_VERSION:
        message = f"has version {shown(document.get('version'))}, and this release reads {SCHEMA_VERSION}; {_EXPECTED}"
        raise ConfigError([Problem(path, message)])
    known = _known(Seen, document)
    clients = known.get("clients")
    if isinstance(clients, list):
        known["clients"] = [_known(SeenClient, each) for each in clients]
    return decode(Seen, known, path)


def _known(kind: type[Any], values: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    names = wire_names(kind)
    return {name: value for name, value in values.items() if name in names}
