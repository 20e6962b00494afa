"""The console script `postseal`: report, forecast and review of a stack, doctor of this machine, audit and adopt."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

from postfix.deploy.host_program import earlier_states, roll_back
from postfix.deploy.program_result import sentences_of_evidence
from postfix.deploy.sessions.host_keys import host_keys_of
from postfix.deploy.sessions.ssh import carried_program
from postfix.ssh_access import SSH_PORT, SshAccess, problems_of_ssh
from postseal.adopt.command import add_adopt
from postseal.audit.command import add_audit
from postseal.doctor.document import render_findings, render_findings_json
from postseal.doctor.findings import has_fault
from postseal.doctor.gathering import gather_facts
from postseal.doctor.judgement import judge
from postseal.host_access import render_host_keys
from postseal.ledger.command import add_explain, add_who
from postseal.places import add_place, session_at
from postseal.report.csv_document import render_csv
from postseal.report.engine import COMMAND_VARIABLE, deliver, export_stack, read_document, read_export
from postseal.report.forecast import forecast
from postseal.report.forecast_document import render_forecast, render_forecast_json
from postseal.report.icalendar import render_icalendar
from postseal.report.inventory import DEFAULT_SOON_DAYS, build_inventory
from postseal.report.json_document import render_json
from postseal.report.logged import with_last_seen
from postseal.report.model import ExitCode, Expiring, Inventory, Kind, State, exit_code
from postseal.report.page import PageAssets, render_page
from postseal.report.prometheus import render_prometheus
from postseal.report.selection import Selection
from postseal.report.table import DEFAULT_ROWS, TableStyle, render_table
from postseal.review.command import add_review
from postseal.rolling_back import chosen_state, render_rollback, render_states
from postseal.seen.command import add_seen
from postseal.seen.reading import read_seen
from postseal.version import VERSION
from postseal_core.errors import ConfigError, PostsealError, refuse
from postseal_core.instants import parse_instant
from postseal_core.wording import shown

__all__ = ["RENDERERS", "main"]

_PROBLEMS_SHOWN = 20
_NARROWEST = 60
_KINDS = tuple(kind.value for kind in Kind)
_STATES = tuple(state.value for state in State)
_EXIT_CODES = "exit codes: 0 all fine, 1 something is due, 2 something has expired, 3 wrong usage or no state"
_EXIT_CODES_OF_FORECAST = "exit codes: 0 it could be made, 3 wrong usage or no state"
_EXIT_CODES_OF_ROLLBACK = "exit codes: 0 it is as it was then, 3 it is as it was now, or wrong usage"
_EXIT_CODES_OF_HOST_KEY = "exit codes: 0 the host shows a key, 3 wrong usage, or it shows none"
_EXIT_CODES_OF_DOCTOR = "exit codes: 0 all well or warnings only, 1 a fault, 3 wrong usage"

Items = tuple[Expiring, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; messages go to standard error."""
    try:
        options = _parser().parse_args(arguments)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except PostsealError as error:
        print(f"postseal: {_sentence(error)}", file=sys.stderr)
        return ExitCode.ERROR
    except BrokenPipeError:
        # The reader has seen enough (`| head`); what is left in the buffer must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.ERROR


class _Parser(argparse.ArgumentParser):
    """A parser that never exits with argparse's 2, which here means that something has expired."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.ERROR, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="postseal",
        description="Watch the certificates of a Pulumi stack, and the Postfix hosts that use them.",
        epilog="each command has exit codes of its own: see `postseal COMMAND --help`",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    source, color = _source_options("--file"), _color_options()
    report = commands.add_parser(
        "report", parents=[source, color], help="show what expires, when, and what happens next", epilog=_EXIT_CODES
    )
    _add_report_options(report)
    ahead = commands.add_parser(
        "forecast",
        parents=[source, color],
        help="show what `pulumi up` will change on which day",
        epilog=_EXIT_CODES_OF_FORECAST,
    )
    ahead.add_argument("--until", type=_instant, required=True, metavar="DATE", help="how far to look ahead")
    ahead.add_argument("--format", choices=("table", "json"), default="table")
    ahead.set_defaults(run=_forecast)
    _add_doctor(commands)
    _add_rollback(commands)
    _add_host_access(commands)
    add_audit(commands, _instant)
    add_adopt(commands)
    add_review(commands, _instant)
    # As of `review`; in a report `--state` is the state of an item.
    stored = _source_options("--state", "--file")
    add_who(commands, stored, _instant)
    add_explain(commands, stored)
    add_seen(commands, stored)
    return parser


def _add_doctor(commands: "argparse._SubParsersAction[_Parser]") -> None:
    doctor = commands.add_parser(
        "doctor",
        help="check engine, versions, state, passphrase, modes, other users and clock",
        epilog=_EXIT_CODES_OF_DOCTOR,
    )
    doctor.add_argument("--stack", default="", help="the stack to look at (default: the selected one)")
    doctor.add_argument("--directory", type=Path, default=Path(), help="the Pulumi project's directory (default: here)")
    doctor.add_argument("--json", action="store_true", help="write JSON")
    doctor.set_defaults(run=_doctor)


def _add_rollback(commands: "argparse._SubParsersAction[_Parser]") -> None:
    rollback = commands.add_parser(
        "rollback",
        help="take a Postfix back to an earlier state; needs no engine and no state of a stack",
        epilog=_EXIT_CODES_OF_ROLLBACK,
    )
    add_place(rollback)
    rollback.add_argument("--to", type=int, metavar="N", help="the number of the earlier state (default: the last one)")
    rollback.add_argument("--list", action="store_true", help="only list the earlier states that the host keeps")
    rollback.set_defaults(run=_rollback)


def _add_host_access(commands: "argparse._SubParsersAction[_Parser]") -> None:
    key = commands.add_parser(
        "host-key",
        help="print the key that a host shows, to be compared on its console and pinned in the stack file",
        epilog=_EXIT_CODES_OF_HOST_KEY,
    )
    key.add_argument("host", metavar="HOST", help="its name or address")
    key.add_argument("--port", type=int, default=SSH_PORT, help="where its sshd listens (default: 22)")
    key.set_defaults(run=_host_key)
    program = commands.add_parser(
        "host-program", help="print the program that a host needs whose deploy user may run nothing else as root"
    )
    program.add_argument("--digest", action="store_true", help="print its SHA-256 digest only")
    program.set_defaults(run=_host_program)


def _source_options(*file_options: str) -> _Parser:
    """Return the options that say which stack is meant; `file_options`: how a file with its state is given."""
    options = _Parser(add_help=False)
    place = options.add_mutually_exclusive_group()
    place.add_argument(
        *file_options, dest="file", metavar="EXPORT.json", help="a file of `pulumi stack export`; - for standard input"
    )
    place.add_argument(
        "--stack", default="", help=f"export this stack (default: the selected one) with `pulumi` or {COMMAND_VARIABLE}"
    )
    options.add_argument(
        "--directory", type=Path, default=Path(), help="the Pulumi project's directory (default: here)"
    )
    options.add_argument("--now", type=_instant, metavar="INSTANT", help="rehearse: act as if this were the time")
    options.add_argument("--output", metavar="FILE", help="write to this file, at once or not at all")
    return options


def _color_options() -> _Parser:
    options = _Parser(add_help=False)
    options.add_argument("--no-color", action="store_true", help="no colours (as with the variable NO_COLOR)")
    return options


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=tuple(RENDERERS), default="table")
    parser.add_argument("--kind", choices=_KINDS, action="append", default=[], help="only this kind; repeatable")
    parser.add_argument("--name", action="append", default=[], metavar="GLOB", help="only names like 'mx*'; repeatable")
    parser.add_argument("--state", choices=_STATES, action="append", default=[], help="only this state; repeatable")
    parser.add_argument("--soon", type=int, default=DEFAULT_SOON_DAYS, metavar="DAYS", help="what counts as due soon")
    parser.add_argument("--all", action="store_true", help=f"table: every row, not the worst {DEFAULT_ROWS} of a group")
    parser.add_argument("--seen", metavar="SEEN.json", help="of `postseal seen --format json`: show last uses as well")
    parser.add_argument(
        "--unseen-after", type=int, default=0, metavar="DAYS", help="with --seen, for clients that declare no time"
    )
    parser.set_defaults(run=_report)


def _instant(text: str) -> datetime:
    """Read an instant, or a date as its first second in UTC."""
    try:
        return parse_instant(text if "T" in text or " " in text else f"{text}T00:00:00Z")
    except ValueError:
        message = f"{shown(text)} is no instant; write 2026-11-22T20:00:00Z or 2026-11-22"
        raise argparse.ArgumentTypeError(message) from None


def _report(options: argparse.Namespace) -> ExitCode:
    inventory = build_inventory(_state(options), _now(options), options.soon)
    if options.seen:
        seen = read_seen(read_document(options.seen, "postseal seen --format json"), options.seen)
        inventory = with_last_seen(inventory, seen, max(options.unseen_after, 0))
    selection = _selection(options)
    items, unseen = selection.apply(inventory.items), selection.apply_to_unseen(inventory.unseen)
    chosen = replace(
        inventory,
        unseen=unseen,
        proven=selection.apply_to_proven(inventory.proven),
        hosts=selection.apply_to_hosts(inventory.hosts),
    )
    deliver(RENDERERS[options.format](chosen, items, options), options.output)
    return exit_code(items, unseen)


def _selection(options: argparse.Namespace) -> Selection:
    kinds, states = map(Kind, options.kind), map(State, options.state)
    return Selection(tuple(kinds), tuple(options.name), tuple(states))


def _forecast(options: argparse.Namespace) -> ExitCode:
    now = _now(options)
    events = forecast(_state(options), now, options.until)
    if options.format == "json":
        deliver(render_forecast_json(events, now, options.until), options.output)
    else:
        deliver(render_forecast(events, now, options.until, _style(options, None)), options.output)
    return ExitCode.FINE


def _doctor(options: argparse.Namespace) -> int:
    findings = judge(gather_facts(options.stack, options.directory, datetime.now(UTC)))
    print((render_findings_json if options.json else render_findings)(findings), end="", flush=True)
    return int(has_fault(findings))


def _rollback(options: argparse.Namespace) -> ExitCode:
    session = session_at(options)
    states = earlier_states(session).kept
    if options.list:
        print(render_states(states, session.root), end="")
        return ExitCode.FINE
    state = chosen_state(states, options.to, session.root)
    result = roll_back(session, state.number)
    for line in sentences_of_evidence(result.evidence):
        print(line)
    print(render_rollback(state, session.root, result.reloading), end="")
    return ExitCode.FINE


def _host_key(options: argparse.Namespace) -> ExitCode:
    access = SshAccess(host=options.host, user="root", port=options.port)
    refuse(each for each in problems_of_ssh(access) if each.path in ("host", "port"))
    print(render_host_keys(options.host, host_keys_of(options.host, options.port)), end="")
    return ExitCode.FINE


def _host_program(options: argparse.Namespace) -> ExitCode:
    program = carried_program()
    sys.stdout.buffer.write(f"{sha256(program).hexdigest()}\n".encode() if options.digest else program)
    sys.stdout.buffer.flush()
    return ExitCode.FINE


def _state(options: argparse.Namespace) -> object:
    return read_export(options.file) if options.file else export_stack(options.stack, options.directory)


def _now(options: argparse.Namespace) -> datetime:
    return options.now or datetime.now(UTC).replace(microsecond=0)


def _style(options: argparse.Namespace, rows: int | None) -> TableStyle:
    is_terminal = sys.stdout.isatty() and not options.output
    has_color = is_terminal and not options.no_color and not os.environ.get("NO_COLOR")
    return TableStyle(max(shutil.get_terminal_size((100, 25)).columns, _NARROWEST), has_color=has_color, rows=rows)


def _table(inventory: Inventory, items: Items, options: argparse.Namespace) -> str:
    return render_table(inventory, items, _style(options, None if options.all else DEFAULT_ROWS))


def _page(inventory: Inventory, items: Items, _: argparse.Namespace) -> str:
    package = files("postseal.report")
    style, script = (package.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    return render_page(inventory, items, PageAssets(style, script))


RENDERERS: Mapping[str, Callable[[Inventory, Items, argparse.Namespace], str]] = {
    "table": _table,
    "html": _page,
    "json": lambda inventory, items, _: render_json(inventory, items),
    "csv": lambda _, items, __: render_csv(items),
    "prometheus": lambda inventory, items, _: render_prometheus(inventory, items),
    "icalendar": lambda inventory, items, _: render_icalendar(inventory, items),
}


def _sentence(error: PostsealError) -> str:
    """Return the error message; a long list of problems is cut and counted."""
    if not isinstance(error, ConfigError) or len(error.problems) <= _PROBLEMS_SHOWN:
        return str(error)
    shown = "\n".join(str(problem) for problem in error.problems[:_PROBLEMS_SHOWN])
    return f"{shown}\nand {len(error.problems) - _PROBLEMS_SHOWN:,} more problems"


if __name__ == "__main__":
    sys.exit(main())
