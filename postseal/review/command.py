"""The command `postseal review`: its options, and what it writes."""

import argparse
import gc
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from postseal.report.engine import deliver, read_export
from postseal.report.export import unknown_types
from postseal.review.assembling import assembled
from postseal.review.declared import StackSource
from postseal.review.json_document import render_json
from postseal.review.markdown import render_markdown
from postseal.review.model import ExitCode, Review
from postseal.review.runs import compare_files
from postseal.review.sources import StackFile, open_stack_file, source_of, unread_settings
from postseal.review.stored import StoredStack, read_stored_stack, without_ciphertext
from postseal.review.text import render_text
from postseal_core.errors import ConfigError, Problem
from postseal_core.instants import parse_instant
from postseal_core.uncollected import uncollected

__all__ = ["add_review"]

_EXIT_CODES: Final = (
    "exit codes: 0 nothing changes, 1 something changes, 2 `pulumi up` would refuse it, 3 wrong usage or no state"
)
_CLOCK: Final = "postseal:clock"
_RENDERERS: Final[Mapping[str, Callable[[Review], str]]] = {
    "markdown": render_markdown,
    "text": render_text,
    "json": render_json,
}


def add_review(commands: Any, instant: Callable[[str], datetime]) -> None:
    """Add the command to those of a parser; `instant` reads an instant or a date."""
    review = commands.add_parser(
        "review",
        help="say what a change of a stack file would do; needs no engine, no passphrase and no key",
        epilog=_EXIT_CODES,
    )
    place = review.add_mutually_exclusive_group(required=True)
    place.add_argument("--state", metavar="STATE.json", help="a file of `pulumi stack export`; - for standard input")
    place.add_argument("--blank", metavar="STATE.json", help="write this export without its ciphertext, and end")
    review.add_argument(
        "--from", dest="before", metavar="OLD", help="the stack file before: a path, or REV:path of git (none: new)"
    )
    review.add_argument("--to", dest="after", metavar="NEW", help="the stack file after: a path, or REV:path of git")
    review.add_argument("--at", type=instant, metavar="DATE", help="review as if this were the time (default: now)")
    review.add_argument("--format", choices=tuple(_RENDERERS), default="markdown")
    review.add_argument("--output", metavar="FILE", help="write to this file, at once or not at all")
    review.set_defaults(run=_review)


def _review(options: argparse.Namespace) -> int:
    if options.blank:
        blank = without_ciphertext(read_export(options.blank))
        read_stored_stack(blank)
        deliver(json.dumps(blank, indent=1) + "\n", options.output)
        return ExitCode.NOTHING
    if not options.after:
        raise ConfigError([Problem("--to", "is missing: name the stack file after the change")])
    with uncollected():
        review = _reviewed(options)
        # What the program leaves behind in cycles goes with this process; to look for it takes seconds.
        gc.freeze()
    deliver(_RENDERERS[options.format](review), options.output)
    return review.exit_code


def _reviewed(options: argparse.Namespace) -> Review:
    export = read_export(options.state)
    stored = read_stored_stack(export)
    if unknown := unknown_types(export):
        raise ConfigError(unknown)
    after = open_stack_file("--to", options.after)
    names = _names(stored, after)
    opened = open_stack_file("--from", options.before) if options.before else None
    before = source_of(opened, names[0]) if opened else None
    new = source_of(after, names[0])
    now = options.at or _clock(new) or datetime.now(UTC).replace(microsecond=0)
    review = assembled(compare_files(stored, before, new, names, now), names, now)
    return replace(review, unread=tuple(unread_settings(opened, after, names[0])))


def _names(stored: StoredStack, after: StackFile) -> tuple[str, str]:
    """Return the names of project and stack, as the state says, or the files of a stack that is new."""
    project, stack = stored.project or after.project, stored.stack or after.stack
    if after.project and after.project != project:
        message = f"belongs to the project {after.project}, and the state to {project}; take those of one stack"
        raise ConfigError([Problem("--to", message)])
    if not project or not stack:
        message = "nothing is stored yet, and the stack file lies in no project as Pulumi.STACK.yaml: put it there"
        raise ConfigError([Problem("--state", message)])
    return project, stack


def _clock(source: StackSource) -> datetime | None:
    """Return the instant that the stack file sets for rehearsals; one that is none is told later."""
    try:
        return parse_instant(str(source.text.values[_CLOCK])) if _CLOCK in source.text.values else None
    except ValueError:
        return None
