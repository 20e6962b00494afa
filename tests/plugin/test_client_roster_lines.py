"""What a roster keeps, shares and reports where nothing is issued."""

from datetime import timedelta
from typing import Any

import pytest

from pki.model import SlotId
from pki.roster.reading import rows_of_mapping
from pki.roster.rows import rows_text
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import Resource
from tests.support.resource_properties import instant, issued_by, root
from tests.support.rosters import by_client

Clients = dict[str, dict[str, Any]]

STAFF: Clients = {name: {"email": f"{name}@example.org"} for name in ("alice", "bob")}


def changed(name: str, **fields: Any) -> Clients:
    """Return the staff with other fields of one client."""
    return STAFF | {name: STAFF[name] | fields}


@pytest.fixture
def authority(plugin: PluginRuns) -> Resource:
    """Return a root that exists."""
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    return authority


@pytest.fixture
def roster(plugin: PluginRuns) -> Resource:
    """Return a roster that does not exist yet."""
    return plugin.resource("ClientRoster", "staff")


def declared(authority: Resource, clients: Clients = STAFF, *, slot: SlotId | str = "mail-ca", **shared: Any) -> Any:
    """Return what a program passes."""
    issuer = issued_by(authority.outputs, slot)
    return {"name": "staff", "clients": rows_text(rows_of_mapping(clients)), **issuer, **shared}


def archives(roster: Resource) -> dict[str, dict[str, str]]:
    """Return the archives by client."""
    return by_client(roster.outputs["archives"].value)


@pytest.mark.parametrize(
    "fields",
    [{"overlap_hours": 48}, {"renew_before_hours": 100}, {"revoke": "certificateHold"}],
    ids=["another overlap", "another date", "a hold"],
)
def test_an_archive_stays_where_its_certificate_does(
    plugin: PluginRuns, authority: Resource, roster: Resource, fields: dict[str, Any]
) -> None:
    """Whoever has imported it need not do so again, and building one takes long."""
    plugin.up(roster, declared(authority, pkcs12="modern"))
    before = archives(roster)
    changes = plugin.up(roster, declared(authority, changed("alice", **fields), pkcs12="modern"))
    assert "changes.alice" in changes
    assert archives(roster) == before


@pytest.mark.parametrize(
    "fields", [{"pkcs12": "legacy"}, {"organization": "Example"}], ids=["another profile", "another certificate"]
)
def test_an_archive_is_built_anew_where_its_content_changes(
    plugin: PluginRuns, authority: Resource, roster: Resource, fields: dict[str, Any]
) -> None:
    """Of that client alone."""
    plugin.up(roster, declared(authority, pkcs12="modern"))
    before = archives(roster)
    plugin.up(roster, declared(authority, changed("alice", **fields), pkcs12="modern"))
    assert archives(roster)["alice"] != before["alice"]
    assert archives(roster)["bob"] == before["bob"]


def test_addresses_of_lists_are_those_of_the_roster_or_of_its_issuer(
    plugin: PluginRuns, authority: Resource, roster: Resource
) -> None:
    """A roster may say where its clients' revocation list is; else its authority does."""
    mine, theirs = ["http://mine.example.org/ca.crl"], ["http://theirs.example.org/ca.crl"]
    issuer = issued_by(authority.outputs, crl_urls=theirs)
    plugin.up(roster, declared(authority, crl_urls=mine) | issuer)
    assert roster.inputs["crl_urls"] == mine
    changes = plugin.up(roster, declared(authority) | issuer)
    assert roster.inputs["crl_urls"] == theirs
    assert set(changes) >= {"changes.alice", "changes.bob"}


def test_another_issuer_shows_as_one_line(plugin: PluginRuns, authority: Resource, roster: Resource) -> None:
    """The slot as data tells the same."""
    plugin.up(roster, declared(authority))
    other = plugin.resource("Certificate", "office-ca")
    plugin.up(other, root("office-ca"))
    changes = plugin.up(roster, declared(other, slot="office-ca"))
    clients = {"changes.alice", "changes.bob"}
    assert set(changes) == {"issuer", "issuer_key", "summary"} | clients


def test_what_is_not_done_is_reported_with_the_number_of_clients(
    plugin: PluginRuns, authority: Resource, roster: Resource
) -> None:
    """A renewal that would gain nothing is told, and in a run in which all is well nothing is."""
    end = instant(authority.outputs["not_after"])
    plugin.now = end - timedelta(days=300)
    plugin.up(roster, declared(authority))
    summary = roster.inputs["summary"]
    plugin.lines.clear()
    plugin.preview(roster, declared(authority))
    assert set(plugin.lines) <= {summary}
    plugin.now = end - timedelta(days=1)
    plugin.preview(roster, declared(authority))
    assert [line for line in plugin.lines if line.startswith("2 x renewal is due, but the issuer mail-ca ends")]


@pytest.mark.parametrize(("count", "are_shown"), [(20, True), (21, False)])
def test_the_lines_of_a_small_change_are_reported_one_by_one(
    plugin: PluginRuns, authority: Resource, roster: Resource, count: int, *, are_shown: bool
) -> None:
    """Of a larger one only how many clients it touches: a plain preview would be nothing else."""
    staff = {f"client{number}": {"email": f"c{number}@example.org"} for number in range(count)}
    plugin.up(roster, declared(authority, {}))
    plugin.lines.clear()
    plugin.preview(roster, declared(authority, staff))
    assert f"{count} clients: {count} added" in "\n".join(plugin.lines)
    assert any(line.startswith("client0: added") for line in plugin.lines) == are_shown
