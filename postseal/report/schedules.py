"""Read schedules and demands from a stack's state, the input of a forecast."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pki.certificate.records import CertificateInputs, CertificateState
from pki.crl_schedule import CrlDemand, CrlPolicy, CrlSchedule
from pki.demand import demand_of
from pki.generations import Demand, Schedule
from pki.model import Profile, SlotId
from pki.revocation_list.records import RevocationListInputs, RevocationListState
from postseal.report.export import StackState, Stored, read_stack
from postseal.report.rosters import StoredRoster, decided_clients
from postseal_core.errors import ConfigError, Problem

__all__ = ["FixedDate", "Future", "SignedList", "Tracked", "read_future"]


@dataclass(frozen=True, slots=True)
class Tracked:
    """A certificate that will be renewed: its schedule and its next demand.

    `slot`: of an authority, which of its keys it is for; None for a leaf, and where another root signs a root's key.
    `issuer`: which key signs it, None for itself.
    """

    kind: str
    name: str
    roster: str
    slot: SlotId | None
    issuer: SlotId | None
    schedule: Schedule
    demand: Demand


@dataclass(frozen=True, slots=True)
class SignedList:
    """A revocation list: its schedule and its next demand."""

    name: str
    schedule: CrlSchedule
    demand: CrlDemand


@dataclass(frozen=True, slots=True)
class FixedDate:
    """An imported certificate: from `renew_at` on a person must fetch the next one, whose dates nobody knows."""

    name: str
    renew_at: datetime


@dataclass(frozen=True, slots=True)
class Future:
    """All items of a stack that a forecast can simulate."""

    certificates: tuple[Tracked, ...]
    lists: tuple[SignedList, ...]
    imported: tuple[FixedDate, ...]


def read_future(export: object) -> Future:
    """Read all items of a stack that a forecast can simulate.

    Raises:
        ConfigError: the document is no stack's state, or something in it cannot be read (all of it is named).
    """
    problems: list[Problem] = []
    stack = read_stack(export, problems)
    future = Future(
        certificates=tuple(_certificates(stack, problems)),
        lists=tuple(map(_signed_list, stack.revocation_lists)),
        imported=tuple(FixedDate(each.state.described.name, each.state.described.renew_at) for each in stack.imported),
    )
    if problems:
        raise ConfigError(problems)
    return future


def _certificates(stack: StackState, problems: list[Problem]) -> Iterator[Tracked]:
    yield from map(_certificate, stack.certificates)
    for roster in stack.rosters:
        yield from _clients(roster, problems)


def _certificate(stored: Stored[CertificateInputs, CertificateState]) -> Tracked:
    inputs = stored.inputs
    return Tracked(
        kind=inputs.profile.value,
        name=inputs.name,
        roster="",
        slot=inputs.slot,
        issuer=inputs.schedule.issuer,
        schedule=inputs.schedule,
        demand=demand_of(
            inputs.declared,
            inputs.profile,
            None,
            is_key_elsewhere=inputs.is_key_elsewhere,
            is_distrusted=inputs.is_distrusted,
        ),
    )


def _clients(roster: StoredRoster, problems: list[Problem]) -> Iterator[Tracked]:
    for client in decided_clients(roster, problems):
        yield Tracked(
            kind=Profile.CLIENT.value,
            name=client.name,
            roster=roster.inputs.name,
            slot=None,
            issuer=roster.inputs.issuer_slot,
            schedule=client.schedule,
            demand=demand_of(client.declared, Profile.CLIENT, None),
        )


def _signed_list(stored: Stored[RevocationListInputs, RevocationListState]) -> SignedList:
    """Return a list with its present entries: only a changed program revokes or releases anything."""
    inputs = stored.inputs
    policy = CrlPolicy(inputs.lifetime_hours, inputs.renew_before_hours)
    return SignedList(inputs.name, inputs.schedule, CrlDemand(policy, revoked=inputs.schedule.entries))
