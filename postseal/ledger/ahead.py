"""The rows of a host at a later day, from what will then be decided about its clients; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pki.acceptance import AcceptedRow, Admitted, Why, accepted_rows, one_row_a_fingerprint
from pki.fields import Match
from pki.generations import Schedule
from pki.lifetime import issue_of
from pki.model import Profile, Validity
from pki.records import NOT_ISSUED, Identity, IssuedGeneration
from postseal.ledger.records import LedgerRow
from postseal.report.schedules import Tracked

__all__ = ["rows_ahead"]

_CLIENTS = (Profile.CLIENT.value, Profile.SERVER_AND_CLIENT.value)


def rows_ahead(
    rows: Iterable[LedgerRow], schedules: Iterable[tuple[Tracked, Schedule]], at: datetime
) -> Iterator[LedgerRow]:
    """Yield the rows of a host at `at`; the fingerprint of what is still to be issued is unknown.

    `rows`: as they are now. `schedules`: what was decided about each certificate until then. A row of which nothing is
    decided here, as one from elsewhere, stays: somebody has to take it out.
    """
    decided = {(each.roster, each.name): (each, schedule) for each, schedule in schedules if each.kind in _CLIENTS}
    for (service, roster, client, is_foreign), listed in _by_client(rows).items():
        found = decided.get((roster, client))
        if found is None or is_foreign:
            yield from (row for row in listed if not _is_over(row, at))
        else:
            yield from _OfClient(service, roster, client, listed, *found).rows(at)


def _by_client(rows: Iterable[LedgerRow]) -> dict[tuple[str, str, str, bool], list[LedgerRow]]:
    found: dict[tuple[str, str, str, bool], list[LedgerRow]] = {}
    for row in rows:
        accepted = row.accepted
        found.setdefault((row.service, row.roster, accepted.client, accepted.why is Why.FOREIGN), []).append(row)
    return found


def _is_over(row: LedgerRow, at: datetime) -> bool:
    accepted = row.accepted
    return accepted.why is Why.OVERLAP and accepted.until is not None and accepted.until <= at


@dataclass(frozen=True, slots=True)
class _OfClient:
    """One client on one host: its rows now, and its schedule then."""

    service: str
    roster: str
    client: str
    listed: Sequence[LedgerRow]
    tracked: Tracked
    then: Schedule

    def rows(self, at: datetime) -> Iterator[LedgerRow]:
        known = {row.accepted.generation or 0: row for row in self.listed}
        newest = max(known)
        # One that is not listed and older shares its fingerprint with a later one: that row stands for both.
        rows = (
            each
            for each in accepted_rows(self.client, self._admitted(known, at))
            if each.generation in known or (each.generation or 0) > newest
        )
        for each in one_row_a_fingerprint(rows):
            yield LedgerRow(
                host=self.listed[0].host,
                service=self.service,
                # What an authority of another stack signs is decided without its dates, and names none.
                accepted=replace(each, issuer=each.issuer or self.tracked.issuer),
                roster=self.roster,
                since=self._since(each, known),
            )

    def _since(self, row: AcceptedRow, known: Mapping[int, LedgerRow]) -> datetime:
        same = [each for each in known.values() if each.accepted.fingerprint_sha256 == row.fingerprint_sha256]
        if same:
            return min(each.since for each in same)
        begin, end = row.not_before, row.not_after
        return issue_of(Validity(begin, end)) if begin and end else self.listed[0].since

    def _admitted(self, known: Mapping[int, LedgerRow], at: datetime) -> Admitted:
        then = self.then
        return Admitted(
            match=self.tracked.match,
            generation=then.generation,
            validity=then.validity,
            issuer=then.issuer,
            identity=self._identity(then.generation, known),
            previous=tuple(
                IssuedGeneration(schedule=each, identity=self._identity(each.generation, known))
                for each in then.accepted
            ),
            revoked_at=at if then.is_revoked else None,
        )

    def _identity(self, generation: int, known: Mapping[int, LedgerRow]) -> Identity:
        """Return what a generation is known by; a later one with the same key, if that is it, by the same."""
        now = self.tracked.schedule
        row = known.get(generation)
        if row is None and self.tracked.match is Match.PUBLIC_KEY and self.then.key_generation == now.key_generation:
            row = known.get(now.generation)
        if row is None:
            return NOT_ISSUED
        fingerprint = row.accepted.fingerprint_sha256
        return Identity(fingerprint_sha256=fingerprint, public_key_fingerprint_sha256=fingerprint)
