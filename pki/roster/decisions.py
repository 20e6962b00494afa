"""Decide the schedules of all clients of a roster, with the rules of a single certificate."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from pki.certificate.takeover import (
    Takeover,
    differences_of_takeover,
    problems_of_moving_from_distrusted,
    schedule_of_takeover,
)
from pki.constraints import IssuerLimits
from pki.declared import named, policy_of
from pki.declared_checks import problems_of_declared
from pki.demand import SAME, Differences, demand_of, differences_of
from pki.fields import DeclaredCertificate
from pki.generations import AcceptedGeneration, IssuerWindow, Schedule
from pki.model import Profile, SlotId
from pki.pkcs12 import note_of_archive
from pki.roster.changes import Touch, describe_addition, describe_change, describe_removal
from pki.roster.declaration import Declaration, StoredRoster
from pki.roster.dues import Due, Dues, is_quiet
from pki.roster.records import DueRow, ScheduleRow
from pki.roster.rows import RosterRow, archive_word
from pki.schedule import decide
from postseal_core.errors import ConfigError, Problem, ScheduleError, refuse
from postseal_core.packing import parts_of_lines, record_line

__all__ = [
    "DecidedClient",
    "HandedOver",
    "IssuerView",
    "RosterDecision",
    "decide_roster",
]

_CLIENT = Profile.CLIENT


@dataclass(frozen=True, slots=True)
class IssuerView:
    """The facts about the issuer that decisions depend on.

    `chain`: issuer first, empty where a preview does not know it yet; `limits`: what each certificate of it allows.
    `distrusted`: slots whose signatures are worth nothing any more.
    """

    window: IssuerWindow | None
    chain: Sequence[x509.Certificate] = ()
    limits: Sequence[IssuerLimits] = ()
    distrusted: tuple[SlotId, ...] = ()


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A certificate that comes into the roster, and its reference in this run's memory."""

    reference: str
    takeover: Takeover


@dataclass(frozen=True, slots=True)
class DecidedClient:
    """One client's declaration and its new schedule."""

    declared: DeclaredCertificate
    row: ScheduleRow


@dataclass(slots=True)
class RosterDecision:
    """The result for a whole roster: schedules, changes, and problems that prevent them.

    `schedules`: lines in the order of the clients' names. `decided`: clients of whom something may change; all others
    have the very lines that they had. `accepted`: earlier generations that are still accepted.
    """

    schedules: dict[str, str] = field(default_factory=dict)
    decided: dict[str, DecidedClient] = field(default_factory=dict)
    touches: list[Touch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    dues: Dues = field(default_factory=Dues)
    accepted: list[tuple[str, AcceptedGeneration]] = field(default_factory=list)

    def keep(self, name: str, due: Due, line: str, *, is_confirming: bool) -> None:
        """Add a client with its schedule."""
        self.schedules[name] = line
        self.dues.add(due, is_confirming=is_confirming)
        self.accepted += [(name, entry) for entry in due.accepted]


def decide_roster(
    declaration: Declaration,
    stored: StoredRoster | None,
    issuer: IssuerView,
    now: datetime,
    takeovers: Mapping[str, HandedOver] | None = None,
) -> RosterDecision:
    """Return the schedules of all clients from `now` on, the same as single certificates would have.

    `takeovers`: certificates of clients that the roster does not have yet.
    """
    known = stored or StoredRoster(Declaration({}, declaration.shared, declaration.issuer), {})
    deciding = _Deciding(declaration, known, issuer, now)
    quiet = _quiet_rows(declaration, known, issuer.distrusted, now)
    for name in declaration.lines:
        if name in quiet:
            deciding.decision.keep(name, quiet[name], known.schedules[name], is_confirming=False)
        else:
            deciding.decide(name, (takeovers or {}).get(name))
    decision = deciding.decision
    decision.touches += (
        describe_removal(name, known.schedule(name)) for name in known.schedules.keys() - declaration.lines.keys()
    )
    decision.touches.sort(key=lambda touch: touch.name)
    return decision


def _quiet_rows(
    declaration: Declaration, known: StoredRoster, distrusted: Collection[SlotId], now: datetime
) -> dict[str, DueRow]:
    """Return the clients whose schedule stays as it is: declared as before, not due, and of trusted issuers."""
    if not declaration.is_alike_for_all(known.declaration):
        return {}
    before = known.declaration.lines
    same = [line for name, line in known.schedules.items() if declaration.lines.get(name) == before[name]]
    return {
        row.name: row
        for row in parts_of_lines(DueRow, same, ScheduleRow)
        if is_quiet(row, now)
        and not any(entry.issuer in distrusted for entry in row.accepted)
        and not (row.accepted and declaration.is_confirming(row.name))
    }


@dataclass(frozen=True, slots=True)
class _Deciding:
    """Decides one client after the other; `known` is the stored roster."""

    declaration: Declaration
    known: StoredRoster
    issuer: IssuerView
    now: datetime
    decision: RosterDecision = field(default_factory=RosterDecision)

    def decide(self, name: str, handed_over: HandedOver | None) -> None:
        """Decide one client's schedule and add the result, or else the problems, to `decision`."""
        try:
            touch = self._decide(*self._read(name), handed_over)
        except ConfigError as error:
            self.decision.problems += error.problems
        except ScheduleError as error:
            self.decision.problems.append(Problem(f"clients.{name}", str(error)))
        else:
            self.decision.touches += [touch] if touch else []

    def _read(self, name: str) -> tuple[RosterRow, DeclaredCertificate]:
        row = self.declaration.row(name)
        declared = self.declaration.declared(row)
        problems = problems_of_declared(declared, _CLIENT, self.issuer.limits)
        if problems:
            raise ConfigError(problem.below(f"clients.{name}") for problem in problems)
        return row, declared

    def _decide(self, row: RosterRow, declared: DeclaredCertificate, handed_over: HandedOver | None) -> Touch | None:
        name = row.name
        if name in self.known.schedules:
            old, before = self.known.declaration, self.known.schedule(name)
            old_row = old.row(name)
            differences = differences_of(self.declaration.basis(declared), old.basis(old.declared(old_row)))
            after = self._step(name, declared, before, differences)
            is_same_archive = archive_word(old.declared(old_row)) is archive_word(declared)
            self._note_archive(declared, is_built=after.generation != before.generation or not is_same_archive)
            return describe_change(name, before, after, old_row.said, row.said)
        self._note_archive(declared, is_built=True)
        if handed_over is None:
            return describe_addition(name, self._step(name, declared, None), None)
        takeover = handed_over.takeover
        before = schedule_of_takeover(takeover, policy_of(declared, _CLIENT), self.declaration.issuer.slot)
        differences = differences_of_takeover(takeover, named(declared), self.issuer.chain)
        if distrusted := self.issuer.distrusted:
            refuse(problems_of_moving_from_distrusted(differences, distrusted, is_chain_known=bool(self.issuer.chain)))
        after = self._step(name, declared, before, differences, handed_over.reference)
        return describe_addition(name, after, before)

    def _note_archive(self, declared: DeclaredCertificate, *, is_built: bool) -> None:
        note = note_of_archive(declared.key_algorithm) if is_built and archive_word(declared) else ""
        if note:
            self.decision.notes[note] += 1

    def _step(
        self,
        name: str,
        declared: DeclaredCertificate,
        before: Schedule | None,
        differences: Differences = SAME,
        taken_over: str = "",
    ) -> Schedule:
        """Return the schedule of a client from now on, which is added to the decision."""
        step = decide(
            before,
            demand_of(declared, _CLIENT, self.issuer.window, differences, distrusted=self.issuer.distrusted),
            self.now,
        )
        if step.note:
            self.decision.notes[step.note] += 1
        row = ScheduleRow(name=name, schedule=step.schedule, taken_over=taken_over)
        self.decision.keep(name, step.schedule, record_line(row), is_confirming=declared.confirm)
        self.decision.decided[name] = DecidedClient(declared, row)
        return step.schedule
