"""Check restriction lists: unknown restrictions, circular classes, and lists that let a stranger relay."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from postfix.access_actions import action_of, faults_of_action
from postfix.host import HostDeclaration, Ownership
from postfix.lookup_checks import LISTABLE_TYPES, PATTERN_TYPES, problems_of_table
from postfix.parameters import EARLIER_NAMES, parameter_named
from postfix.receiving import LookupTable
from postfix.restriction_names import INSTEAD, LISTS, REFUSED, RESTRICTIONS, Client, Effect, Stage
from postfix.restriction_steps import WARNING, Step, Vocabulary, faults_of_item, steps_of
from postfix.restriction_verdicts import Verdict, first_that_may, verdict
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["is_relay_deciding", "problems_of_restrictions", "relaying_clients", "vocabulary_of"]

RECIPIENT_LIST: Final = "smtpd_recipient_restrictions"
BEFORE_RELAYING: Final = tuple(name for name, stage in LISTS.items() if stage <= Stage.RECIPIENT)
_CLASS_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OWN_CLASS: Final = "postseal_"
_TABLE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)


def vocabulary_of(host: HostDeclaration, services: frozenset[str]) -> Vocabulary:
    """Return what the restrictions of a host may name; `services`: delivery services of its master.cf."""
    return Vocabulary(host.restrictions, services)


def is_relay_deciding(host: HostDeclaration) -> bool:
    """Return whether smtpd_recipient_restrictions may be all that keeps strangers from relaying.

    It is not where smtpd_relay_restrictions is certainly ours, or Postfix's default. In a master.cf that is not ours, a
    service may override that; and so does a parameter that was declared without a check. Below compatibility_level 1
    the default is empty (postconf(5)).
    """
    has_no_default = host.server is None and host.effective_compatibility_level.startswith("0")
    return host.ownership is Ownership.MERGE or "smtpd_relay_restrictions" in host.parameters or has_no_default


def relaying_clients(host: HostDeclaration) -> tuple[Client, ...]:
    """Return which clients this declaration lets relay."""
    relay = host.server.settings.relay if host.server else None
    granted = {
        Client.LISTED: bool(relay and relay.client_certificates),
        Client.USER: bool(relay and relay.sasl),
        Client.NETWORK: bool(relay and relay.mynetworks),
    }
    return tuple(client for client, is_granted in granted.items() if is_granted)


def problems_of_restrictions(host: HostDeclaration, services: frozenset[str]) -> Iterator[Problem]:
    """Find everything that is wrong with the restriction lists of a host, with paths below `restrictions`."""
    known = vocabulary_of(host, services)
    found = [*_problems_of_lists(host, known), *_problems_of_classes(host, known), *_problems_of_tables(known)]
    # What is wrong in a list would only make its verdict wrong, too.
    found += () if found else _problems_of_verdicts(host, known)
    found += [*_unused_classes(known), *_contradictions(host)]
    yield from (problem.below("restrictions") for problem in found)


def _problems_of_lists(host: HostDeclaration, known: Vocabulary) -> Iterator[Problem]:
    is_at_once = host.parameters.get("smtpd_delay_reject", "").lower() == "no"
    for name, items in host.restrictions.declared():
        stage = LISTS[name]
        yield from _problems_of_items(name, items, stage, known)
        late = [step.name for step in steps_of(items) if is_at_once and _stage_of(step) > stage]
        for each in late:
            yield Problem(name, f"{each} has no effect here while smtpd_delay_reject is no; move it to a later list")


def _stage_of(step: Step) -> Stage:
    restriction = RESTRICTIONS.get(step.restriction)
    return restriction.stage if restriction else Stage.CLIENT


def _problems_of_items(path: str, items: tuple[str, ...], stage: Stage | None, known: Vocabulary) -> Iterator[Problem]:
    for index, item in enumerate(items):
        yield from (Problem(f"{path}[{index}]", fault) for fault in faults_of_item(item, stage, known))
    if items and items[-1].strip().lower() == WARNING:
        yield Problem(f"{path}[{len(items) - 1}]", f"{WARNING} is about the restriction behind it, and there is none")


def _problems_of_classes(host: HostDeclaration, known: Vocabulary) -> Iterator[Problem]:
    in_circles = _classes_in_circles(known)
    for name, items in known.restrictions.classes.items():
        path = f"classes.{name}"
        if fault := _fault_of_class_name(name):
            yield Problem(path, fault)
        elif host.ownership is Ownership.MERGE and not name.startswith(_OWN_CLASS):
            message = f"sets a parameter of a main.cf that is not ours alone: begin its name with {_OWN_CLASS}"
            yield Problem(path, message)
        if not items:
            yield Problem(path, "a class needs at least one restriction")
        if name in in_circles:
            yield Problem(path, "it leads back to itself, and Postfix would refuse all mail; take it out of itself")
        yield from _problems_of_items(path, items, None, known)


def _fault_of_class_name(name: str) -> str | None:
    if not _CLASS_NAME.fullmatch(name):
        return f"{shown(name)} cannot be a class; use letters, digits and underscores"
    if name.lower() in {*RESTRICTIONS, *REFUSED, *INSTEAD}:
        return f"{name} is a restriction of Postfix; choose another name"
    if parameter_named(name) or name in EARLIER_NAMES:
        return f"{name} is a parameter of Postfix, which the class would set; choose another name"
    return None


def _used_by(known: Vocabulary) -> Mapping[str, frozenset[str]]:
    """Return the classes that each class uses, directly or through its tables."""
    return {name: frozenset(_classes_in(steps, known)) for name, steps in known.classes.items()}


def _classes_in(steps: tuple[Step, ...], known: Vocabulary) -> Iterator[str]:
    for step in steps:
        if step.name in known.classes:
            yield step.name
        elif (table := known.tables.get(step.argument)) is not None:
            yield from (each.name for each in _steps_in_rows(table) if each.name in known.classes)


def _steps_in_rows(table: LookupTable) -> Iterator[Step]:
    return (step for value in table.rows.values() for step in action_of(value).steps)


def _classes_in_circles(known: Vocabulary) -> frozenset[str]:
    uses = _used_by(known)
    reached = {name: set(used) for name, used in uses.items()}
    for _ in uses:
        reached = {name: found.union(*(uses[each] for each in found)) for name, found in reached.items()}
    return frozenset(name for name, found in reached.items() if name in found)


def _unused_classes(known: Vocabulary) -> Iterator[Problem]:
    """Find classes that nothing names; an unknown table might name any."""
    if any(table.unknown_table for table in known.tables.values()):
        return
    lists = [steps_of(items) for _, items in known.restrictions.declared()]
    used = {name for steps in (*lists, *known.classes.values()) for name in _classes_in(steps, known)}
    for name in known.classes:
        if name not in used:
            yield Problem(f"classes.{name}", "no list and no table uses it; write its name there, or leave it out")


def _problems_of_tables(known: Vocabulary) -> Iterator[Problem]:
    for name, table in known.tables.items():
        path = f"tables.{name}"
        if not _TABLE_NAME.fullmatch(name):
            yield Problem(path, f"{shown(name)} cannot name a file; use letters, digits, hyphens and underscores")
        found = [*problems_of_table(table, LISTABLE_TYPES | PATTERN_TYPES), *_problems_of_rows(table, known)]
        yield from (problem.below(path) for problem in found)


def _problems_of_rows(table: LookupTable, known: Vocabulary) -> Iterator[Problem]:
    for key, value in table.rows.items():
        yield from (Problem(f"rows.{key}", fault) for fault in faults_of_action(value, known))


def _contradictions(host: HostDeclaration) -> Iterator[Problem]:
    recipients = host.restrictions.smtpd_recipient_restrictions
    if recipients is not None and host.server and host.server.settings.relay.restrict_recipients:
        yield Problem(RECIPIENT_LIST, "relay.restrict_recipients writes this list; declare one of the two")


def _problems_of_verdicts(host: HostDeclaration, known: Vocabulary) -> Iterator[Problem]:
    for name, items in host.restrictions.declared():
        if name == RECIPIENT_LIST and is_relay_deciding(host):
            yield from _problems_of_strangers(items, known)
        if name in BEFORE_RELAYING and host.ownership is Ownership.WHOLE:
            yield from _problems_of_refused(name, items, host, known)


def _problems_of_strangers(items: tuple[str, ...], known: Vocabulary) -> Iterator[Problem]:
    # Where both lists are empty, smtpd refuses to start.
    if items and verdict(items, Client.STRANGER, known) is not Verdict.REFUSE:
        index = first_that_may(Effect.PERMIT, items, Client.STRANGER, known)
        cause = "a stranger comes to its end" if index is None else f"{items[index]} may let a stranger pass"
        yield Problem(
            _place_in(RECIPIENT_LIST, index),
            f"{cause}, who could then relay through a service that has no smtpd_relay_restrictions; put "
            "reject_unauth_destination before it",
        )


def _problems_of_refused(
    name: str, items: tuple[str, ...], host: HostDeclaration, known: Vocabulary
) -> Iterator[Problem]:
    """Report lists that certainly refuse clients which the same declaration lets relay."""
    for client in relaying_clients(host):
        if client is not Client.NETWORK and verdict(items, client, known) is Verdict.REFUSE:
            index = first_that_may(Effect.REFUSE, items, client, known)
            item = "the list" if index is None else items[index]
            yield Problem(_place_in(name, index), f"{item} refuses {REASONS[client]}; put {PERMITS[client]} before it")


def _place_in(name: str, index: int | None) -> str:
    return name if index is None else f"{name}[{index}]"


REASONS: Final[Mapping[Client, str]] = {
    Client.LISTED: "the clients that relay by certificate",
    Client.USER: "users who log in to relay",
    Client.NETWORK: "hosts in relay.networks",
}
PERMITS: Final[Mapping[Client, str]] = {client: name for name, each in RESTRICTIONS.items() for client in each.permits}
