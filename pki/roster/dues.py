"""The earliest date on which any client of a roster needs a decision."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pki.generations import AcceptedGeneration, RevokedGeneration
from pki.model import SlotId, Validity

__all__ = ["Due", "Dues", "dues_of", "is_quiet"]


class Due(Protocol):
    """The dates on which a client needs a decision; `Schedule` and `DueRow` have them."""

    @property
    def generation(self) -> int:
        """The current generation."""

    @property
    def validity(self) -> Validity:
        """When its certificate is valid."""

    @property
    def renew_at(self) -> datetime:
        """When it is due for renewal."""

    @property
    def accepted(self) -> tuple[AcceptedGeneration, ...]:
        """Earlier generations that are still accepted."""

    @property
    def revoked(self) -> tuple[RevokedGeneration, ...]:
        """Generations that were revoked."""


def is_quiet(due: Due, now: datetime) -> bool:
    """Return whether nothing of a client is due at `now`; confirmations are not considered."""
    if due.revoked or not due.validity.not_before <= now < due.renew_at:
        return False
    return all(now < entry.retire_at for entry in due.accepted)


@dataclass(slots=True)
class Dues:
    """The dues of all clients, put together one by one.

    `next_due_at`: the first instant at which a certificate renews or an old generation retires. `quiet_from`: from then
    on and before `next_due_at`, time changes nothing for anybody; None where somebody must be looked at each time.
    `earlier_issuers`: slots that signed earlier generations which are still accepted.
    """

    next_due_at: datetime | None = None
    earlier_issuers: set[SlotId] = field(default_factory=set)
    _latest_start: datetime | None = None
    _is_watched: bool = False

    @property
    def quiet_from(self) -> datetime | None:
        """The instant from which all certificates are valid."""
        return None if self._is_watched else self._latest_start

    def add(self, due: Due, *, is_confirming: bool) -> None:
        """Add a client; `is_confirming`: its earlier generations wait for a confirmation."""
        start = due.validity.not_before
        if self._latest_start is None or start > self._latest_start:
            self._latest_start = start
        for instant in dues_of(due):
            if self.next_due_at is None or instant < self.next_due_at:
                self.next_due_at = instant
        self._is_watched = self._is_watched or bool(due.revoked) or (is_confirming and bool(due.accepted))
        self.earlier_issuers.update(entry.issuer for entry in due.accepted if entry.issuer)


def dues_of(due: Due) -> Iterator[datetime]:
    """Yield the dates of renewal and of retirements; a revoked certificate is never renewed."""
    if all(entry.generation != due.generation for entry in due.revoked):
        yield due.renew_at
    yield from (entry.retire_at for entry in due.accepted)
