"""Follow a restriction list to all its possible ends, whatever its steps are known to mean.

What a step may do comes from outside: from a declaration, or from the configuration of a host.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from postfix.restriction_names import Effect
from postfix.restriction_steps import Step

__all__ = ["Ends", "Meaning", "Means", "SubList", "Verdict", "walked"]

_MOST_STEPS: Final = 20_000
_NOT_DEFERRED: Final = frozenset({False})


class Verdict(Enum):
    """A restriction list's decision on a client's mail to other domains."""

    PERMIT = "permit"
    REFUSE = "refuse"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class SubList:
    """Steps that one step stands for; `name`: of a restriction class, empty for the row of a table."""

    steps: tuple[Step, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one step may do: one of `effects`, or what one of `lists` does.

    `softens_next`: that it turns refusals of the step behind it into warnings, and does nothing else.
    `is_unknown`: that Postfix knows no such restriction, and answers 451 even behind warn_if_reject.
    `is_broken`: that it cannot be carried out, so that Postfix answers 451; behind warn_if_reject it may do anything.
    """

    effects: frozenset[Effect] = frozenset()
    lists: tuple[SubList, ...] = ()
    softens_next: bool = False
    is_unknown: bool = False
    is_broken: bool = False


Means = Callable[[Step], Meaning]
"""Tells what a step may do for one client."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Possible ends of a list; members of `permitted` and `alive`: whether a permission would be deferred.

    `permits` and `refuses`: the steps that may have done it, each as `class/restriction argument`.
    """

    permitted: frozenset[bool] = frozenset()
    is_refused: bool = False
    alive: frozenset[bool] = frozenset()
    permits: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()

    def beside(self, other: "Ends") -> "Ends":
        """Combine the outcomes of two alternatives."""
        return Ends(
            self.permitted | other.permitted,
            self.is_refused or other.is_refused,
            self.alive | other.alive,
            self.permits | other.permits,
            self.refuses | other.refuses,
        )

    def then(self, after: "Ends") -> "Ends":
        """Go on with what came after those that were alive."""
        return Ends(
            self.permitted | after.permitted,
            self.is_refused or after.is_refused,
            after.alive,
            self.permits | after.permits,
            self.refuses | after.refuses,
        )

    @property
    def outcomes(self) -> frozenset[bool]:
        """The states in which the list lets mail pass, by permission or by its end."""
        return self.permitted | self.alive

    @property
    def verdict(self) -> Verdict:
        """The list's verdict on the mail."""
        may_permit, may_refuse = False in self.outcomes, self.is_refused or True in self.outcomes
        if may_permit and may_refuse:
            return Verdict.CANNOT_TELL
        return Verdict.PERMIT if may_permit else Verdict.REFUSE


def walked(steps: Sequence[Step], means: Means, alive: frozenset[bool] = _NOT_DEFERRED) -> Ends:
    """Return the possible ends of a list that is entered with these pending deferrals.

    Where classes call each other more often than is followed here, a step may do anything.
    """
    return _Walk(means).through(steps, alive, ())


class _Walk:
    """One client's way through a list; `inside`, in its methods: the classes that it is in."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._steps = 0

    def through(
        self, steps: Sequence[Step], alive: frozenset[bool], inside: tuple[str, ...], *, is_warned: bool = False
    ) -> Ends:
        """Return the possible ends of steps."""
        ends, warns = Ends(alive=alive), False
        for step in steps:
            meaning = self._meaning_of(step)
            if meaning.softens_next:
                warns = True
                continue
            ends = ends.then(self._after(step, meaning, ends.alive, inside, is_warned=is_warned or warns))
            warns = False
            if not ends.alive:
                break
        return ends

    def _meaning_of(self, step: Step) -> Meaning:
        self._steps += 1
        return self._means(step) if self._steps <= _MOST_STEPS else Meaning(frozenset(Effect))

    def _after(
        self, step: Step, meaning: Meaning, alive: frozenset[bool], inside: tuple[str, ...], *, is_warned: bool
    ) -> Ends:
        cause = "/".join([*inside, f"{step.name} {step.argument}".strip()])
        if meaning.is_unknown or (meaning.is_broken and not is_warned):
            return _refused_by(cause)
        effects = frozenset(Effect) if meaning.is_broken else meaning.effects
        # Behind warn_if_reject, what is broken is not softened: nothing is known of it.
        ends = _after_effects(effects, alive, cause, is_warned=is_warned and not meaning.is_broken)
        for each in meaning.lists:
            if each.name in inside:
                # Postfix answers 451, even behind warn_if_reject.
                ends = ends.beside(_refused_by(cause))
                continue
            within = (*inside, each.name) if each.name else inside
            ends = ends.beside(self.through(each.steps, alive, within, is_warned=is_warned))
        return ends


def _refused_by(cause: str) -> Ends:
    return Ends(is_refused=True, refuses=frozenset({cause}))


def _after_effects(effects: Iterable[Effect], alive: frozenset[bool], cause: str, *, is_warned: bool) -> Ends:
    softened = {Effect.PASS if is_warned and each not in (Effect.PERMIT, Effect.PASS) else each for each in effects}
    deferred = frozenset({True}) if Effect.DEFER_IF_PERMIT in softened else frozenset()
    causes = frozenset({cause})
    return Ends(
        permitted=alive if Effect.PERMIT in softened else frozenset(),
        is_refused=Effect.REFUSE in softened,
        alive=(alive if Effect.PASS in softened else frozenset()) | deferred,
        permits=causes if Effect.PERMIT in softened else frozenset(),
        refuses=causes if softened & {Effect.REFUSE, Effect.DEFER_IF_PERMIT} else frozenset(),
    )
