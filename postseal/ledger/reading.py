"""Read the ledger of a stack from its exported state; secrets are never looked at."""

from dataclasses import dataclass, replace
from datetime import datetime

from postseal.ledger.ahead import rows_ahead
from postseal.ledger.holders import Holder, holders_of
from postseal.ledger.records import HostLedger
from postseal.ledger.stored import ledger_of_stored
from postseal.report.export import read_hosts, read_stack, written_at
from postseal.report.forecast import schedules_at
from postseal_core.errors import ConfigError, Problem
from postseal_core.instants import format_instant
from postseal_core.values import UNKNOWN

__all__ = ["StackLedger", "read_holders", "read_ledger"]


@dataclass(frozen=True, slots=True)
class StackLedger:
    """Who may relay on each host of a stack at an instant.

    `is_ahead`: as it will be, if `pulumi up` runs whenever something is due and nothing else changes; otherwise as the
    last `up` has left it.
    """

    project: str
    stack: str
    at: datetime
    hosts: tuple[HostLedger, ...] = ()
    is_ahead: bool = False


def read_ledger(export: object, now: datetime, at: datetime | None = None) -> StackLedger:
    """Return the ledger at `at`, or as it is `now`.

    Raises:
        ConfigError: the document is no stack's state, something in it cannot be read, or `at` lies before the last run.
    """
    problems: list[Problem] = []
    stack = read_stack(export, problems)
    hosts = [ledger_of_stored(each, problems) for each in read_hosts(export, problems)]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    hosts.sort(key=lambda host: host.host)
    if at is not None:
        _refuse_before_last_run(export, hosts, at)
    if at is None or at <= now:
        return StackLedger(stack.project, stack.stack, at or now, tuple(hosts))
    schedules = schedules_at(export, now, at)
    ahead = tuple(replace(each, rows=tuple(rows_ahead(each.rows, schedules, at)), digest=UNKNOWN) for each in hosts)
    return StackLedger(stack.project, stack.stack, at, ahead, is_ahead=True)


def read_holders(export: object) -> tuple[Holder, ...]:
    """Return every holder of a certificate in a state.

    Raises:
        ConfigError: the document is no stack's state, or something in it cannot be read.
    """
    problems: list[Problem] = []
    holders = tuple(holders_of(read_stack(export, problems), problems))
    if problems:
        raise ConfigError(problems)
    return holders


def _refuse_before_last_run(export: object, hosts: list[HostLedger], at: datetime) -> None:
    known = [row.since for host in hosts for row in host.rows]
    written = written_at(export)
    first = max([*known, *([written] if written else [])], default=at)
    if at < first:
        message = (
            f"{format_instant(at)} lies before {format_instant(first)}, when this state was written last: who was let "
            "in before, an earlier export says; take that, or a later date"
        )
        raise ConfigError([Problem("--at", message)])
