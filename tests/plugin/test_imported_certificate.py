"""A certificate that somebody else signed for a key of ours."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cryptography import x509

from pki.fingerprint import certificate_fingerprint_sha256
from pki.issuing import Issuer
from pki.keys import private_key_pem
from pki.model import KeyAlgorithm, Profile, Subject, SubjectAltNames
from pki.profile_extensions import key_usage
from pki.profiles import Purpose
from pki.verification import chain_pem
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Secret
from tests.support.resource_properties import instant, key_pem
from tests.support.specimens import VALIDITY, issue_leaf, key_of, make_authority, sign_by_hand

NOTES = {"name": "mx1", "dns_names": ["mx1.example.org"]}


@cache
def root() -> Issuer:
    """Return the root above all others."""
    return make_authority()


@cache
def middle() -> Issuer:
    """Return the authority that signs."""
    return make_authority(root())


@cache
def leaf() -> x509.Certificate:
    """Return the certificate that was signed."""
    return issue_leaf(middle())


def whole() -> list[x509.Certificate]:
    """Return the chain that a server needs."""
    return [leaf(), middle().certificate]


def imported(chain: list[x509.Certificate] | None = None, **changes: Any) -> dict[str, Any]:
    """Return the declaration of an imported chain."""
    return {**NOTES, "chain_pem": chain_pem(chain or whole()), "private_key_pem": Secret(key_pem())} | changes


def test_a_good_chain_is_taken_and_its_facts_are_known_in_a_preview(plugin: PluginRuns) -> None:
    """Nothing is made here, so a preview knows everything; a second run changes nothing; the key is not stored."""
    resource = plugin.resource("ImportedCertificate", "mx1")
    _, planned = plugin.preview(resource, imported())
    plugin.up(resource, imported())
    assert resource.outputs == planned
    assert planned["fingerprint_sha256"] == certificate_fingerprint_sha256(leaf())
    assert planned["chain_pem"] == chain_pem(whole())
    assert planned["certificate_pem"] == chain_pem([leaf()])
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
    renewed = issue_leaf(middle(), serial_number=201)
    changes = plugin.up(resource, imported([renewed, middle().certificate], renew_before_hours=24))
    assert changes == dict.fromkeys(("chain", "fingerprint_sha256", "renew_at", "serial_number"), "update")
    assert resource.outputs["serial_number"] == "c9"
    assert resource.outputs["certificate_pem"] == chain_pem([renewed])


def test_with_a_key_that_is_not_known_yet_everything_else_is_checked(plugin: PluginRuns) -> None:
    """In such a preview a wrong name is found; whether the key fits, `up` says."""
    resource = plugin.resource("ImportedCertificate", "mx1")
    assert plugin.preview(resource, imported(private_key_pem=UNKNOWN))[1]["serial_number"] == "c8"
    assert plugin.problems(resource, imported(private_key_pem=UNKNOWN, dns_names=["mx2.example.org"]))


REFUSED: dict[str, tuple[Callable[[], dict[str, Any]], list[str]]] = {
    "wrong key": (lambda: {"private_key_pem": Secret(key_pem("another"))}, ["chain[0]"]),
    "name not covered": (lambda: {"dns_names": ["mx1.example.org", "mx2.example.org"]}, ["dns_names[1]"]),
    "wrong issuer": (lambda: {"chain": [leaf(), root().certificate]}, ["chain[1]", "chain[1]"]),
    "foreign intermediate": (
        lambda: {"chain": [leaf(), make_authority(root(), subject=Subject("Somebody else")).certificate]},
        ["chain[1]"],
    ),
    "wrong name": (
        lambda: {"chain": [issue_leaf(middle(), alt_names=SubjectAltNames(dns_names=("x.example.org",)))]},
        ["dns_names[0]"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_must_not_be_served_is_refused_with_every_reason(plugin: PluginRuns, case: str) -> None:
    """Key, names and signatures are checked before anything uses the chain."""
    changes, paths = REFUSED[case]
    problems = plugin.problems(plugin.resource("ImportedCertificate", "mx1"), imported(**changes()))
    assert [problem.partition(":")[0] for problem in problems] == paths


ORDERS: dict[str, Callable[[], list[x509.Certificate]]] = {
    "intermediate first": lambda: whole()[::-1],
    "with the root": lambda: [*whole(), root().certificate],
    "with the root first and the leaf twice": lambda: [root().certificate, leaf(), *whole()],
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_chain_in_another_order_is_put_in_order(plugin: PluginRuns, order: str) -> None:
    """What is served is leaf first, without the root; a change of the order alone is no change."""
    resource = plugin.resource("ImportedCertificate", "mx1")
    plugin.up(resource, imported(ORDERS[order]()))
    assert resource.outputs["chain_pem"] == chain_pem(whole())
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
    assert sentence.startswith("chain_pem: ")
    assert "\n" not in sentence


def test_what_is_no_key_is_refused_in_one_sentence(plugin: PluginRuns) -> None:
    """With the argument that it was given as."""
    plugin.hidden.add("hush-hush")
    resource = plugin.resource("ImportedCertificate", "mx1")
    sentence = plugin.refusal(resource.check, imported(private_key_pem=Secret("hush-hush")))
    assert sentence.startswith("private_key_pem: ")
    assert "\n" not in sentence


@cache
def without_usages() -> x509.Certificate:
    """Return a certificate that is for no purpose in particular."""
    return sign_by_hand(x509.BasicConstraints(ca=False, path_length=None), issuer=middle())


@cache
def without_signatures() -> x509.Certificate:
    """Return a client's certificate whose key may sign no handshake."""
    purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier(Purpose.CLIENT_AUTH.value)])
    return sign_by_hand(purposes, key_usage(Profile.ROOT, KeyAlgorithm.ECDSA_P256), issuer=middle())


BY_HAND = (without_usages, without_signatures)


@pytest.mark.parametrize(
    ("made", "profile", "words"),
    [
        pytest.param(Profile.CLIENT, "client", [], id="a client's"),
        pytest.param(Profile.SERVER_AND_CLIENT, "client", [], id="of both"),
        pytest.param(Profile.SERVER_AND_CLIENT, "server_and_client", [], id="of both as both"),
        pytest.param(without_usages, "client", [], id="of no purpose in particular"),
        pytest.param(Profile.SERVER, "client", ["lacks clientAuth", "2026", "its own authority"], id="a server's"),
        pytest.param(Profile.SERVER, "server_and_client", ["lacks clientAuth"], id="a server's as both"),
        pytest.param(Profile.CLIENT, "server_and_client", ["lacks serverAuth"], id="a client's as both"),
        pytest.param(without_signatures, "client", ["lacks digitalSignature"], id="no signatures"),
    ],
)
def test_what_a_client_presents_must_be_for_clients(
    plugin: PluginRuns, made: Profile | Callable[[], x509.Certificate], profile: str, words: list[str]
) -> None:
    """Public authorities left clientAuth out in 2026, which is the first question of whoever reads that it lacks."""
    resource = plugin.resource("ThirdPartyClientCertificate", "partner")
    presented = issue_leaf(middle(), made) if isinstance(made, Profile) else made()
    key = private_key_pem(key_of(KeyAlgorithm.ECDSA_P256, "by hand")) if made in BY_HAND else key_pem()
    chain = [presented, middle().certificate]
    declared = imported(chain, profile=profile, dns_names=[], private_key_pem=Secret(key))
    if not words:
        plugin.up(resource, declared)
        assert resource.outputs["fingerprint_sha256"] == certificate_fingerprint_sha256(presented)
        return
    (problem,) = plugin.problems(resource, declared)
    assert all(word in problem for word in words)
