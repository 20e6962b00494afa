"""Parse restriction lists into steps and check each step."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

from postfix.receiving import LookupTable, Restrictions
from postfix.restriction_names import INSTEAD, REFUSED, RESTRICTIONS, Argument, Stage
from postseal_core.wording import nearest_hint, shown

__all__ = ["WARNING", "Step", "Vocabulary", "faults_of_item", "faults_of_step", "steps_of"]

WARNING: Final = "warn_if_reject"

_ENDPOINT: Final = r"(inet:[A-Za-z0-9.:\[\]-]+:[A-Za-z0-9_-]+|unix:[A-Za-z0-9_./-]+)"
_ATTRIBUTE: Final = (
    r"(default_action|max_idle|max_ttl|policy_context|request_limit|retry_delay|timeout|try_limit)"
    r"\s*=\s*[A-Za-z0-9_. -]+"
)
_ARGUMENTS: Final[Mapping[Argument, re.Pattern[str]]] = MappingProxyType(
    {
        Argument.NONE: re.compile(r""),
        Argument.TABLE: re.compile(r"\S+"),
        Argument.LIST_DOMAIN: re.compile(r"[A-Za-z0-9_.-]+(=[0-9.;\[\]]+)?", re.ASCII),
        Argument.POLICY: re.compile(rf"{_ENDPOINT}|\{{\s*{_ENDPOINT}(\s*,\s*{_ATTRIBUTE})*\s*\}}", re.ASCII),
        Argument.SECONDS: re.compile(r"[0-9]{1,3}", re.ASCII),
    }
)
# What Postfix would expand or read otherwise than it is split here.
_TELLING: Final = re.compile(r"[$\"'\\#\x00-\x1f\x7f-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Step:
    """One restriction with its argument; Postfix reads names of restrictions in any case, of classes as they are."""

    name: str
    argument: str = ""

    @property
    def restriction(self) -> str:
        """The name as the table of restrictions has it."""
        return self.name.lower()


@dataclass(frozen=True)
class Vocabulary:
    """The names a host adds to Postfix's own restrictions: its classes, tables and delivery services."""

    restrictions: Restrictions
    services: frozenset[str] = frozenset()

    @cached_property
    def classes(self) -> Mapping[str, tuple[Step, ...]]:
        """The steps of each class."""
        return {name: steps_of(items) for name, items in self.restrictions.classes.items()}

    @property
    def tables(self) -> Mapping[str, LookupTable]:
        """The tables by the name that restrictions call them."""
        return self.restrictions.tables


def steps_of(items: Sequence[str]) -> tuple[Step, ...]:
    """Split a list into steps without checking them."""
    return tuple(step for item in items for step in _steps_of_item(item))


def _steps_of_item(item: str) -> Iterator[Step]:
    name, _, argument = " ".join(item.split()).partition(" ")
    if name.lower() == WARNING and argument:
        yield Step(name)
        yield from _steps_of_item(argument)
    else:
        yield Step(name, argument)


def faults_of_item(item: str, stage: Stage | None, known: Vocabulary) -> Iterator[str]:
    """Say what is wrong with one item of a list; `stage` is None in a class, which may be used in any list."""
    if not item.strip() or _TELLING.search(item):
        yield f"got {shown(item)}, expected a restriction and its argument in ASCII, without quotes, $ and #"
        return
    for step in _steps_of_item(item):
        yield from faults_of_step(step, stage, known)


def faults_of_step(step: Step, stage: Stage | None, known: Vocabulary) -> Iterator[str]:
    """Say what is wrong with one step; `stage` as of an item."""
    name = step.restriction
    if step.name in known.classes:
        yield from _faults_of_argument(step, Argument.NONE, known)
    elif name in REFUSED:
        yield f"{name} {REFUSED[name]}"
    elif name in INSTEAD:
        yield f"{name} is an old name; write {INSTEAD[name]}"
    elif ":" in name or name.startswith("{"):
        yield f"{shown(step.name)} is a table alone; write check_..._access and a name from restrictions.tables"
    elif name not in RESTRICTIONS:
        names: Collection[str] = (*RESTRICTIONS, *known.classes)
        yield f"{shown(step.name)} is no restriction, and Postfix would refuse all mail; {nearest_hint(name, names)}"
    else:
        yield from _faults_of_place(name, RESTRICTIONS[name].stage, stage)
        yield from _faults_of_argument(step, RESTRICTIONS[name].argument, known)


def _faults_of_place(name: str, needs: Stage, stage: Stage | None) -> Iterator[str]:
    if stage is None or (needs is not Stage.ETRN and stage is not Stage.ETRN):
        return
    if needs is Stage.ETRN and stage is not Stage.ETRN:
        yield f"{name} is for smtpd_etrn_restrictions only"
    elif Stage.HELO < needs < Stage.ETRN:
        yield f"{name} looks at sender or recipient, and at ETRN there is none"


def _faults_of_argument(step: Step, expected: Argument, known: Vocabulary) -> Iterator[str]:
    if expected is Argument.TABLE and ":" in step.argument:
        yield (
            f"got {shown(step.argument)}, expected a name: declare it in restrictions.tables, with its rows or as "
            "unknown_table"
        )
    elif expected is Argument.TABLE and step.argument not in known.tables:
        yield f"{shown(step.argument)} is not in restrictions.tables; {nearest_hint(step.argument, known.tables)}"
    elif not _ARGUMENTS[expected].fullmatch(step.argument):
        yield f"got {shown(step.argument)} behind {step.name}, expected {expected.value}"
