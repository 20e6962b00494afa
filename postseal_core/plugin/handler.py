"""What a resource type must do, and what it is given to do it with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from postseal_core.errors import Problem
from postseal_core.plugin.diff import Change, compare
from postseal_core.plugin.material import MaterialStore
from postseal_core.values import Properties

__all__ = ["CheckRequest", "Checked", "Context", "Created", "Handler", "HandlerBase", "PartialFailureError"]


@dataclass(frozen=True, slots=True)
class Context:
    """What the edge gives a handler: the clock, entropy, this run's key material, and a way to tell the user something.

    `urn`: which resource is called for. `now` is read once per call. `is_rehearsal` says that the clock was set by
    `postseal:clock`. `report` shows one line beside the resource in the engine's output; never a secret. `parsed` is
    this run's memory: values derived from material, and what resources declare of one place.
    """

    urn: str
    now: datetime
    entropy: Callable[[int], bytes]
    material: MaterialStore
    report: Callable[[str], None]
    is_rehearsal: bool = False
    parsed: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """Declared inputs, and the inputs stored last time (None for a new resource); `repr` shows neither."""

    name: str
    old: Properties | None = field(repr=False)
    new: Properties = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs to store and show, with what was decided; and everything wrong with what was declared."""

    inputs: dict[str, Any] = field(repr=False)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Created:
    """Identity and outputs of a resource that exists now (or would, in a preview)."""

    id: str
    outputs: dict[str, Any] = field(repr=False)


class PartialFailureError(Exception):
    """Something was done, not everything: `outputs` says what holds now, `reason` what is missing and what to do."""

    def __init__(self, id: str, outputs: Mapping[str, Any], reason: str) -> None:
        self.id, self.outputs, self.reason = id, dict(outputs), reason
        super().__init__(reason)


class Handler(Protocol):
    """One resource type. Every method is synchronous, idempotent and gets plain values (see `values`).

    `secret_inputs` and `secret_outputs` name the top-level properties that are always stored encrypted, also when a
    program forgets to mark them.
    """

    type_token: ClassVar[str]
    secret_inputs: ClassVar[frozenset[str]]
    secret_outputs: ClassVar[frozenset[str]]

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Validate what is declared and decide what happens; the only method that may look at the clock."""

    def diff(self, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Mapping[str, Change]:
        """Return the changed leaves; nothing is ever replaced, every change is made in place."""

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Make the resource; in a preview, touch nothing and return what is already known."""

    def update(
        self,
        id: str,
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Bring the resource to the new inputs and return its outputs."""

    def read(self, id: str, inputs: Properties, outputs: Properties, context: Context) -> tuple[Properties, Properties]:
        """Return inputs and outputs as they are. Must echo the inputs, or the next Check forgets what was decided."""

    def delete(self, id: str, outputs: Properties, context: Context) -> None:
        """Remove what the resource made."""


class HandlerBase:
    """Defaults that fit a resource which lives in state only."""

    type_token: ClassVar[str] = ""
    secret_inputs: ClassVar[frozenset[str]] = frozenset()
    secret_outputs: ClassVar[frozenset[str]] = frozenset()

    def diff(self, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Mapping[str, Change]:
        """Compare the inputs leaf by leaf."""
        del old_outputs
        return compare(old_inputs, new_inputs)

    def read(self, id: str, inputs: Properties, outputs: Properties, context: Context) -> tuple[Properties, Properties]:
        """Return what was stored: there is nothing outside the state to look at."""
        del id, context
        return inputs, outputs

    def delete(self, id: str, outputs: Properties, context: Context) -> None:
        """Do nothing: the engine forgets the state."""
        del id, outputs, context
