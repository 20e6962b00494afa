"""Authorities that others sign, as items of the inventory: in use, due, or not signed yet."""

from datetime import UTC, datetime
from typing import Final

from pki.requested_authority.records import RequestedAuthorityInputs, RequestedAuthorityState
from postseal.report.export import Stored
from postseal.report.model import NO_KNOWN_END, Action, Expiring, Kind, Verb

__all__ = ["requested_authority"]

_EARLIEST: Final = datetime(1950, 1, 1, tzinfo=UTC)


def requested_authority(
    stored: Stored[RequestedAuthorityInputs, RequestedAuthorityState], waiting: tuple[str, ...]
) -> Expiring:
    """Return an authority that somebody else signs, with what waits for it where it has no certificate."""
    inputs, signed = stored.inputs, stored.inputs.signed
    since = inputs.awaited_since or _EARLIEST
    below = (f"wait for it: {', '.join(waiting)}",) if waiting and not signed else ()
    renew_at = (signed and signed.renew_at) or since
    return Expiring(
        kind=Kind.INTERMEDIATE,
        name=inputs.name,
        not_before=(signed and signed.not_before) or since,
        not_after=(signed and signed.not_after) or NO_KNOWN_END,
        renew_at=renew_at,
        is_awaited=signed is None,
        subject=stored.state.subject,
        issuer=signed.issuer if signed else "",
        urn=stored.urn,
        generation=signed.generation if signed else None,
        serial_number=signed.serial_number if signed else "",
        reason=inputs.awaited,
        actions=(Action(Verb.FETCH, renew_at),),
        notes=(*stored.init_errors, *below),
    )
