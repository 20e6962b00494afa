"""The lines in which a reviewer reads which earlier certificates are accepted, and until when."""

import pytest

from tests.support.plugin_runs import PluginRuns
from tests.support.provider import Resource
from tests.support.resource_properties import client, instant, issued_by, root


@pytest.fixture
def authority(plugin: PluginRuns) -> Resource:
    """Return a root that exists."""
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    return authority


def test_a_root_has_no_issuer_in_its_line(plugin: PluginRuns, authority: Resource) -> None:
    """It is signed by itself."""
    before = dict(authority.outputs)
    plugin.now = instant(authority.inputs["renew_at"])
    plugin.up(authority, root())
    (entry,) = authority.inputs["accepted_generations"]
    assert authority.inputs["accepted"] == {
        "generation 1": f"until {entry['retire_at']}; not_after {before['not_after']}",
    }


def test_another_certificate_names_its_issuer(plugin: PluginRuns, authority: Resource) -> None:
    """By the name that the stack file has for it."""
    declared = client(issued_by(authority.outputs))
    alice = plugin.resource("ClientCertificate", "alice")
    plugin.up(alice, declared)
    before = dict(alice.outputs)
    plugin.now = instant(alice.inputs["renew_at"])
    plugin.up(alice, declared)
    (entry,) = alice.inputs["accepted_generations"]
    assert alice.inputs["accepted"] == {
        "generation 1": f"until {entry['retire_at']}; issued by mail-ca; not_after {before['not_after']}",
    }


def test_a_certificate_without_earlier_ones_has_no_lines(authority: Resource) -> None:
    """Nothing is shown of nothing."""
    assert "accepted" not in authority.inputs
    assert "revoked" not in authority.inputs
