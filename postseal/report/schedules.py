"""Rebuild, from a stack's state, the schedules and demands that the provider decides with at its next run."""

from dataclasses import dataclass, replace
from datetime import datetime

from pki.declared import decode_declared, problems_of_words
from pki.demand import demand_of
from pki.lifetime import LifetimePolicy
from pki.model import Validity
from pki.schedule import AcceptedGeneration, Demand, RevokedGeneration, Schedule
from postseal.report.export import Fields, read_resources
from postseal.report.records import CERTIFICATE, IMPORTED_CERTIFICATE, REVOCATION_LIST, Record, find_records
from postseal_core.errors import ConfigError, Problem

__all__ = ["FixedDate", "Future", "SignedList", "Tracked", "read_future"]

_GENERATION = " generation "
_UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Tracked:
    """A certificate that the provider renews: what was decided about it, and what will be asked again.

    `issuer_name` names the authority in the same stack, empty for a self-signed certificate.
    """

    kind: str
    name: str
    roster: str
    issuer_name: str
    schedule: Schedule
    demand: Demand


@dataclass(frozen=True, slots=True)
class SignedList:
    """A revocation list, signed again from `renew_at` on."""

    name: str
    this_update: datetime
    renew_at: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True)
class FixedDate:
    """An imported certificate: from `renew_at` on a person must fetch the next one, whose dates nobody knows."""

    name: str
    renew_at: datetime


@dataclass(frozen=True, slots=True)
class Future:
    """Everything in a stack whose future can be told."""

    certificates: tuple[Tracked, ...]
    lists: tuple[SignedList, ...]
    imported: tuple[FixedDate, ...]


def read_future(export: object) -> Future:
    """Return everything in a stack whose future can be told, with what was declared about it.

    Raises:
        ConfigError: the document is no stack's state, or an entry in it cannot be read (all of them are named).
    """
    problems: list[Problem] = []
    records = list(find_records(read_resources(export), problems))
    future = Future(
        certificates=tuple(_tracked(record, problems) for record in records if record.type == CERTIFICATE),
        lists=tuple(_signed_list(record) for record in records if record.type == REVOCATION_LIST),
        imported=tuple(
            FixedDate(record.fields.text("name", record.resource.name), record.fields.instant("renew_at"))
            for record in records
            if record.type == IMPORTED_CERTIFICATE and record.fields.has("renew_at")
        ),
    )
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return future


def _tracked(record: Record, problems: list[Problem]) -> Tracked:
    fields = record.fields
    issuer_name = fields.text("issuer", "").rpartition(_GENERATION)[0]
    return Tracked(
        kind=fields.text("profile"),
        name=fields.text("name", record.resource.name),
        roster=record.roster,
        issuer_name=issuer_name,
        schedule=_schedule(record, issuer_name),
        demand=_demand(record, problems),
    )


def _schedule(record: Record, issuer_name: str) -> Schedule:
    fields = record.fields
    validity = Validity(fields.instant("not_before"), fields.instant("not_after"))
    generation = fields.integer("generation")
    return Schedule(
        generation=generation,
        key_generation=fields.integer("key_generation", generation),
        validity=validity,
        renew_at=fields.instant("renew_at"),
        reason=fields.text("reason", ""),
        issuer_id=record.policy.text("issuer_id", issuer_name),
        accepted=tuple(_accepted(item) for item in fields.records("previous")),
        revoked=_revoked(fields, generation, validity),
    )


def _accepted(fields: Fields) -> AcceptedGeneration:
    issuer_id = fields.text("issuer_id", fields.text("issuer", ""))
    return AcceptedGeneration(
        fields.integer("generation"), fields.instant("not_after"), fields.instant("retire_at"), issuer_id
    )


def _revoked(fields: Fields, generation: int, validity: Validity) -> tuple[RevokedGeneration, ...]:
    """The list has every revoked generation; where it lacks the current one, `revoked_at` speaks for it."""
    listed = tuple(
        RevokedGeneration(
            item.integer("generation"), item.instant("not_after"), item.instant("revoked_at"), item.text("reason")
        )
        for item in fields.records("revoked")
    )
    revoked_at = fields.optional_instant("revoked_at")
    if revoked_at is None or any(entry.generation == generation for entry in listed):
        return listed
    reason = fields.text("revocation_reason", _UNSPECIFIED)
    return (*listed, RevokedGeneration(generation, validity.not_after, revoked_at, reason))


def _demand(record: Record, problems: list[Problem]) -> Demand:
    """Ask for what the program asks for in every run; the issuer is added when the time has come."""
    declared = {"name": record.resource.name, **record.policy.values}
    wrong = problems_of_words(declared)
    problems += [problem.below(record.resource.name) for problem in wrong]
    if wrong:
        return Demand(policy=LifetimePolicy())
    demand = demand_of(decode_declared(declared), None)
    if demand.revoke_reason or not record.fields.has("revoked_at"):
        return demand
    return replace(demand, revoke_reason=record.fields.text("revocation_reason", _UNSPECIFIED))


def _signed_list(record: Record) -> SignedList:
    fields = record.fields
    return SignedList(
        name=fields.text("name", record.resource.name),
        this_update=fields.instant("this_update"),
        renew_at=fields.instant("renew_at"),
        next_update=fields.instant("next_update"),
    )
