"""Read schedules and demands from a stack's state, the input of a forecast."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pki.certificate.records import CertificateInputs, CertificateState
from pki.crl_schedule import CrlDemand, CrlPolicy, CrlSchedule
from pki.demand import demand_of
from pki.fields import Match
from pki.generations import Demand, IssuerWindow, Schedule
from pki.imported_certificate.records import ImportedCertificateInputs, ImportedCertificateState
from pki.model import Profile, SlotId, Validity
from pki.requested_authority.records import RequestedAuthorityInputs, RequestedAuthorityState
from pki.revocation_list.records import RevocationListInputs, RevocationListState
from postseal.report.export import StackState, Stored, read_stack
from postseal.report.model import Expiring
from postseal.report.on_host import items_on_host
from postseal.report.rosters import StoredRoster, decided_clients
from postseal_core.errors import ConfigError, Problem

__all__ = ["FixedDate", "Future", "SignedList", "Tracked", "read_future"]


_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tracked:
    """A certificate that will be renewed: its schedule and its next demand.

    `slot`: of an authority, which of its keys it is for; None for a leaf, and where another root signs a root's key.
    `issuer`: which key signs it, None for itself. `match`: by what relays know it.
    """

    kind: str
    name: str
    roster: str
    slot: SlotId | None
    issuer: SlotId | None
    schedule: Schedule
    demand: Demand
    match: Match = Match.CERTIFICATE


@dataclass(frozen=True, slots=True)
class SignedList:
    """A revocation list: its schedule and its next demand."""

    name: str
    schedule: CrlSchedule
    demand: CrlDemand


@dataclass(frozen=True, slots=True)
class FixedDate:
    """A certificate that others sign: from `renew_at` on a person must fetch the next one, whose dates nobody knows.

    `window`: of an authority, its slot and validity, None of a server.
    """

    kind: str
    name: str
    renew_at: datetime
    window: IssuerWindow | None = None


@dataclass(frozen=True, slots=True)
class Future:
    """All items of a stack that a forecast can simulate, and what was seen `on_host`, whose dates others decide."""

    certificates: tuple[Tracked, ...]
    lists: tuple[SignedList, ...]
    imported: tuple[FixedDate, ...]
    on_host: tuple[Expiring, ...] = ()


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
        imported=(*map(_imported, stack.imported), *map(_requested, stack.requested)),
        on_host=tuple(item for host in stack.hosts for item in items_on_host(host)),
    )
    if problems:
        raise ConfigError(problems)
    return future


def _imported(stored: Stored[ImportedCertificateInputs, ImportedCertificateState]) -> FixedDate:
    described = stored.state.described
    return FixedDate("imported", described.name, described.renew_at)


def _requested(stored: Stored[RequestedAuthorityInputs, RequestedAuthorityState]) -> FixedDate:
    """Return when an authority's next certificate is to be fetched: at once where the first is awaited."""
    inputs, signed = stored.inputs, stored.inputs.signed
    if not (signed and signed.not_before and signed.not_after and signed.renew_at):
        return FixedDate(Profile.INTERMEDIATE.value, inputs.name, _AT_ONCE)
    window = IssuerWindow(inputs.slot, Validity(signed.not_before, signed.not_after))
    return FixedDate(Profile.INTERMEDIATE.value, inputs.name, signed.renew_at, window)


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
        match=inputs.declared.match,
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
            match=client.declared.match,
        )


def _signed_list(stored: Stored[RevocationListInputs, RevocationListState]) -> SignedList:
    """Return a list with its present entries: only a changed program revokes or releases anything."""
    inputs = stored.inputs
    policy = CrlPolicy(inputs.lifetime_hours, inputs.renew_before_hours)
    return SignedList(inputs.name, inputs.schedule, CrlDemand(policy, revoked=inputs.schedule.entries))
