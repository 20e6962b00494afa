"""What time does to a certificate: renewal, overlap, retirement, expiry, and clocks that are wrong."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Resource, Secret
from tests.support.resource_properties import certificate_of, client, instant, intermediate, issued_by, root, server
from tests.support.specimens import NOW

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
IDENTITY = ("fingerprint_sha256", "public_key_fingerprint_sha256", "serial_number", "generation")

Declare = Callable[..., dict[str, Any]]


@pytest.fixture
def authority(plugin: PluginRuns) -> Resource:
    """Return a root that exists."""
    resource = plugin.resource("Certificate", "mail-ca")
    plugin.up(resource, root())
    return resource


@pytest.fixture
def leaf(plugin: PluginRuns, authority: Resource) -> Resource:
    """Return a client's certificate that exists, and is declared as `client(issued_by(authority.outputs))`."""
    resource = plugin.resource("Certificate", "alice")
    plugin.up(resource, client(issued_by(authority.outputs)))
    return resource


def at(plugin: PluginRuns, text: str, offset: timedelta = timedelta()) -> datetime:
    """Set the clock to an output's instant."""
    plugin.now = instant(text) + offset
    return plugin.now


def identity(outputs: dict[str, Any]) -> dict[str, Any]:
    """Return what tells one generation from another."""
    return {name: outputs[name] for name in IDENTITY}


def test_nothing_is_renewed_a_second_before_it_is_due(plugin: PluginRuns, authority: Resource, leaf: Resource) -> None:
    """Up to the renewal point every run finds nothing to do, whatever the time of day."""
    at(plugin, leaf.outputs["renew_at"], -SECOND)
    assert plugin.up(leaf, client(issued_by(authority.outputs))) == {}


def test_a_renewal_shows_what_is_replaced_and_until_when_it_is_accepted(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """At the renewal point a preview names the new generation, the reason and the line of the one that stays."""
    first = dict(leaf.outputs)
    at(plugin, first["renew_at"])
    changes, planned = plugin.preview(leaf, client(issued_by(authority.outputs)))
    assert changes == {"generations": "add"}
    plugin.start_run()
    told = leaf.check(client(issued_by(authority.outputs)))["generations"]
    assert re.fullmatch(r"g1 -> g2 until \S+, renewal due since \S+: .*; g1 accepted until \S+", told)
    assert planned["fingerprint_sha256"] == planned["private_key_pem"] == UNKNOWN
    assert planned["generation"] == 2
    assert [entry["fingerprint_sha256"] for entry in planned["previous"]] == [first["fingerprint_sha256"]]
    assert plugin.lines == []


def test_a_renewal_keeps_the_fingerprints_of_the_one_before(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """The replaced certificate stays accepted with all that identifies it; the new one has a key of its own."""
    first = dict(leaf.outputs)
    now = at(plugin, first["renew_at"])
    plugin.up(leaf, client(issued_by(authority.outputs)))
    (previous,) = leaf.outputs["previous"]
    assert {name: previous[name] for name in IDENTITY} == identity(first)
    assert instant(previous["retire_at"]) == now + 14 * DAY
    assert leaf.outputs["public_key_fingerprint_sha256"] != first["public_key_fingerprint_sha256"]
    assert leaf.inputs["accepted"].keys() == {"generation 1"}
    assert plugin.up(leaf, client(issued_by(authority.outputs))) == {}


def test_a_generation_retires_at_its_time_and_nothing_else_changes(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """The first run after the overlap drops the line, and the certificate stays byte for byte."""
    at(plugin, leaf.outputs["renew_at"])
    plugin.up(leaf, client(issued_by(authority.outputs)))
    renewed = dict(leaf.outputs)
    at(plugin, renewed["previous"][0]["retire_at"], -SECOND)
    assert plugin.up(leaf, client(issued_by(authority.outputs))) == {}
    at(plugin, renewed["previous"][0]["retire_at"])
    assert plugin.up(leaf, client(issued_by(authority.outputs))) == {"generations": "add"}
    assert leaf.inputs["generations"] == "g1 retired"
    assert leaf.outputs == renewed | {"previous": []}
    assert "alice: generation 1 is no longer accepted" in plugin.lines


def test_an_expired_certificate_is_replaced_and_not_accepted_again(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """After a long pause the new generation comes without an overlap: what has expired is not valid."""
    at(plugin, leaf.outputs["not_after"], 3 * DAY)
    plugin.up(leaf, client(issued_by(authority.outputs)))
    assert leaf.outputs["generation"] == 2
    assert leaf.outputs["previous"] == []
    assert leaf.outputs["reason"].startswith("generation 1 expired on ")


def test_with_the_clock_behind_nothing_is_renewed_or_retired_and_a_line_says_so(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """A clock that was set back changes nothing, and what would need a certificate is refused."""
    at(plugin, leaf.outputs["not_before"], -DAY)
    assert plugin.up(leaf, client(issued_by(authority.outputs))) == {}
    assert plugin.lines[-1].endswith(": nothing is renewed or retired")
    changed = client(issued_by(authority.outputs), organization="Example")
    (problem,) = plugin.problems(leaf, changed)
    assert problem.endswith("nothing is issued backwards in time; correct the clock and run again")


@pytest.mark.parametrize(
    ("renew_key_every", "key_generations"), [(0, [1, 1, 1, 1]), (1, [1, 2, 3, 4]), (2, [1, 1, 3, 3])]
)
def test_a_key_stays_as_long_as_its_policy_says(
    plugin: PluginRuns, authority: Resource, renew_key_every: int, key_generations: list[int]
) -> None:
    """0 keeps the key for ever, 1 makes a new one at each renewal, n at every n-th; a preview knows a kept key."""
    leaf = plugin.resource("Certificate", "alice")
    declared = client(issued_by(authority.outputs), renew_key_every=renew_key_every)
    plugin.up(leaf, declared)
    seen = [leaf.outputs]
    for _ in key_generations[1:]:
        at(plugin, leaf.outputs["renew_at"])
        planned = plugin.preview(leaf, declared)[1]
        plugin.up(leaf, declared)
        is_kept = leaf.outputs["private_key_pem"] == seen[-1]["private_key_pem"]
        assert (planned["public_key_fingerprint_sha256"] != UNKNOWN) == is_kept
        seen.append(leaf.outputs)
    assert [outputs["key_generation"] for outputs in seen] == key_generations
    keys = {outputs["key_generation"]: outputs["private_key_pem"].value for outputs in seen}
    assert [keys[outputs["key_generation"]] for outputs in seen] == [o["private_key_pem"].value for o in seen]
    assert len(set(keys.values())) == len(set(key_generations))


def test_who_is_matched_by_public_key_has_the_same_one_after_a_renewal(plugin: PluginRuns, authority: Resource) -> None:
    """With `match: public_key` and a kept key, a relay's row stays as it is over a renewal, and a preview knows it."""
    leaf = plugin.resource("Certificate", "alice")
    declared = client(issued_by(authority.outputs), match="public_key", renew_key_every=0)
    plugin.up(leaf, declared)
    row = leaf.outputs["public_key_fingerprint_sha256"]
    at(plugin, leaf.outputs["renew_at"])
    _, planned = plugin.preview(leaf, declared)
    assert planned["public_key_fingerprint_sha256"] == row
    plugin.up(leaf, declared)
    assert [entry["public_key_fingerprint_sha256"] for entry in leaf.outputs["previous"]] == [row]
    assert leaf.outputs["public_key_fingerprint_sha256"] == row


def test_confirmation_keeps_earlier_generations_until_the_new_one_is_in_use(
    plugin: PluginRuns, authority: Resource
) -> None:
    """With `confirm` the overlap lasts until the certificate's own end, or until somebody confirms."""
    leaf = plugin.resource("Certificate", "alice")
    plugin.up(leaf, client(issued_by(authority.outputs), confirm=True))
    first = dict(leaf.outputs)
    at(plugin, first["renew_at"])
    plugin.up(leaf, client(issued_by(authority.outputs), confirm=True))
    assert [entry["retire_at"] for entry in leaf.outputs["previous"]] == [first["not_after"]]
    plugin.now += 30 * DAY
    confirmed = client(issued_by(authority.outputs), confirm=True, confirmed_generation=2)
    assert plugin.up(leaf, confirmed) == {"generations": "add", "confirmed_generation": "add"}
    assert leaf.outputs["previous"] == []


def test_when_only_the_root_is_renewed_a_leaf_stays_as_it_is(
    plugin: PluginRuns, authority: Resource, leaf: Resource
) -> None:
    """A root renewed with the same key signs nothing anew; the leaf only names the root's generation now."""
    before = dict(leaf.outputs)
    old_root = dict(authority.outputs)
    plugin.now = NOW + 200 * DAY
    assert plugin.up(authority, root(crl_urls=["http://example.org/ca.crl"])).keys() >= {"generations"}
    assert plugin.up(leaf, client(issued_by(authority.outputs))) == {"issuer": "update"}
    assert leaf.outputs == before | {"issuer": "mail-ca generation 2"}
    certificate_of(leaf.outputs).verify_directly_issued_by(certificate_of(authority.outputs))
    assert old_root["public_key_fingerprint_sha256"] == authority.outputs["public_key_fingerprint_sha256"]


@pytest.mark.parametrize("declare", [client, server])
def test_when_only_the_intermediate_is_renewed_the_chain_is_built_anew(
    plugin: PluginRuns, authority: Resource, declare: Declare
) -> None:
    """The leaf keeps its certificate and key, and is served with the intermediate's new certificate."""
    middle, leaf = plugin.resource("Certificate", "office-ca"), plugin.resource("Certificate", "leaf")
    above = authority.outputs["certificate_pem"]
    plugin.up(middle, intermediate("office-ca", issued_by(authority.outputs)))
    plugin.up(leaf, declare(issued_by(middle.outputs, "office-ca", chain_above=above)))
    before = dict(leaf.outputs)
    assert before["chain_pem"] == before["certificate_pem"] + middle.outputs["certificate_pem"]
    plugin.now += DAY
    plugin.up(middle, intermediate("office-ca", issued_by(authority.outputs), crl_urls=["http://example.org/x.crl"]))
    declared = declare(issued_by(middle.outputs, "office-ca", chain_above=above))
    changes, planned = plugin.preview(leaf, declared)
    assert changes == {"issuer": "update"}
    assert planned == before | {"issuer": "office-ca generation 2", "chain_pem": UNKNOWN}
    plugin.up(leaf, declared)
    assert leaf.outputs["chain_pem"] == before["certificate_pem"] + middle.outputs["certificate_pem"]
    assert certificate_of(leaf.outputs) == certificate_of(before)


def test_another_issuer_key_needs_a_new_certificate(plugin: PluginRuns, authority: Resource, leaf: Resource) -> None:
    """When the issuer has another key, what it signed before is issued anew, and the old one overlaps."""
    other = plugin.resource("Certificate", "other-ca")
    plugin.up(other, root("other-ca"))
    moved = client(issued_by(other.outputs, "other-ca"))
    changes = plugin.up(leaf, moved)
    assert changes.keys() >= {"generations", "issuer", "issuer_key"}
    assert not [path for path in changes if path.startswith(("issuer_slot", "cause", "accepted_generations"))]
    assert leaf.outputs["reason"] == "changed on 2026-06-01: issuer is now other-ca generation 1"
    assert [entry["issuer_slot"] for entry in leaf.outputs["previous"]] == ["mail-ca/1"]


def test_a_leaf_never_outlives_its_issuer(plugin: PluginRuns) -> None:
    """A validity that would pass the issuer's end is shortened and says so, or refused where that is asked for."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "alice")
    plugin.up(authority, root(validity_hours=400 * 24, renew_before_hours=24))
    plugin.now += 100 * DAY
    issuer = issued_by(authority.outputs)
    (problem,) = plugin.problems(leaf, client(issuer, fail_beyond_issuer=True))
    assert "after the issuer mail-ca" in problem
    plugin.up(leaf, client(issuer))
    assert leaf.outputs["not_after"] == authority.outputs["not_after"]
    assert leaf.outputs["reason"].endswith("; shortened to the end of mail-ca")
    plugin.now = instant(authority.outputs["not_after"]) - DAY
    assert plugin.up(leaf, client(issuer)) == {}
    assert "renew or roll over the issuer first" in plugin.lines[-1]


def test_the_stored_key_is_what_a_renewal_keeps(plugin: PluginRuns, authority: Resource) -> None:
    """A kept key comes out of the state and belongs to the new certificate."""
    leaf = plugin.resource("Certificate", "alice")
    declared = client(issued_by(authority.outputs), renew_key_every=0)
    plugin.up(leaf, declared)
    key = leaf.outputs["private_key_pem"]
    at(plugin, leaf.outputs["renew_at"])
    plugin.up(leaf, declared)
    assert isinstance(key, Secret)
    assert leaf.outputs["private_key_pem"] == key
