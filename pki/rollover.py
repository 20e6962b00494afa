"""Numbered key slots of an authority: which one signs, which others are trusted.

A rollover is three reviewed changes: a standby slot is made and its root published in every trust bundle; it becomes
active and signs everything anew while the slot before it is retiring, still trusted; the retiring slot is removed once
nothing that it signed is accepted any more. A step taken too early is refused; see also `pki.withdrawal`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pki.model import FIRST_SLOT, SUBJECT_PARTS, RevocationReason
from postseal_core.bounds import LARGEST_COUNT, LONGEST_HOURS
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "STANDBY_HOURS",
    "Slots",
    "common_name_of_slot",
    "problems_below_cross_certificate",
    "problems_of_cross_signing",
    "problems_of_revoked_slot",
    "problems_of_slot_names",
    "room_below",
    "room_below_root",
]

STANDBY_HOURS: Final = 336
"""How long a slot must have been published before it may take over, by default: 14 days."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Numbered keys of one authority: `active` signs, `standby` and `retiring` are trusted and sign nothing.

    `distrusted` ones are known, or may be known, to somebody else: nothing that they have signed is accepted.

        pki.Slots(active=1, standby=2)

    Numbers go up: each new standby takes the next one. docs/roll-over-an-authority.md walks through a rollover.

    Args:
        active: The slot that signs. Default: 1.
        standby: The slot that will sign next; a larger number than `active`. Default: none.
        retiring: The slot that has signed until now; a smaller number than `active`. Default: none.
        standby_hours: How many hours a standby must have been published before it may become active; 0 lifts the rule,
            for a key that is compromised. It holds for roots only: what is below an intermediate comes with the
            intermediate's certificate, so nobody needs to be given that in advance. Default: 336, 14 days.
        cross_sign: Of roots only: the retiring slot also certifies the active one, so that parties which know only the
            retiring root can verify what the active one signs. It needs a path_length with room for one authority more.
            Default: false.
        revoke_retiring: Of intermediates only: revoke the retiring slot's certificate, for this reason of RFC 5280
            section 5.3.1, in the list of the authority above. Whoever checks lists refuses what the slot has signed;
            hosts, which know clients by fingerprint, admit earlier certificates until their overlap ends. Default:
            none.
        distrusted: Slots whose key is stolen. In one run their certificates leave every trust bundle, what they have
            signed is revoked and its rows go, and the active slot, which may be new, signs it again. Until a slot is
            left out it signs a last list. Default: none.
    """

    active: int = FIRST_SLOT
    standby: int | None = None
    retiring: int | None = None
    standby_hours: int = STANDBY_HOURS
    cross_sign: bool = False
    revoke_retiring: RevocationReason = RevocationReason.NOT_REVOKED
    distrusted: tuple[int, ...] = ()

    @property
    def lifts_standby(self) -> bool:
        """Whether a later slot than the first signs without having waited as a standby."""
        return not self.standby_hours and self.active > FIRST_SLOT

    @property
    def trusted(self) -> tuple[int, ...]:
        """The slots whose certificates are trusted, the active one first."""
        return tuple(number for number in (self.active, self.standby, self.retiring) if number is not None)

    @property
    def numbers(self) -> tuple[int, ...]:
        """All slots, the active one first and distrusted ones last."""
        return (*self.trusted, *self.distrusted)

    @property
    def listing(self) -> tuple[int, ...]:
        """The slots that sign revocation lists, the active one first: every one, until it is withdrawn.

        A standby may have signed before, where a rollover was taken back; its list goes on, with its number.
        """
        return self.numbers

    def problems(self) -> Iterator[Problem]:
        """Report slot numbers that are out of range or contradict each other."""
        for name in ("active", "standby", "retiring"):
            number = getattr(self, name)
            if number is not None and not FIRST_SLOT <= number <= LARGEST_COUNT:
                yield Problem(name, f"got {shown(number)}, expected a number from {FIRST_SLOT} up")
        if self.standby is not None and self.standby <= self.active:
            yield Problem("standby", f"got {self.standby}, expected a number above the active slot {self.active}")
        if self.retiring is not None and self.retiring >= self.active:
            yield Problem("retiring", f"got {self.retiring}, expected a number below the active slot {self.active}")
        yield from self._problems_of_distrust()
        if self.standby_hours < 0:
            yield Problem("standby_hours", f"got {self.standby_hours}, expected 0 or more")
        if self.standby_hours > LONGEST_HOURS:
            yield Problem("standby_hours", f"got {shown(self.standby_hours)}, expected at most {LONGEST_HOURS}")
        if self.cross_sign and self.retiring is None:
            yield Problem("cross_sign", "there is no retiring slot that could certify the active one; name it")

    def _problems_of_distrust(self) -> Iterator[Problem]:
        for number in self.distrusted:
            if not FIRST_SLOT <= number <= LARGEST_COUNT:
                yield Problem("distrusted", f"got {shown(number)}, expected a number from {FIRST_SLOT} up")
        for number in sorted({each for each in self.distrusted if self.distrusted.count(each) > 1}):
            yield Problem("distrusted", f"got {number} twice; write it once")
        for name, fix in _STOLEN.items():
            if getattr(self, name) in self.distrusted:
                yield Problem("distrusted", f"got {getattr(self, name)}, which is {name} as well: {fix}")


_STOLEN: Final[Mapping[str, str]] = {
    "active": "nothing could be signed with it: name another number under active, which is made in the same run",
    "standby": "leave standby out",
    "retiring": "leave retiring out",
}


def problems_of_revoked_slot(slots: Slots, *, is_root: bool) -> Iterator[Problem]:
    """Report a revocation of a slot that cannot be carried out, and what to do in its place."""
    if not slots.revoke_retiring:
        return
    if is_root:
        yield Problem(
            "revoke_retiring",
            "no list names a root, for nobody stands above it: hosts and hand-outs trust it no more once its slot is "
            "withdrawn",
        )
    elif slots.retiring is None:
        yield Problem(
            "revoke_retiring",
            "there is no retiring slot: what signs must not be revoked, so make another slot active and this one "
            "retiring, in the same change",
        )


def common_name_of_slot(common_name: str, number: int) -> str:
    """Return what the certificate of a slot is called: from the second on, with its number behind the name."""
    return common_name if number == FIRST_SLOT else f"{common_name} {number}"


def problems_of_slot_names(common_name: str, slots: Slots) -> Iterator[Problem]:
    """Report a common name that leaves no room for the number of a slot."""
    most = SUBJECT_PARTS["common_name"].most
    for number in slots.numbers:
        name = common_name_of_slot(common_name, number)
        if len(name) > most >= len(common_name):
            message = f"slot {number} is called {shown(name)}, of {len(name)} characters, expected at most {most}"
            yield Problem("common_name", f"{message}: shorten it")


def room_below(path_length: int | None) -> int | None:
    """Return the largest path_length directly below an authority; None: no limit, negative: no authority fits."""
    return None if path_length is None else path_length - 1


def room_below_root(path_length: int | None, *, is_cross_signed: bool) -> int | None:
    """Return the largest path_length that fits below a cross-signed root; None: any."""
    return room_below(room_below(path_length)) if is_cross_signed else None


def problems_of_cross_signing(slots: Slots, path_length: int | None, *, is_root: bool) -> Iterator[Problem]:
    """Report that the retiring slot cannot cross-sign the active one because of this path_length."""
    if not slots.cross_sign:
        return
    if not is_root:
        yield Problem(
            "cross_sign", "an intermediate is verified through the root above it, in both slots: leave it out here"
        )
    elif path_length == 0:
        yield Problem(
            "cross_sign",
            "the retiring root has path_length 0 and allows no authority below it, not even the active root: roll over "
            "without cross_sign, and publish the new root as standby until everybody has it",
        )


def problems_below_cross_certificate(path_length: int | None, room: int | None, above: str) -> Iterator[Problem]:
    """Report that this path_length is too large below a cross-signed root.

    `room`: the largest path_length that the chain through the cross certificate of `above` leaves there; None: any.
    """
    if room is None:
        return
    fix = f"give {above} a larger path_length in an earlier change, or roll it over without cross_sign"
    if room < 0:
        yield Problem("", f"the cross certificate of {above} leaves no room for an authority here: {fix}")
    elif path_length is not None and path_length > room:
        yield Problem(
            "path_length",
            f"got {path_length}, expected at most {room}, what the cross certificate of {above} leaves: {fix}",
        )
