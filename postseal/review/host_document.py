"""What the text of a review says of one host; pure."""

from collections.abc import Iterator, Sequence

from pki.acceptance import Why
from postseal.ledger.records import HostLedger
from postseal.ledger.words import OVERLAP, login_words, network_words
from postseal.review.blocks import Block, Bullets, Folded, Heading, Lines, Table
from postseal.review.inline import literal
from postseal.review.model import Difference, HostReview, Mark, RowChange
from postseal.review.words import counted, day, moment, spaced, the_rest
from postseal_core.wording import listed

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
        from_then_on = "once carried" if host.is_by_hand else "this `up`"
        yield Table(head, tuple(_row(each, from_then_on) for each in touched[:rows]))
    if len(touched) > rows:
        yield Lines((f"{the_rest(len(touched) - rows, 'changed row', is_begun=rows > 0)}.",))
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
        yield f"By certificate: **{after}** after this{_compared(host, before, after)}."
    if host.after:
        yield _without_certificate(host.after)
    written = f" Written: {listed((f'`{literal(each)}`' for each in host.written), _FILES)}." if host.written else ""
    removed = f" Removed: {listed((f'`{literal(each)}`' for each in host.removed), _FILES)}." if host.removed else ""
    yield f"{host.reading}.{written}{removed}" if host.reading else ""


def _compared(host: HostReview, before: str, after: str) -> str:
    if before != after:
        return f" ({before} before)"
    keys = [{each.key for each in ledger.rows} for ledger in (host.before, host.after) if ledger]
    is_same = keys[:1] == keys[1:]
    return ", the same as before" if is_same else ", as many as before, but not the same"


def _without_certificate(ledger: HostLedger) -> str:
    return f"Without a certificate: networks {_networks(ledger)}; login (SASL) {login_words(ledger)}."


def _networks(ledger: HostLedger) -> str:
    return spaced(ledger.networks, _NETWORKS) if ledger.networks else network_words(ledger)


def _number(ledger: HostLedger | None) -> str:
    if ledger is None or not ledger.rows:
        return "nobody"
    clients, rows = len({each.accepted.client for each in ledger.rows}), len(ledger.rows)
    return f"{counted(clients, 'client')}, {counted(rows, 'row')}"


def _row(change: RowChange, from_then_on: str) -> tuple[str, ...]:
    """Return the cells of a row; `from_then_on`: when Postfix reads what changes, in words."""
    accepted = change.row.accepted
    since = moment(change.row.since)
    if change.is_since_up:
        since = from_then_on + (f" (certificate from {day(accepted.not_before)})" if accepted.not_before else "")
    until = moment(accepted.until) if accepted.until else "no known end"
    if accepted.why is Why.CURRENT and change.renew_at:
        until += f", renewal due from {day(change.renew_at)}"
    return (
        change.mark.value,
        change.row.who,
        str(accepted.generation or "?"),
        since,
        f"**{from_then_on}**" if change.mark is Mark.GONE else until,
        change.why if change.why == OVERLAP else literal(change.why),
    )


def _same_row(change: RowChange) -> str:
    accepted, since = change.row.accepted, moment(change.row.since)
    until = f" until {day(accepted.until)}" if accepted.until else ""
    overlap = ", overlap" if accepted.why is Why.OVERLAP else ""
    return f"{change.row.who} generation {accepted.generation or '?'}, since {since}{until}{overlap}"


def _differences(differences: Sequence[Difference], values: int) -> Iterator[Block]:
    if not differences:
        return
    told = [_difference(each) for each in differences]
    if len(told) > values:
        told = [*told[:values], ("", the_rest(len(differences) - values, "changed value", is_begun=values > 0))]
    yield Bullets(tuple(told))


def _difference(each: Difference) -> tuple[str, str]:
    return f"{each.place}: {literal(each.name)}", f"{_value(each.before)} → {_value(each.after)}"


def _value(text: str) -> str:
    cut = text if len(text) <= 300 else f"{text[:300]}..."  # noqa: PLR2004  # a list of networks, say
    return f"`{literal(cut)}`" if cut else "(not set)"


def _first(texts: Sequence[str], count: int) -> list[str]:
    more = len(texts) - count
    return [*texts[:count], *([f"and {more:,} more"] if more > 0 else [])]
