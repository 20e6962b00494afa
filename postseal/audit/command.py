"""The command `postseal audit`: its options, and what it writes."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from postfix.audit.findings import exit_code
from postfix.audit.judgement import Audit
from postfix.audit.record import HostRecord
from postseal.audit.document import render_audit, render_audit_json
from postseal.audit.far import audit_host
from postseal.audit.gathering import audit_directory
from postseal.places import add_place, directory_at, session_at
from postseal_core.errors import ConfigError, Problem

__all__ = ["add_audit", "audited_place"]

_EXIT_CODES = (
    "exit codes: 0 nothing or notes only, 1 warnings or something that cannot be told, 2 errors, 3 wrong usage"
)


def add_audit(commands: Any, instant: Callable[[str], datetime]) -> None:
    """Add the command to those of a parser; `instant` reads an instant or a date."""
    audit = commands.add_parser(
        "audit", help="say what is wrong with a Postfix host as it is; nothing is changed", epilog=_EXIT_CODES
    )
    add_place(audit)
    audit.add_argument("--format", choices=("text", "json"), default="text")
    audit.add_argument("--at", type=instant, metavar="DATE", help="judge as if this were the time (default: now)")
    audit.add_argument(
        "--copy-of",
        default="",
        metavar="DIR",
        help="DIR is a copy of this directory of another host: nothing outside of the copy is looked at",
    )
    audit.set_defaults(run=_audit)


def audited_place(options: argparse.Namespace, now: datetime) -> tuple[HostRecord, Audit]:
    """Audit the host that options name: from its directory here, or through its host program."""
    directory = directory_at(options)
    if directory is not None:
        return audit_directory(directory, options.copy_of, now)
    if options.copy_of:
        raise ConfigError([Problem("--copy-of", "is about a directory here; leave it out for a host elsewhere")])
    return audit_host(session_at(options), now)


def _audit(options: argparse.Namespace) -> int:
    now = options.at or datetime.now(UTC).replace(microsecond=0)
    record, audit = audited_place(options, now)
    is_json = options.format == "json"
    text = render_audit_json(record, audit.findings, now) if is_json else render_audit(record, audit.findings)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
    return exit_code(audit.findings)
