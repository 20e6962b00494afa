"""What the case `far-hosts` allows: ratios to a script and to pulumi-command, and seconds a host; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.figures import Record
from benchmarks.turns import OURS

__all__ = ["Limit", "verdicts"]

_PASS, _FAIL, _NONE = "pass", "FAIL", "not measured"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a step of ours may take: `allowed` times `peer_step` of `peer`, or without a peer so many seconds a host."""

    step: str
    allowed: float
    peer: str = ""
    peer_step: str = ""


def verdicts(records: Sequence[Record], limits: Sequence[Limit], ways: Sequence[str]) -> Iterator[str]:
    """Yield a line for each size, way and limit: pass, FAIL or not measured, what was measured, and what is allowed.

    `ways`: what stands behind the names of steps, as one for each distance.
    """
    for size in dict.fromkeys(record.size for record in records):
        for way in ways:
            for limit in limits:
                yield _verdict([each for each in records if each.size == size], limit, way, size)


def _verdict(records: Sequence[Record], limit: Limit, way: str, hosts: int) -> str:
    name = f"{hosts} host{'s' if hosts > 1 else ''}, {limit.step}{way}"
    ours = _seconds(records, OURS, limit.step + way)
    theirs = _seconds(records, limit.peer, limit.peer_step + way)
    if ours is None or (limit.peer and theirs is None):
        missing = OURS if ours is None else limit.peer
        return f"{_NONE}: {name}: {missing} is missing; allowed are {limit.allowed:.1f} of {limit.peer or 'a second'}"
    if theirs is None:
        word = _PASS if ours / hosts <= limit.allowed else _FAIL
        return f"{word}: {name}: {ours / hosts:.2f} s a host; allowed are {limit.allowed:.1f} s"
    word = _PASS if ours / theirs <= limit.allowed else _FAIL
    both = f"{ours:.2f} s beside {theirs:.2f} s"
    return f"{word}: {name}: {ours / theirs:.2f} of {limit.peer} ({both}); allowed are {limit.allowed:.1f}"


def _seconds(records: Sequence[Record], program: str, step: str) -> float | None:
    found = [each.wall_seconds for each in records if (each.program, each.step) == (program, step)]
    return median(found) if found else None
