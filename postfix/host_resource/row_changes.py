"""What changes in the tables of clients of a host, told by who it is about, not row by row."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from pki.acceptance import AcceptedRow, Why
from pki.schedule_words import short_numbers
from postfix.host_resource.records import HostRow
from postfix.host_resource.ways_in import client_at
from postfix.tables import labelled_generation
from postseal_core.folding import folded
from postseal_core.instants import format_day
from postseal_core.wording import listed

__all__ = ["row_changes", "rows_in_words"]

_SHOWN_NAMES = 8


def row_changes(
    old: Mapping[str, Mapping[str, object]], new: Mapping[str, Iterable[tuple[AcceptedRow, str]]]
) -> dict[str, str]:
    """Return what happens to the clients of a host, and to whom: `g2 until 2028-01-01 beside g1 until 2027-02-01`.

    `old`: the lines of each table that was there before; of another one all rows are new, and shown as they are.
    `new`: by table the rows that it has now, each with the roster it comes from; rosters tell theirs in a line.
    """
    sentences: dict[str, str] = {}
    for table, rows in new.items():
        where = f"{table}: " if len(new) > 1 else ""
        sentences |= {f"{where}{name}": told for name, told in _sentences(old[table], rows)} if table in old else {}
    return folded(sentences)


def _sentences(old: Mapping[str, object], rows: Iterable[tuple[AcceptedRow, str]]) -> Iterator[tuple[str, str]]:
    before: dict[str, set[int]] = {}
    for label in old:
        if known := labelled_generation(label):
            before.setdefault(known[0], set()).add(known[1])
    after: dict[str, dict[int, AcceptedRow]] = {}
    for row, roster in rows:
        # Who is in a roster now, and was by itself before, has not gone.
        if (not roster or row.client in before) and row.generation is not None:
            after.setdefault(row.client, {})[row.generation] = row
    for name in sorted({*before, *after}):
        if sentence := _sentence(before.get(name, set()), after.get(name, {})):
            yield name, sentence


def _sentence(before: Collection[int], after: Mapping[int, AcceptedRow]) -> str:
    came, went = sorted({*after}.difference(before)), sorted({*before}.difference(after))
    if not after:
        return "will no longer be let in" if went else ""
    stay = [number for number in sorted(after) if number not in came]
    steps = []
    if came:
        beside = f" beside {_ends(stay, after)}" if stay else ""
        steps.append(f"{'' if before else 'let in: '}{_ends(came, after)}{beside}")
    if went:
        steps.append(f"will lose {short_numbers(went)}")
    return "; ".join(steps)


def _ends(numbers: Collection[int], rows: Mapping[int, AcceptedRow]) -> str:
    return " and ".join(f"g{number}{_until(rows[number].until)}" for number in numbers)


def _until(end: datetime | None) -> str:
    return f" until {format_day(end)}" if end else ""


def rows_in_words(
    before: Collection[HostRow], after: Collection[HostRow], *, is_complete: bool, is_edited: bool = False
) -> str:
    """Return how many rows let clients in before and after, who comes and goes, and whose overlap ends when.

    `is_complete`: there are no more rows after this than those given; else a roster has some that only `up` knows.
    `is_edited`: others have changed the host since, so what is there now may be other rows than those of the last `up`.
    """
    more = "" if is_complete else " and those of a roster that only `up` knows"
    was, is_now = ({_identity(row) for row in rows} for rows in (before, after))
    clients_before, clients_after = ({_client(row) for row in rows} for rows in (before, after))
    kinds = {
        "added": {_client(row) for row in after} - clients_before,
        "renewed": {_client(row) for row in after if _identity(row) not in was} & clients_before,
        "an older one taken off": {_client(row) for row in before if _identity(row) not in is_now} & clients_after,
        "removed": clients_before - clients_after if is_complete else set(),
    }
    told = [
        f"{kind}: {listed(sorted(client_at(*each) for each in who), _SHOWN_NAMES)}"
        for kind, who in kinds.items()
        if who
    ]
    same = ", the same ones" if is_complete and not told else ""
    known = "as `up` left them" if is_edited else "before"
    counted = f"{_count(len(before))} {known}, {_count(len(after))} after{more}{same}"
    return "; ".join([counted, *told, *_overlaps(after)])


def _count(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _identity(row: HostRow) -> tuple[str, str, int | None, str]:
    accepted = row.accepted
    own = str(accepted.fingerprint_sha256) if accepted.generation is None else ""
    return row.service, accepted.client, accepted.generation, own


def _client(row: HostRow) -> tuple[str, str]:
    return row.service, row.accepted.client


def _overlaps(rows: Collection[HostRow]) -> Iterator[str]:
    """Tell how many older certificates are let in beside newer ones, and until when."""
    ends = sorted(row.accepted.until for row in rows if row.accepted.why is Why.OVERLAP and row.accepted.until)
    if not ends:
        return
    first, last = format_day(ends[0]), format_day(ends[-1])
    yield f"{len(ends):,} beside a newer one until {first}" + ("" if first == last else f", the last until {last}")
