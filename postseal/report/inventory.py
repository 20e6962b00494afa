"""Turn a stack's state and a clock into the inventory of everything that expires."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pki.acceptance import accepted_rows, admitted, one_row_a_fingerprint
from pki.certificate.records import CertificateInputs, CertificateState
from pki.demand import demand_of
from pki.distrust import signer_to_replace
from pki.fields import DeclaredCertificate, Match
from pki.imported_certificate.records import ImportedCertificateInputs, ImportedCertificateState
from pki.model import SerialNumber
from pki.records import IssuedCertificate
from pki.revocation_list.records import RevocationListInputs, RevocationListState
from pki.schedule import is_request_needed
from postseal.report.export import StackState, Stored, read_stack
from postseal.report.hosts import hosts_of
from postseal.report.model import Accepted, Action, Expiring, Inventory, Kind, State, Verb
from postseal.report.on_host import aged, is_outdated, items_on_host, proven_of, unseen_of
from postseal.report.requested import requested_authority
from postseal.report.rosters import StoredRoster, declared_clients, issued_clients
from postseal_core.errors import ConfigError, Problem
from postseal_core.values import Maybe

__all__ = ["DEFAULT_SOON_DAYS", "build_inventory"]

DEFAULT_SOON_DAYS: Final = 30


def build_inventory(export: object, now: datetime, soon_days: int = DEFAULT_SOON_DAYS) -> Inventory:
    """Return everything in a stack that expires, worst first, as it stands at `now`.

    `export`: the parsed JSON of `pulumi stack export`; secrets in it are never needed. `soon_days`: how long before
    its date an action counts as due soon. Names are made unique within kind and roster, with the URN where need be.
    NOT checked: certificates themselves (the state holds what the provider verified when it issued them).

    Raises:
        ConfigError: the document is no stack's state, or something in it cannot be read (all of it is named).
    """
    problems: list[Problem] = []
    stack = read_stack(export, problems)
    items = list(_items(stack, problems))
    if problems:
        raise ConfigError(problems)
    judged = [_judge(item, now, soon_days) for item in _with_unique_names(items)]
    ordered = tuple(sorted(judged, key=lambda item: item.worst_first))
    proven = tuple(proven_of(stack.proofs, now))
    unseen = unseen_of(stack.hosts)
    return Inventory(stack.project, stack.stack, now, soon_days, ordered, unseen, proven, hosts_of(export))


def _judge(item: Expiring, now: datetime, soon_days: int) -> Expiring:
    item = aged(item, now)
    actions = () if item.revoked_at else _actions(item, now)
    return replace(
        item,
        state=_state_of(item, actions, now, soon_days),
        actions=actions,
        next_action=actions[0] if actions else None,
        days_left=(item.not_after - now).days,
    )


def _actions(item: Expiring, now: datetime) -> tuple[Action, ...]:
    """Return the remaining actions by date; those that wait for a person are due at once."""
    awaited = (Action(Verb.FETCH, now),) if item.is_interim else ()
    return tuple(sorted((*awaited, *item.actions), key=lambda action: action.due))


def _state_of(item: Expiring, actions: tuple[Action, ...], now: datetime, soon_days: int) -> State:
    """Return the state of an item at `now`: the worst one that applies, or revoked.

    From `not_after` on it is expired; from the date of its next action on it is overdue. What stands in for a
    certificate of somebody else waits for that one, whatever else is due later.
    """
    if item.revoked_at:
        return State.REVOKED
    if is_outdated(item, now):
        return State.CANNOT_TELL
    if now >= item.not_after:
        return State.EXPIRED
    # What is waited for is due already, and no run of `pulumi up` can do it.
    is_waiting = item.is_interim or item.is_awaited
    due = next((action.due for action in actions if not (is_waiting and action.verb is Verb.FETCH)), item.not_after)
    if due <= now:
        return State.OVERDUE
    if is_waiting:
        return State.WAITING
    return State.DUE_SOON if due - now <= timedelta(days=soon_days) else State.OK


def _with_unique_names(items: list[Expiring]) -> list[Expiring]:
    seen = Counter(item.identity for item in items)
    return [item if seen[item.identity] == 1 else replace(item, name=f"{item.name} ({item.urn})") for item in items]


def _items(stack: StackState, problems: list[Problem]) -> Iterator[Expiring]:
    yield from (_certificate(each, problems) for each in stack.certificates)
    yield from (_imported(each) for each in stack.imported)
    for roster in stack.rosters:
        yield from _clients(roster, problems)
    yield from (_revocation_list(each) for each in stack.revocation_lists)
    yield from (item for each in stack.hosts for item in items_on_host(each))
    yield from (requested_authority(each, stack.waiting) for each in stack.requested)


@dataclass(frozen=True, slots=True)
class _Holder:
    """The owner of a certificate: a resource or a client in a roster; `path` names it in problems."""

    kind: Kind
    name: str
    urn: str
    path: str
    match: Match
    alt_names: tuple[str, ...]
    read_declared: Callable[[], DeclaredCertificate]
    notes: tuple[str, ...]
    roster: str = ""
    is_interim: bool = False
    renewal: Verb = Verb.RENEW


def _certificate(stored: Stored[CertificateInputs, CertificateState], problems: list[Problem]) -> Expiring:
    inputs, declared = stored.inputs, stored.inputs.declared
    demand = demand_of(declared, inputs.profile, None, is_key_elsewhere=inputs.is_key_elsewhere)
    holder = _Holder(
        kind=Kind(inputs.profile.value),
        name=inputs.name,
        urn=stored.urn,
        path=stored.name,
        match=declared.match,
        alt_names=_alt_names(declared.dns_names, declared.email),
        read_declared=lambda: declared,
        notes=stored.init_errors,
        is_interim=stored.state.is_interim,
        renewal=Verb.NEW_REQUEST if is_request_needed(inputs.schedule, demand) else Verb.RENEW,
    )
    return _issued(holder, stored.state.issued, problems)


def _clients(roster: StoredRoster, problems: list[Problem]) -> Iterator[Expiring]:
    declared = declared_clients(roster)
    for row in issued_clients(roster, problems):
        holder = _Holder(
            kind=Kind.CLIENT,
            name=row.name,
            urn=roster.urn,
            path=f"{roster.name}.{row.name}",
            match=row.match,
            alt_names=_alt_names(row.dns_names, row.email),
            read_declared=partial(declared, row.name),
            notes=roster.init_errors,
            roster=roster.state.name,
        )
        yield _issued(holder, row.issued, problems)


def _alt_names(dns_names: tuple[str, ...], email: str) -> tuple[str, ...]:
    return (*dns_names, email) if email else dns_names


def _issued(holder: _Holder, issued: IssuedCertificate, problems: list[Problem]) -> Expiring:
    retirements = (Action(Verb.RETIRE, each.schedule.retire_at, each.schedule.generation) for each in issued.previous)
    signer = signer_to_replace(issued.generation, (each.schedule for each in issued.revoked))
    return Expiring(
        kind=holder.kind,
        name=holder.name,
        not_before=issued.validity.not_before,
        not_after=issued.validity.not_after,
        renew_at=issued.renew_at,
        is_interim=holder.is_interim,
        subject=issued.subject,
        issuer=issued.issuer,
        roster=holder.roster,
        urn=holder.urn,
        generation=issued.generation,
        serial_number=_known(issued.identity.serial_number),
        revoked_at=issued.revoked_at,
        reason=issued.reason,
        actions=(Action(holder.renewal, issued.renew_at, issued.generation), *retirements),
        accepted=tuple(_accepted(holder, issued, problems)),
        alt_names=holder.alt_names,
        read_declared=holder.read_declared,
        distrusted=signer.name if signer else "",
        notes=holder.notes,
    )


def _accepted(holder: _Holder, issued: IssuedCertificate, problems: list[Problem]) -> Iterator[Accepted]:
    """Yield accepted fingerprints, the latest generation first."""
    for row in reversed(one_row_a_fingerprint(accepted_rows(holder.name, admitted(holder.match, issued)))):
        if isinstance(row.fingerprint_sha256, str) and row.generation and row.until:
            yield Accepted(row.generation, row.fingerprint_sha256, holder.match.value, row.until)
        else:
            sentence = "is missing; run `pulumi up` with the current plugin to repair the state"
            problems.append(Problem(f"{holder.path}.fingerprint_sha256", sentence))


def _known(number: Maybe[SerialNumber]) -> str:
    return str(number) if isinstance(number, SerialNumber) else ""


def _imported(stored: Stored[ImportedCertificateInputs, ImportedCertificateState]) -> Expiring:
    described = stored.state.described
    return Expiring(
        kind=Kind.IMPORTED,
        name=described.name,
        not_before=described.validity.not_before,
        not_after=described.validity.not_after,
        renew_at=described.renew_at,
        subject=described.subject,
        issuer=described.issuer,
        urn=stored.urn,
        serial_number=_known(described.identity.serial_number),
        actions=(Action(Verb.FETCH, described.renew_at),),
        alt_names=described.dns_names,
        notes=stored.init_errors,
    )


def _revocation_list(stored: Stored[RevocationListInputs, RevocationListState]) -> Expiring:
    state = stored.state
    return Expiring(
        kind=Kind.REVOCATION_LIST,
        name=state.name,
        not_before=state.this_update,
        not_after=state.next_update,
        renew_at=state.renew_at,
        subject=state.authority,
        issuer=state.authority,
        urn=stored.urn,
        generation=state.crl_number,
        reason=f"{len(state.revoked)} revoked",
        actions=(Action(Verb.SIGN_REVOCATION_LIST, state.renew_at),),
        notes=stored.init_errors,
    )
