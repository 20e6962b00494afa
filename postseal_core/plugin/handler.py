"""The interface of a resource type (`Handler`) and what the plugin passes to it.

A resource type has three records. *Args* are what a program declares. *Inputs* are what Check makes of them: stored,
shown in previews, and what Create and Update act on. *State* is what exists then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from postseal_core.plugin.diff import Change
from postseal_core.plugin.material import MaterialStore
from postseal_core.plugin.memory import Memory

__all__ = ["AnyHandler", "Changes", "CheckRequest", "Context", "Handler", "HandlerBase"]

Args = TypeVar("Args")
Inputs = TypeVar("Inputs")
State = TypeVar("State")

Changes = Mapping[str, Change]
"""Changed leaves of the inputs by property path, as `accepted["generation 1"]`."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a handler may use besides its records: clock, entropy, key material, reports to the user.

    `urn`: which resource is called for. `now` is read once per call. `material`: what Check of this very resource was
    handed, and nothing of another one. `report` shows one line beside the resource in the engine's output; never a
    secret. `mention` shows one where it happens and does not repeat it at the end. `memory` is this run's: values made
    from material, and what resources declare of one place. `is_review`: neither keys nor places are at hand, so that
    what a key would make stays unknown, and no place is looked at.
    """

    urn: str
    now: datetime
    entropy: Callable[[int], bytes]
    material: MaterialStore
    report: Callable[[str], None]
    memory: Memory = field(default_factory=Memory, repr=False)
    mention: Callable[[str], None] = field(default=print, repr=False)
    is_review: bool = False


@dataclass(frozen=True, slots=True)
class CheckRequest(Generic[Args, Inputs]):
    """The declared arguments and the inputs of the previous run (None for a new resource); `repr` shows neither."""

    old: Inputs | None = field(repr=False)
    new: Args = field(repr=False)


class Handler(Protocol[Args, Inputs, State]):
    """One resource type. Every method is synchronous and idempotent.

    `type_tokens`: the types that it serves. `args`, `inputs`, `state`: the classes of its records; a field that is
    marked SECRET is always stored encrypted, also when a program forgets to mark it. `has_history`: decisions follow
    from earlier ones, so a resource is never replaced by a new one.
    """

    type_tokens: ClassVar[tuple[str, ...]]
    has_history: ClassVar[bool]
    args: type[Args]
    inputs: type[Inputs]
    state: type[State]

    def check(self, request: CheckRequest[Args, Inputs], context: Context) -> Inputs:
        """Validate what is declared and decide what happens; the only method that may look at the clock.

        Raises:
            ConfigError: everything that is wrong with what is declared.
        """

    def diff(self, old: Inputs, state: State, new: Inputs, changes: Changes) -> Changes:
        """Return the changed leaves to show; nothing is ever replaced, every change is made in place.

        `changes`: all leaves in which the inputs differ.
        """

    def shown(self, old: Inputs, state: State, new: Inputs, changes: Changes) -> Changes:
        """Return of `diff` what follows from the records alone, for who cannot look at places."""

    def id_of(self, inputs: Inputs) -> str:
        """Return the identity of a new resource."""

    def create(self, inputs: Inputs, context: Context, *, is_preview: bool) -> State:
        """Make the resource; in a preview, touch nothing and return what is already known."""

    def update(self, old: State, inputs: Inputs, context: Context, *, is_preview: bool) -> State:
        """Bring the resource to the new inputs and return what it is then."""

    def read(self, inputs: Inputs, state: State, context: Context) -> tuple[Inputs, State]:
        """Return inputs and state as they are. Must echo the inputs, or the next Check forgets earlier decisions."""

    def delete(self, state: State, context: Context) -> None:
        """Remove what the resource made."""


AnyHandler = Handler[Any, Any, Any]
"""A handler, whatever its records are."""


class HandlerBase(Generic[Args, Inputs, State]):
    """Default methods for a resource that exists only in the state."""

    type_tokens: ClassVar[tuple[str, ...]] = ()
    has_history: ClassVar[bool] = False
    args: type[Args]
    inputs: type[Inputs]
    state: type[State]

    def diff(self, old: Inputs, state: State, new: Inputs, changes: Changes) -> Changes:
        """Show all leaves in which the inputs differ."""
        del old, state, new
        return changes

    def shown(self, old: Inputs, state: State, new: Inputs, changes: Changes) -> Changes:
        """Return what Diff shows: of most types it looks at nothing but the records."""
        return self.diff(old, state, new, changes)

    def read(self, inputs: Inputs, state: State, context: Context) -> tuple[Inputs, State]:
        """Return what was stored: there is nothing outside the state to look at."""
        del context
        return inputs, state

    def delete(self, state: State, context: Context) -> None:
        """Do nothing: the engine forgets the state."""
        del state, context
