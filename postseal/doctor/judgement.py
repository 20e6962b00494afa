"""Judges the facts, topic by topic; pure."""

from collections.abc import Callable, Iterator
from typing import Final

from postseal.doctor.check_machine import check_clock, check_interrupts, check_logs, check_other_users
from postseal.doctor.check_secrets import check_directories, check_passphrase, check_state
from postseal.doctor.check_versions import (
    check_engine,
    check_packages,
    check_postseal_plugin,
    check_project,
    check_tls_plugin,
)
from postseal.doctor.facts import Facts
from postseal.doctor.findings import Finding

__all__ = ["judge"]

# In the order in which a reader mends them: without an engine, nothing else can be tried.
_CHECKS: Final[tuple[Callable[[Facts], Iterator[Finding]], ...]] = (
    check_engine,
    check_packages,
    check_tls_plugin,
    check_project,
    check_postseal_plugin,
    check_state,
    check_passphrase,
    check_directories,
    check_other_users,
    check_logs,
    check_interrupts,
    check_clock,
)


def judge(facts: Facts) -> tuple[Finding, ...]:
    """Return at least one finding for each topic; a package, and a directory that is given, have one each.

    Without a project, plugin and state have none.
    """
    return tuple(finding for check in _CHECKS for finding in check(facts))
