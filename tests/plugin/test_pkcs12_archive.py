"""An archive for a mail program: made once, kept until its content changes."""

import base64
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from pki.issuing import Issuer
from pki.model import Profile
from pki.verification import chain_pem
from tests.support.judges import openssl_pkcs12_info
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Resource, Secret
from tests.support.resource_properties import key_pem
from tests.support.specimens import issue_leaf, make_authority


@cache
def above() -> Issuer:
    """Return the authority that signed what is archived."""
    return make_authority()


@cache
def archived() -> x509.Certificate:
    """Return the certificate that is archived."""
    return issue_leaf(above(), Profile.CLIENT)


PASSPHRASE = "open sesame 1704"


def declared(**changes: Any) -> dict[str, Any]:
    """Return the declaration of an archive with a generated passphrase."""
    return {
        "name": "alice",
        "profile": "modern",
        "generation": 1,
        "certificate_pem": chain_pem([archived()]),
        "private_key_pem": Secret(key_pem()),
        "ca_pem": chain_pem([above().certificate]),
    } | changes


@pytest.fixture
def archive(plugin: PluginRuns) -> Resource:
    """Return an archive that does not exist yet; its passphrase must not show anywhere."""
    plugin.hidden.add(PASSPHRASE)
    return plugin.resource("Pkcs12", "alice")


def opened(archive: Resource) -> pkcs12.PKCS12KeyAndCertificates:
    """Open what the state holds with the passphrase that the state holds."""
    content, passphrase = archive.outputs["archive_p12_base64"].value, archive.outputs["passphrase"].value
    return pkcs12.load_pkcs12(base64.b64decode(content), passphrase.encode())


@pytest.mark.parametrize("profile", ["modern", "legacy"])
@pytest.mark.needs_openssl
def test_an_archive_opens_with_the_passphrase_that_was_generated(
    plugin: PluginRuns, archive: Resource, profile: str
) -> None:
    """Archive and passphrase are secret outputs, and openssl opens the one with the other."""
    _, planned = plugin.preview(archive, declared(profile=profile))
    assert planned["archive_p12_base64"] == planned["passphrase"] == UNKNOWN
    plugin.up(archive, declared(profile=profile))
    content = base64.b64decode(archive.outputs["archive_p12_base64"].value)
    verdict = openssl_pkcs12_info(content, archive.outputs["passphrase"].value, legacy=profile == "legacy")
    assert verdict.is_accepted, verdict
    assert "passphrase" not in archive.inputs


def test_the_archive_stays_byte_for_byte_until_something_in_it_changes(plugin: PluginRuns, archive: Resource) -> None:
    """Salts are random, so an archive that was built again would be handed out again for nothing."""
    plugin.up(archive, declared())
    before = dict(archive.outputs)
    assert plugin.up(archive, declared()) == {}
    archive.refresh()
    assert archive.outputs == before
    assert plugin.up(archive, declared()) == {}
    archive.delete()


def test_a_renewed_certificate_comes_in_a_new_archive_under_the_same_passphrase(
    plugin: PluginRuns, archive: Resource
) -> None:
    """Whoever imported the first archive opens the next one with the passphrase they have."""
    plugin.up(archive, declared())
    before = dict(archive.outputs)
    renewed = issue_leaf(above(), Profile.CLIENT, serial_number=201)
    changes = plugin.up(archive, declared(generation=2, certificate_pem=chain_pem([renewed])))
    assert changes == {"certificate": "update", "generation": "update"}
    assert archive.outputs["passphrase"] == before["passphrase"]
    certificate = opened(archive).cert
    assert certificate is not None
    assert certificate.certificate == renewed


@pytest.mark.parametrize("given", [Secret(PASSPHRASE), PASSPHRASE], ids=["secret", "plain"])
def test_a_declared_passphrase_is_stored_as_a_secret_however_it_was_given(
    plugin: PluginRuns, archive: Resource, given: object
) -> None:
    """The plugin wraps the passphrase also for a program that forgot to; another one makes another archive."""
    plugin.up(archive, declared(passphrase=given))
    assert archive.inputs["passphrase"] == archive.outputs["passphrase"] == Secret(PASSPHRASE)
    assert opened(archive).key is not None
    plugin.hidden.add("another passphrase")
    assert plugin.up(archive, declared(passphrase=Secret("another passphrase"))) == {"passphrase": "update"}
    assert opened(archive).key is not None


def test_a_renewal_in_a_preview_has_unknown_content(plugin: PluginRuns, archive: Resource) -> None:
    """A certificate that is still to be signed makes the archive unknown, and shows which part it is."""
    plugin.up(archive, declared())
    changes, planned = plugin.preview(
        archive, declared(generation=2, certificate_pem=UNKNOWN, private_key_pem=UNKNOWN, ca_pem=UNKNOWN)
    )
    assert changes == dict.fromkeys(("ca", "certificate", "generation", "private_key"), "update")
    assert planned["archive_p12_base64"] == UNKNOWN


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"profile": "ancient", "generation": "first", "ca_pem": 7}, ["generation", "ca_pem", "profile"]),
        (
            {"certificate_pem": "", "private_key_pem": Secret(""), "name": "", "passphrase": ""},
            ["passphrase", "name", "certificate_pem", "private_key_pem"],
        ),
        ({"passphrase": Secret("")}, ["passphrase"]),
    ],
)
def test_everything_that_is_missing_or_wrong_is_named(
    plugin: PluginRuns, archive: Resource, changes: dict[str, Any], names: list[str]
) -> None:
    """All problems of an archive are said at once."""
    problems = plugin.problems(archive, declared(**changes))
    assert [problem.partition(":")[0] for problem in problems] == names


def test_a_key_of_another_certificate_is_refused(plugin: PluginRuns, archive: Resource) -> None:
    """An archive that no mail program could use is not built."""
    checked = archive.check(declared(private_key_pem=Secret(key_pem("another"))))
    assert "does not belong to the certificate" in plugin.refusal(archive.apply, checked)


def test_content_that_was_not_handed_in_during_this_run_is_asked_for(plugin: PluginRuns, archive: Resource) -> None:
    """When only a part of a stack is changed, what an archive is made of may be missing: run it all again."""
    checked = archive.check(declared())
    plugin.start_run()
    assert "run `pulumi up` again" in plugin.refusal(archive.apply, checked)


@pytest.mark.parametrize("part", ["certificate_pem", "private_key_pem", "ca_pem"])
def test_a_part_that_cannot_be_read_is_named(plugin: PluginRuns, archive: Resource, part: str) -> None:
    """In one sentence, which quotes nothing of it."""
    plugin.hidden.add("hush-hush")
    checked = archive.check(declared(**{part: Secret("hush-hush")}))
    sentence = plugin.refusal(archive.apply, checked)
    assert sentence.startswith(f"{part}: ")
    assert "\n" not in sentence


def test_a_key_that_some_programs_cannot_import_is_told_when_an_archive_is_built(
    plugin: PluginRuns, archive: Resource
) -> None:
    """Once in the preview and once in the `up` that builds it, not at every run; other keys are not told."""
    ed25519 = declared(key_algorithm="ED25519")
    plugin.up(archive, ed25519)
    (line,) = {each for each in plugin.lines if "Thunderbird" in each}
    assert "alice: the archive has a key of ED25519" in line
    plugin.lines.clear()
    plugin.up(archive, ed25519)
    plugin.up(archive, declared(profile="legacy"))
    assert not [each for each in plugin.lines if "Thunderbird" in each]
