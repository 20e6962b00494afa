"""What the report says about certificates that hosts have by themselves: facts that grow old."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pki.model import Validity
from postfix.host_resource.records import HostInputs, HostState
from postfix.on_host import Sighting
from postfix.proving import HostEvidence
from postseal.report.export import Stored
from postseal.report.model import Action, Expiring, Kind, Proven, Unseen, Verb
from postseal_core.values import Unknown

__all__ = ["aged", "is_outdated", "items_on_host", "proven_of", "unseen_of", "unseen_sentence"]

_NOTICE: Final = timedelta(days=14)
_NOT_LOOKED: Final = "nobody has looked yet; run `pulumi up`"


def items_on_host(stored: Stored[HostInputs, HostState]) -> Iterator[Expiring]:
    """Yield each certificate that was seen on a host."""
    sighting = _sighting(stored)
    for each in sighting.certificates if sighting else ():
        several = sighting is not None and len(sighting.certificates) > 1
        renew_at = _renew_at(each.validity)
        yield Expiring(
            kind=Kind.ON_HOST,
            name=f"{stored.state.name} {each.kind}" if several else stored.state.name,
            not_before=each.validity.not_before,
            not_after=each.validity.not_after,
            renew_at=renew_at,
            seen_at=sighting.seen_at if sighting else None,
            subject=each.subject,
            issuer=each.issuer,
            urn=stored.urn,
            actions=(Action(Verb.RENEW_ON_HOST, renew_at),),
            alt_names=each.dns_names,
            notes=stored.init_errors,
        )


def unseen_of(hosts: Iterable[Stored[HostInputs, HostState]]) -> tuple[Unseen, ...]:
    """Return what is to be said about hosts' own certificates beside their dates."""
    return tuple(each for host in hosts for each in _unseen(host))


def proven_of(proofs: Mapping[str, HostEvidence], now: datetime) -> Iterator[Proven]:
    """Yield what was proven of each host, by its URN, with its age at `now`."""
    for urn, evidence in proofs.items():
        days = max((now - evidence.proven_at).days, 0)
        yield Proven(urn.rpartition("::")[-1], days, evidence, urn)


def unseen_sentence(each: Unseen) -> str:
    """Return what people read about one that has no date."""
    return each.why if each.is_fault else f"cannot tell what certificate this host has: {each.why}"


def aged(item: Expiring, now: datetime) -> Expiring:
    """Return an item with the age of what was seen; where that is too old, the next step is to look again."""
    if item.seen_at is None:
        return item
    found = replace(item, seen_days_ago=max((now - item.seen_at).days, 0))
    return replace(found, actions=(Action(Verb.LOOK, item.renew_at),)) if is_outdated(item, now) else found


def is_outdated(item: Expiring, now: datetime) -> bool:
    """Return whether the host may have another certificate by now, so that nobody can tell from what was seen.

    It is renewed there around `renew_at`. Who looked after that date and saw the same one has seen that it was not.
    """
    if item.seen_at is None:
        return False
    return item.seen_at < item.renew_at <= now or item.seen_at < item.not_after <= now


def _renew_at(validity: Validity) -> datetime:
    """Return when somebody should look: two weeks before the end, or in the last third of a short life."""
    return validity.not_after - min(_NOTICE, (validity.not_after - validity.not_before) / 3)


def _sighting(stored: Stored[HostInputs, HostState]) -> Sighting | None:
    found = stored.state.on_host
    return None if isinstance(found, Unknown) else found


def _unseen(stored: Stored[HostInputs, HostState]) -> Iterator[Unseen]:
    sighting, host = _sighting(stored), stored.state.name
    if sighting is None:
        yield Unseen(host, _NOT_LOOKED, is_fault=False, urn=stored.urn)
        return
    if sighting.cannot_tell:
        yield Unseen(host, sighting.cannot_tell, is_fault=False, urn=stored.urn)
    seen = f" (seen {sighting.seen_at:%Y-%m-%d})" if sighting.seen_at else ""
    yield from (Unseen(host, f"{fault}{seen}", is_fault=True, urn=stored.urn) for fault in sighting.faults)
