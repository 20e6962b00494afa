"""An authority that is in use keeps its name, for verifiers find by it who has signed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pki.model import SlotId
from tests.support.path_judges import VERIFIERS, Chain
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import Resource
from tests.support.resource_properties import certificate_of, client, intermediate, issued_by, root, server

OTHERWISE: dict[str, dict[str, Any]] = {
    "another common name": {"common_name": "Renamed CA"},
    "another organization": {"organization": "Renamed"},
    "capital letters": {"common_name": "EXAMPLE MAIL-CA"},
}


def made(plugin: PluginRuns, declared: dict[str, Any], name: str = "mail-ca") -> Resource:
    """Return a certificate that was issued as declared."""
    resource = plugin.resource("Certificate", name)
    plugin.up(resource, declared)
    return resource


@pytest.mark.parametrize("kind", OTHERWISE)
def test_another_name_is_refused_with_the_way_to_one(plugin: PluginRuns, kind: str) -> None:
    """Nothing changes, and the same declaration as before is no change either."""
    authority = made(plugin, root())
    before = dict(authority.outputs)
    (problem,) = plugin.problems(authority, root(**OTHERWISE[kind]))
    assert problem.startswith(f"{next(iter(OTHERWISE[kind]))}: got '")
    assert "declare another authority beside it" in problem
    assert authority.outputs == before
    assert plugin.up(authority, root()) == {}


def test_a_part_of_the_name_that_comes_or_goes_is_told_as_none(plugin: PluginRuns) -> None:
    """On the side on which it is not."""
    plain, full = made(plugin, root()), made(plugin, root("full-ca", organization="Example"), "full-ca")
    (comes,) = plugin.problems(plain, root(organization="Example"))
    assert comes.startswith("organization: got 'Example', and this authority is in use with none: under another name")
    (goes,) = plugin.problems(full, root("full-ca"))
    assert goes.startswith("organization: got none, and this authority is in use with 'Example': under another name")


def test_an_intermediate_and_a_later_slot_keep_theirs_too(plugin: PluginRuns) -> None:
    """Whatever signs has a name that others go by."""
    above = made(plugin, root())
    issuer = issued_by(above.outputs, SlotId("mail-ca"))
    below = made(plugin, intermediate("office", issuer), "office")
    later = made(plugin, root("mail-ca-2", slot="mail-ca/2"), "mail-ca-2")
    assert "office" in plugin.problems(below, intermediate("office", issuer, common_name="Branch"))[0]
    assert plugin.problems(later, root("mail-ca-2", slot="mail-ca/2", common_name="Renamed 2"))


def test_what_is_no_name_may_change_and_a_leaf_may_have_another_name(plugin: PluginRuns) -> None:
    """The control: another path length is another certificate of the same authority; a client is issued anew."""
    authority = made(plugin, root())
    assert plugin.up(authority, root(path_length=1))["path_length"] == "add"
    alice = made(plugin, client(issued_by(authority.outputs)), "alice")
    plugin.up(alice, client(issued_by(authority.outputs), common_name="Alice"))
    assert alice.outputs["generation"] == 2


@pytest.mark.needs_openssl
@pytest.mark.needs_gnutls
@pytest.mark.needs_nss
@pytest.mark.needs_go
def test_no_verifier_finds_a_renamed_authority(plugin: PluginRuns) -> None:
    """Why it is refused: with the same key under another name, nothing that was signed before has an issuer."""
    plugin.now = datetime.now(UTC)  # the judges know no other time
    authority = made(plugin, root())
    leaf = certificate_of(
        made(plugin, server(issued_by(authority.outputs), profile="server_and_client"), "mx1").outputs
    )
    renamed = certificate_of(made(plugin, root(common_name="Renamed CA"), "renamed").outputs)
    assert renamed.public_key() == certificate_of(authority.outputs).public_key()
    verdicts = [
        {name: judge(Chain(leaf, [], each)).is_accepted for name, judge in VERIFIERS.items()}
        for each in (certificate_of(authority.outputs), renamed)
    ]
    assert verdicts == [dict.fromkeys(VERIFIERS, True), dict.fromkeys(VERIFIERS, False)]
