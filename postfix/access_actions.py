"""Interpret and check the actions in rows of access(5) tables."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pki.name_syntax import fault_of_email
from postfix.next_hops import faults_of_transport
from postfix.restriction_names import RESTRICTIONS, Argument, Effect
from postfix.restriction_steps import Step, Vocabulary, faults_of_step
from postseal_core.wording import nearest_hint, shown

__all__ = ["Action", "action_of", "faults_of_action", "nearest_service"]

_REPLY: Final = re.compile(r"[45][0-9]{2}( .*)?", re.ASCII)
_FILTER: Final = re.compile(r"(?P<service>[A-Za-z0-9_-]+):[^\s,]*", re.ASCII)
_PREPENDED: Final = re.compile(r"[!-9;-~]+:.*")

_PASS: Final = frozenset({Effect.PASS})
_PERMIT: Final = frozenset({Effect.PERMIT})
_REFUSE: Final = frozenset({Effect.REFUSE})
_ACTIONS: Final[Mapping[str, frozenset[Effect]]] = MappingProxyType(
    {
        "BCC": _PASS,
        "DEFER": _REFUSE,
        "DEFER_IF_PERMIT": frozenset({Effect.DEFER_IF_PERMIT}),
        "DEFER_IF_REJECT": _PASS,
        "DISCARD": _PERMIT,
        "DUNNO": _PASS,
        "FILTER": _PASS,
        "HOLD": _PASS,
        "INFO": _PASS,
        "OK": _PERMIT,
        "PREPEND": _PASS,
        "REDIRECT": _PASS,
        "REJECT": _REFUSE,
        "RELAY": _PERMIT,
        "WARN": _PASS,
    }
)


@dataclass(frozen=True, slots=True)
class Action:
    """The meaning of one row of access(5): its `effects`, or the restrictions it tries."""

    effects: frozenset[Effect]
    steps: tuple[Step, ...] = ()


def action_of(value: str) -> Action:
    """Interpret the action of a row of access(5); numbers alone may permit or refuse."""
    text = " ".join(value.split())
    word = text.partition(" ")[0].upper()
    if word in _ACTIONS:
        return Action(_ACTIONS[word])
    if text.isascii() and text.isdigit():
        return Action(_PERMIT | _REFUSE)
    if _REPLY.fullmatch(text):
        return Action(_REFUSE)
    return Action(frozenset(), _steps_of_row(text))


def _steps_of_row(text: str) -> tuple[Step, ...]:
    """Return the restrictions of a row, in which commas and blanks separate words."""
    words = text.replace(",", " ").split()
    steps: list[Step] = []
    while words:
        name = words.pop(0)
        restriction = RESTRICTIONS.get(name.lower())
        has_argument = restriction is not None and restriction.argument is not Argument.NONE
        steps.append(Step(name, words.pop(0) if has_argument and words else ""))
    return tuple(steps)


def faults_of_action(value: str, known: Vocabulary) -> Iterator[str]:
    """Say what is wrong with the value of a row of access(5)."""
    word, _, rest = " ".join(value.split()).partition(" ")
    action = action_of(value)
    if not value.isascii():
        yield f"got {shown(value)}, expected ASCII, as SMTP has it"
    elif action.effects == _PERMIT | _REFUSE:
        yield f"{value.strip()!r} alone counts as OK where it is no reply code; write OK, or 550 and a text"
    elif word.upper() in {"BCC", "REDIRECT"} and (fault := fault_of_email(rest)):
        yield f"{word} {fault}"
    elif word.upper() == "PREPEND" and not _PREPENDED.fullmatch(rest):
        yield f"got {shown(rest)} behind PREPEND, expected a header as 'X-Seen: yes'"
    elif word.upper() == "FILTER":
        yield from _faults_of_filter(rest, known)
    for step in action.steps:
        yield from _faults_of_row_step(step, known)


def _faults_of_row_step(step: Step, known: Vocabulary) -> Iterator[str]:
    restriction = RESTRICTIONS.get(step.restriction)
    if restriction and restriction.argument is Argument.TABLE:
        yield f"{step.name} cannot stand in a row; put it into a class and write the class here"
    else:
        yield from faults_of_step(step, None, known)


def _faults_of_filter(rest: str, known: Vocabulary) -> Iterator[str]:
    match = _FILTER.fullmatch(rest)
    if not match:
        yield f"got {shown(rest)} behind FILTER, expected service:destination"
    elif match["service"] not in known.services:
        yield f"FILTER: service {nearest_service(match['service'], known.services)}"
    else:
        yield from faults_of_transport(rest)


def nearest_service(service: str, services: Collection[str]) -> str:
    """Return the message for an unknown delivery service, with the nearest known name."""
    return f"{shown(service)} is not known in master.cf; {nearest_hint(service, services)}"
