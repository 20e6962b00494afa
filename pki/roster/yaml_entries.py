"""Read the clients of a roster from YAML text: a mapping from names to fields, or a list of entries with a `name`."""

from collections.abc import Iterator
from typing import Any

import yaml

from pki.roster.entries import Entry, entries_of_rows
from postseal_core.errors import ConfigError, Problem

__all__ = ["parse_yaml"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with libyaml


def parse_yaml(text: str) -> tuple[Entry, ...]:
    """Return the clients of YAML text; names are text (`"1001"` in quotes), lists are YAML lists.

    Raises:
        ConfigError: everything that is wrong, with line numbers; also a key that stands twice in one mapping.
    """
    try:
        root = yaml.compose(text, Loader=_LOADER)
        rows = list(_rows(root)) if root else []
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([Problem(f"line {line}", f"is not YAML: {error.problem}")]) from error
    return entries_of_rows(rows)


def _rows(root: yaml.Node) -> Iterator[tuple[str, dict[str, Any]]]:
    repeated = list(_repeated_keys(root, set()))
    if repeated:
        raise ConfigError(repeated)
    pairs: list[tuple[yaml.Node | None, yaml.Node]]
    if isinstance(root, yaml.MappingNode):
        pairs = list(root.value)
    elif isinstance(root, yaml.SequenceNode):
        pairs = [(None, item) for item in root.value]
    else:
        raise ConfigError([Problem("line 1", "expected a mapping from client names to fields, or a list of clients")])
    for name, fields in pairs:
        yield _place(name or fields), _row(name, fields)


def _row(name: yaml.Node | None, fields: yaml.Node) -> dict[str, Any]:
    value = _value(fields)
    if value is not None and not isinstance(value, dict):
        raise ConfigError([Problem(_place(fields), "expected the fields of a client, as `email: alice@example.org`")])
    return (value or {}) | ({"name": _value(name)} if name else {})


def _repeated_keys(node: yaml.Node, visited: set[int]) -> Iterator[Problem]:
    if id(node) in visited:  # an alias of a node seen before, perhaps of one that holds it
        return
    visited.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, visited)
    if isinstance(node, yaml.MappingNode):
        first: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if (earlier := first.setdefault(str(key.value), key)) is not key:
                yield Problem(_place(key), f"{key.value!r} stands at {_place(earlier)} already; declare it once")
            yield from _repeated_keys(value, visited)


def _place(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"


def _value(node: yaml.Node) -> Any:
    return yaml.constructor.SafeConstructor().construct_document(node)
