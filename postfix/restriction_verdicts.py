"""Decide if restriction lists permit a client's mail to other domains: permit, refuse, or cannot tell.

Everything that may happen is followed: the answer of a policy server or of an unknown table is any answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from postfix.access_actions import action_of
from postfix.restriction_names import RESTRICTIONS, Argument, Client, Effect, Restriction
from postfix.restriction_steps import WARNING, Step, Vocabulary, steps_of

__all__ = ["Verdict", "first_that_may", "verdict"]

_PASS = frozenset({Effect.PASS})


class Verdict(Enum):
    """A restriction list's decision on a client's mail to other domains."""

    PERMIT = "permit"
    REFUSE = "refuse"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class _Ends:
    """Possible ends of a list; members of `permitted` and `alive`: whether a permission would be deferred."""

    permitted: frozenset[bool] = frozenset()
    is_refused: bool = False
    alive: frozenset[bool] = frozenset()

    def beside(self, other: "_Ends") -> "_Ends":
        """Combine the outcomes of two alternatives."""
        return _Ends(self.permitted | other.permitted, self.is_refused or other.is_refused, self.alive | other.alive)

    @property
    def verdict(self) -> Verdict:
        """The list's verdict on the mail."""
        outcomes = self.permitted | self.alive
        may_permit, may_refuse = False in outcomes, self.is_refused or True in outcomes
        if may_permit and may_refuse:
            return Verdict.CANNOT_TELL
        return Verdict.PERMIT if may_permit else Verdict.REFUSE


@dataclass(frozen=True, slots=True)
class _Walk:
    """One client's way through lists; `inside`: classes that it is in."""

    client: Client
    known: Vocabulary
    inside: frozenset[str] = frozenset()

    def through(self, steps: Sequence[Step], alive: frozenset[bool], *, is_warned: bool = False) -> _Ends:
        """Return the possible ends of a list that is entered with these pending deferrals."""
        ends, warns = _Ends(alive=alive), False
        for step in steps:
            if step.restriction == WARNING and step.name not in self.known.classes:
                warns = True
                continue
            after = self._after(step, ends.alive, is_warned=is_warned or warns)
            warns = False
            ends = _Ends(ends.permitted | after.permitted, ends.is_refused or after.is_refused, after.alive)
            if not ends.alive:
                break
        return ends

    def _after(self, step: Step, alive: frozenset[bool], *, is_warned: bool) -> _Ends:
        restriction = RESTRICTIONS.get(step.restriction)
        if restriction is None:
            return self._after_class(step.name, alive, is_warned=is_warned)
        if restriction.argument is Argument.TABLE:
            return self._after_table(restriction, step.argument, alive, is_warned=is_warned)
        effects = frozenset({Effect.PERMIT}) if self.client in restriction.permits else restriction.effects
        return _after_effects(effects, alive, is_warned=is_warned)

    def _after_class(self, name: str, alive: frozenset[bool], *, is_warned: bool) -> _Ends:
        if name not in self.known.classes or name in self.inside:
            # Postfix answers 451, whatever is unknown or turns in circles.
            return _Ends(is_refused=True)
        inner = _Walk(self.client, self.known, self.inside | {name})
        return inner.through(self.known.classes[name], alive, is_warned=is_warned)

    def _after_table(self, restriction: Restriction, name: str, alive: frozenset[bool], *, is_warned: bool) -> _Ends:
        if restriction.only_for and self.client not in restriction.only_for:
            return _Ends(alive=alive)
        table = self.known.tables.get(name)
        if table is None or table.unknown_table:
            return _after_effects(restriction.effects, alive, is_warned=is_warned)
        ends = _Ends(alive=alive)
        for value in table.rows.values():
            action = action_of(value)
            effects = action.effects - ({Effect.PERMIT} if restriction.is_never_permit else set()) or _PASS
            found = self.through(action.steps, alive, is_warned=is_warned) if action.steps else None
            ends = ends.beside(found or _after_effects(effects, alive, is_warned=is_warned))
        return ends


def _after_effects(effects: Iterable[Effect], alive: frozenset[bool], *, is_warned: bool) -> _Ends:
    softened = {Effect.PASS if is_warned and each not in (Effect.PERMIT, Effect.PASS) else each for each in effects}
    deferred = frozenset({True}) if Effect.DEFER_IF_PERMIT in softened else frozenset()
    return _Ends(
        permitted=alive if Effect.PERMIT in softened else frozenset(),
        is_refused=Effect.REFUSE in softened,
        alive=(alive if Effect.PASS in softened else frozenset()) | deferred,
    )


def verdict(items: Sequence[str], client: Client, known: Vocabulary) -> Verdict:
    """Return what a list decides by itself about mail of a client to somebody elsewhere."""
    return _Walk(client, known).through(steps_of(items), frozenset({False})).verdict


def first_that_may(effect: Effect, items: Sequence[str], client: Client, known: Vocabulary) -> int | None:
    """Return the place of the first item that may permit, or refuse, the client's mail; None for the list's end."""
    for index in range(len(items)):
        ends = _Walk(client, known).through(steps_of(items[: index + 1]), frozenset({False}))
        if effect is Effect.PERMIT and False in ends.permitted:
            return index
        if effect is Effect.REFUSE and (ends.is_refused or True in ends.alive | ends.permitted):
            return index
    return None
