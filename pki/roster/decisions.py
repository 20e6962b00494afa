"""Decide for every client of a roster what a single certificate would decide, and only look closely where needed."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509

from pki.constraints import IssuerLimits, problems_under_limits
from pki.declared import DeclaredCertificate, decode_declared, problems_of_declared, problems_of_words
from pki.demand import SAME, Differences, demand_of, differences_of
from pki.roster.changes import Touch, describe_addition, describe_change, describe_removal
from pki.roster.client_properties import client_properties, problem_of_entry
from pki.roster.fields import problems_of_fields
from pki.roster.takeover import Takeover, differences_of_takeover, schedule_of_takeover
from pki.schedule import IssuerWindow, Schedule, decide
from pki.schedule_codec import decode_schedule, encode_schedule
from postseal_core.errors import Problem, ScheduleError
from postseal_core.instants import format_instant

__all__ = [
    "Declaration",
    "IssuerView",
    "Record",
    "RosterDecision",
    "StoredRoster",
    "decide_roster",
    "next_due_at",
    "schedule_of",
]

Record = Mapping[str, Any]
"""The schedule of one client, encoded, with its `name`."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared: one canonical JSON line per client by name, and the properties that hold for all of them.

    `shared` has the roster-wide fields and `issuer` (a label), `issuer_id` and `issuer_key`.
    """

    lines: Mapping[str, str]
    shared: Mapping[str, Any]

    def properties(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the properties that a single certificate of this client would have."""
        return client_properties(entry, self.shared)


@dataclass(frozen=True, slots=True)
class StoredRoster:
    """What was declared last time, and what was decided then."""

    declaration: Declaration
    records: Mapping[str, Record]


@dataclass(frozen=True, slots=True)
class IssuerView:
    """The issuer as far as deciding needs it.

    `chain`: issuer first, empty where a preview does not know it yet; `limits`: what each certificate of it allows.
    """

    window: IssuerWindow | None
    chain: Sequence[x509.Certificate] = ()
    limits: Sequence[IssuerLimits] = ()


@dataclass(slots=True)
class RosterDecision:
    """Records of all clients in the order of their names, what changes, and everything that keeps it from happening."""

    records: dict[str, Record] = field(default_factory=dict)
    touches: list[Touch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Client:
    """One client in a decision; `before` is None for a new one, `differences` are those from what was issued."""

    name: str
    declared: DeclaredCertificate
    before: Schedule | None
    differences: Differences = SAME


def decide_roster(
    declaration: Declaration,
    stored: StoredRoster | None,
    issuer: IssuerView,
    now: datetime,
    takeovers: Mapping[str, Takeover] | None = None,
) -> RosterDecision:
    """Return the schedules of all clients from `now` on, the same as single certificates would have.

    `takeovers`: certificates of clients that the roster does not have yet.
    """
    known = stored or StoredRoster(Declaration({}, declaration.shared), {})
    decision = RosterDecision()
    is_roster_same = declaration.shared == known.declaration.shared
    now_text = format_instant(now)
    for name, line in declaration.lines.items():
        record = known.records.get(name)
        is_same = is_roster_same and record is not None and known.declaration.lines[name] == line
        if record is not None and is_same and _is_quiet(record, line, declaration.shared, now_text):
            decision.records[name] = record
        else:
            _decide_client(decision, name, declaration, known, issuer, now, (takeovers or {}).get(name))
    for name in known.records.keys() - declaration.lines.keys():
        decision.touches.append(describe_removal(name, schedule_of(known.records[name])))
    decision.touches.sort(key=lambda touch: touch.name)
    return decision


def next_due_at(records: Mapping[str, Record]) -> str:
    """Return the first instant (RFC 3339) at which a certificate renews or an old generation retires; or nothing."""
    return min((instant for record in records.values() for instant in _due_instants(record)), default="")


def schedule_of(record: Record) -> Schedule:
    """Return the schedule that a record holds."""
    schedule = decode_schedule(record)
    if schedule is None:
        raise ScheduleError(f"the record of {record['name']} has no generation: its inputs did not pass through Check")
    return schedule


def _due_instants(record: Record) -> Iterator[str]:
    if "accepted" not in record and "revoked" not in record:
        yield record["renew_at"]
        return
    schedule = schedule_of(record)
    if not schedule.is_revoked:
        yield record["renew_at"]
    yield from (format_instant(entry.retire_at) for entry in schedule.accepted)


def _is_quiet(record: Record, line: str, shared: Mapping[str, Any], now_text: str) -> bool:
    """Return whether `decide` would change nothing; instants in one format compare as text does."""
    if "revoked" in record or not record["not_before"] <= now_text < record["renew_at"]:
        return False
    if "accepted" not in record:
        return True
    is_confirming = json.loads(line).get("confirm", shared.get("confirm"))
    return not is_confirming and all(now_text < instant for instant in _due_instants(record))


def _decide_client(
    decision: RosterDecision,
    name: str,
    declaration: Declaration,
    known: StoredRoster,
    issuer: IssuerView,
    now: datetime,
    takeover: Takeover | None,
) -> None:
    line = declaration.lines[name]
    entry = json.loads(line)
    properties = declaration.properties(entry)
    problems = [*problems_of_fields(entry), *problems_of_words(properties)]
    declared = None if problems else decode_declared(properties)
    if declared:
        problems += problems_of_declared(declared)
        problems += problems_under_limits(declared.declaration, issuer.limits)
    if problems or declared is None:
        decision.problems += [problem_of_entry(name, problem) for problem in problems]
        return
    old_line = known.declaration.lines.get(name)
    if old_line is not None:
        old = known.declaration.properties(json.loads(old_line))
        before = schedule_of(known.records[name])
        client = _Client(name, declared, before, differences_of(properties, old))
    elif takeover:
        before = schedule_of_takeover(takeover, declared.policy, str(properties["issuer_id"]))
        client = _Client(name, declared, before, differences_of_takeover(takeover, declared, issuer.chain))
    else:
        client = _Client(name, declared, None)
    _record(decision, client, issuer, now, old_line, line)


def _record(
    decision: RosterDecision, client: _Client, issuer: IssuerView, now: datetime, old_line: str | None, line: str
) -> None:
    demand = demand_of(client.declared, issuer.window, client.differences)
    try:
        step = decide(client.before, demand, now)
    except ScheduleError as error:
        decision.problems.append(Problem(f"clients.{client.name}", str(error)))
        return
    after = step.schedule
    decision.records[client.name] = {"name": client.name, **encode_schedule(after)}
    if step.note:
        decision.notes[step.note] += 1
    if old_line is None or client.before is None:
        decision.touches.append(describe_addition(client.name, after, client.before))
    elif touch := describe_change(client.name, client.before, after, old_line, line):
        decision.touches.append(touch)
