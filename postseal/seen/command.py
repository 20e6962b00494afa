"""The command `postseal seen`: its options, and what it writes; an edge."""

import argparse
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from postseal.ledger.reading import read_holders, read_ledger
from postseal.report.engine import deliver, export_stack, read_export
from postseal.report.export import read_hosts
from postseal.seen.documents import render_csv, render_json, render_text
from postseal.seen.instants import LogClock
from postseal.seen.known import registry_of
from postseal.seen.listing import listings_of, names_of_hosts
from postseal.seen.model import Seen
from postseal.seen.sources import STANDARD_INPUT, journal_lines, lines_of, zone_of
from postseal.seen.tally import Tally
from postseal_core.errors import ConfigError, Problem
from postseal_core.wording import nearest_hint, shown

__all__ = ["add_seen"]

_EXIT_CODES: Final = "exit codes: 0 answered, 3 wrong usage, no state, or a log that cannot be read"


def add_seen(commands: Any, source: argparse.ArgumentParser) -> None:
    """Add `postseal seen` to the commands of a parser."""
    seen = commands.add_parser(
        "seen",
        parents=[source],
        help="tell from mail logs which client certificates are used, and which generation",
        epilog=_EXIT_CODES,
    )
    seen.add_argument(
        "logs",
        nargs="*",
        metavar="LOG",
        help="a mail log, also compressed; - for standard input (default: the journal)",
    )
    seen.add_argument("--host", default="", metavar="H", help="the host that all these logs are from")
    seen.add_argument("--zone", default="", metavar="ZONE", help="of time stamps without one (default: this machine's)")
    seen.add_argument("--addresses", action="store_true", help="say from which addresses; off by default")
    seen.add_argument("--format", choices=("text", "json", "csv"), default="text")
    seen.set_defaults(run=_seen)


def _seen(options: argparse.Namespace) -> int:
    logs = tuple(dict.fromkeys(options.logs))
    if STANDARD_INPUT in logs and options.file == STANDARD_INPUT:
        raise ConfigError([Problem("LOG", "standard input is the state already; write one of the two to a file")])
    export = read_export(options.file) if options.file else export_stack(options.stack, options.directory)
    now = options.now or datetime.now(UTC).replace(microsecond=0)
    in_zone, zone = zone_of(options.zone)
    ledger, names = read_ledger(export, now), names_of_hosts(read_hosts(export, []))
    if options.host and options.host not in (known := [each.host for each in ledger.hosts]):
        message = f"{shown(options.host)} is no host of this stack; {nearest_hint(options.host, known)}"
        raise ConfigError([Problem("--host", message)])
    registry = registry_of(read_holders(export), ledger.hosts)
    tally = Tally(registry, LogClock(now, in_zone), options.host, options.addresses)
    for lines in _sources(logs):
        tally.read(lines)
    hosts = tally.hosts(names)
    found = Seen(
        project=ledger.project,
        stack=ledger.stack,
        now=now,
        zone=zone,
        clients=tally.clients(hosts, listings_of(ledger.hosts)),
        hosts=hosts,
        unlisted=tally.unlisted(),
        more_unlisted=tally.more_unlisted,
        doubtful=tally.doubtful,
        other_digest=tally.other_digest,
        overlong=tally.overlong,
    )
    deliver({"text": render_text, "json": render_json, "csv": render_csv}[options.format](found), options.output)
    return 0


def _sources(logs: Iterable[str]) -> Iterator[Iterator[bytes | None]]:
    named = tuple(logs)
    yield from map(lines_of, named) if named else (journal_lines(),)
