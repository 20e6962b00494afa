"""The ledger as text, JSON and CSV; pure."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from postseal.csv_cells import guarded_cell
from postseal.ledger.columns import aligned
from postseal.ledger.reading import StackLedger
from postseal.ledger.records import HostLedger, LedgerRow
from postseal.ledger.words import is_ended, login_words, network_words, why_words
from postseal.report.table import printable
from postseal.review.words import counted, moment
from postseal_core.instants import format_instant

__all__ = ["COLUMNS", "FORMAT_VERSION", "render_csv", "render_json", "render_text", "row_lines", "short_fingerprint"]

FORMAT_VERSION: Final = 1
"""Raised when a name goes or means something else; further names may come."""

COLUMNS: Final = (
    "host",
    "place",
    "service",
    "way",
    "name",
    "roster",
    "generation",
    "fingerprint_sha256",
    "since",
    "until",
    "why",
    "issuer",
    "not_before",
    "not_after",
)
_SHOWN_OF_A_FINGERPRINT: Final = len("AB:CD:EF:01")
_NO_WAY: Final = ({"way": "none"},)
_NOT_ISSUED: Final = "not issued yet"
_NOT_SET: Final = "not set here; only the host knows"


def render_text(ledger: StackLedger, *, only_rows: bool = False) -> str:
    """Return the ledger as tables, one for each host; `only_rows`: without the ways in that name nobody."""
    hosts = (["", *_host_lines(each, ledger.at, only_rows=only_rows)] for each in ledger.hosts)
    lines = [_headline(ledger), *(line for host in hosts for line in host)]
    if not ledger.hosts:
        lines.append("no host is in this state")
    return "".join(f"{printable(line)}\n" for line in lines)


def _headline(ledger: StackLedger) -> str:
    how = (
        "if `up` runs whenever something is due, and nothing else changes"
        if ledger.is_ahead
        else "as the last `up` has left it"
    )
    return f"{ledger.project}/{ledger.stack}: who may relay at {moment(ledger.at)}, {how}; all times UTC"


def _host_lines(host: HostLedger, at: datetime, *, only_rows: bool) -> Iterator[str]:
    clients = len({each.accepted.client for each in host.rows})
    number = f"{counted(clients, 'client')}, {counted(len(host.rows), 'row')}" if host.rows else "nobody"
    yield f"{host.host} ({host.place}): by certificate {number}"
    yield from row_lines(host.rows, at)
    if only_rows:
        return
    yield f"  without a certificate: networks {network_words(host)}; login (SASL) {login_words(host)}"
    for place, sentence in sorted(host.to_review.items()):
        yield f"  look at {place}: {sentence}"
    if isinstance(host.digest, str):
        yield f"  digest: {host.digest}"


def row_lines(rows: tuple[LedgerRow, ...], at: datetime) -> Iterator[str]:
    """Yield a table of rows, its head first; nothing for no row."""
    if rows:
        head = ("client", "generation", "since", "until", "why", "issuer", "fingerprint")
        yield from aligned([head, *(_cells(each, at) for each in rows)])


def _cells(row: LedgerRow, at: datetime) -> tuple[str, ...]:
    accepted = row.accepted
    return (
        f"{row.who} ({row.roster})" if row.roster else row.who,
        "-" if accepted.generation is None else str(accepted.generation),
        moment(row.since),
        moment(accepted.until) if accepted.until else "no known end",
        why_words(row, at),
        accepted.issuer.name if accepted.issuer else "-",
        short_fingerprint(_fingerprint(row)) or _NOT_ISSUED,
    )


def short_fingerprint(fingerprint: str) -> str:
    """Return the begin of a fingerprint, by which people tell it from others."""
    return fingerprint[:_SHOWN_OF_A_FINGERPRINT]


def _fingerprint(row: LedgerRow) -> str:
    fingerprint = row.accepted.fingerprint_sha256
    return fingerprint if isinstance(fingerprint, str) else ""


def render_json(ledger: StackLedger, *, only_rows: bool = False, more: Mapping[str, Any] | None = None) -> str:
    """Return the ledger as a JSON document.

    Instants are RFC 3339 text in UTC; what is not known, or does not apply, is null. `more`: further members.
    """
    document = {
        "format_version": FORMAT_VERSION,
        "project": ledger.project,
        "stack": ledger.stack,
        "at": format_instant(ledger.at),
        "is_ahead": ledger.is_ahead,
        "hosts": [_plain_host(each, ledger.at, only_rows=only_rows) for each in ledger.hosts],
        **(more or {}),
    }
    # Only ASCII: what a name may hold does not reach a terminal.
    return json.dumps(document, indent=2) + "\n"


def _plain_host(host: HostLedger, at: datetime, *, only_rows: bool) -> Mapping[str, Any]:
    rows = [_plain_row(each, at) for each in host.rows]
    named = {"host": host.host, "place": host.place, "rows": rows}
    if only_rows:
        return named
    return {
        **named,
        "networks": None if host.networks is None else list(host.networks),
        "login_relays": host.has_login,
        "login_services": list(host.login_services),
        "to_review": dict(sorted(host.to_review.items())),
        "digest": host.digest if isinstance(host.digest, str) else None,
    }


def _plain_row(row: LedgerRow, at: datetime) -> Mapping[str, Any]:
    accepted = row.accepted
    return {
        "service": row.service,
        "client": accepted.client,
        "roster": row.roster or None,
        "generation": accepted.generation,
        "fingerprint_sha256": _fingerprint(row) or None,
        "since": format_instant(row.since),
        "until": _instant(accepted.until) or None,
        "why": accepted.why.value,
        "is_ended": is_ended(row, at),
        "issuer": accepted.issuer.name if accepted.issuer else None,
        "not_before": _instant(accepted.not_before) or None,
        "not_after": _instant(accepted.not_after) or None,
    }


def render_csv(ledger: StackLedger, *, only_rows: bool = False) -> str:
    """Return the ledger as CSV (RFC 4180: comma, double quotes, CRLF, one header line), a line for each way in.

    A host without any has a line of its own. A text that a spreadsheet would take for a formula has an apostrophe in
    front; control characters are replaced.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for host in ledger.hosts:
        for way in (*_ways(host, ledger.at, only_rows=only_rows),) or _NO_WAY:
            line = {"host": host.host, "place": host.place, **way}
            writer.writerow({name: guarded_cell(printable(cell)) for name, cell in line.items()})
    return text.getvalue()


def _ways(host: HostLedger, at: datetime, *, only_rows: bool) -> Iterator[Mapping[str, str]]:
    yield from (_way(each, at) for each in host.rows)
    if only_rows:
        return
    if host.networks is None:
        yield {"way": "network", "why": _NOT_SET}
    yield from ({"way": "network", "name": each, "why": "mynetworks"} for each in host.networks or ())
    if host.has_login is not False:
        yield {"way": "login", "why": "users who log in (SASL)" if host.has_login else _NOT_SET}
    yield from ({"way": "review", "name": place, "why": said} for place, said in sorted(host.to_review.items()))


def _way(row: LedgerRow, at: datetime) -> Mapping[str, str]:
    accepted = row.accepted
    return {
        "service": row.service,
        "way": "certificate",
        "name": accepted.client,
        "roster": row.roster,
        "generation": "" if accepted.generation is None else str(accepted.generation),
        "fingerprint_sha256": _fingerprint(row) or _NOT_ISSUED,
        "since": format_instant(row.since),
        "until": _instant(accepted.until),
        "why": why_words(row, at),
        "issuer": accepted.issuer.name if accepted.issuer else "",
        "not_before": _instant(accepted.not_before),
        "not_after": _instant(accepted.not_after),
    }


def _instant(instant: datetime | None) -> str:
    return format_instant(instant) if instant else ""
