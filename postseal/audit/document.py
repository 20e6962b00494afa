"""Writes what an audit found as text for a terminal, or as JSON; pure."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from postfix.audit.findings import Finding, Place, exit_code
from postfix.audit.kinds import Severity
from postfix.audit.record import HostRecord
from postseal_core.errors import Problem
from postseal_core.instants import format_instant

__all__ = ["render_audit", "render_audit_json"]

_FORMAT_VERSION: Final = 1
_WIDTH: Final = max(len(severity) for severity in Severity)


def render_audit(record: HostRecord, findings: Sequence[Finding]) -> str:
    """Return a few lines for each finding, and a last one that counts."""
    counts = Counter(finding.severity for finding in findings)
    total = ", ".join(f"{counts[each]} {each}" for each in Severity if counts[each]) or "nothing found"
    lines = [line for finding in findings for line in _lines(finding)]
    return "\n".join([*lines, *([""] if lines else []), f"{_visible(record.root)}: {total}", ""])


def _lines(finding: Finding) -> Iterator[str]:
    indent = " " * (_WIDTH + 2)
    place = where(finding.place)
    yield f"{finding.severity:<{_WIDTH}}  {place}: {_visible(finding.what)} [{finding.kind}]"
    yield f"{indent}why: {finding.kind.why} ({finding.kind.source})"
    yield from [f"{indent}fix: {_visible(finding.fix)}"] if finding.fix else []


def where(place: Place) -> str:
    """Return a place as `/etc/postfix/main.cf:12: smtp/inet`; the parameter is said by the sentence behind it."""
    line = f":{place.line}" if place.line else ""
    return _visible(": ".join(filter(None, (f"{place.file}{line}", place.service))))


def _visible(text: str) -> str:
    """Return what others wrote without anything that moves a terminal's cursor, cut to a bounded length."""
    return str(Problem("", text))


def render_audit_json(record: HostRecord, findings: Sequence[Finding], now: datetime) -> str:
    """Return an object with `version`, what was read, the exit code, and all findings with all their members."""
    document = {
        "version": _FORMAT_VERSION,
        "directory": _visible(record.directory),
        "copy_of": _visible(record.root) if record.is_copy else None,
        "at": format_instant(now),
        "exit_code": exit_code(findings),
        "findings": [_member(finding) for finding in findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _member(finding: Finding) -> dict[str, object]:
    place = finding.place
    return {
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "file": _visible(place.file) or None,
        "line": place.line or None,
        "service": _visible(place.service) or None,
        "parameter": _visible(place.parameter) or None,
        "what": _visible(finding.what),
        "why": finding.kind.why,
        "source": finding.kind.source,
        "fix": _visible(finding.fix) or None,
    }
