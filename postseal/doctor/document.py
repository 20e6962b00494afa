"""Writes the doctor's findings as text for a terminal, or as JSON; pure."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from postseal.doctor.findings import Finding, Severity, has_fault

__all__ = ["render_findings", "render_findings_json"]

_FORMAT_VERSION = 1


def render_findings(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, with why it matters and how to mend it below, and a last line that counts."""
    counts = Counter(finding.severity for finding in findings)
    total = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    return "\n".join([*(line for finding in findings for line in _lines(finding)), "", total, ""])


def _lines(finding: Finding) -> Iterator[str]:
    width = max(len(severity) for severity in Severity)
    yield f"{finding.severity:<{width}}  {finding.topic}: {finding.what}"
    indent = " " * (width + 2)
    yield from [f"{indent}why: {finding.why}"] if finding.why else []
    yield from [f"{indent}fix: {finding.fix}"] if finding.fix else []


def render_findings_json(findings: Sequence[Finding]) -> str:
    """Return an object with `version`, `fault` (true or false) and `findings`, each with all its members."""
    document = {
        "version": _FORMAT_VERSION,
        "fault": has_fault(findings),
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
