"""What logs say about clients, as text, JSON and CSV; pure."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from postseal.csv_cells import guarded_cell
from postseal.ledger.columns import aligned
from postseal.report.table import printable
from postseal.review.words import counted, moment
from postseal.seen.model import HostLog, Seen, SeenClient, Unlisted, Use
from postseal_core.instants import format_instant
from postseal_core.wording import listed

__all__ = ["COLUMNS", "SCHEMA", "SCHEMA_VERSION", "render_csv", "render_json", "render_text"]

SCHEMA: Final = "postseal-seen"
SCHEMA_VERSION: Final = 1
"""Grows when a field is removed or changes its meaning; new fields may appear without notice."""

COLUMNS: Final = (
    "client",
    "roster",
    "from_elsewhere",
    "generation",
    "standing",
    "newest_generation",
    "first_at",
    "last_at",
    "sessions",
    "hosts",
    "addresses",
    "fingerprint_sha256",
)
_SHOWN_UNLISTED: Final = 20
_UNLISTED: Final = "unlisted"
_NOT_NAMED: Final = "set smtpd_tls_loglevel to [1, peercert]"
_DOUBTFUL: Final = "in which a name holds a fingerprint, or which may be cut"


def render_text(seen: Seen) -> str:
    """Return a table of the clients that were seen, and what else is to be said."""
    return "".join(f"{printable(line)}\n" for line in _lines(seen))


def _lines(seen: Seen) -> Iterator[str]:
    yield f"{seen.project}/{seen.stack}: whose certificates Postfix saw; all times UTC; {seen.zone}"
    yield from map(_host_line, seen.hosts)
    if not seen.hosts:
        yield "no line of smtpd in these logs"
    used = [each for each in seen.clients if each.uses]
    if used:
        head = ("client", "last use", "generation", "sessions", "on")
        width = len(head) + any(each.addresses is not None for each in used)
        rows = [(*head, "from"), *(cells for each in used for cells in _cells(each))]
        yield ""
        yield from aligned([row[:width] for row in rows])
    if unused := [each.name.client for each in seen.clients if not each.uses]:
        yield ""
        yield f"not in these logs: {listed(unused, 50)}"
    yield from _others(seen)


def _host_line(host: HostLog) -> str:
    called = host.logged_as if host.host in ("", host.logged_as) else f"{host.host} (logged as {host.logged_as})"
    line = f"{called}: from {moment(host.first_at)} to {moment(host.last_at)}, {counted(host.sessions, 'certificate')}"
    if not host.host:
        line += "; no host of this stack is called so (--host names it)"
    if host.unnamed:
        line += f"; {counted(host.unnamed, 'session')} with a certificate that is not named: {_NOT_NAMED}"
    return line


def _cells(client: SeenClient) -> Iterator[tuple[str, ...]]:
    for number, use in enumerate(client.uses):
        cells = ("" if number else _name(client), moment(use.last_at), _generation(client, use), f"{use.sessions:,}")
        addresses = "" if number else listed(reversed(client.addresses or ()), 3)
        yield (*cells, listed(use.hosts, 3), addresses)


def _name(client: SeenClient) -> str:
    name = client.name
    return f"{name.client} ({name.roster or 'from elsewhere'})" if name.roster or name.is_foreign else name.client


def _generation(client: SeenClient, use: Use) -> str:
    if use.generation is None:
        return use.standing.label
    is_old = client.newest is not None and use.generation < client.newest
    newest = f", not yet {client.newest}" if is_old and use is client.last else ""
    word = f" ({use.standing.label})" if use.standing.value not in ("current", "overlap") else ""
    return f"{use.generation}{word}{newest}"


def _others(seen: Seen) -> Iterator[str]:
    if seen.unlisted:
        number = sum(each.sessions for each in seen.unlisted) + seen.more_unlisted
        yield ""
        yield f"certificates that are nobody's of this stack: {counted(number, 'session')}"
        rows = [("last use", "sessions", "on", "fingerprint (SHA-256)")]
        yield from aligned(rows + [_unlisted_cells(each) for each in seen.unlisted[:_SHOWN_UNLISTED]])
        if (more := len(seen.unlisted) - _SHOWN_UNLISTED) > 0:
            yield f"  and {more:,} more (--format json has them)"
    if seen.doubtful:
        yield f"counted for nobody: {counted(seen.doubtful, 'line')} {_DOUBTFUL}"
    if seen.other_digest:
        yield (
            f"counted for nobody: {counted(seen.other_digest, 'session')} whose fingerprint is no SHA-256: set "
            "smtpd_tls_fingerprint_digest to sha256"
        )
    if seen.overlong:
        yield f"passed over: {counted(seen.overlong, 'line')} of more than 64 KiB"


def _unlisted_cells(each: Unlisted) -> tuple[str, ...]:
    known_by = each.fingerprint_sha256 or f"key {each.public_key_fingerprint_sha256}"
    return moment(each.last_at), f"{each.sessions:,}", listed(each.hosts, 3), known_by


def render_json(seen: Seen) -> str:
    """Return a JSON document with a versioned schema; `postseal report --seen` reads it."""
    document = {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "project": seen.project,
        "stack": seen.stack,
        "now": format_instant(seen.now),
        "zone": seen.zone,
        "hosts": [_plain_host(each) for each in seen.hosts],
        "clients": [_plain_client(each) for each in seen.clients],
        "unlisted": [_plain_unlisted(each) for each in seen.unlisted],
        "more_unlisted": seen.more_unlisted,
        "doubtful": seen.doubtful,
        "other_digest": seen.other_digest,
        "overlong": seen.overlong,
    }
    # Only ASCII: what a name may hold does not reach a terminal.
    return json.dumps(document, indent=2) + "\n"


def _plain_host(each: HostLog) -> Mapping[str, Any]:
    return {
        "logged_as": each.logged_as,
        "host": each.host or None,
        "first_at": format_instant(each.first_at),
        "last_at": format_instant(each.last_at),
        "sessions": each.sessions,
        "unnamed": each.unnamed,
        "named_from": format_instant(each.named_from),
    }


def _plain_client(each: SeenClient) -> Mapping[str, Any]:
    return {
        "client": each.name.client,
        "roster": each.name.roster,
        "from_elsewhere": each.name.is_foreign,
        "newest_generation": each.newest,
        "known_from": _instant(each.known_from),
        "known_until": _instant(each.known_until),
        "uses": [
            {
                "generation": use.generation,
                "standing": use.standing.value,
                "first_at": format_instant(use.first_at),
                "last_at": format_instant(use.last_at),
                "sessions": use.sessions,
                "hosts": list(use.hosts),
            }
            for use in each.uses
        ],
        "addresses": None if each.addresses is None else list(each.addresses),
    }


def _plain_unlisted(each: Unlisted) -> Mapping[str, Any]:
    return {
        "fingerprint_sha256": each.fingerprint_sha256 or None,
        "public_key_fingerprint_sha256": each.public_key_fingerprint_sha256,
        "first_at": format_instant(each.first_at),
        "last_at": format_instant(each.last_at),
        "sessions": each.sessions,
        "hosts": list(each.hosts),
    }


def _instant(instant: datetime | None) -> str | None:
    return format_instant(instant) if instant else None


def render_csv(seen: Seen) -> str:
    """Return CSV (RFC 4180): a line for each generation in use, for each client not seen, and for what is nobody's."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for row in (*_rows(seen),):
        writer.writerow({name: guarded_cell(printable(str(cell))) for name, cell in row.items()})
    return text.getvalue()


def _rows(seen: Seen) -> Iterator[Mapping[str, object]]:
    for client in seen.clients:
        named = {
            "client": client.name.client,
            "roster": client.name.roster,
            "from_elsewhere": "yes" if client.name.is_foreign else "no",
            "newest_generation": "" if client.newest is None else client.newest,
            "addresses": " ".join(client.addresses or ()),
        }
        yield from ({**named, **_used(use)} for use in client.uses)
        if not client.uses:
            yield {**named, "standing": "not seen", "sessions": 0}
    for each in seen.unlisted:
        yield {
            "standing": _UNLISTED,
            "first_at": format_instant(each.first_at),
            "last_at": format_instant(each.last_at),
            "sessions": each.sessions,
            "hosts": " ".join(each.hosts),
            "fingerprint_sha256": each.fingerprint_sha256 or each.public_key_fingerprint_sha256,
        }


def _used(use: Use) -> Mapping[str, object]:
    return {
        "generation": "" if use.generation is None else use.generation,
        "standing": use.standing.value,
        "first_at": format_instant(use.first_at),
        "last_at": format_instant(use.last_at),
        "sessions": use.sessions,
        "hosts": " ".join(use.hosts),
    }
