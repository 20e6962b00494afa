"""Taking over an authority that openssl made."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Secret
from tests.support.resource_properties import certificate_of, client, instant, issued_by, key_pem, root

pytestmark = pytest.mark.needs_openssl


@pytest.fixture
def made_elsewhere(tmp_path: Path) -> dict[str, str]:
    """Return certificate and key of a root that openssl made."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -sha256 -days 3650"
    subprocess.run(
        [
            *command.split(),
            *("-keyout", "key.pem", "-out", "ca.pem", "-subj", "/C=CH/O=Example/CN=Old CA"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    return {name: (tmp_path / name).read_text() for name in ("ca.pem", "key.pem")}


def adopted(made_elsewhere: dict[str, str], **changes: Any) -> dict[str, Any]:
    """Return the declaration that takes the authority over."""
    declared = root("old-ca", common_name="Old CA", organization="Example", country="CH")
    declared["private_key_pem"] = Secret(made_elsewhere["key.pem"])
    return declared | {"adopt_certificate_pem": made_elsewhere["ca.pem"]} | changes


def test_an_adopted_authority_keeps_its_certificate_and_signs(
    plugin: PluginRuns, made_elsewhere: dict[str, str]
) -> None:
    """The certificate is generation 1 as it is, nothing changes in a second run, and leaves verify under it."""
    authority, leaf = plugin.resource("Certificate", "old-ca"), plugin.resource("Certificate", "alice")
    declared = adopted(made_elsewhere)
    plugin.now = plugin.now.replace(year=2030)
    plugin.up(authority, declared)
    assert authority.outputs["certificate_pem"] == made_elsewhere["ca.pem"]
    assert authority.outputs["generation"] == 1
    assert plugin.up(authority, declared) == {}
    issuer = issued_by(authority.outputs, "old-ca", private_key_pem=declared["private_key_pem"])
    plugin.up(leaf, client(issuer))
    certificate_of(leaf.outputs).verify_directly_issued_by(certificate_of(authority.outputs))


def test_an_adopted_certificate_says_that_it_stands_in_for_another(
    plugin: PluginRuns, made_elsewhere: dict[str, str]
) -> None:
    """Where it is declared so, as for any other."""
    plugin.now = plugin.now.replace(year=2030)
    for is_interim in (False, True):
        authority = plugin.resource("Certificate", "old-ca")
        plugin.up(authority, adopted(made_elsewhere, is_interim=is_interim))
        assert authority.outputs["is_interim"] is is_interim


def test_an_adopted_authority_is_renewed_with_its_own_key_and_name(
    plugin: PluginRuns, made_elsewhere: dict[str, str]
) -> None:
    """When its renewal is due it gets a certificate of ours: same subject, same key, generation 2."""
    authority = plugin.resource("Certificate", "old-ca")
    plugin.now = plugin.now.replace(year=2030)
    plugin.up(authority, adopted(made_elsewhere))
    old = certificate_of(authority.outputs)
    plugin.now = instant(authority.outputs["renew_at"])
    plugin.up(authority, adopted(made_elsewhere))
    new = certificate_of(authority.outputs)
    assert authority.outputs["generation"] == 2
    assert (new.subject, new.public_key()) == (old.subject, old.public_key())
    assert new.not_valid_after_utc > old.not_valid_after_utc


def test_an_authority_whose_key_is_not_known_yet_is_planned(plugin: PluginRuns, made_elsewhere: dict[str, str]) -> None:
    """In a preview in which the key is still to be made known, everything else is shown."""
    _, planned = plugin.preview(
        plugin.resource("Certificate", "old-ca"), adopted(made_elsewhere, private_key_pem=UNKNOWN)
    )
    assert planned["certificate_pem"] == UNKNOWN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"organization": "Exampel"}, "its subject is CN=Old CA,O=Example,C=CH, declared is CN=Old CA,O=Exampel,C=CH"),
        ({"private_key_pem": Secret(key_pem("another"))}, "it does not belong to private_key_pem"),
    ],
)
def test_what_does_not_fit_is_refused(
    plugin: PluginRuns, made_elsewhere: dict[str, str], changes: dict[str, Any], expected: str
) -> None:
    """A subject that is declared differently, or another key, is found before anything is taken over."""
    (problem,) = plugin.problems(plugin.resource("Certificate", "old-ca"), adopted(made_elsewhere, **changes))
    assert problem.startswith(f"adopt_certificate_pem: {expected}")


def test_a_certificate_of_another_authority_than_the_declared_one_is_refused(
    plugin: PluginRuns, made_elsewhere: dict[str, str]
) -> None:
    """What signs itself was not signed by the authority that is declared above it."""
    above = plugin.resource("Certificate", "mail-ca")
    plugin.up(above, root())
    declared = adopted(made_elsewhere, profile="intermediate", **issued_by(above.outputs))
    (problem,) = plugin.problems(plugin.resource("Certificate", "old-ca"), declared)
    assert problem.startswith("adopt_certificate_pem: it was not signed by mail-ca generation 1")


def test_a_certificate_without_its_key_cannot_be_adopted(plugin: PluginRuns, made_elsewhere: dict[str, str]) -> None:
    """Without the key there would be nothing to sign with: silence would make a new authority instead."""
    declared = adopted(made_elsewhere)
    del declared["private_key_pem"]
    (problem,) = plugin.problems(plugin.resource("Certificate", "old-ca"), declared)
    assert problem.startswith("adopt_certificate_pem: ")


@pytest.mark.parametrize("part", ["adopt_certificate_pem", "private_key_pem"])
def test_what_is_no_pem_is_refused_in_one_sentence(
    plugin: PluginRuns, made_elsewhere: dict[str, str], part: str
) -> None:
    """Text that cannot be read names the property and quotes nothing of it."""
    plugin.hidden.add("hush-hush")
    resource = plugin.resource("Certificate", "old-ca")
    sentence = plugin.refusal(resource.check, adopted(made_elsewhere, **{part: "hush-hush"}))
    assert sentence.startswith(f"{part}: ")
    assert "\n" not in sentence
