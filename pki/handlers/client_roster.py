"""The resource `ClientRoster`: many clients of one authority, each decided as a single certificate, in one step."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from pki.constraints import limits_of_certificate
from pki.handlers.certificate_decision import issuer_window
from pki.handlers.handover import hold_handover, takeover_of
from pki.handlers.key_material import hold_issuer, known_issuer_chain
from pki.handlers.roster_issuance import COMPRESSED, declaration_of, records_of, roster_outputs
from pki.handlers.withdrawal import roster_withdrawal_problems
from pki.roster.changes import change_lines, summary_line
from pki.roster.decisions import Declaration, IssuerView, RosterDecision, StoredRoster, decide_roster, next_due_at
from pki.roster.fields import ROSTER_WIDE
from pki.roster.takeover import Takeover
from postseal_core.errors import CertificateError, Problem
from postseal_core.packing import lines_of, pack, pack_records
from postseal_core.plugin.diff import Change, compare
from postseal_core.plugin.handler import Checked, CheckRequest, Context, Created, HandlerBase
from postseal_core.values import Properties, is_unknown

__all__ = ["ClientRosterHandler"]

_MAX_REPORTED = 20
_SHARED = (*ROSTER_WIDE, "issuer_id")


class ClientRosterHandler(HandlerBase):
    """Decides in Check for each client what is due, and issues exactly that in Create and Update."""

    type_token: ClassVar[str] = "postseal:index:ClientRoster"
    secret_inputs: ClassVar[frozenset[str]] = frozenset()
    secret_outputs: ClassVar[frozenset[str]] = frozenset({"private_keys", "archives"})

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Validate and decide; return the old inputs where no client and nothing roster-wide changes."""
        new = request.new
        problems = _unknown_problems(new)
        if problems:
            return Checked({}, tuple(problems))
        shared = {name: new[name] for name in _SHARED if name in new} | hold_issuer(new, context)
        declaration, problems = _declaration(new["clients"], shared)
        stored = _stored(request.old)
        takeovers, references = _takeovers(new, stored, context, problems)
        chain = known_issuer_chain(shared, context)
        issuer = IssuerView(issuer_window(new), chain, [limits_of_certificate(issuer) for issuer in chain])
        with _uncollected():
            decision = decide_roster(declaration, stored, issuer, context.now, takeovers)
        problems += decision.problems + roster_withdrawal_problems(new, decision.records)
        if problems:
            return Checked({}, tuple(problems))
        _report_notes(decision, context)
        if stored and request.old and not decision.touches and declaration == stored.declaration:
            return Checked(dict(request.old))
        return Checked({"name": new["name"]} | shared | _decided(new, decision, references))

    def diff(self, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> dict[str, Change]:
        """Show what changes roster-wide, the summary, and a line for each client of this decision; nothing packed."""
        del old_outputs
        if all(old_inputs.get(name) == value for name, value in new_inputs.items()) and {*old_inputs} == {*new_inputs}:
            return {}
        hidden = (*COMPRESSED, "changes")
        old, new = ({n: v for n, v in inputs.items() if n not in hidden} for inputs in (old_inputs, new_inputs))
        # Lines of the decision before are no part of this change: only what is decided now is compared, with nothing.
        return compare({**old, "changes": {}}, {**new, "changes": new_inputs["changes"]})

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Issue a certificate for every client, apart from those whose certificate is taken over."""
        with _uncollected():
            return Created(inputs["name"], roster_outputs(inputs, {}, context, is_preview=is_preview))

    def update(
        self,
        id: str,
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Issue what Check decided; keys, certificates and archives of all other clients stay byte for byte."""
        del id
        _report(inputs, context)
        with _uncollected():
            return roster_outputs(inputs, old_outputs, context, is_preview=is_preview)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the search for reference cycles: millions of records and none of them, it would make growth quadratic."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _unknown_problems(new: Properties) -> list[Problem]:
    return [
        Problem(name, "must be known before `pulumi up`, not the output of another resource")
        for name in ("name", "clients", *_SHARED)
        if is_unknown(new.get(name))
    ]


def _declaration(clients: str, shared: Properties) -> tuple[Declaration, list[Problem]]:
    """Return what is declared; `clients` is one line of canonical JSON per client, see `clients_text`."""
    lines, problems = {}, []
    for number, line in enumerate(lines_of(clients), start=1):
        try:
            name = json.loads(line)["name"]
        except (ValueError, TypeError, KeyError):
            problems.append(Problem(f"clients.line {number}", "expected a client as one line of JSON with its `name`"))
            continue
        if name in lines:
            problems.append(Problem(f"clients.{name}", "is declared twice; declare it once"))
        lines[name] = line
    return Declaration({name: lines[name] for name in sorted(lines)}, shared), problems


def _stored(old: Properties | None) -> StoredRoster | None:
    if not old or "schedules" not in old:
        return None
    return StoredRoster(declaration_of(old), records_of(old))


def _takeovers(
    new: Properties, stored: StoredRoster | None, context: Context, problems: list[Problem]
) -> tuple[dict[str, Takeover], dict[str, str]]:
    """Return the certificates that are handed over for clients not here yet, and their references in memory."""
    takeovers, references = {}, {}
    for name, text in new.get("handovers", {}).items():
        if stored and name in stored.records:
            continue
        try:
            references[name] = hold_handover(name, text, context)
            takeovers[name] = takeover_of(references[name], context)
        except CertificateError as error:
            problems.append(Problem(f"handovers.{name}", str(error)))
    return takeovers, references


def _decided(new: Properties, decision: RosterDecision, references: dict[str, str]) -> dict[str, Any]:
    records = [
        {**record, "taken_over": references[name]} if name in references else record
        for name, record in decision.records.items()
    ]
    return {
        "clients": pack(new["clients"]),
        "schedules": pack_records(records),
        "summary": summary_line(len(records), decision.touches, next_due_at(decision.records)),
        "changes": change_lines(decision.touches),
    }


def _report_notes(decision: RosterDecision, context: Context) -> None:
    for note, count in decision.notes.most_common(_MAX_REPORTED):
        context.report(f"{count:,} x {note}" if count > 1 else note)


def _report(inputs: Properties, context: Context) -> None:
    """Show the summary, and the lines of a small change, also in a plain preview."""
    context.report(inputs["summary"])
    if len(inputs["changes"]) <= _MAX_REPORTED:
        for who, what in sorted(inputs["changes"].items()):
            context.report(f"{who}: {what}")
