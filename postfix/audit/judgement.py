"""Audit a record: all checks, and what is wanted to say more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from postfix.audit.check_certificates import check_presented, check_served
from postfix.audit.check_fingerprints import check_digest, check_rows
from postfix.audit.check_host import check_faults, check_places, check_what_was_seen
from postfix.audit.check_parameters import check_definitions, check_names, check_old_defaults, check_unused
from postfix.audit.check_relaying import check_listed, check_networks, check_strangers
from postfix.audit.check_sending import check_sending
from postfix.audit.check_tables import check_indexes, check_types
from postfix.audit.check_tls import check_chain_parameters, check_listeners
from postfix.audit.findings import Finding, sorted_findings
from postfix.audit.host_view import HostView
from postfix.audit.known_answers import sources_in_question
from postfix.audit.record import HostRecord, Wanted
from postfix.effective.visitors import Asked, Question

__all__ = ["Audit", "audited", "settled"]

_CHECKS: Final[tuple[Callable[[HostView], Iterator[Finding]], ...]] = (
    check_strangers,
    check_listed,
    check_networks,
    check_digest,
    check_listeners,
    check_chain_parameters,
    check_faults,
    check_indexes,
    check_types,
    check_places,
    check_names,
    check_unused,
    check_definitions,
    check_old_defaults,
    check_sending,
    check_what_was_seen,
)
_DATED: Final[tuple[Callable[[HostView, datetime], Iterator[Finding]], ...]] = (
    check_rows,
    check_served,
    check_presented,
)


_MOST_ROUNDS: Final = 12


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, the worst first, and what would tell more."""

    findings: tuple[Finding, ...]
    wanted: Wanted


def audited(record: HostRecord, now: datetime) -> Audit:
    """Judge a record at an aware instant.

    Each finding holds as it is: what the record lacks is not taken for well or for wrong. Have `wanted` added to the
    record, and judge it again, until nothing is wanted.
    """
    view = HostView(record)
    checks = [*(partial(check, view) for check in _CHECKS), *(partial(check, view, now) for check in _DATED)]
    findings = sorted_findings(finding for check in checks for finding in check())
    files = {*view.wanted_files, *(path for each in view.missing for path in _files_in(each))}
    wanted = Wanted(
        files=frozenset(path for path in files - record.files.keys() if path.startswith("/")),
        tables=frozenset(view.wanted_tables - record.tables.keys()),
        listing=frozenset(table for each in view.listeners for table in each.rows),
        questions=frozenset(each for each in view.missing if each.asked not in (Asked.LOADS, Asked.TRUSTED)),
    )
    return Audit(findings, wanted)


def settled(
    record: HostRecord, now: datetime, add: Callable[[HostRecord, Wanted], HostRecord]
) -> tuple[HostRecord, Audit]:
    """Return a record that has all that an audit asks for, and the audit.

    `add` returns a record with what is wanted, be it here or on another machine: what it cannot have, it adds as
    unknown or hidden. It is asked a few times, as answers lead to other questions.
    """
    audit = audited(record, now)
    for _ in range(_MOST_ROUNDS):
        if not audit.wanted:
            break
        record = add(record, audit.wanted)
        audit = audited(record, now)
    return record, audit


def _files_in(question: Question) -> tuple[str, ...]:
    """Return the files with certificates that answer a question."""
    if question.asked is Asked.TRUSTED:
        return (question.where,)
    sources = sources_in_question(question)
    paths = tuple(path for source in sources for path in source.files)
    return paths or ((question.where,) if question.asked is Asked.LOADS else ())
