"""The command `postseal audit`: its options, and what it writes."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from postfix.audit.findings import exit_code
from postseal.audit.document import render_audit, render_audit_json
from postseal.audit.gathering import audit_directory

__all__ = ["add_audit"]

_EXIT_CODES = (
    "exit codes: 0 nothing or notes only, 1 warnings or something that cannot be told, 2 errors, 3 wrong usage"
)


def add_audit(commands: Any, instant: Callable[[str], datetime]) -> None:
    """Add the command to those of a parser; `instant` reads an instant or a date."""
    audit = commands.add_parser(
        "audit", help="say what is wrong with a Postfix host as it is; nothing is changed", epilog=_EXIT_CODES
    )
    audit.add_argument("directory", type=Path, metavar="DIR", help="the directory of main.cf, as /etc/postfix")
    audit.add_argument("--format", choices=("text", "json"), default="text")
    audit.add_argument("--at", type=instant, metavar="DATE", help="judge as if this were the time (default: now)")
    audit.add_argument(
        "--copy-of",
        default="",
        metavar="DIR",
        help="DIR is a copy of this directory of another host: nothing outside of the copy is looked at",
    )
    audit.set_defaults(run=_audit)


def _audit(options: argparse.Namespace) -> int:
    now = options.at or datetime.now(UTC).replace(microsecond=0)
    record, audit = audit_directory(options.directory, options.copy_of, now)
    is_json = options.format == "json"
    text = render_audit_json(record, audit.findings, now) if is_json else render_audit(record, audit.findings)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
    return exit_code(audit.findings)
