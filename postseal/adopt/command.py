"""The command `postseal adopt`: its options, and what it writes."""

import argparse
import os
import sys
from datetime import UTC, datetime
from typing import Any, Final

from postfix.audit.host_view import HostView
from postseal.adopt.adoption import adopted
from postseal.adopt.document import render_adoption
from postseal.audit.command import audited_place
from postseal.audit.gathering import AuditError
from postseal.places import add_place
from postseal_core.errors import Problem

__all__ = ["add_adopt"]

_EXIT_CODES: Final = "exit codes: 0 written, 1 the host cannot be reproduced, 3 wrong usage"
_MODE: Final = 0o644


def add_adopt(commands: Any) -> None:
    """Add the command to those of a parser."""
    adopt = commands.add_parser(
        "adopt", help="write the entries of a stack file that reproduce a Postfix host as it is", epilog=_EXIT_CODES
    )
    add_place(adopt)
    adopt.add_argument("--name", default="mx1", help="what the host is called in the stack (default: mx1)")
    adopt.add_argument("--project", default="mail-pki", help="the name in Pulumi.yaml (default: mail-pki)")
    adopt.add_argument("--copy-of", default="", metavar="DIR", help="as of `postseal audit`")
    adopt.add_argument("--output", metavar="FILE", help="write to this file, which must not be there yet")
    adopt.set_defaults(run=_adopt)


def _adopt(options: argparse.Namespace) -> int:
    record, _ = audited_place(options, datetime.now(UTC))
    adoption = adopted(HostView(record), options.name)
    if adoption.obstacles:
        for each in adoption.obstacles:
            print(f"postseal: {Problem('', each)}", file=sys.stderr)
        print("postseal: nothing was written: the host cannot be reproduced as it is", file=sys.stderr)
        return 1
    _deliver(render_adoption(adoption, record.root, options.project), options.output)
    return 0


def _deliver(text: str, output: str | None) -> None:
    content = text.encode("utf-8", "backslashreplace")
    if not output:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    except OSError as error:
        raise AuditError(f"cannot write {output} ({error.strerror}); a file that is there is never replaced") from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)
