"""Prevent removal of an authority's slot while certificates it signed are still accepted."""

from collections.abc import Iterable, Iterator

from pki.generations import AcceptedGeneration
from pki.model import SlotId
from pki.records import Withdrawal
from postseal_core.errors import Problem
from postseal_core.instants import format_instant
from postseal_core.values import is_unknown

__all__ = ["is_withdrawn", "roster_withdrawal_problems", "withdrawal_problems"]


def is_withdrawn(slot: SlotId, withdrawal: Withdrawal) -> bool:
    """Return whether a slot is no longer declared by its authority."""
    return slot.authority in withdrawal.authorities and slot not in withdrawal.issuers


def withdrawal_problems(withdrawal: Withdrawal | None) -> list[Problem]:
    """Return a problem for each accepted certificate that would lose its issuing slot.

    What is current is signed by what is declared; what a preview does not know yet is looked at by `up`.
    """
    if withdrawal is None:
        return []
    accepted = (
        (name, each.schedule)
        for name, dependent in withdrawal.dependents.items()
        if not is_unknown(dependent.previous)
        for each in dependent.previous
    )
    return [
        Problem(
            name,
            f"generation {entry.generation} is accepted until {format_instant(entry.retire_at)} and was signed by "
            f"{slot.name}, which is to be withdrawn: keep it as retiring until then",
        )
        for slot, name, entry in _losing(withdrawal, accepted)
    ]


def roster_withdrawal_problems(
    withdrawal: Withdrawal | None, accepted: Iterable[tuple[str, AcceptedGeneration]]
) -> list[Problem]:
    """Return one problem for each slot that clients of a roster still depend on.

    `accepted`: each earlier generation that is accepted, with the name of its client.
    """
    if withdrawal is None:
        return []
    by_slot: dict[SlotId, list[tuple[str, AcceptedGeneration]]] = {}
    for slot, name, entry in _losing(withdrawal, accepted):
        by_slot.setdefault(slot, []).append((name, entry))
    of_clients = [
        Problem("clients", _roster_sentence(slot, len(entries), *max(entries, key=lambda each: each[1].retire_at)))
        for slot, entries in by_slot.items()
    ]
    return [*of_clients, *withdrawal_problems(withdrawal)]


def _losing(
    withdrawal: Withdrawal, accepted: Iterable[tuple[str, AcceptedGeneration]]
) -> Iterator[tuple[SlotId, str, AcceptedGeneration]]:
    """Yield certificates whose issuing slot is no longer declared, with that slot."""
    for name, entry in accepted:
        if entry.issuer and is_withdrawn(entry.issuer, withdrawal):
            yield entry.issuer, name, entry


def _roster_sentence(slot: SlotId, count: int, name: str, last: AcceptedGeneration) -> str:
    return (
        f"earlier certificates are accepted until {format_instant(last.retire_at)} ({name}, generation "
        f"{last.generation}; {count} in all) and were signed by {slot.name}, which is to be withdrawn: keep it as "
        "retiring until then"
    )
