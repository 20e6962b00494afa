"""The commands `postseal who` and `postseal explain`: their options, and what they write; an edge."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from postseal.ledger.documents import render_csv, render_json, render_text
from postseal.ledger.left import Left, names_of_left, still_let_in
from postseal.ledger.life import explained
from postseal.ledger.life_document import render_lives, render_lives_json
from postseal.ledger.reading import read_holders, read_ledger
from postseal.ledger.selection import LedgerSelection, selected
from postseal.report.engine import deliver, export_stack, read_export
from postseal.report.table import printable
from postseal_core.errors import ConfigError, Problem

__all__ = ["ExitCode", "add_explain", "add_who"]

_EXIT_CODES_OF_WHO: Final = (
    "exit codes: 0 answered, with --left: none of them is let in; 1 with --left: somebody is; 3 wrong usage or no state"
)
_EXIT_CODES_OF_EXPLAIN: Final = "exit codes: 0 found, 3 nobody is called so, wrong usage or no state"
_EARLIER: Final = (
    "or let in by an earlier certificate, whose names were others and are known here no more; an earlier export says"
)
_LARGEST_LIST_BYTES: Final = 16 * 1024 * 1024


class ExitCode(IntEnum):
    """The exit codes of both commands; 3, as everywhere, is wrong usage or no state."""

    NOTHING = 0
    LET_IN = 1


def add_who(commands: Any, source: argparse.ArgumentParser, instant: Callable[[str], datetime]) -> None:
    """Add `postseal who` to the commands of a parser; `instant` reads an instant or a date."""
    who = commands.add_parser(
        "who", parents=[source], help="list who may relay on each host, and by which way", epilog=_EXIT_CODES_OF_WHO
    )
    who.add_argument("--host", action="append", default=[], metavar="H", help="only this host; repeatable")
    who.add_argument("--service", action="append", default=[], metavar="S", help="only this service; repeatable")
    who.add_argument("--client", action="append", default=[], metavar="C", help="only rows of it; repeatable")
    who.add_argument("--at", type=instant, metavar="DATE", help="who may then, if `up` runs whenever something is due")
    who.add_argument("--left", metavar="FILE", help="only who is listed there, a name or an address a line")
    who.add_argument("--format", choices=("text", "json", "csv"), default="text")
    who.set_defaults(run=_who)


def add_explain(commands: Any, source: argparse.ArgumentParser) -> None:
    """Add `postseal explain` to the commands of a parser."""
    explain = commands.add_parser(
        "explain",
        parents=[source],
        help="tell the life of a client or certificate, decision by decision",
        epilog=_EXIT_CODES_OF_EXPLAIN,
    )
    explain.add_argument(
        "subject", metavar="CLIENT|SERIAL|FINGERPRINT", help="a name, a serial number, or at least the begin of either"
    )
    explain.add_argument("--format", choices=("text", "json"), default="text")
    explain.set_defaults(run=_explain)


def _who(options: argparse.Namespace) -> int:
    export = _export(options)
    ledger = read_ledger(export, _now(options), options.at)
    selection = LedgerSelection(tuple(options.host), tuple(options.service), tuple(options.client))
    holders = read_holders(export) if options.client or options.left else ()
    ledger = selected(ledger, holders, selection)
    only_rows = bool(options.client)
    if options.left:
        left = still_let_in(ledger, holders, _names(options.left))
        deliver(_rendered_left(left, options.format), options.output)
        return ExitCode.LET_IN if left.is_let_in else ExitCode.NOTHING
    render = {"text": render_text, "json": render_json, "csv": render_csv}[options.format]
    deliver(render(ledger, only_rows=only_rows), options.output)
    return ExitCode.NOTHING


def _rendered_left(left: Left, form: str) -> str:
    if form == "csv":
        return render_csv(left.ledger, only_rows=True)
    if form == "json":
        return render_json(
            left.ledger, only_rows=True, more={"absent": list(left.absent), "unknown": list(left.unknown)}
        )
    logins = [host.host for host in left.ledger.hosts if host.has_login is not False]
    lines = [
        *(
            [f"declared for no certificate of this stack (taken out, or misspelt): {', '.join(left.absent)}"]
            if left.absent
            else []
        ),
        *([f"{_EARLIER}: {', '.join(left.unknown)}"] if left.unknown else []),
        *([f"a login of theirs may relay, look there: {', '.join(logins)}"] if logins else []),
    ]
    text = render_text(left.ledger, only_rows=True)
    return text + "".join(f"\n{printable(line)}\n" for line in lines)


def _names(path: str) -> tuple[str, ...]:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_LIST_BYTES + 1)
        names = names_of_left(content.decode())
    except OSError as error:
        raise ConfigError([Problem("--left", f"cannot read {path} ({error.strerror})")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            [Problem("--left", f"{path} is no text in UTF-8; write a name or an address a line")]
        ) from error
    if len(content) > _LARGEST_LIST_BYTES:
        raise ConfigError(
            [Problem("--left", f"{path} has more than {_LARGEST_LIST_BYTES:,} bytes; take a shorter list")]
        )
    if not names:
        # An empty list is rather a wrong file than nobody: what it answers would be read as "nobody is let in".
        raise ConfigError([Problem("--left", f"{path} names nobody; write a name or an address a line")])
    return names


def _explain(options: argparse.Namespace) -> int:
    export, now = _export(options), _now(options)
    lives = explained(read_holders(export), read_ledger(export, now), options.subject)
    render = {"text": render_lives, "json": render_lives_json}[options.format]
    deliver(render(lives, now), options.output)
    return ExitCode.NOTHING


def _export(options: argparse.Namespace) -> object:
    return read_export(options.file) if options.file else export_stack(options.stack, options.directory)


def _now(options: argparse.Namespace) -> datetime:
    now: datetime = options.now or datetime.now(UTC).replace(microsecond=0)
    return now
