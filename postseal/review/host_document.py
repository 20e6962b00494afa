"""What the text of a review says of one host; pure."""

from collections.abc import Iterator, Sequence

from pki.acceptance import Why
from postseal.ledger.records import HostLedger
from postseal.ledger.words import OVERLAP, login_words, network_words
from postseal.review.blocks import Block, Bullets, Folded, Heading, Lines, Table
from postseal.review.inline import literal
from postseal.review.model import Difference, HostReview, Mark, RowChange
from postseal.review.words import counted, day, listed, moment, spaced

__all__ = ["host_blocks"]

_FILES = 20
_NETWORKS = 40


def host_blocks(host: HostReview, *, rows: int, same_rows: int, values: int) -> Iterator[Block]:
    """Yield the parts about one host; `rows`, `same_rows`, `values`: how many of each are written out."""
    ledger = host.after or host.before
    kind, _, place = (ledger.place if ledger else "").partition(" ")
    where = f"{kind} `{literal(place)}`" if ledger else ""
    yield Heading(3, f"{host.name} ({'; '.join(filter(None, (literal(host.myhostname), where)))})")
    yield Lines(tuple(_summary(host)))
    touched = [each for each in host.rows if each.mark is not Mark.SAME]
    if touched and rows:
        head = ("", "client", "generation", "since", "until", "why")
        yield Table(head, tuple(map(_row, touched[:rows])))
    if len(touched) > rows:
        yield Lines((f"and {len(touched) - rows:,} more changed rows; `--format json` has all of them.",))
    same = [each for each in host.rows if each.mark is Mark.SAME]
    if same:
        more = [f"and {len(same) - same_rows:,} more"] if len(same) > same_rows else []
        yield Folded(f"{counted(len(same), 'row')} as before", (*map(_same_row, same[:same_rows]), *more))
    yield from _differences(host.differences, values)
    if host.notes:
        yield Bullets(tuple(("", literal(each)) for each in _first(host.notes, max(values, 5))))


def _summary(host: HostReview) -> Iterator[str]:
    if host.is_refused:
        yield "**Refused**: this host stays as it is; see the problems above."
        return
    before, after = _number(host.before), _number(host.after)
    if host.after is None:
        yield f"**The host is not declared any more**: {before} before; what is ours is removed."
    elif host.before is None:
        yield f"**New host.** By certificate: **{after}** after this."
    else:
        was = f" ({before} before)." if before != after else ", as before."
        yield f"By certificate: **{after}** after this{was}"
    if host.after:
        yield _without_certificate(host.after)
    written = f" Written: {listed((f'`{literal(each)}`' for each in host.written), _FILES)}." if host.written else ""
    removed = f" Removed: {listed((f'`{literal(each)}`' for each in host.removed), _FILES)}." if host.removed else ""
    yield f"{host.reading}.{written}{removed}" if host.reading else ""


def _without_certificate(ledger: HostLedger) -> str:
    return f"Without a certificate: networks {_networks(ledger)}; login (SASL) {login_words(ledger)}."


def _networks(ledger: HostLedger) -> str:
    return spaced(ledger.networks, _NETWORKS) if ledger.networks else network_words(ledger)


def _number(ledger: HostLedger | None) -> str:
    if ledger is None or not ledger.rows:
        return "nobody"
    clients, rows = len({each.accepted.client for each in ledger.rows}), len(ledger.rows)
    return f"{counted(clients, 'client')}, {counted(rows, 'row')}"


def _row(change: RowChange) -> tuple[str, ...]:
    accepted = change.row.accepted
    since = moment(change.row.since)
    if change.is_since_up:
        since = "this `up`" + (f" (certificate from {day(accepted.not_before)})" if accepted.not_before else "")
    until = moment(accepted.until) if accepted.until else "no known end"
    if accepted.why is Why.CURRENT and change.renew_at:
        until += f", renewed from {day(change.renew_at)}"
    return (
        change.mark.value,
        accepted.client,
        str(accepted.generation or "?"),
        since,
        "**this `up`**" if change.mark is Mark.GONE else until,
        change.why if change.why == OVERLAP else literal(change.why),
    )


def _same_row(change: RowChange) -> str:
    accepted, since = change.row.accepted, moment(change.row.since)
    until = f" until {day(accepted.until)}" if accepted.until else ""
    overlap = ", overlap" if accepted.why is Why.OVERLAP else ""
    return f"{accepted.client} generation {accepted.generation or '?'}, since {since}{until}{overlap}"


def _differences(differences: Sequence[Difference], values: int) -> Iterator[Block]:
    if not differences:
        return
    told = [_difference(each) for each in differences]
    if len(told) > values:
        told = [*told[:values], ("", f"and {len(differences) - values:,} more values; `--format json` has all of them")]
    yield Bullets(tuple(told))


def _difference(each: Difference) -> tuple[str, str]:
    return f"{each.place}: {literal(each.name)}", f"{_value(each.before)} → {_value(each.after)}"


def _value(text: str) -> str:
    cut = text if len(text) <= 300 else f"{text[:300]}..."  # noqa: PLR2004  # a list of networks, say
    return f"`{literal(cut)}`" if cut else "(not set)"


def _first(texts: Sequence[str], count: int) -> list[str]:
    more = len(texts) - count
    return [*texts[:count], *([f"and {more:,} more"] if more > 0 else [])]
