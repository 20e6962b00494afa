"""The forecast and the provider agree: what is foreseen happens, at its instant, and nothing else does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.model import Profile, SlotId
from pki.records import IssuedCertificate
from pki.roster.records import IssuedRow
from postseal.report.forecast import BLOCKED, Event, forecast
from postseal_core.packing import unpack_records
from tests.support.examples import examples
from tests.support.running_stack import RunningResource, RunningStack, row
from tests.support.stack_state import NOW, export

HOUR = timedelta(hours=1)
MOST_RUNS = 15


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that a run has done, or that is foreseen of it: which generation or list, and its end."""

    at: datetime
    name: str
    action: str
    generation: int | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is to be seen of a resource after a run."""

    issued: dict[str, IssuedCertificate]
    list_ends: dict[str, tuple[int, datetime]]


POLICIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"overlap_hours": st.sampled_from([1, 24, 400])},
    optional={"renew_fraction": st.sampled_from([Fraction(1, 2), Fraction(3, 4)])},
)
# Equal lives are likely: what ends together with its issuer must wait for it.
PARTS = st.sampled_from([Fraction(1), Fraction(1), Fraction(3, 4), Fraction(1, 3)])


@st.composite
def stacks(draw: st.DrawFn) -> RunningStack:
    """Draw roots, one of them perhaps cross-signed, authorities below them to any depth, and what they sign."""
    stack, lives = RunningStack(), dict[SlotId, int]()
    for slot in (SlotId("ca"), SlotId("ca", 2)):
        lives[slot] = draw(st.integers(600, 4000))
        stack.authority(slot, validity_hours=lives[slot], **draw(POLICIES))
    if draw(st.booleans()):
        hours = int(lives[SlotId("ca")] * draw(PARTS))
        stack.cross_sign(SlotId("ca", 2), SlotId("ca"), validity_hours=hours, **draw(POLICIES))
    for number in range(draw(st.integers(0, 4))):
        # The one before is the most likely issuer, so that hierarchies are deep rather than wide.
        above = draw(st.sampled_from([*lives, *[list(lives)[-1]] * 3]))
        slot = SlotId(f"sub{number} generation {number}")
        lives[slot] = max(int(lives[above] * draw(PARTS)), 100)
        stack.authority(slot, above, validity_hours=lives[slot], **draw(POLICIES))
    lowest = list(lives)[-1]
    for number in range(2):
        above = draw(st.sampled_from([*lives, lowest]))
        hours = max(int(lives[above] * draw(PARTS)), 50)
        declared = {"email": f"c{number}@example.org", "confirm": draw(st.booleans())} | draw(POLICIES)
        stack.certificate(f"c{number}", Profile.CLIENT, above, validity_hours=hours, **declared)
    rows = [row("b0", **draw(POLICIES)), row("b1", **draw(POLICIES))]
    stack.roster("branches", lowest, rows, validity_hours=max(int(lives[lowest] * draw(PARTS)), 50))
    stack.revocation_list("crl", lowest, ["c0", "branches"], lifetime_hours=draw(st.integers(1000, 4000)))
    return stack


@pytest.mark.takes_long
@examples(25)
@given(stacks(), st.integers(0, 3000), st.randoms(use_true_random=False))
def test_what_is_foreseen_happens_and_nothing_else(stack: RunningStack, hours: int, random: Random) -> None:
    """At each foreseen instant, and at others between, runs of the real handlers do exactly what was foreseen.

    The first of them comes late: what has become due since the state was written happens then.
    """
    stack.up(NOW)
    assert not [each.reported for each in stack.resources.values() if each.is_refused]
    start = NOW + hours * HOUR
    state = export(*stack.exported())
    random.shuffle(state["deployment"]["resources"])
    events = forecast(state, start, start + timedelta(days=400))
    instants = sorted({event.at for event in events})[:MOST_RUNS]
    happened: list[Happening] = []
    for at in (start, *_with_halves(start, instants)):
        before = {name: _snapshot(each) for name, each in stack.resources.items()}
        stack.up(at)
        for name, each in stack.resources.items():
            happened += _happenings(at, before[name], _snapshot(each))
        _assert_blocks_agree(at, stack, events)
    foreseen = [_of_event(event) for event in events if event.action != BLOCKED and event.at <= max(instants)]
    assert sorted(happened, key=repr) == sorted(foreseen, key=repr)


def _with_halves(start: datetime, instants: Sequence[datetime]) -> Iterator[datetime]:
    """Yield each instant, and before it the one half-way, at which nothing may happen."""
    for before, at in zip((start, *instants), instants, strict=False):
        yield from (before + (at - before) // 2, at)


def _snapshot(resource: RunningResource) -> Snapshot:
    state = resource.state
    if resource.type.endswith("ClientRoster"):
        return Snapshot({row.name: row.issued for row in unpack_records(IssuedRow, state.issued)}, {})
    if resource.type.endswith("RevocationList"):
        return Snapshot({}, {resource.name: (state.crl_number, state.next_update)})
    return Snapshot({resource.name: state.issued}, {})


def _happenings(at: datetime, before: Snapshot, after: Snapshot) -> Iterator[Happening]:
    for name, end in after.list_ends.items():
        if end != before.list_ends[name]:
            yield Happening(at, name, "re-sign CRL", None, end[1])
    for name, issued in after.issued.items():
        old = before.issued[name]
        if issued.generation != old.generation:
            yield Happening(at, name, "renew", issued.generation, issued.validity.not_after)
        kept = {each.schedule.generation for each in issued.previous}
        for each in old.previous:
            if each.schedule.generation not in kept:
                yield Happening(at, name, f"retire generation {each.schedule.generation}")


def _of_event(event: Event) -> Happening:
    return Happening(event.at, event.name, event.action, event.generation, event.not_after)


def _assert_blocks_agree(at: datetime, stack: RunningStack, events: Sequence[Event]) -> None:
    """What is foreseen as blocked is refused or noted by its resource, in these words, and what is so was foreseen."""
    for event in events:
        if event.action == BLOCKED and event.at == at:
            assert event.reason in "\n".join(stack.resources[event.roster or event.name].reported)
    blocked = {event.roster or event.name for event in events if event.action == BLOCKED and event.at <= at + HOUR}
    for each in stack.resources.values():
        if each.is_refused or any("renewal is due, but" in line for line in each.reported):
            assert each.name in blocked
