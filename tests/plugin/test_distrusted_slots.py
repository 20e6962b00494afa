"""A slot is distrusted, over the protocol: rosters, hosts and moves; what is previewed is what happens."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pki.acceptance import AcceptedRow
from pki.fingerprint import certificate_fingerprint_sha256
from pki.model import KeyAlgorithm, SlotId
from pki.verification import chain_pem
from postseal_core.packing import json_line, unpack_records
from tests.plugin.test_host_to_directory import access
from tests.plugin.test_host_to_directory import declared as host_declared
from tests.plugin.test_moving_a_client import alone, handover_of, in_roster
from tests.support.host_certificates import alice, authority
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import Resource
from tests.support.resource_properties import client, intermediate, issued_by, root
from tests.support.specimens import NOW, make_authority

P384, P521 = KeyAlgorithm.ECDSA_P384, KeyAlgorithm.ECDSA_P521
DAY = timedelta(days=1)
OLD, NEW = SlotId("mail-ca", 1), SlotId("mail-ca", 2)
PEOPLE = tuple(f"client{number:02}" for number in range(30))


@pytest.fixture
def slots(plugin: PluginRuns) -> dict[SlotId, Resource]:
    """Return two slots of a root; the second was made a minute ago, as in the run that distrusts the first."""
    made = {slot: plugin.resource("Certificate", slot.name) for slot in (OLD, NEW)}
    plugin.up(made[OLD], root(OLD.name))
    plugin.now = NOW + 20 * DAY
    plugin.up(made[NEW], root(NEW.name))
    return made


def staff(slots: dict[SlotId, Resource], active: SlotId, *distrusted: SlotId, **issuer: Any) -> dict[str, Any]:
    """Return a roster that the active slot signs."""
    clients = "\n".join(json_line({"name": name, "email": f"{name}@example.org"}) for name in PEOPLE)
    told = {"distrusted": [str(slot) for slot in distrusted], "standby_hours": 336 if active == NEW else None}
    said = {name: value for name, value in told.items() if value}
    return {"name": "staff", "clients": clients, **issued_by(slots[active].outputs, active, **said | issuer)}


def generations(roster: Resource) -> set[tuple[int | None, SlotId | None]]:
    """Return generation and signer of all rows that are let in."""
    return {(row.generation, row.issuer) for row in unpack_records(AcceptedRow, roster.outputs["accepted_rows"])}


def test_every_client_of_a_roster_is_issued_again_and_named(plugin: PluginRuns, slots: dict[SlotId, Resource]) -> None:
    """However many they are, one line has all names; no standby time and no overlap; a second run changes nothing."""
    roster = plugin.resource("ClientRoster", "staff")
    plugin.up(roster, staff(slots, OLD))
    assert generations(roster) == {(1, OLD)}
    plugin.lines.clear()
    changes = plugin.up(roster, staff(slots, NEW, OLD))
    assert f"changes.{PEOPLE[-1]}" in changes
    assert f"staff: mail-ca is distrusted; to be served anew: {', '.join(PEOPLE)}" in plugin.lines
    assert generations(roster) == {(2, NEW)}
    assert plugin.up(roster, staff(slots, NEW, OLD)) == {}
    assert plugin.up(roster, staff(slots, NEW)) == {}


def test_a_settled_roster_is_looked_at_if_the_slot_of_earlier_generations_is_distrusted(
    plugin: PluginRuns, slots: dict[SlotId, Resource]
) -> None:
    """Nothing is due for anybody and nothing is declared otherwise: still the old rows go."""
    roster = plugin.resource("ClientRoster", "staff")
    plugin.up(roster, staff(slots, OLD))
    plugin.up(roster, staff(slots, NEW, standby_hours=0))
    plugin.now += timedelta(hours=2)
    assert plugin.up(roster, staff(slots, NEW, standby_hours=0)) == {}
    assert generations(roster) == {(1, OLD), (2, NEW)}
    assert plugin.up(roster, staff(slots, NEW, OLD, standby_hours=0)) != {}
    assert generations(roster) == {(2, NEW)}


@pytest.mark.parametrize("is_roster", [True, False])
def test_nobody_is_taken_over_from_another_signer_in_the_same_run(
    plugin: PluginRuns, slots: dict[SlotId, Resource], *, is_roster: bool
) -> None:
    """A hand-over does not say which slot signed; after a run of its own the move passes."""
    old = issued_by(slots[OLD].outputs, OLD)
    new = issued_by(slots[NEW].outputs, NEW, distrusted=[str(OLD)])
    before = plugin.resource("ClientCertificate" if is_roster else "ClientRoster", "before")
    (here, there) = (alone, in_roster) if is_roster else (in_roster, alone)
    plugin.up(before, here(old))
    after = plugin.resource("ClientRoster" if is_roster else "ClientCertificate", "after")
    (problem,) = plugin.problems(after, there(new, handover_of(before)))
    assert problem.endswith("cannot be taken over while mail-ca is distrusted: run `pulumi up` first, then move it")
    plugin.up(before, here(new))
    plugin.up(after, there(new, handover_of(before)))


def test_a_host_trusts_no_certificate_with_the_stolen_key_by_any_name(plugin: PluginRuns, tmp_path: Path) -> None:
    """Somebody may have written our own root into the file as a foreign one."""
    host = plugin.resource("PostfixHost", "mx1")
    stolen: dict[str, Any] = {"distrusted": {"mail-ca": chain_pem([authority().certificate])}}
    roots: dict[str, Any] = {"trust-1": chain_pem([authority().certificate])}
    (problem,) = plugin.problems(host, host_declared(tmp_path / "mx1", roots=roots, **stolen))
    assert problem == (
        "roots.trust-1: has the key of mail-ca, which is distrusted: take this certificate out of `trust`"
    )
    plugin.up(host, host_declared(tmp_path / "mx1", roots=roots))


def test_a_client_from_elsewhere_that_a_distrusted_slot_has_signed_is_told(plugin: PluginRuns, tmp_path: Path) -> None:
    """By its certificate it is refused; of a fingerprint alone nobody knows, so the reviewer is asked."""
    host = plugin.resource("PostfixHost", "mx1")
    roots = {"other-ca": chain_pem([make_authority(algorithm=P384).certificate])}
    stolen: dict[str, Any] = {"distrusted": {"mail-ca": chain_pem([authority().certificate])}, "roots": roots}
    known = {"fingerprint_sha256": certificate_fingerprint_sha256(alice()), "certificate_pem": chain_pem([alice()])}
    listed = access(clients={}, extra={"alice-1": known})
    (problem,) = plugin.problems(host, host_declared(tmp_path / "mx1", **listed, **stolen))
    assert problem.startswith("extra_relay_clients.alice-1: was signed by mail-ca, which is distrusted: take it out")
    other: dict[str, Any] = {"distrusted": {"other-ca": chain_pem([make_authority(algorithm=P521).certificate])}}
    plugin.up(host, host_declared(tmp_path / "mx1", **listed, **other))
    assert "to_review" not in host.inputs
    by_fingerprint = access(clients={}, extra={"alice-1": {"fingerprint_sha256": known["fingerprint_sha256"]}})
    plugin.up(host, host_declared(tmp_path / "mx1", **by_fingerprint, **stolen))
    note = host.inputs["to_review"]["extra_relay_clients.alice-1"]
    assert note.startswith("is let in by its fingerprint alone: if mail-ca, which is distrusted, has signed")


def test_a_distrusted_slot_is_never_certified_by_another_root(
    plugin: PluginRuns, slots: dict[SlotId, Resource]
) -> None:
    """Its certificate stays what it was, revoked; the root above has another key now."""
    office = plugin.resource("Certificate", "office-ca")
    plugin.up(office, intermediate("office-ca", issued_by(slots[OLD].outputs, OLD)))
    pem = office.outputs["certificate_pem"]
    new = intermediate("office-ca", issued_by(slots[NEW].outputs, NEW, distrusted=[str(OLD)]), is_distrusted=True)
    same = intermediate("office-ca", issued_by(slots[OLD].outputs, OLD), is_distrusted=True)
    (problem,) = plugin.problems(office, same)
    assert problem.startswith("is distrusted, but mail-ca, which certified it, is not")
    plugin.up(office, new)
    assert (office.outputs["certificate_pem"], office.outputs["revocation_reason"]) == (pem, "cACompromise")
    assert not [line for line in plugin.lines if "until their overlap ends" in line]
    plugin.now += 5000 * DAY
    assert plugin.up(office, new) == {}
    (problem,) = plugin.problems(office, new | {"is_distrusted": False})
    assert "never trusted again" in problem


def test_a_retiring_slot_that_was_revoked_in_the_list_above_can_still_be_distrusted(
    plugin: PluginRuns, slots: dict[SlotId, Resource]
) -> None:
    """The revocation leaves its rows until their overlap ends, and says so; the distrust makes a hold final."""
    office = plugin.resource("Certificate", "office-ca")
    plugin.up(office, intermediate("office-ca", issued_by(slots[OLD].outputs, OLD)))
    plugin.lines.clear()
    plugin.up(office, intermediate("office-ca", issued_by(slots[OLD].outputs, OLD), revoke="certificateHold"))
    assert office.outputs["revocation_reason"] == "certificateHold"
    assert [line for line in plugin.lines if "until their overlap ends" in line]
    new = issued_by(slots[NEW].outputs, NEW, distrusted=[str(OLD)])
    plugin.up(office, intermediate("office-ca", new, is_distrusted=True))
    assert office.outputs["revocation_reason"] == "cACompromise"
    assert plugin.up(office, intermediate("office-ca", new, is_distrusted=True)) == {}


def test_a_slot_that_was_never_made_cannot_be_distrusted(plugin: PluginRuns, slots: dict[SlotId, Resource]) -> None:
    """The number in the file is a mistake; the control is a slot that exists."""
    (problem,) = plugin.problems(plugin.resource("Certificate", "mail-ca-3"), root("mail-ca-3", is_distrusted=True))
    assert problem == "names a slot that was never made: there is nothing to distrust; leave it out"
    plugin.up(slots[OLD], root(OLD.name, is_distrusted=True))
    assert slots[OLD].outputs["revocation_reason"] == "cACompromise"


def test_a_client_of_another_authority_loses_what_the_stolen_one_signed(
    plugin: PluginRuns, slots: dict[SlotId, Resource]
) -> None:
    """It moved to an authority with a good key; the certificate from before is not accepted for its overlap."""
    moved = plugin.resource("ClientCertificate", "alice")
    plugin.up(moved, client(issued_by(slots[OLD].outputs, OLD)))
    other = plugin.resource("Certificate", "other-ca")
    plugin.up(other, root("other-ca"))
    plugin.up(moved, client(issued_by(other.outputs, "other-ca", distrusted=[str(OLD)])))
    assert (moved.outputs["generation"], moved.outputs["previous"]) == (2, [])
    (revoked,) = moved.outputs["revoked"]
    assert (revoked["issuer_slot"], revoked["reason"]) == (str(OLD), "cACompromise")


def test_a_cross_signed_slot_is_not_distrusted_while_the_slot_that_crossed_it_is_trusted(
    plugin: PluginRuns, slots: dict[SlotId, Resource]
) -> None:
    """The cross certificate is in the thief's hands for good, also after `cross_sign` was taken out of the file."""
    plugin.up(slots[NEW], root(NEW.name, cross_signers=[str(OLD)]))
    plugin.up(slots[NEW], root(NEW.name))
    stolen = root(NEW.name, is_distrusted=True)
    (problem,) = plugin.problems(slots[NEW], stolen | {"trusted_slots": [str(OLD), "mail-ca/3"]})
    assert problem.startswith("is distrusted, but mail-ca, which certified it, is not")
    plugin.up(slots[NEW], stolen | {"trusted_slots": ["mail-ca/3"]})
    assert slots[NEW].outputs["revocation_reason"] == "cACompromise"
