"""A certificate from its first preview to its end, as the engine calls the plugin."""

from datetime import timedelta
from typing import Any

import pytest

from pki.model import KeyAlgorithm, SlotId
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Secret
from tests.support.resource_properties import certificate_of, client, instant, issued_by, key_pem, root, server
from tests.support.specimens import NOW, key_of

DAY = timedelta(days=1)


def test_a_root_goes_through_its_whole_life(plugin: PluginRuns) -> None:
    """Check, preview, create, no change, refresh, no change, delete: nothing moves that is not declared."""
    authority = plugin.resource("Certificate", "mail-ca")
    changes, planned = plugin.preview(authority, root())
    assert changes == {"": "create"}
    assert planned["certificate_pem"] == planned["fingerprint_sha256"] == UNKNOWN
    assert planned["generation"] == 1
    assert plugin.up(authority, root()) == {"": "create"}
    assert authority.id == "mail-ca"
    before = dict(authority.inputs), dict(authority.outputs)
    assert plugin.up(authority, root()) == {}
    plugin.start_run()
    authority.refresh()
    assert (authority.inputs, authority.outputs) == before
    assert plugin.up(authority, root()) == {}
    plugin.start_run()
    authority.delete()


def test_what_a_preview_shows_is_what_is_made(plugin: PluginRuns) -> None:
    """Everything that a preview says it knows holds afterwards; only what signing makes was unknown."""
    authority = plugin.resource("Certificate", "mail-ca")
    _, planned = plugin.preview(authority, root())
    plugin.up(authority, root())
    known = {name: value for name, value in planned.items() if value != UNKNOWN}
    assert known.items() <= authority.outputs.items()
    assert {*planned} == {*authority.outputs}


def test_a_root_keeps_no_key_that_was_handed_in(plugin: PluginRuns) -> None:
    """State holds the digest of the key's public half; the key itself stands neither in inputs nor in outputs."""
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    assert "private_key_pem" not in authority.inputs
    assert authority.outputs["private_key_pem"] == Secret("")
    assert authority.inputs["private_key"].startswith("sha256:")
    assert certificate_of(authority.outputs).public_key() == key_of(KeyAlgorithm.ECDSA_P256, "mail-ca").public_key()


def test_the_same_key_written_differently_is_no_change(plugin: PluginRuns) -> None:
    """A provider that writes its PEM another way does not make an authority's certificate anew."""
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    assert plugin.up(authority, root(private_key_pem=Secret("\n" + key_pem("mail-ca") + "\n"))) == {}


def test_a_leaf_under_an_authority_of_the_same_run_is_planned_before_anything_is_known(plugin: PluginRuns) -> None:
    """In a first preview key and chain of the issuer are unknown: dates and generation are shown all the same."""
    leaf = plugin.resource("Certificate", "alice")
    authority = plugin.resource("Certificate", "mail-ca")
    _, planned = plugin.preview(authority, root(private_key_pem=UNKNOWN))
    issuer = issued_by(planned | {"certificate_pem": ""}, chain_pem=UNKNOWN, private_key_pem=UNKNOWN)
    checked = leaf.check(client(issuer))
    assert checked["issuer"] == "mail-ca generation 1"
    assert checked["issuer_key"] == UNKNOWN
    outputs = leaf.plan(checked)
    assert outputs["private_key_pem"] == outputs["chain_pem"] == outputs["fingerprint_sha256"] == UNKNOWN
    assert instant(outputs["not_after"]) - instant(outputs["not_before"]) == 365 * DAY


def test_a_leaf_is_signed_by_the_issuer_that_was_handed_in(plugin: PluginRuns) -> None:
    """The certificate verifies under the issuer, its key is a secret of the state, and the root is not in its chain."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "alice")
    plugin.up(authority, root())
    plugin.up(leaf, client(issued_by(authority.outputs)))
    certificate = certificate_of(leaf.outputs)
    certificate.verify_directly_issued_by(certificate_of(authority.outputs))
    assert isinstance(leaf.outputs["private_key_pem"], Secret)
    assert leaf.outputs["chain_pem"] == leaf.outputs["certificate_pem"]
    assert leaf.outputs["issuer"] == "mail-ca generation 1"


def test_a_careless_program_does_not_get_its_plain_keys_stored(plugin: PluginRuns) -> None:
    """Keys that were not marked as secrets are neither stored nor sent back; the fixture searches every answer."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "alice")
    plugin.up(authority, root(private_key_pem=key_pem("mail-ca")))
    careless = issued_by(authority.outputs, private_key_pem=key_pem("mail-ca"))
    plugin.up(leaf, client(careless))
    assert plugin.up(leaf, client(issued_by(authority.outputs))) == {}
    assert plugin.problems(leaf, client(careless, profile="postcard"))


def test_a_declared_name_that_changes_makes_a_new_generation_with_a_new_key(plugin: PluginRuns) -> None:
    """The reason says what changed; the generation before stays accepted for the overlap."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "mx1")
    plugin.up(authority, root())
    issuer = issued_by(authority.outputs)
    plugin.up(leaf, server(issuer))
    first = dict(leaf.outputs)
    changes = plugin.up(leaf, server(issuer, dns_names=["mx1.example.org", "mx2.example.org"]))
    assert changes == {"dns_names[1]": "add", "generations": "add"}
    assert leaf.outputs["reason"] == "changed on 2026-06-01: dns_names"
    assert leaf.outputs["private_key_pem"] != first["private_key_pem"]
    (previous,) = leaf.outputs["previous"]
    assert previous["fingerprint_sha256"] == first["fingerprint_sha256"]
    assert instant(previous["retire_at"]) == NOW + 14 * DAY
    assert plugin.lines[-1] == "mx1: generation 1 -> 2, changed on 2026-06-01: dns_names"


def test_another_profile_makes_a_new_generation(plugin: PluginRuns) -> None:
    """What a certificate is for stands in it."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "mx1")
    plugin.up(authority, root())
    plugin.up(leaf, server(issued_by(authority.outputs)))
    plugin.up(leaf, server(issued_by(authority.outputs), profile="server_and_client"))
    assert (leaf.outputs["generation"], leaf.outputs["reason"]) == (2, "changed on 2026-06-01: profile")


def test_a_policy_that_changes_moves_the_renewal_and_issues_nothing(plugin: PluginRuns) -> None:
    """Another renewal point is shown and stored, the certificate stays byte for byte."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "mx1")
    plugin.up(authority, root())
    issuer = issued_by(authority.outputs)
    plugin.up(leaf, server(issuer))
    first = dict(leaf.outputs)
    assert plugin.up(leaf, server(issuer, renew_before_hours=24)) == {
        "generations": "add",
        "renew_before_hours": "add",
    }
    assert leaf.inputs["generations"] == "g1 stays, its renewal moves from 2027-01-30 to 2027-05-31"
    assert instant(leaf.outputs["renew_at"]) == instant(first["not_after"]) - DAY
    assert {name for name in first if leaf.outputs[name] != first[name]} == {"renew_at"}


@pytest.mark.parametrize(
    ("changes", "properties"),
    [
        ({"profile": "postcard"}, {"profile"}),
        ({"key_algorithm": "RSA-512", "revoke": "boredom"}, {"key_algorithm", "revoke"}),
        ({"renew_fraction": "two thirds"}, {"renew_fraction"}),
        ({"common_name": UNKNOWN, "validity_hours": UNKNOWN}, {"common_name", "validity_hours"}),
        ({"dns_names": [UNKNOWN]}, {"dns_names[0]"}),
        ({"validity_hours": 1, "overlap_hours": 0}, {"validity_hours", "overlap_hours", "renew_fraction"}),
        ({"match": "public_key"}, {"match"}),
        ({"dns_names": []}, {"dns_names"}),
    ],
)
def test_everything_that_is_wrong_is_said_at_once_by_property(
    plugin: PluginRuns, changes: dict[str, Any], properties: set[str]
) -> None:
    """A refused declaration names each property that is at fault, before anything is decided."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "mx1")
    plugin.up(authority, root())
    problems = plugin.problems(leaf, server(issued_by(authority.outputs), **changes))
    assert {problem.partition(":")[0] for problem in problems} == properties


def test_an_issuer_that_must_not_sign_this_name_is_found_in_check(plugin: PluginRuns) -> None:
    """Name constraints of the authority refuse the name before anything is signed."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "mx1")
    plugin.up(authority, root(permitted_dns=["example.net"]))
    (problem,) = plugin.problems(leaf, server(issued_by(authority.outputs)))
    assert problem.startswith("dns_names[0]: ")


@pytest.mark.parametrize("type_name", ["Certificate", "ClientCertificate", "ServerCertificate"])
def test_each_kind_of_certificate_has_a_type_of_its_own(plugin: PluginRuns, type_name: str) -> None:
    """They differ for readers of a preview only."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource(type_name, "mx1")
    plugin.up(authority, root())
    plugin.up(leaf, server(issued_by(authority.outputs)))
    assert plugin.up(leaf, server(issued_by(authority.outputs))) == {}
    certificate_of(leaf.outputs).verify_directly_issued_by(certificate_of(authority.outputs))


def test_a_certificate_that_stands_in_says_so_until_the_real_one_is_here(plugin: PluginRuns) -> None:
    """Whoever reads the state sees what waits for somebody else's answer; nothing is issued when it came."""
    stand_in = plugin.resource("ServerCertificate", "mx1")
    plugin.up(stand_in, server({}, is_interim=True))
    before = dict(stand_in.outputs)
    assert (before["is_interim"], before["issuer"], before["issuer_slot"]) == (True, "itself", "")
    assert plugin.up(stand_in, server({})) == {"is_interim": "delete"}
    assert stand_in.outputs == before | {"is_interim": False}


def test_a_slot_of_an_authority_is_stored_with_its_certificate(plugin: PluginRuns) -> None:
    """Nobody has to read it out of a name."""
    authority, leaf = plugin.resource("Certificate", "mail-ca-2"), plugin.resource("Certificate", "alice")
    plugin.up(authority, root("mail-ca-2", slot="mail-ca/2"))
    assert authority.inputs["slot"] == "mail-ca/2"
    plugin.up(leaf, client(issued_by(authority.outputs, SlotId("mail-ca", 2))))
    assert (leaf.outputs["issuer"], leaf.outputs["issuer_slot"]) == ("mail-ca-2 generation 1", "mail-ca/2")


def test_an_issuer_that_became_another_slot_under_the_same_label_is_shown_as_data(plugin: PluginRuns) -> None:
    """Data that no line tells of is not kept from a reviewer."""
    authority, leaf = plugin.resource("Certificate", "mail-ca-2"), plugin.resource("Certificate", "alice")
    plugin.up(authority, root("mail-ca-2"))
    plugin.up(leaf, client(issued_by(authority.outputs, SlotId("mail-ca-2", 1))))
    before = dict(leaf.outputs)
    assert plugin.up(leaf, client(issued_by(authority.outputs, SlotId("mail-ca", 2)))) == {"issuer_slot": "update"}
    assert leaf.outputs == before | {"issuer_slot": "mail-ca/2"}


def test_what_stands_above_the_issuer_is_named_with_its_generations(plugin: PluginRuns) -> None:
    """A chain that changes further up shows as another issuer, and the certificate stays."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "alice")
    plugin.up(authority, root())

    def below(generation: object) -> dict[str, Any]:
        return client(issued_by(authority.outputs, above=[{"name": "root-ca", "generation": generation}]))

    plugin.up(leaf, below(1))
    assert leaf.outputs["issuer"] == "mail-ca generation 1 below root-ca generation 1"
    assert plugin.preview(leaf, below(UNKNOWN))[0] == {"issuer": "update"}
    assert plugin.up(leaf, below(2)) == {"issuer": "update"}
    assert leaf.outputs["generation"] == 1


def test_the_line_of_an_earlier_generation_says_who_signed_it_and_until_when_it_is_accepted(plugin: PluginRuns) -> None:
    """A reviewer reads one line for each; what follows decisions reads the same as data."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "mx1")
    plugin.up(authority, root())
    issuer = issued_by(authority.outputs)
    plugin.up(leaf, client(issuer))
    plugin.up(leaf, client(issuer, organization="Example"))
    earlier = leaf.inputs["accepted_generations"][0]
    assert leaf.inputs["accepted"] == {
        "generation 1": f"until {earlier['retire_at']}; issued by mail-ca; not_after {earlier['not_after']}"
    }
    plugin.up(leaf, client(issuer, organization="Example", revoke="superseded"))
    now = plugin.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert leaf.inputs["revoked"] == {
        f"generation {each['generation']}": f"superseded on {now}; not_after {each['not_after']}"
        for each in leaf.inputs["revoked_generations"]
    }
    assert len(leaf.inputs["revoked"]) == 2


def test_an_issuer_that_cannot_be_read_is_named(plugin: PluginRuns) -> None:
    """Key and chain, each in one sentence that quotes nothing of it."""
    plugin.hidden.add("hush-hush")
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "mx1")
    plugin.up(authority, root())
    for part, words in (("private_key_pem", "issuer.private_key_pem: "), ("chain_pem", "issuer: ")):
        broken: dict[str, Any] = {part: Secret("hush-hush")}
        assert plugin.refusal(leaf.check, server(issued_by(authority.outputs, **broken))).startswith(words)


def test_a_certificate_that_somebody_broke_in_the_state_is_one_sentence(plugin: PluginRuns) -> None:
    """It is needed where another chain comes behind it; where nothing changes it stays as it is."""
    authority, leaf = plugin.resource("Certificate", "mail-ca"), plugin.resource("Certificate", "mx1")
    plugin.up(authority, root())
    issuer = issued_by(authority.outputs)
    plugin.up(leaf, server(issuer))
    leaf.outputs["certificate_pem"] = "broken"
    assert plugin.up(leaf, server(issuer)) == {}
    moved = server(issued_by(authority.outputs, generation=7))
    sentence = plugin.refusal(leaf.apply, leaf.check(moved))
    assert sentence.startswith("certificate: got no PEM block")
