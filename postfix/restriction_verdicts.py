"""Decide if restriction lists permit a client's mail to other domains: permit, refuse, or cannot tell.

Everything that may happen is followed: the answer of a policy server or of an unknown table is any answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from postfix.access_actions import action_of
from postfix.restriction_names import RESTRICTIONS, Argument, Client, Effect, Restriction
from postfix.restriction_steps import WARNING, Step, Vocabulary, steps_of
from postfix.restriction_walk import Meaning, SubList, Verdict, walked

__all__ = ["Verdict", "first_that_may", "verdict"]

_PASS = frozenset({Effect.PASS})


@dataclass(frozen=True, slots=True)
class _Declared:
    """What steps mean for one client, by what is declared."""

    client: Client
    known: Vocabulary

    def meaning_of(self, step: Step) -> Meaning:
        """Return what a step may do."""
        if step.restriction == WARNING and step.name not in self.known.classes:
            return Meaning(softens_next=True)
        restriction = RESTRICTIONS.get(step.restriction)
        if restriction is None:
            return self._class(step.name)
        if restriction.argument is Argument.TABLE:
            return self._table(restriction, step.argument)
        permits = self.client in restriction.permits
        return Meaning(frozenset({Effect.PERMIT}) if permits else restriction.effects)

    def _class(self, name: str) -> Meaning:
        if name in self.known.classes:
            return Meaning(lists=(SubList(self.known.classes[name], name),))
        return Meaning(is_unknown=True)

    def _table(self, restriction: Restriction, name: str) -> Meaning:
        if restriction.only_for and self.client not in restriction.only_for:
            return Meaning(_PASS)
        table = self.known.tables.get(name)
        if table is None or table.unknown_table:
            return Meaning(restriction.effects)
        actions = [action_of(value) for value in table.rows.values()]
        ignored = {Effect.PERMIT} if restriction.is_never_permit else set()
        effects = [action.effects - ignored or _PASS for action in actions if not action.steps]
        return Meaning(_PASS.union(*effects), tuple(SubList(action.steps) for action in actions if action.steps))


def verdict(items: Sequence[str], client: Client, known: Vocabulary) -> Verdict:
    """Return what a list decides by itself about mail of a client to somebody elsewhere."""
    return walked(steps_of(items), _Declared(client, known).meaning_of).verdict


def first_that_may(effect: Effect, items: Sequence[str], client: Client, known: Vocabulary) -> int | None:
    """Return the place of the first item that may permit, or refuse, the client's mail; None for the list's end."""
    for index in range(len(items)):
        ends = walked(steps_of(items[: index + 1]), _Declared(client, known).meaning_of)
        if effect is Effect.PERMIT and False in ends.permitted:
            return index
        if effect is Effect.REFUSE and (ends.is_refused or True in ends.outcomes):
            return index
    return None
