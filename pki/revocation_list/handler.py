"""The resource `RevocationList`: the numbered certificate revocation list of one authority."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from cryptography.hazmat.primitives.serialization import Encoding

from pki.crl_schedule import CrlDemand, CrlEntry, CrlPolicy, decide_crl
from pki.extensions import is_authority, name_in_words
from pki.key_material import HeldIssuer, hold_issuer, issuer_of, known_issuer_chain
from pki.model import SerialNumber
from pki.records import IssuedGeneration, RevokedIssue
from pki.revocation import RevokedCertificate, build_crl
from pki.revocation_list.records import (
    NOT_KNOWN_YET,
    ListedCertificate,
    ListedRevocation,
    RevocationListArgs,
    RevocationListInputs,
    RevocationListState,
)
from pki.roster.records import IssuedRow
from postseal_core.errors import PostsealError, Problem, refuse
from postseal_core.instants import format_instant
from postseal_core.packing import parts_of_lines, unpack_lines
from postseal_core.plugin.diff import without_told
from postseal_core.plugin.handler import Changes, CheckRequest, Context, HandlerBase
from postseal_core.values import UNKNOWN, Maybe, is_unknown

__all__ = ["RevocationListHandler", "revoked_lines"]

_TOLD_BY = {"entries": "revoked", "issuer_slot": "issuer"}


@dataclass(frozen=True, slots=True)
class _Contribution:
    """One certificate's part of a list: serial numbers in use, and revoked generations."""

    in_use: frozenset[SerialNumber]
    revoked: tuple[CrlEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListedRow:
    """The part of a packed `IssuedRow` that a list is made of; ten thousand whole ones take three times as long."""

    name: str
    serial_number: Maybe[SerialNumber] = UNKNOWN
    previous: tuple[IssuedGeneration, ...] = ()
    revoked: tuple[RevokedIssue, ...] = ()


class RevocationListHandler(HandlerBase[RevocationListArgs, RevocationListInputs, RevocationListState]):
    """Decides in Check the entries and the date of the next list; Create and Update sign it."""

    type_tokens: ClassVar[tuple[str, ...]] = ("postseal:index:RevocationList",)
    has_history: ClassVar[bool] = True
    args = RevocationListArgs
    inputs = RevocationListInputs
    state = RevocationListState

    def check(
        self, request: CheckRequest[RevocationListArgs, RevocationListInputs], context: Context
    ) -> RevocationListInputs:
        """Decide number, dates and entries; entries of certificates that are no longer declared stay."""
        new, old = request.new, request.old
        policy = _policy(new)
        # A client and a server may have the same name.
        contributions = [(path, _contribution(each)) for path, each in _listed(new)]
        refuse([*policy.problems(), *_number_problems(new), *_unknown_problems(new, contributions)])
        issuer = hold_issuer(new.issuer, context)
        refuse(_issuer_problems(issuer, context))
        known = [each for _, each in contributions if each]
        # What is not known to be of another slot is listed by all of them: rather too often than not at all.
        demand = CrlDemand(
            policy=policy,
            revoked=tuple(entry for each in known for entry in each.revoked if entry.issuer in (new.issuer.slot, None)),
            in_use=frozenset().union(*(each.in_use for each in known)),
            new_issuer_key=issuer.label if old and old.issuer_key != issuer.key else "",
            first_crl_number=new.first_crl_number,
        )
        decision = decide_crl(old.schedule if old else None, demand, context.now)
        if decision.note:
            context.report(f"{new.issuer.slot.name}: {decision.note}")
        return RevocationListInputs(
            name=new.name,
            authority=new.authority,
            issuer=issuer.label,
            issuer_slot=new.issuer.slot,
            issuer_key=issuer.key,
            schedule=decision.schedule,
            lifetime_hours=new.lifetime_hours,
            renew_before_hours=new.renew_before_hours,
            first_crl_number=new.first_crl_number,
            revoked_lines=revoked_lines(decision.schedule.entries),
        )

    def diff(
        self, old: RevocationListInputs, state: RevocationListState, new: RevocationListInputs, changes: Changes
    ) -> Changes:
        """Show changed entries as lines for readers, without the data behind them."""
        del old, state, new
        return without_told(changes, _TOLD_BY)

    def id_of(self, inputs: RevocationListInputs) -> str:
        """Return the list's name."""
        return inputs.name

    def create(self, inputs: RevocationListInputs, context: Context, *, is_preview: bool) -> RevocationListState:
        """Sign the first list."""
        return _with_pem(inputs, UNKNOWN if is_preview else _signed_pem(inputs, context))

    def update(
        self, old: RevocationListState, inputs: RevocationListInputs, context: Context, *, is_preview: bool
    ) -> RevocationListState:
        """Sign the list that was decided, or keep the one there is."""
        schedule = inputs.schedule
        if schedule.crl_number == old.crl_number:
            return _with_pem(inputs, old.crl_pem)
        numbers = f"{old.crl_number} -> {schedule.crl_number}"
        context.report(f"{inputs.issuer_slot.name}: list {numbers}, {schedule.reason}")
        return self.create(inputs, context, is_preview=is_preview)


def revoked_lines(entries: Iterable[CrlEntry]) -> dict[str, str]:
    """Return a line for each entry by its label; of two with the same label, the second has `(2)` after it."""
    lines: dict[str, str] = {}
    seen: dict[str, int] = {}
    for entry in entries:
        seen[entry.label] = count = seen.get(entry.label, 0) + 1
        lines[entry.label if count == 1 else f"{entry.label} ({count})"] = (
            f"{entry.reason} on {format_instant(entry.revoked_at)}; serial {entry.serial_number}; "
            f"not_after {format_instant(entry.not_after)}"
        )
    return lines


def _policy(new: RevocationListArgs) -> CrlPolicy:
    return CrlPolicy(new.lifetime_hours, new.renew_before_hours)


def _listed(new: RevocationListArgs) -> Iterator[tuple[str, ListedCertificate | _ListedRow]]:
    """Yield every certificate that may stand on the list, by its path in the declaration."""
    for each in new.certificates:
        yield f"certificates.{each.name}", each
    for roster, packed in new.rosters.items():
        lines = [] if is_unknown(packed) else unpack_lines(packed)
        for row in parts_of_lines(_ListedRow, lines, IssuedRow):
            yield f"rosters.{roster}.{row.name}", row


def _number_problems(new: RevocationListArgs) -> Iterator[Problem]:
    if new.first_crl_number < 1:
        yield Problem("first_crl_number", f"got {new.first_crl_number}, expected a number from 1 up")


def _unknown_problems(
    new: RevocationListArgs, contributions: list[tuple[str, _Contribution | None]]
) -> Iterator[Problem]:
    paths = [f"rosters.{name}" for name, packed in new.rosters.items() if is_unknown(packed)]
    paths += [path for path, contribution in contributions if contribution is None]
    for path in paths:
        yield Problem(path, NOT_KNOWN_YET)


def _issuer_problems(issuer: HeldIssuer, context: Context) -> Iterator[Problem]:
    """Report an authority whose certificate may not sign CRLs; one not issued yet passes."""
    for certificate in known_issuer_chain(issuer.label, context)[:1]:
        if not is_authority(certificate, signs="crl_sign"):
            yield Problem(
                "authority",
                f"{name_in_words(certificate.subject)} may not sign revocation lists: its keyUsage lacks cRLSign "
                "(RFC 5280 section 4.2.1.3); an adopted authority gets it with its next renewal",
            )


def _contribution(each: ListedCertificate | _ListedRow) -> _Contribution | None:
    """Return what a certificate contributes to a list, or None where a preview does not know it yet.

    One that is still to be issued was never revoked.
    """
    if is_unknown(each.previous) or is_unknown(each.revoked):
        return None
    numbers = [earlier.identity.serial_number for earlier in each.previous]
    entries = [_entry(each.name, issue) for issue in each.revoked]
    if any(is_unknown(number) for number in numbers) or None in entries:
        return None
    return _Contribution(
        frozenset(number for number in (each.serial_number, *numbers) if not is_unknown(number)),
        tuple(entry for entry in entries if entry),
    )


def _entry(name: str, issue: RevokedIssue) -> CrlEntry | None:
    revoked, number = issue.schedule, issue.identity.serial_number
    if is_unknown(number):
        return None
    return CrlEntry(
        name, revoked.generation, number, revoked.not_after, revoked.revoked_at, revoked.reason, revoked.issuer
    )


def _with_pem(inputs: RevocationListInputs, crl_pem: Maybe[str]) -> RevocationListState:
    """Return the outputs; only the signed list itself may be unknown."""
    schedule = inputs.schedule
    return RevocationListState(
        name=inputs.name,
        authority=inputs.authority,
        issuer_slot=inputs.issuer_slot,
        crl_number=schedule.crl_number,
        this_update=schedule.this_update,
        next_update=schedule.next_update,
        renew_at=schedule.renew_at,
        revoked=tuple(
            ListedRevocation(
                name=entry.name, serial_number=entry.serial_number, revoked_at=entry.revoked_at, reason=entry.reason
            )
            for entry in schedule.entries
        ),
        crl_pem=crl_pem,
    )


def _signed_pem(inputs: RevocationListInputs, context: Context) -> str:
    issuer, _ = issuer_of(inputs.issuer, inputs.issuer_key, context)
    if issuer is None:
        raise PostsealError("no authority was handed in to sign this revocation list")
    schedule = inputs.schedule
    crl = build_crl(
        issuer=issuer,
        entries=[RevokedCertificate(entry.serial_number, entry.revoked_at, entry.reason) for entry in schedule.entries],
        crl_number=schedule.crl_number,
        this_update=schedule.this_update,
        next_update=schedule.next_update,
    )
    return crl.public_bytes(Encoding.PEM).decode("ascii")
