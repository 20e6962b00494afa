"""The life of a client or certificate, decision by decision, as far as the state keeps it; pure."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pki.acceptance import Why
from pki.fields import Match
from pki.model import SlotId, Validity
from pki.records import Identity
from postseal.ledger.holders import Holder
from postseal.ledger.left import folded
from postseal.ledger.reading import StackLedger
from postseal.ledger.records import LedgerRow
from postseal.review.words import moment
from postseal_core.errors import ConfigError, Problem
from postseal_core.wording import nearest_hint, shown

__all__ = ["Happening", "Life", "LifeEvent", "explained"]

_SHORTEST_BEGIN: Final = 8
"""Hexadecimal digits of a serial number or fingerprint that are enough to ask for it."""
_LONGEST_DECIMAL: Final = 49
"""Decimal digits of the longest serial number, of twenty octets."""


class Happening(StrEnum):
    """What happens on a day of a life."""

    BEGINS = "begins"
    LISTED = "listed"
    REVOKED = "revoked"
    RENEWED = "renewed"
    RETIRES = "retires"
    ENDS = "ends"


_ORDER: Final = tuple(Happening)


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One day of a life. `generation` is None, and `host` empty, where it is about none; `sentence`: for readers."""

    at: datetime
    what: Happening
    generation: int | None
    sentence: str
    host: str = ""

    @property
    def order(self) -> tuple[datetime, int, int, str]:
        """Where it stands in the life."""
        return self.at, _ORDER.index(self.what), self.generation or 0, self.host


@dataclass(frozen=True, slots=True)
class Life:
    """One holder of a certificate, or one from elsewhere, with its days in their order; `notes`: what is not known."""

    name: str
    kind: str
    roster: str
    known_as: tuple[str, ...]
    events: tuple[LifeEvent, ...]
    notes: tuple[str, ...] = ()


_LABEL: Final = re.compile(r"(?:sha-?256(?:\s+fingerprint)?\s*[:=]|serial(?:\s+number)?\s*[:=]|0x)", re.IGNORECASE)
"""What tools write before a fingerprint or a serial number."""


def explained(holders: Iterable[Holder], ledger: StackLedger, subject: str) -> tuple[Life, ...]:
    """Return the lives of whoever has that name, or a certificate with that serial number or fingerprint.

    `subject`: for a number or fingerprint eight digits from its begin are enough, as tools write them: with colons or
    blanks, `0x`, `SHA256:`, a serial number in decimal. Capital and small letters are the same, in names as well where
    nobody has exactly that one.

    Raises:
        ConfigError: nobody is called so, or several are, each written otherwise.
    """
    known, rows = tuple(holders), tuple(row for host in ledger.hosts for row in host.rows)
    foreign = [row for row in rows if row.accepted.why is Why.FOREIGN]
    names = {each.name for each in known} | {row.accepted.client for row in foreign}
    name = _meant_name(names, subject)
    lives = [_of_holder(each, rows) for each in known if each.name == name or _is_meant(each, subject)]
    meant = dict.fromkeys(each.accepted.client for each in foreign if _is_row_meant(each, name, subject))
    lives += [_of_foreign(name, [row for row in foreign if row.accepted.client == name]) for name in meant]
    if not lives:
        message = (
            f"no client, serial number or fingerprint {shown(subject)} in this state, which keeps the current "
            f"certificate, accepted ones and revoked ones; {nearest_hint(subject, names)}"
        )
        raise ConfigError([Problem("explain", message)])
    return tuple(lives)


def _meant_name(names: Collection[str], subject: str) -> str | None:
    """Return the one name that is written so, or otherwise only as `folded` allows."""
    found = [subject] if subject in names else sorted(each for each in names if folded(each) == folded(subject))
    if len(found) > 1:
        message = f"{shown(subject)} is the name of several here: {', '.join(map(shown, found))}; write it exactly so"
        raise ConfigError([Problem("explain", message)])
    return found[0] if found else None


def _is_meant(holder: Holder, subject: str) -> bool:
    return any(_is_identity_meant(each, subject) for each in _identities(holder))


def _identities(holder: Holder) -> Iterator[Identity]:
    yield holder.issued.identity
    yield from (each.identity for each in holder.issued.previous)
    yield from (each.identity for each in holder.issued.revoked)


def _is_identity_meant(identity: Identity, subject: str) -> bool:
    digits, serial = _digits(subject), str(identity.serial_number)
    # A serial number has no leading zeros here, and elsewhere it may; one that is handed in may be a short one.
    number = digits.lstrip("0")
    if number == serial or _is_decimal_of(serial, subject):
        return True
    if len(number) >= _SHORTEST_BEGIN and serial.startswith(number):
        return True
    fingerprints = (identity.fingerprint_sha256, identity.public_key_fingerprint_sha256)
    return len(digits) >= _SHORTEST_BEGIN and any(_digits(str(each)).startswith(digits) for each in fingerprints)


def _is_decimal_of(serial: str, subject: str) -> bool:
    digits = _LABEL.sub("", subject.strip(), count=1).strip()
    is_decimal = digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_DECIMAL
    return bool(serial) and is_decimal and f"{int(digits):x}" == serial


def _is_row_meant(row: LedgerRow, name: str | None, subject: str) -> bool:
    digits = _digits(subject)
    fingerprint = _digits(str(row.accepted.fingerprint_sha256))
    return row.accepted.client == name or (len(digits) >= _SHORTEST_BEGIN and fingerprint.startswith(digits))


def _digits(text: str) -> str:
    """Return hexadecimal digits without what stands before and between them."""
    return "".join(_LABEL.sub("", text.strip(), count=1).replace(":", "").split()).lower()


def _of_foreign(name: str, rows: Iterable[LedgerRow]) -> Life:
    events = [event for row in rows for event in _listed(row)]
    notes = ("it is from elsewhere: nothing is decided about it here, and it stays until it is taken out",)
    return Life(name, "elsewhere", "", (), tuple(sorted(events, key=lambda each: each.order)), notes)


def _of_holder(holder: Holder, rows: Iterable[LedgerRow]) -> Life:
    own = [
        row
        for row in rows
        if holder.is_client
        and (row.roster, row.accepted.client) == (holder.roster, holder.name)
        and row.accepted.why is not Why.FOREIGN
    ]
    events = [*_generations(holder), *(event for row in own for event in _listed(row))]
    return Life(
        holder.name,
        holder.profile.value,
        holder.roster,
        holder.known_as,
        tuple(sorted(events, key=lambda each: each.order)),
        tuple(_notes(holder, own)),
    )


def _generations(holder: Holder) -> Iterator[LifeEvent]:
    issued = holder.issued
    yield _begin(issued.generation, issued.validity, issued.issuer_slot, issued.identity, f": {issued.reason}")
    for each in issued.previous:
        entry = each.schedule
        yield _begin(entry.generation, Validity(entry.not_before, entry.not_after), entry.issuer, each.identity)
        yield LifeEvent(
            entry.retire_at, Happening.RETIRES, entry.generation, "retires: the first `up` after that takes it out"
        )
    revoked = [each for each in issued.revoked if each.schedule.generation != issued.generation]
    for issue in revoked:
        gone = issue.schedule
        yield _begin(gone.generation, Validity(gone.not_before, gone.not_after), gone.issuer, issue.identity)
        why = "its issuer's key is distrusted" if gone.is_distrusted else str(gone.reason)
        yield LifeEvent(gone.revoked_at, Happening.REVOKED, gone.generation, f"revoked: {why}")
    if issued.revoked_at:
        reason = str(issued.revocation_reason)
        yield LifeEvent(issued.revoked_at, Happening.REVOKED, issued.generation, f"revoked: {reason}")
        return
    yield LifeEvent(issued.renew_at, Happening.RENEWED, issued.generation, "to be renewed from then on")
    yield LifeEvent(issued.validity.not_after, Happening.ENDS, issued.generation, "ends (not_after)")


def _begin(
    generation: int, validity: Validity, issuer: SlotId | None, identity: Identity, reason: str = ""
) -> LifeEvent:
    signer = f"signed by {issuer.name}" if issuer else "signed by itself"
    known = f"serial {identity.serial_number}, fingerprint {identity.fingerprint_sha256}"
    sentence = f"begins, until {moment(validity.not_after)}, {signer}{reason}; {known}"
    return LifeEvent(validity.not_before, Happening.BEGINS, generation, sentence)


def _listed(row: LedgerRow) -> Iterator[LifeEvent]:
    accepted = row.accepted
    until = f" until {moment(accepted.until)}" if accepted.until else ""
    sentence = f"let in on {row.host} ({row.service}) from then on{until}"
    yield LifeEvent(row.since, Happening.LISTED, accepted.generation, sentence, row.host)


def _notes(holder: Holder, rows: Iterable[LedgerRow]) -> Iterator[str]:
    issued = holder.issued
    known = {issued.generation, *(each.schedule.generation for each in issued.previous)}
    known |= {each.schedule.generation for each in issued.revoked}
    gone = [number for number in range(1, issued.generation) if number not in known]
    if gone:
        numbers = str(gone[0]) if len(gone) == 1 else f"{gone[0]} to {gone[-1]}"
        yield f"generation {numbers}: no longer accepted, and not in the state any more"
    if holder.match is Match.PUBLIC_KEY:
        yield "relays know it by its public key"
    if holder.is_client and not any(rows):
        yield "no host lets it in"
