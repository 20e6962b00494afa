"""Revoking a certificate, taking a hold back, and issuing again."""

import pytest

from tests.support.plugin_runs import PluginRuns
from tests.support.provider import Resource
from tests.support.resource_properties import client, instant, issued_by, root, server


@pytest.fixture
def authority(plugin: PluginRuns) -> Resource:
    """Return a root that exists."""
    resource = plugin.resource("Certificate", "mail-ca")
    plugin.up(resource, root())
    return resource


@pytest.fixture
def leaf(plugin: PluginRuns, authority: Resource) -> Resource:
    """Return a client's certificate of generation 2, with generation 1 still accepted."""
    resource = plugin.resource("Certificate", "alice")
    plugin.up(resource, client(issued_by(authority.outputs)))
    plugin.now = instant(resource.outputs["renew_at"])
    plugin.up(resource, client(issued_by(authority.outputs)))
    return resource


def test_a_revocation_ends_every_accepted_generation_and_keeps_the_record(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """Nothing is accepted from then on; serial numbers, dates and reason stay for the revocation list."""
    serial_numbers = [leaf.outputs["previous"][0]["serial_number"], leaf.outputs["serial_number"]]
    changes = plugin.up(leaf, client(issued_by(authority.outputs), revoke="keyCompromise"))
    assert changes == {"generations": "add", "revoke": "add"}
    assert leaf.inputs["generations"] == "g1 and g2 revoked for keyCompromise, no longer accepted"
    assert leaf.outputs["previous"] == []
    assert [entry["serial_number"] for entry in leaf.outputs["revoked"]] == serial_numbers
    assert {entry["reason"] for entry in leaf.outputs["revoked"]} == {"keyCompromise"}
    assert instant(leaf.outputs["revoked_at"]) == plugin.now
    assert leaf.outputs["revocation_reason"] == "keyCompromise"
    assert plugin.lines[-2:] == [
        f"alice: revoked on {leaf.outputs['revoked_at']}: keyCompromise",
        "alice: generation 1 is no longer accepted",
    ]
    assert plugin.up(leaf, client(issued_by(authority.outputs), revoke="keyCompromise")) == {}


def test_a_revoked_certificate_is_not_renewed(plugin: PluginRuns, authority: Resource, leaf: Resource) -> None:
    """Past its renewal point a revoked certificate stays what it is."""
    revoked = client(issued_by(authority.outputs), revoke="superseded")
    plugin.up(leaf, revoked)
    plugin.now = instant(leaf.outputs["renew_at"])
    plugin.up(leaf, revoked)
    assert leaf.outputs["generation"] == 2


def test_issued_again_there_is_a_new_key_and_no_overlap(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """`issue_again` makes a generation with a new key, once; the revoked ones stay revoked."""
    declared = client(issued_by(authority.outputs), revoke="keyCompromise", renew_key_every=0)
    plugin.up(leaf, declared)
    before = dict(leaf.outputs)
    plugin.up(leaf, declared | {"issue_again": True})
    assert leaf.outputs["generation"] == 3
    assert leaf.outputs["private_key_pem"] != before["private_key_pem"]
    assert leaf.outputs["previous"] == []
    assert leaf.outputs["revoked_at"] == ""
    assert leaf.outputs["revoked"] == before["revoked"]
    assert plugin.up(leaf, declared | {"issue_again": True}) == {}


def test_revoked_and_issued_again_in_one_run(plugin: PluginRuns, authority: Resource, leaf: Resource) -> None:
    """Both declared at once come to the same: the current generation is revoked and replaced in one step."""
    serial_number = leaf.outputs["serial_number"]
    plugin.up(leaf, client(issued_by(authority.outputs), revoke="keyCompromise", issue_again=True))
    assert leaf.outputs["generation"] == 3
    assert leaf.outputs["revoked_at"] == ""
    assert leaf.outputs["revoked"][-1]["serial_number"] == serial_number


def test_a_hold_is_taken_back_and_the_certificate_goes_on(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """A certificateHold can be removed: the same certificate is valid again, earlier generations are not."""
    before = dict(leaf.outputs)
    plugin.up(leaf, client(issued_by(authority.outputs), revoke="certificateHold"))
    plugin.up(leaf, client(issued_by(authority.outputs)))
    assert leaf.outputs["revoked"] == leaf.outputs["previous"] == []
    assert leaf.outputs["revoked_at"] == ""
    assert leaf.outputs["revocation_reason"] == ""
    assert leaf.outputs["certificate_pem"] == before["certificate_pem"]


def test_a_final_revocation_cannot_be_taken_back(plugin: PluginRuns, authority: Resource, leaf: Resource) -> None:
    """Leaving `revoke` out again is refused with the way forward."""
    plugin.up(leaf, client(issued_by(authority.outputs), revoke="keyCompromise"))
    (problem,) = plugin.problems(leaf, client(issued_by(authority.outputs)))
    assert problem.endswith("keep `revoke` and set `issue_again: true` for a new certificate with a new key")


def test_what_was_never_issued_cannot_be_revoked(plugin: PluginRuns, authority: Resource) -> None:
    """A new certificate that is declared revoked is a mistake, and said to be one."""
    (problem,) = plugin.problems(
        plugin.resource("Certificate", "bob"), client(issued_by(authority.outputs), "bob", revoke="unspecified")
    )
    assert "was never issued" in problem


def test_a_revoked_server_is_told_to_be_served_until_another_one_is_there(
    plugin: PluginRuns, authority: Resource
) -> None:
    """Once: a server has no row that would go, and its host needs some certificate."""
    resource = plugin.resource("ServerCertificate", "mx1")
    plugin.up(resource, server(issued_by(authority.outputs)))
    plugin.lines.clear()
    for _ in range(2):
        plugin.up(resource, server(issued_by(authority.outputs)) | {"revoke": "keyCompromise"})
    assert {each for each in plugin.lines if "set issue_again" in each} == {
        "mx1: hosts go on serving it until another one is there: set issue_again, or give them another server"
    }
