"""The resource `ClientRoster`: many clients of one authority in one resource."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final

from pki.certificate.takeover import hold_handover, takeover_of
from pki.constraints import limits_of_certificate
from pki.distrust import signer_to_replace
from pki.fields import DeclaredCertificate, SaidBy, fields_said_by
from pki.key_material import HeldIssuer, hold_issuer, issuer_window, known_issuer_chain
from pki.roster.changes import change_lines, summary_line
from pki.roster.decisions import DecidedClient, HandedOver, IssuerView, RosterDecision, decide_roster
from pki.roster.declaration import Declaration, StoredRoster
from pki.roster.issuance import roster_state
from pki.roster.records import RosterArgs, RosterInputs, RosterState
from pki.roster.rows import rows_of, said_by_roster
from pki.withdrawal import is_withdrawn, roster_withdrawal_problems, withdrawal_problems
from postseal_core.errors import CertificateError, ConfigError, Problem
from postseal_core.packing import pack, pack_lines, unpack
from postseal_core.plugin.diff import compare
from postseal_core.plugin.handler import Changes, CheckRequest, Context, HandlerBase
from postseal_core.uncollected import uncollected

__all__ = ["ClientRosterHandler"]

_MAX_REPORTED: Final = 20
_SAID_BY_ROSTER: Final = frozenset({*fields_said_by(SaidBy.ROSTER), "crl_urls"})
_DATA: Final = ("clients", "schedules", "changes", "next_due_at", "quiet_from", "earlier_issuers")
"""Inputs of which lines for readers tell the same change, and the lines themselves."""


class ClientRosterHandler(HandlerBase[RosterArgs, RosterInputs, RosterState]):
    """Decides in Check what is due for each client; Create and Update issue exactly that."""

    type_tokens: ClassVar[tuple[str, ...]] = ("postseal:index:ClientRoster",)
    has_history: ClassVar[bool] = True
    args = RosterArgs
    inputs = RosterInputs
    state = RosterState

    def check(self, request: CheckRequest[RosterArgs, RosterInputs], context: Context) -> RosterInputs:
        """Validate and decide; return the old inputs where no client and nothing roster-wide changes."""
        new, old = request.new, request.old
        issuer, shared = hold_issuer(new.issuer, context), _shared(new)
        if old and _is_settled(old, new, (shared, issuer), context.now):
            return old
        declaration = Declaration(rows_of(new.clients), shared, issuer)
        stored = StoredRoster.of_inputs(old) if old else None
        takeovers, problems = _takeovers(new, stored, context)
        with uncollected():
            decision = decide_roster(declaration, stored, _view(new, issuer, context), context.now, takeovers)
        problems += [*decision.problems, *roster_withdrawal_problems(new.withdrawal, decision.accepted)]
        if problems:
            raise ConfigError(problems)
        _report_notes(decision, context)
        _report_new_holders(new.name, decision, context)
        is_same = stored and not decision.touches and declaration == stored.declaration
        if old and is_same and old.name == new.name:
            return old
        inputs = _decided(new, declaration, decision)
        context.memory.put(_Remembered, _key(inputs, context), _Remembered(decision.decided))
        return inputs

    def diff(self, old: RosterInputs, state: RosterState, new: RosterInputs, changes: Changes) -> Changes:
        """Show roster-wide changes, the summary, and a line for each changed client; hide packed texts."""
        del old, state
        hidden = (*_DATA, "issuer_slot") if "issuer" in changes else _DATA
        shown = {path: change for path, change in changes.items() if not path.startswith(hidden)}
        # Lines of the decision before are no part of this change: only what is decided now is compared, with nothing.
        return {**shown, **compare({"changes": {}}, {"changes": new.changes})} if changes else {}

    def id_of(self, inputs: RosterInputs) -> str:
        """Return the roster's name."""
        return inputs.name

    def create(self, inputs: RosterInputs, context: Context, *, is_preview: bool) -> RosterState:
        """Issue a certificate for every client, apart from those whose certificate is taken over."""
        return _state(inputs, None, context, is_preview=is_preview)

    def update(self, old: RosterState, inputs: RosterInputs, context: Context, *, is_preview: bool) -> RosterState:
        """Issue what Check decided; keys, certificates and archives of all other clients stay byte for byte."""
        _report(inputs, context)
        return _state(inputs, old, context, is_preview=is_preview)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """The clients that Check changed in this run; the stored lines of all others stay."""

    clients: Mapping[str, DecidedClient]


def _state(inputs: RosterInputs, old: RosterState | None, context: Context, *, is_preview: bool) -> RosterState:
    decided = context.memory.get(_Remembered, _key(inputs, context))
    with uncollected():
        return roster_state(inputs, old, decided.clients if decided else None, context, is_preview=is_preview)


def _key(inputs: RosterInputs, context: Context) -> Hashable:
    """Return the key under which this run remembers one decision."""
    return (
        context.urn,
        inputs.shared,
        (inputs.issuer, inputs.issuer_slot, inputs.issuer_key),
        (inputs.clients, inputs.schedules),
    )


def _shared(new: RosterArgs) -> DeclaredCertificate:
    """Return the shared fields of a roster; raise ConfigError for fields that a roster cannot share."""
    strange = sorted(said_by_roster(new.shared).names - _SAID_BY_ROSTER)
    if strange:
        raise ConfigError(Problem(name, "is said of one certificate, not of a roster") for name in strange)
    return replace(new.shared, crl_urls=new.shared.crl_urls or new.issuer.crl_urls)


def _is_settled(
    old: RosterInputs, new: RosterArgs, for_all: tuple[DeclaredCertificate, HeldIssuer], now: datetime
) -> bool:
    """Return whether the declaration is unchanged and nothing is due for any client."""
    if old.quiet_from is None or old.next_due_at is None or not old.quiet_from <= now < old.next_due_at:
        return False
    issuer = HeldIssuer(old.issuer, old.issuer_slot, old.issuer_key)
    is_same = (old.name, old.shared, issuer) == (new.name, *for_all)
    if not is_same or new.handovers or unpack(old.clients) != new.clients:
        return False
    withdrawal = new.withdrawal
    is_lost = withdrawal is not None and any(is_withdrawn(slot, withdrawal) for slot in old.earlier_issuers)
    is_lost = is_lost or not {*new.issuer.distrusted}.isdisjoint(old.earlier_issuers)
    return not is_lost and not withdrawal_problems(withdrawal)


def _view(new: RosterArgs, issuer: HeldIssuer, context: Context) -> IssuerView:
    chain = known_issuer_chain(issuer.label, context)
    return IssuerView(
        issuer_window(new.issuer), chain, [limits_of_certificate(each) for each in chain], new.issuer.distrusted
    )


def _takeovers(
    new: RosterArgs, stored: StoredRoster | None, context: Context
) -> tuple[dict[str, HandedOver], list[Problem]]:
    """Return the certificates handed over for new clients, and the problems of unusable ones."""
    takeovers, problems = {}, []
    for name, text in new.handovers.items():
        if stored and name in stored.schedules:
            continue
        try:
            reference = hold_handover(name, text, context)
            takeovers[name] = HandedOver(reference, takeover_of(reference, context))
        except CertificateError as error:
            problems.append(Problem(f"handovers.{name}", str(error)))
    return takeovers, problems


def _decided(new: RosterArgs, declaration: Declaration, decision: RosterDecision) -> RosterInputs:
    dues, count = decision.dues, len(decision.schedules)
    return RosterInputs(
        name=new.name,
        shared=declaration.shared,
        issuer=declaration.issuer.label,
        issuer_slot=new.issuer.slot,
        issuer_key=declaration.issuer.key,
        clients=pack(new.clients),
        schedules=pack_lines(decision.schedules.values()),
        summary=summary_line(count, decision.touches, dues.next_due_at),
        changes=change_lines(decision.touches),
        next_due_at=dues.next_due_at,
        quiet_from=dues.quiet_from,
        earlier_issuers=tuple(sorted(dues.earlier_issuers)),
    )


def _report_notes(decision: RosterDecision, context: Context) -> None:
    for note, count in decision.notes.most_common(_MAX_REPORTED):
        context.report(f"{count:,} x {note}" if count > 1 else note)


def _report_new_holders(name: str, decision: RosterDecision, context: Context) -> None:
    """Name everybody whose certificate was replaced now because its issuer is distrusted, however many they are."""
    schedules = {
        touch.name: decision.decided[touch.name].row.schedule
        for touch in decision.touches
        if touch.name in decision.decided
    }
    signers = {who: signer_to_replace(each.generation, each.revoked) for who, each in schedules.items()}
    if names := [who for who, signer in signers.items() if signer]:
        distrusted = ", ".join(sorted({signer.name for signer in signers.values() if signer}))
        context.report(f"{name}: {distrusted} is distrusted; to be served anew: {', '.join(names)}")


def _report(inputs: RosterInputs, context: Context) -> None:
    """Show the summary, and the lines of a small change, also in a plain preview."""
    context.report(inputs.summary)
    if len(inputs.changes) <= _MAX_REPORTED:
        for who, what in sorted(inputs.changes.items()):
            context.report(f"{who}: {what}")
