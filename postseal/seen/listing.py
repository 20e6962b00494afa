"""Which hosts list a client, and which of a stack's hosts a log is from; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pki.acceptance import Why
from postseal.ledger.records import HostLedger
from postseal.report.export import StoredHost
from postseal.seen.model import ClientName, HostLog

__all__ = ["Listing", "known_span", "listings_of", "names_of_hosts", "spans_of"]


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a client is listed, and since when; `since` is None for one that was listed before, with another row."""

    hosts: frozenset[str]
    since: datetime | None


def listings_of(hosts: Iterable[HostLedger]) -> dict[ClientName, Listing]:
    """Return where each client is listed.

    A row has the day on which it came, and a client of a later generation had others before: only of the first
    generation, and of a certificate from elsewhere, the row says since when the client could be seen at all.
    """
    found: dict[ClientName, Listing] = {}
    for row in (row for host in hosts for row in host.rows):
        name = ClientName(row.roster, row.accepted.client, row.accepted.why is Why.FOREIGN)
        since = row.since if (row.accepted.generation or 1) == 1 else None
        before = found.get(name)
        if before is None:
            found[name] = Listing(frozenset({row.host}), since)
        else:
            both = min(since, before.since) if since and before.since else None
            found[name] = Listing(before.hosts | {row.host}, both)
    return found


def names_of_hosts(hosts: Iterable[StoredHost]) -> dict[str, str]:
    """Return, by what a log may call it in small letters, each host of a stack; empty text for a name of several.

    A host is called by its name in the stack, by myhostname, and by the first label of that.
    """
    names: dict[str, str] = {}
    for each in hosts:
        inputs = each.inputs
        said = inputs.main_cf.get("myhostname", "")
        for called in {inputs.name.casefold(), said.casefold(), said.partition(".")[0].casefold()} - {""}:
            names[called] = inputs.name if names.get(called, inputs.name) == inputs.name else ""
    return names


def known_span(
    listing: Listing | None, logs: Mapping[str, tuple[datetime, datetime]]
) -> tuple[datetime | None, datetime | None]:
    """Return from when until when a client would have been seen: where the logs of all hosts that list it are there.

    `logs`: by host of the stack, the time that its log covers.
    """
    if listing is None or not listing.hosts <= logs.keys():
        return None, None
    begin = max(logs[host][0] for host in listing.hosts)
    end = min(logs[host][1] for host in listing.hosts)
    begin = max(begin, listing.since) if listing.since else begin
    return (begin, end) if begin <= end else (None, None)


def spans_of(logs: Iterable[HostLog]) -> dict[str, tuple[datetime, datetime]]:
    """Return, by host of the stack, the time in which its logs name every client, under whichever name of the host."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for each in logs:
        if each.host:
            first, last = spans.get(each.host, (each.named_from, each.last_at))
            spans[each.host] = min(first, each.named_from), max(last, each.last_at)
    return spans
