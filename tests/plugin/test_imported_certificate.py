"""A certificate that somebody else signed for a key of ours."""

from typing import Any

import pytest

from pki.fingerprint import certificate_fingerprint_sha256
from pki.model import Subject, SubjectAltNames
from pki.verification import chain_pem
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Secret
from tests.support.resource_properties import instant, key_pem
from tests.support.specimens import VALIDITY, issue_leaf, make_authority

ROOT = make_authority()
MIDDLE = make_authority(ROOT)
LEAF = issue_leaf(MIDDLE)
OTHER_AUTHORITY = make_authority(ROOT, subject=Subject("Somebody else"))
CHAIN = [LEAF, MIDDLE.certificate]
NOTES = {"name": "mx1", "dns_names": ["mx1.example.org"]}


def imported(chain: list[Any] = CHAIN, **changes: Any) -> dict[str, Any]:
    """Return the declaration of an imported chain."""
    return {**NOTES, "chain_pem": chain_pem(chain), "private_key_pem": Secret(key_pem())} | changes


def test_a_good_chain_is_taken_and_its_facts_are_known_in_a_preview(plugin: PluginRuns) -> None:
    """Nothing is made here, so a preview knows everything; a second run changes nothing; the key is not stored."""
    resource = plugin.resource("ImportedCertificate", "mx1")
    _, planned = plugin.preview(resource, imported())
    plugin.up(resource, imported())
    assert resource.outputs == planned
    assert planned["fingerprint_sha256"] == certificate_fingerprint_sha256(LEAF)
    assert planned["chain_pem"] == chain_pem(CHAIN)
    assert planned["certificate_pem"] == chain_pem([LEAF])
    assert instant(planned["not_after"]) == VALIDITY.not_after
    assert (VALIDITY.not_after - instant(planned["renew_at"])).days == 30
    assert plugin.up(resource, imported()) == {}
    before = dict(resource.inputs), dict(resource.outputs)
    resource.refresh()
    assert (resource.inputs, resource.outputs) == before
    resource.delete()


def test_a_chain_that_is_replaced_is_an_update_in_place(plugin: PluginRuns) -> None:
    """The next answer of the signer shows as another serial number and fingerprint."""
    resource = plugin.resource("ImportedCertificate", "mx1")
    plugin.up(resource, imported())
    renewed = issue_leaf(MIDDLE, serial_number=201)
    changes = plugin.up(resource, imported([renewed, MIDDLE.certificate], renew_before_hours=24))
    assert changes == dict.fromkeys(("chain", "fingerprint_sha256", "renew_at", "serial_number"), "update")
    assert resource.outputs["serial_number"] == "c9"
    assert resource.outputs["certificate_pem"] == chain_pem([renewed])


def test_with_a_key_that_is_not_known_yet_everything_else_is_checked(plugin: PluginRuns) -> None:
    """In such a preview a wrong name is found; whether the key fits, `up` says."""
    resource = plugin.resource("ImportedCertificate", "mx1")
    assert plugin.preview(resource, imported(private_key_pem=UNKNOWN))[1]["serial_number"] == "c8"
    assert plugin.problems(resource, imported(private_key_pem=UNKNOWN, dns_names=["mx2.example.org"]))


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"private_key_pem": Secret(key_pem("another"))}, ["chain[0]"]),
        ({"dns_names": ["mx1.example.org", "mx2.example.org"]}, ["dns_names[1]"]),
        ({"chain": [LEAF, ROOT.certificate]}, ["chain[1]", "chain[1]"]),
        ({"chain": [LEAF, OTHER_AUTHORITY.certificate]}, ["chain[1]"]),
        ({"chain": [issue_leaf(MIDDLE, alt_names=SubjectAltNames(dns_names=("x.example.org",)))]}, ["dns_names[0]"]),
    ],
    ids=["wrong key", "name not covered", "wrong issuer", "foreign intermediate", "wrong name"],
)
def test_what_must_not_be_served_is_refused_with_every_reason(
    plugin: PluginRuns, changes: dict[str, Any], paths: list[str]
) -> None:
    """Key, names and signatures are checked before anything uses the chain."""
    problems = plugin.problems(plugin.resource("ImportedCertificate", "mx1"), imported(**changes))
    assert [problem.partition(":")[0] for problem in problems] == paths


@pytest.mark.parametrize(
    "chain",
    [[MIDDLE.certificate, LEAF], [LEAF, MIDDLE.certificate, ROOT.certificate], [ROOT.certificate, LEAF, *CHAIN]],
    ids=["intermediate first", "with the root", "with the root first and the leaf twice"],
)
def test_a_chain_in_another_order_is_put_in_order(plugin: PluginRuns, chain: list[Any]) -> None:
    """What is served is leaf first, without the root; a change of the order alone is no change."""
    resource = plugin.resource("ImportedCertificate", "mx1")
    plugin.up(resource, imported(chain))
    assert resource.outputs["chain_pem"] == chain_pem(CHAIN)
    assert plugin.up(resource, imported()) == {}


def test_an_expired_chain_is_refused(plugin: PluginRuns) -> None:
    """From the second after not_after on, every run says that a new chain is needed."""
    resource = plugin.resource("ImportedCertificate", "mx1")
    plugin.up(resource, imported())
    plugin.now = VALIDITY.not_after
    assert plugin.up(resource, imported()) == {}
    plugin.now = VALIDITY.not_after.replace(year=VALIDITY.not_after.year + 1)
    (problem,) = plugin.problems(resource, imported())
    assert "expired at" in problem


@pytest.mark.parametrize("text", ["", "hush-hush", "-----BEGIN CERTIFICATE-----\nhush-hush\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused_in_one_sentence(plugin: PluginRuns, text: str) -> None:
    """Text that cannot be read is not quoted."""
    plugin.hidden.add("hush-hush")
    sentence = plugin.refusal(plugin.resource("ImportedCertificate", "mx1").check, imported(chain_pem=text))
    assert sentence.startswith("chain_pem")
    assert "\n" not in sentence
