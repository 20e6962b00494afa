"""Which changes of a host's inputs a preview shows: what a line for readers tells is not told a second time."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from postfix.host_resource.records import HostInputs
from postfix.tables import labelled_generation
from postseal_core.plugin.diff import Change, compare, member_of
from postseal_core.values import UNKNOWN, is_unknown

Changes = Mapping[str, Change]

__all__ = ["is_same_file", "shown_changes"]

_CLIENT_TABLES = "client_tables"
_CONTENT = "content"
_CHANGES = "changes"
_RELOAD = "reload"
_TO_REVIEW = "to_review"
_READ_NOWHERE: Final = frozenset({_TO_REVIEW, "look_again_at", "accepted", "unknown_tables", "wide_networks"})
"""Inputs of which Postfix reads nothing."""


def shown_changes(old: HostInputs, new: HostInputs, changes: Changes) -> Changes:
    """Return the changes to show; none where a host stays as it is."""
    changes = _without(changes, [_CHANGES, _RELOAD])
    # A client moved, or a roster said something: lines that a reviewer reads differ, and all rows stay.
    same = [f"{_CLIENT_TABLES}.{name}" for name in new.client_tables if is_same_file(name, old, new)]
    changes = _without(changes, same)
    if not _without(changes, [_TO_REVIEW]):
        # Notes follow from the declaration: alone they are only other words of a newer plugin.
        return {}
    visible = _without(changes, [_CONTENT])
    shown = {path: change for path, change in visible.items() if not _is_told(path, change)}
    shown |= compare({_CHANGES: {}}, {_CHANGES: new.changes})
    if _READ_NOWHERE.issuperset(map(member_of, changes)):
        return shown or changes
    return {**(shown or changes), _RELOAD: Change.ADD}


def _is_told(path: str, change: Change) -> bool:
    """Return whether a path is a row of a client of the stack that comes or goes, of which `changes` tells."""
    if change is Change.UPDATE:
        return False
    label = re.fullmatch(rf'{_CLIENT_TABLES}[.\[].*?\["(.*)"\]', path)
    return label is not None and labelled_generation(label[1]) is not None


def is_same_file(path: str, old: HostInputs, new: HostInputs) -> bool:
    """Return whether a file is known before and after, and the same."""
    before, after = old.content.get(path, UNKNOWN), new.content.get(path, UNKNOWN)
    return not is_unknown(before) and not is_unknown(after) and before == after


def _without(changes: Changes, prefixes: Iterable[str]) -> Changes:
    hidden = tuple(prefixes)
    return {path: change for path, change in changes.items() if not path.startswith(hidden)}
