"""The rows of a host before and after: who is added, leaves, stands beside another one, and why; pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pki.acceptance import Why
from pki.generations import Cause, Schedule
from postseal.ledger.records import LedgerRow
from postseal.ledger.words import OVERLAP
from postseal.review.clients import Clients, Decided
from postseal.review.model import Mark, RowChange
from postseal.review.words import moment

__all__ = ["row_changes"]


@dataclass(frozen=True, slots=True)
class _OfClient:
    """One client on one host, before and after."""

    before: tuple[LedgerRow, ...]
    after: tuple[LedgerRow, ...]
    decided: Decided
    now: datetime

    def changes(self) -> Iterator[RowChange]:
        earlier, later = {each.key: each for each in self.before}, {each.key: each for each in self.after}
        for row in sorted({**earlier, **later}.values(), key=lambda each: each.order):
            if row.key not in later:
                yield RowChange(Mark.GONE, row, self._why_gone(row))
            else:
                yield self._there(row, earlier.get(row.key))

    def _there(self, row: LedgerRow, before: LedgerRow | None) -> RowChange:
        accepted = row.accepted
        is_current = accepted.why is Why.CURRENT
        why = OVERLAP if accepted.why is Why.OVERLAP else ""
        renew_at = self.decided.after.renew_at if is_current and self.decided.after else None
        if before is None:
            mark = Mark.CHANGED if self.before else Mark.ADDED
            return RowChange(mark, row, why or self._why_new(row), renew_at, is_since_up=True)
        if before.accepted.generation != accepted.generation:
            # The state counts it as a row of its own; that fingerprint was let in before all the same.
            same = replace(row, since=before.since)
            return RowChange(Mark.CHANGED, same, "renewed with the same key, by which it is known", renew_at)
        is_same = (before.accepted.why, before.accepted.until) == (accepted.why, accepted.until)
        return RowChange(Mark.SAME if is_same else Mark.CHANGED, row, why or accepted.why.value, renew_at)

    def _why_new(self, row: LedgerRow) -> str:
        if row.accepted.why is Why.FOREIGN:
            return "certificate from elsewhere"
        after = self.decided.after
        if after is None or after.generation != row.accepted.generation:
            return "listed on this host now"
        if self.decided.before and self.decided.before.generation == after.generation:
            return "listed on this host now"
        return _reason(after)

    def _why_gone(self, row: LedgerRow) -> str:
        before, after = self.decided.before, self.decided.after
        generation = row.accepted.generation
        if row.accepted.why is Why.FOREIGN:
            return "taken off the list of this host"
        if before is not None and after is None:
            return "client removed"
        if after is not None:
            revoked = next((each for each in after.revoked if each.generation == generation), None)
            if revoked:
                return f"revoked on {moment(revoked.revoked_at)}: {revoked.reason}"
        if row.accepted.until and row.accepted.until <= self.now:
            return f"overlap ended {moment(row.accepted.until)}"
        if not self.after:
            return "taken off the list of this host"
        return "no longer accepted"


def row_changes(
    before: Sequence[LedgerRow], after: Sequence[LedgerRow], clients: Clients, now: datetime
) -> tuple[RowChange, ...]:
    """Return every row of a host with what happens to it, by client and generation."""
    by_client: dict[tuple[str, str], tuple[list[LedgerRow], list[LedgerRow]]] = defaultdict(lambda: ([], []))
    for index, rows in enumerate((before, after)):
        for row in rows:
            by_client[row.accepted.client, row.service][index].append(row)
    return tuple(each for key in sorted(by_client) for each in _of_client(key[0], *by_client[key], clients, now))


def _of_client(
    name: str, before: list[LedgerRow], after: list[LedgerRow], clients: Clients, now: datetime
) -> Iterator[RowChange]:
    if before == after and len(after) == 1:
        # Most of ten thousand: nothing is looked up for them.
        yield RowChange(Mark.SAME, after[0], after[0].accepted.why.value)
        return
    roster = (after or before)[0].roster
    yield from _OfClient(tuple(before), tuple(after), clients.of(name, roster), now).changes()


def _reason(schedule: Schedule) -> str:
    words = {
        Cause.RENEWAL_DUE: "renewed",
        Cause.EXPIRED: "renewed after its end",
        Cause.FIRST: "first certificate",
        Cause.ISSUED_AGAIN: "issued again after its revocation",
        Cause.TAKEN_OVER: "taken over as it is",
        Cause.RELEASED: "released from its hold",
    }
    return words.get(schedule.cause, schedule.reason)
