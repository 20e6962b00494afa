"""The records that the schedule of a certificate consists of, generation by generation."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pki.lifetime import LifetimePolicy
from pki.model import RevocationReason, SlotId, Validity
from postseal_core.records import INLINE, Wire

__all__ = ["AcceptedGeneration", "Cause", "Demand", "IssuerWindow", "RevokedGeneration", "Schedule"]


class Cause(StrEnum):
    """The reason for the current schedule as data; `Schedule.reason` is the sentence for readers."""

    FIRST = "first"
    ADOPTED = "adopted"
    TAKEN_OVER = "taken_over"
    RENEWAL_DUE = "renewal_due"
    EXPIRED = "expired"
    CHANGED = "changed"
    KEY_CHANGED = "key_changed"
    ISSUED_AGAIN = "issued_again"
    REVOKED = "revoked"
    RELEASED = "released"
    DISTRUSTED = "distrusted"


@dataclass(frozen=True, slots=True)
class AcceptedGeneration:
    """An earlier generation that is still accepted, until `retire_at` (never later than its own `not_after`)."""

    generation: int
    not_before: datetime
    not_after: datetime
    retire_at: datetime
    issuer: Annotated[SlotId | None, Wire("issuer_slot")] = None


@dataclass(frozen=True, slots=True)
class RevokedGeneration:
    """A generation that was revoked before it expired; kept until `not_after`, for its issuer's revocation list.

    `is_distrusted`: because the key of its issuer is distrusted, and not because its own declaration says so.
    """

    generation: int
    not_before: datetime
    not_after: datetime
    revoked_at: datetime
    reason: RevocationReason
    issuer: Annotated[SlotId | None, Wire("issuer_slot")] = None
    is_distrusted: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """The decisions about one certificate, stored in the state and read at the next decision.

    `revoked_through`: the last generation on which the revocation that is declared now was carried out; 0 where none
    is declared. `is_outdated`: declaration or issuer changed while the current generation was revoked; if that is taken
    back, another one is issued.
    """

    generation: int
    key_generation: int
    validity: Annotated[Validity, INLINE]
    renew_at: datetime
    cause: Cause
    reason: str
    issuer: Annotated[SlotId | None, Wire("issuer_slot")] = None
    accepted: Annotated[tuple[AcceptedGeneration, ...], Wire("accepted_generations")] = ()
    revoked: Annotated[tuple[RevokedGeneration, ...], Wire("revoked_generations")] = ()
    revoked_through: int = 0
    is_outdated: bool = False

    @property
    def is_revoked(self) -> bool:
        """Whether the current generation is revoked."""
        return any(entry.generation == self.generation for entry in self.revoked)


@dataclass(frozen=True, slots=True)
class IssuerWindow:
    """Validity period of the issuer, with the slot (authority and key number) that signs.

    `usable_from`: the instant from which certificates of another issuer may move to this one; before it, not everybody
    has been given its root. None: at any time. `slots`: all that the authority declares; none: not said.
    """

    slot: SlotId
    validity: Validity
    usable_from: datetime | None = None
    slots: tuple[SlotId, ...] = ()

    def has_withdrawn(self, slot: SlotId | None) -> bool:
        """Return whether a slot of this authority is declared no more."""
        if slot is None or not self.slots:
            return False
        return slot.authority == self.slot.authority and slot not in self.slots


@dataclass(frozen=True, slots=True)
class Demand:
    """The input of `decide`: what the declaration asks of a certificate now.

    `changes`: what in the declaration differs from the current certificate, as words (`dns_names`); empty: nothing.
    `is_key_changed`: the key must be another one (handed in anew, or another algorithm).
    `is_issuer_changed`: another key signs (then `changes` says so, too).
    `is_key_handed_in`: no step makes another key. `is_key_elsewhere`: only a new request brings one; a step that needs
    another key waits for it.
    `issuer`: None for a self-signed certificate.
    `confirm`: keep every earlier generation until `confirmed_generation` reaches the current one.
    `revoke_reason`: revoke what exists, for this reason; `issue_again`: and issue a new generation with a new key.
    `distrusted`: slots whose signatures are worth nothing any more; `is_distrusted`: this certificate is of one.
    `fail_beyond_issuer`: refuse, instead of shortening, a validity that ends after the issuer's. `is_validity_edited`:
    the declared one is another than before, and so judged now, not only when the next certificate is due.
    """

    policy: LifetimePolicy
    issuer: IssuerWindow | None = None
    changes: tuple[str, ...] = ()
    is_key_changed: bool = False
    is_issuer_changed: bool = False
    is_key_handed_in: bool = False
    is_key_elsewhere: bool = False
    confirm: bool = False
    confirmed_generation: int = 0
    revoke_reason: RevocationReason = RevocationReason.NOT_REVOKED
    issue_again: bool = False
    distrusted: tuple[SlotId, ...] = ()
    is_distrusted: bool = False
    fail_beyond_issuer: bool = False
    is_validity_edited: bool = False
