"""The results of the doctor's checks."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Severity", "has_fault"]


class Severity(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check. `why` and `fix` are empty if all is well."""

    topic: str
    severity: Severity
    what: str
    why: str = ""
    fix: str = ""


def has_fault(findings: Iterable[Finding]) -> bool:
    """Whether something keeps `pulumi up` from working, or keys lie open."""
    return any(finding.severity is Severity.FAULT for finding in findings)
