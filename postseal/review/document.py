"""What the text of a review says and in which order: who may relay first, details folded; pure.

Texts in it may hold words of whoever wrote the stack file; whoever renders them escapes them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from postseal.review.blocks import Block, Bullets, Folded, Heading, Lines, Table
from postseal.review.deliveries import delivery_blocks
from postseal.review.headline import headline
from postseal.review.host_document import host_blocks
from postseal.review.inline import literal
from postseal.review.model import Cause, CertificateChange, HostReview, Review
from postseal.review.words import counted, moment, spaced, the_rest
from postseal_core.errors import Problem
from postseal_core.wording import listed

__all__ = ["LIMITS", "Limits", "document"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each kind stands in the text before the rest is counted."""

    hosts: int
    rows: int
    same_rows: int
    certificates: int
    names: int
    values: int


_ONLY_UP: Final = (
    "Only `up` knows: fingerprints of what is issued, whether a sealed value is right, and what somebody has changed "
    "on hosts or in files since the last `up`."
)

LIMITS: Final[tuple[Limits, ...]] = (
    Limits(hosts=200, rows=60, same_rows=100, certificates=200, names=40, values=100),
    Limits(hosts=120, rows=40, same_rows=0, certificates=80, names=20, values=40),
    Limits(hosts=80, rows=15, same_rows=0, certificates=25, names=12, values=15),
    Limits(hosts=40, rows=4, same_rows=0, certificates=8, names=6, values=4),
    Limits(hosts=40, rows=0, same_rows=0, certificates=8, names=3, values=0),
)
"""From the most to the least that is shown; the first whose text is short enough is taken."""


def document(review: Review, limits: Limits) -> Iterator[Block]:
    """Yield the parts of a review in their order."""
    yield Heading(1, f"{review.project}/{review.stack}: review at {moment(review.at)}, all times UTC")
    if review.unread:
        names = listed(map(literal, review.unread), limits.names)
        yield Lines((f"**Settings of the engine differ, of which a review cannot tell what they do: {names}.**",))
    yield from _refused(review, limits)
    if not review.is_changing and not review.problems and not review.unread:
        yield Lines(("**Nothing changes.** The next `up` has nothing to do.",))
    elif _is_telling(review):
        yield Bullets(tuple(headline(review, limits.names)))
    if review.hosts:
        yield Heading(2, "Hosts")
        yield from _hosts(review, limits)
    if review.certificates:
        yield Heading(2, "Certificates, keys, lists")
        yield from _certificates(review.certificates, limits)
    if not review.problems:
        yield from delivery_blocks(review.files, review.hosts, limits.names)
    if review.notes:
        yield Heading(2, "Told beside it")
        yield Bullets(tuple(("", literal(each)) for each in _first(review.notes, limits.names)))
    yield Lines((_ONLY_UP,))


def _is_telling(review: Review) -> bool:
    """Return whether there is something to tell of what changes; where all is refused, there may be nothing."""
    is_told = bool(review.certificates) or any(each.is_changed for each in review.hosts)
    return review.is_changing and (is_told or not review.problems)


def _refused(review: Review, limits: Limits) -> Iterator[Block]:
    if review.problems:
        count = len(review.problems)
        yield Lines((f"**`up` would refuse this: {count} problem{'s' if count > 1 else ''}.** Nothing would change.",))
        yield Bullets(tuple(_problems(review.problems, limits)))
        yield Lines(("Each stands behind its place in the stack file, with what to do about it.",))
        if _is_telling(review):
            yield Lines(("What follows is what it leads to as far as it can be told with them.",))
    if review.before_problems:
        yield Lines(("The stack file **before** is refused as well, so what it would have led to is not told apart:",))
        yield Bullets(tuple(_problems(review.before_problems, limits)))


def _problems(problems: Iterable[Problem], limits: Limits) -> Iterator[tuple[str, str]]:
    # Cut as on a terminal: one long name would push the rest out of the text.
    found = [(literal(each.path[:300]), literal(each.message[:1500])) for each in problems]
    most = max(limits.certificates // 2, 10)
    yield from found[:most]
    if len(found) > most:
        yield "", f"and {len(found) - most:,} more"


def _hosts(review: Review, limits: Limits) -> Iterator[Block]:
    changed = [each for each in review.hosts if each.is_changed or each.is_refused]
    same = [each for each in review.hosts if not (each.is_changed or each.is_refused)]
    for host in changed[: limits.hosts]:
        yield from host_blocks(host, rows=limits.rows, same_rows=limits.same_rows, values=limits.values)
    if len(changed) > limits.hosts:
        yield Lines((f"{the_rest(len(changed) - limits.hosts, 'changed host', is_begun=True)}.",))
    if same:
        lines = [line for host in same for line in _unchanged(host, limits)]
        yield Folded(f"unchanged: {listed((each.name for each in same), limits.names)}", tuple(lines))


def _unchanged(host: HostReview, limits: Limits) -> Iterator[str]:
    ledger = host.after
    who = [f"{each.row.accepted.client} generation {each.row.accepted.generation or '?'}" for each in host.rows]
    networks = "not set here" if ledger is None or ledger.networks is None else spaced(ledger.networks, 40) or "none"
    names = f": {listed(who, limits.same_rows)}" if who and limits.same_rows else ""
    yield f"{host.name}: {counted(len(who), 'row')}{names}; networks {networks}"


def _certificates(changes: Sequence[CertificateChange], limits: Limits) -> Iterator[Block]:
    without = sum(each.cause in (Cause.CLOCK, Cause.NOT_APPLIED) for each in changes)
    if without:
        yield Lines((f"{without:,} of {len(changes):,} would happen without this change.",))
    folded = [_folded(list(group), limits) for _, group in groupby(changes, key=_alike)]
    rows = sorted(folded, key=lambda row: (row[2] != Cause.CHANGE.value, row[0]))
    yield Table(("what", "what happens", "cause"), tuple(rows[: limits.certificates]))
    if len(rows) > limits.certificates:
        yield Lines((f"{the_rest(len(rows) - limits.certificates, 'line', is_begun=limits.certificates > 0)}.",))


def _alike(change: CertificateChange) -> tuple[str, str, Cause]:
    return change.kind, change.sentence, change.cause


def _folded(group: Sequence[CertificateChange], limits: Limits) -> tuple[str, str, str]:
    """Return one line for all with the same sentence and cause."""
    first, names = group[0], [each.name for each in group]
    count = f"{len(names):,} x " if len(names) > 1 else ""
    return f"{count}{first.kind} {listed(names, limits.names)}", literal(first.sentence), first.cause.value


def _first(texts: Sequence[str], count: int) -> list[str]:
    more = len(texts) - count
    return [*texts[:count], *([f"and {more:,} more"] if more > 0 else [])]
