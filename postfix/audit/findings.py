"""What an audit found, and what its end is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from postfix.audit.kinds import Kind, Severity

__all__ = ["Finding", "Place", "exit_code", "sorted_findings"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a finding is, as far as it has a place.

    `file`: an absolute path, `line`: counted from 1, 0 for none. `service`: a listener or program as `smtp/inet`.
    `parameter`: by its name in postconf(5).
    """

    file: str = ""
    line: int = 0
    service: str = ""
    parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding; `what`: a lower-case sentence without a secret; `fix`: what to do about it."""

    kind: Kind
    place: Place
    what: str
    fix: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is, which its kind says."""
        return self.kind.severity


def sorted_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return each finding once, the worst first, then as they stand in the files.

    What is said of several listeners by one line is one finding.
    """
    services: dict[Finding, list[str]] = {}
    for each in findings:
        place = replace(each.place, service="") if each.place.parameter else each.place
        services.setdefault(replace(each, place=place), []).append(each.place.service)
    merged = [
        replace(each, place=replace(each.place, service=", ".join(sorted({*filter(None, names)}))))
        for each, names in services.items()
    ]
    return tuple(sorted(merged, key=lambda each: (each.severity.rank, each.place, each.kind, each.what)))


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 2 for an error, 1 for a warning or something that cannot be told, 0 for notes or nothing."""
    worst = min((each.severity.rank for each in findings), default=Severity.NOTE.rank)
    return {Severity.ERROR.rank: 2, Severity.NOTE.rank: 0}.get(worst, 1)
