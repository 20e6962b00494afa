"""What the next `up` does to each resource, as a record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from postfix.host_resource.records import HostRow
from postseal_core.errors import Problem
from postseal_core.plugin.diff import Change

__all__ = ["HOSTS", "Operation", "Run", "Step", "short_type"]

HOSTS: Final = frozenset({"PostfixHost", "MailServer", "RelayClient"})
"""The types of resources that are a host."""


class Operation(StrEnum):
    """What happens to a resource, in the words of the engine; `refused`: `up` does not begin."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One resource before and after.

    `changes`: leaves of the inputs that a preview shows. `before`, `after`: its checked inputs as records, plain values
    of a type that is not ours, None where there are none. `state`: its state as a record after this, where a preview
    knows it. `notes`: what the plugin tells beside it. `problems`: why it is refused. `rows_before`, `rows`: of a
    host, who may relay.
    """

    urn: str
    type: str
    name: str
    operation: Operation
    changes: Mapping[str, Change] = field(default_factory=dict)
    before: Any = None
    after: Any = None
    state_before: Any = None
    state: Any = None
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    rows_before: tuple[HostRow, ...] = ()
    rows: tuple[HostRow, ...] = ()

    @property
    def is_host(self) -> bool:
        """Whether it is a host."""
        return short_type(self.type) in HOSTS


@dataclass(frozen=True, slots=True)
class Run:
    """What one stack file leads to at one instant: a step for each resource, by URN, and what is wrong as a whole.

    `notes`: what the program warns of.
    """

    steps: Mapping[str, Step] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def short_type(token: str) -> str:
    """Return the last part of a type, as `PostfixHost`."""
    return token.rpartition(":")[2]
