"""The rule for which fingerprints of a client relays accept, and until when; tables, report and forecast all ask it.

Tables of hosts, the report, the forecast and reviews call `accepted_rows`; nobody else decides who is let in.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pki.fields import Match
from pki.model import SlotId, Validity
from pki.records import NOT_ISSUED, Identity, IssuedCertificate, IssuedGeneration, RevokedIssue
from postseal_core.records import INLINE, Wire
from postseal_core.values import UNKNOWN, Maybe, Unknown, is_unknown

__all__ = [
    "AcceptedRow",
    "Admitted",
    "Why",
    "accepted_rows",
    "admitted",
    "one_row_a_fingerprint",
    "revoked_fingerprints",
]


class Why(StrEnum):
    """The reason why relays accept a generation."""

    CURRENT = "current"
    OVERLAP = "overlap"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A client's certificates with their dates: the input of `accepted_rows`."""

    match: Match = Match.CERTIFICATE
    generation: int
    validity: Annotated[Validity, INLINE]
    issuer: Annotated[SlotId | None, Wire("issuer_slot")] = None
    identity: Annotated[Identity, INLINE] = NOT_ISSUED
    previous: tuple[IssuedGeneration, ...] = ()
    revoked: tuple[RevokedIssue, ...] = ()
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRow:
    """One fingerprint that relays accept.

    `generation` and dates are None for a certificate from elsewhere of which only the fingerprint is known. `until`:
    when it ends by itself, its overlap or its `not_after`; Postfix looks at no date, so it is let in until the next
    `pulumi up` after that.
    """

    client: str
    why: Why = Why.CURRENT
    generation: int | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    until: datetime | None = None
    issuer: Annotated[SlotId | None, Wire("issuer_slot")] = None
    fingerprint_sha256: Maybe[str] = UNKNOWN


def admitted(match: Match, issued: IssuedCertificate) -> Admitted:
    """Return the input of `accepted_rows` for an issued certificate."""
    return Admitted(
        match=match,
        generation=issued.generation,
        validity=issued.validity,
        issuer=issued.issuer_slot,
        identity=issued.identity,
        previous=issued.previous,
        revoked=issued.revoked,
        revoked_at=issued.revoked_at,
    )


def accepted_rows(client: str, known: Admitted) -> Iterator[AcceptedRow]:
    """Yield the accepted fingerprints of one client: earlier generations and the current one, or none if it is revoked.

    Generations of a client that is matched by public key may share a fingerprint; see `one_row_a_fingerprint`.
    """
    if known.revoked_at:
        return
    for each in known.previous:
        entry = each.schedule
        yield AcceptedRow(
            client=client,
            why=Why.OVERLAP,
            generation=entry.generation,
            not_before=entry.not_before,
            not_after=entry.not_after,
            until=entry.retire_at,
            issuer=entry.issuer,
            fingerprint_sha256=_matched(known.match, each.identity),
        )
    yield AcceptedRow(
        client=client,
        generation=known.generation,
        not_before=known.validity.not_before,
        not_after=known.validity.not_after,
        until=known.validity.not_after,
        issuer=known.issuer,
        fingerprint_sha256=_matched(known.match, known.identity),
    )


def revoked_fingerprints(client: str, known: Admitted) -> Iterator[tuple[str, str]]:
    """Yield each fingerprint that a row of a revoked generation could have, and which generation that is, in words."""
    # Where only its issuer's key is known to others, the client's own is as good as before: that may be let in by name.
    own = [each for each in known.revoked if not each.schedule.is_distrusted]
    revoked = [(each.schedule.generation, each.identity) for each in own]
    revoked += [(known.generation, known.identity)] if known.revoked_at else []
    for generation, identity in revoked:
        for each in (identity.fingerprint_sha256, identity.public_key_fingerprint_sha256):
            if each and not isinstance(each, Unknown):
                yield each, f"generation {generation} of {client}"


def one_row_a_fingerprint(rows: Iterable[AcceptedRow]) -> tuple[AcceptedRow, ...]:
    """Merge rows with the same fingerprint into one, which names the latest generation and ends with the last of them.

    Rows whose fingerprint is unknown stay apart.
    """
    merged: dict[object, AcceptedRow] = {}
    for row in rows:
        key = (row.client, row.generation) if is_unknown(row.fingerprint_sha256) else row.fingerprint_sha256
        earlier = merged.pop(key, None)
        merged[key] = replace(row, until=_later(row.until, earlier.until)) if earlier else row
    return tuple(merged.values())


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else None


def _matched(match: Match, identity: Identity) -> Maybe[str]:
    by_key = match is Match.PUBLIC_KEY
    return identity.public_key_fingerprint_sha256 if by_key else identity.fingerprint_sha256
