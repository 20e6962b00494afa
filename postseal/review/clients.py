"""What is decided about each client, of a resource by itself or of a roster, before and after; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pki.certificate.records import CertificateInputs
from pki.generations import Schedule
from pki.roster.records import RosterInputs, ScheduleRow
from pki.roster.rows import lines_by_client
from postseal.review.steps import Operation, Step
from postseal_core.packing import records_of_lines

__all__ = ["Clients", "Decided"]


@dataclass(frozen=True, slots=True)
class Decided:
    """The schedules of one client; None where it is not declared, or waits."""

    before: Schedule | None
    after: Schedule | None


@dataclass(frozen=True)
class Clients:
    """Looks up what is decided about clients by name; a roster is unpacked when the first of it is asked for."""

    steps: Iterable[Step]
    _rosters: dict[str, "_Roster"] = field(default_factory=dict)

    def of(self, client: str, roster: str) -> Decided:
        """Return what is decided about a client; `roster`: which one it is in, empty for none."""
        if not roster:
            return self._single.get(client, Decided(None, None))
        found = self._rosters.get(roster)
        if found is None:
            found = self._rosters[roster] = _Roster(*self._inputs_of(roster))
        return found.of(client)

    @cached_property
    def _single(self) -> Mapping[str, Decided]:
        """What certificates are decided by their names; of a name that two have, the one that exists after this."""
        found: dict[str, Decided] = {}
        for step in self.steps:
            before, after = _schedule(step.before), _schedule(step.after)
            if step.operation is Operation.DELETE:
                after = None
            if (before or after) and (step.name not in found or after):
                found[step.name] = Decided(before, after)
        return found

    def _inputs_of(self, roster: str) -> Iterator[RosterInputs | None]:
        step = next((each for each in self.steps if _is_roster(each, roster)), None)
        yield step.before if step and isinstance(step.before, RosterInputs) else None
        is_there = step is not None and step.operation is not Operation.DELETE
        yield step.after if step and is_there and isinstance(step.after, RosterInputs) else None


@dataclass(frozen=True)
class _Roster:
    before: RosterInputs | None
    after: RosterInputs | None

    def of(self, client: str) -> Decided:
        return Decided(_row(self._lines_before, client), _row(self._lines_after, client))

    @cached_property
    def _lines_before(self) -> Mapping[str, list[str]]:
        return lines_by_client(self.before.schedules) if self.before else {}

    @cached_property
    def _lines_after(self) -> Mapping[str, list[str]]:
        if self.after and self.before and self.after.schedules == self.before.schedules:
            return self._lines_before
        return lines_by_client(self.after.schedules) if self.after else {}


def _row(lines: Mapping[str, list[str]], client: str) -> Schedule | None:
    found = lines.get(client)
    return next(records_of_lines(ScheduleRow, found)).schedule if found else None


def _schedule(inputs: object) -> Schedule | None:
    return inputs.schedule if isinstance(inputs, CertificateInputs) else None


def _is_roster(step: Step, name: str) -> bool:
    return any(isinstance(each, RosterInputs) and each.name == name for each in (step.before, step.after))
