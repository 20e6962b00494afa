"""An authority's slot is withdrawn: refused by whatever answers for a certificate that the slot signed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pki.acceptance import AcceptedRow
from pki.model import SlotId
from postseal_core.packing import json_line, unpack_records
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Resource
from tests.support.resource_properties import instant, issued_by, root
from tests.support.specimens import NOW

DAY = timedelta(days=1)
OLD, NEW = SlotId("mail-ca", 1), SlotId("mail-ca", 2)
PEOPLE = ("alice", "bob", "carol")


@pytest.fixture
def slots(plugin: PluginRuns) -> dict[SlotId, Resource]:
    """Return two slots of a root, the second published on the second day."""
    made = {slot: plugin.resource("Certificate", slot.name) for slot in (OLD, NEW)}
    plugin.up(made[OLD], root(OLD.name))
    plugin.now = NOW + DAY
    plugin.up(made[NEW], root(NEW.name))
    return made


def staff(
    slots: dict[SlotId, Resource], active: SlotId, *declared: SlotId, standby_hours: int = 336, **shared: Any
) -> dict[str, Any]:
    """Return a roster that the active slot signs while these slots are declared."""
    standby: dict[str, Any] = {"standby_hours": standby_hours} if active == NEW and standby_hours else {}
    withdrawal = {"issuers": [str(slot) for slot in declared], "authorities": [OLD.authority]}
    clients = "\n".join(json_line({"name": name, "email": f"{name}@example.org"}) for name in PEOPLE)
    issuer = issued_by(slots[active].outputs, active, **standby)
    return {"name": "staff", "clients": clients, **issuer, "withdrawal": withdrawal} | shared


def accepted_generations(roster: Resource) -> list[int | None]:
    """Return the generation of each row that is let in."""
    return [row.generation for row in unpack_records(AcceptedRow, roster.outputs["accepted_rows"])]


def test_a_roster_moves_as_a_whole_after_the_standby_time_and_not_before(
    plugin: PluginRuns, slots: dict[SlotId, Resource]
) -> None:
    """Too early, every client says why; then one change moves all of them."""
    roster = plugin.resource("ClientRoster", "staff")
    plugin.up(roster, staff(slots, OLD, OLD, NEW))
    plugin.now = NOW + 10 * DAY
    problems = plugin.problems(roster, staff(slots, NEW, NEW, OLD))
    assert [problem.partition(": ")[0] for problem in problems] == [f"clients.{name}" for name in PEOPLE]
    assert all("too early to move from mail-ca to mail-ca-2" in problem for problem in problems)
    plugin.now = NOW + 16 * DAY
    changes = plugin.up(roster, staff(slots, NEW, NEW, OLD))
    assert {f"changes.{name}" for name in PEOPLE} <= changes.keys()
    assert accepted_generations(roster).count(1) == len(PEOPLE)


def test_a_slot_that_signed_what_a_roster_still_accepts_is_not_withdrawn(
    plugin: PluginRuns, slots: dict[SlotId, Resource]
) -> None:
    """One sentence says how many there are and for whom to wait; after the overlap the same declaration passes."""
    roster = plugin.resource("ClientRoster", "staff")
    plugin.up(roster, staff(slots, OLD, OLD, NEW))
    plugin.now = NOW + 16 * DAY
    plugin.up(roster, staff(slots, NEW, NEW, OLD))
    plugin.now = NOW + 30 * DAY - timedelta(seconds=1)
    (problem,) = plugin.problems(roster, staff(slots, NEW, NEW))
    assert problem == (
        "clients: earlier certificates are accepted until 2026-07-01T12:00:00Z (alice, generation 1; 3 in all) and "
        "were signed by mail-ca, which is to be withdrawn: keep it as retiring until then"
    )
    plugin.now = NOW + 30 * DAY
    plugin.up(roster, staff(slots, NEW, NEW))
    assert accepted_generations(roster) == [2] * len(PEOPLE)


def test_a_roster_that_skips_the_retiring_step_is_refused(plugin: PluginRuns, slots: dict[SlotId, Resource]) -> None:
    """What would be accepted after this very change counts, not only what was before it."""
    roster = plugin.resource("ClientRoster", "staff")
    plugin.up(roster, staff(slots, OLD, OLD, NEW))
    plugin.now = NOW + 16 * DAY
    (problem,) = plugin.problems(roster, staff(slots, NEW, NEW))
    assert problem.startswith("clients: earlier certificates are accepted until ")


def test_a_short_overlap_makes_a_hurried_rollover_short(plugin: PluginRuns, slots: dict[SlotId, Resource]) -> None:
    """An overlap that is shortened with the takeover holds for what the takeover replaces."""
    roster = plugin.resource("ClientRoster", "staff")
    plugin.up(roster, staff(slots, OLD, OLD, NEW))
    plugin.up(roster, staff(slots, NEW, NEW, OLD, standby_hours=0, overlap_hours=1))
    plugin.now += timedelta(hours=1)
    plugin.up(roster, staff(slots, NEW, NEW, overlap_hours=1))
    assert accepted_generations(roster) == [2] * len(PEOPLE)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_hand_out_and_a_host_wait_only_for_what_is_known_to_depend(
    plugin: PluginRuns, slots: dict[SlotId, Resource], tmp_path: Path, *, is_known: bool
) -> None:
    """In a preview an earlier generation may be unknown; `up` knows it and refuses then."""
    earlier = {
        "generation": 1,
        "issuer_slot": str(OLD),
        "not_before": "2026-06-01T12:00:00Z",
        "not_after": "2027-06-01T12:00:00Z",
        "retire_at": "2026-07-01T12:00:00Z",
    }
    dependents = {"alice": {"previous": [earlier] if is_known else UNKNOWN}}
    withdrawal = {"issuers": [str(NEW)], "authorities": [OLD.authority], "dependents": dependents}
    declared = {"directory": str(tmp_path), "folders": {}, "descriptions": {}, "withdrawal": withdrawal}
    hand_out = plugin.resource("HandOut", "clients")
    if is_known:
        (problem,) = plugin.problems(hand_out, declared)
        assert problem.startswith(
            "alice: generation 1 is accepted until 2026-07-01T12:00:00Z and was signed by mail-ca"
        )
    else:
        changes, _ = plugin.preview(hand_out, declared)
        assert changes == {"": "create"}


def test_the_standby_time_counts_from_the_certificate_that_is_published(
    plugin: PluginRuns, slots: dict[SlotId, Resource]
) -> None:
    """The sentence of a refusal names an instant at which the same declaration passes."""
    roster = plugin.resource("ClientRoster", "staff")
    plugin.up(roster, staff(slots, OLD, OLD, NEW))
    published = instant(slots[NEW].outputs["not_before"]) + timedelta(hours=1)  # when it was made
    plugin.now = published + 14 * DAY - timedelta(seconds=1)
    assert len(plugin.problems(roster, staff(slots, NEW, NEW, OLD))) == len(PEOPLE)
    plugin.now = published + 14 * DAY
    assert plugin.up(roster, staff(slots, NEW, NEW, OLD))["issuer"] == "update"
