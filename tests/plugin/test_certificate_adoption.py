"""Taking over an authority that openssl made."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from pki.verification import load_chain
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
        ({"organization": "Exampel"}, "organization: got 'Exampel', and the adopted certificate has 'Example'"),
        (
            {"private_key_pem": Secret(key_pem("another"))},
            "adopt_certificate_pem: it does not belong to private_key_pem",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    plugin: PluginRuns, made_elsewhere: dict[str, str], changes: dict[str, Any], expected: str
) -> None:
    """A subject that is declared differently, or another key, is found before anything is taken over."""
    (problem,) = plugin.problems(plugin.resource("Certificate", "old-ca"), adopted(made_elsewhere, **changes))
    assert problem.startswith(expected)


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


# What else an authority may have, and how its stack file may differ.

LIMITED = (
    "basicConstraints=critical,CA:TRUE,pathlen:0",
    "keyUsage=critical,keyCertSign,cRLSign",
    "nameConstraints=critical,permitted;DNS:example.org,permitted;IP:10.0.0.0/255.0.0.0",
    "extendedKeyUsage=clientAuth",
    "certificatePolicies=1.2.3.4",
    "crlDistributionPoints=URI:http://pki.example.org/old.crl",
)


@pytest.fixture
def limited(tmp_path: Path) -> dict[str, str]:
    """Return certificate and key of a root with every limit that openssl knows."""
    head = "[req]\ndistinguished_name=d\nx509_extensions=v\n[d]\n[v]\n"
    (tmp_path / "openssl.cnf").write_text(head + "\n".join(LIMITED))
    command = "openssl req -x509 -newkey rsa:2048 -noenc -days 3650 -config openssl.cnf -keyout key.pem -out ca.pem"
    subprocess.run([*command.split(), "-subj", "/CN=Old CA"], cwd=tmp_path, check=True, capture_output=True)
    return {name: (tmp_path / name).read_text() for name in ("ca.pem", "key.pem")}


def unsaid(made: dict[str, str], **changes: Any) -> dict[str, Any]:
    """Return the declaration that takes an authority over and says nothing else."""
    declared = adopted(made)
    for name in ("common_name", "organization", "country", "key_algorithm"):
        del declared[name]
    return declared | changes


def extensions_of(certificate: x509.Certificate) -> list[tuple[str, bool, bytes]]:
    """Return every extension as bytes, in the order of the certificate."""
    return [(each.oid.dotted_string, each.critical, each.value.public_bytes()) for each in certificate.extensions]


def test_a_renewal_keeps_every_limit_that_nobody_repeats(plugin: PluginRuns, limited: dict[str, str]) -> None:
    """Path length, name constraints, purposes, policies and addresses of lists are as they were, byte for byte."""
    authority, plugin.now = plugin.resource("Certificate", "old-ca"), datetime.now(UTC)
    plugin.up(authority, unsaid(limited))
    old = certificate_of(authority.outputs)
    plugin.now = instant(authority.outputs["renew_at"])
    plugin.up(authority, unsaid(limited))
    new = certificate_of(authority.outputs)
    assert authority.outputs["generation"] == 2
    assert extensions_of(new) == extensions_of(old)
    assert (new.subject.public_bytes(), new.version) == (old.subject.public_bytes(), old.version)


def test_the_preview_lists_what_is_carried_on(plugin: PluginRuns, limited: dict[str, str]) -> None:
    """In the names of RFC 5280; what is changed on purpose is told as that, and later slots carry the same on."""
    authority, plugin.now = plugin.resource("Certificate", "old-ca"), datetime.now(UTC)
    carried = {
        "basicConstraints": "path length 0: no authorities below it; critical",
        "keyUsage": "keyCertSign, cRLSign; critical",
        "nameConstraints": "permitted host example.org, address 10.0.0.0/8; critical",
        "extendedKeyUsage": "certifies for clientAuth alone",
        "certificatePolicies": "1.2.3.4",
        "cRLDistributionPoints": "URI http://pki.example.org/old.crl",
    }
    plugin.up(authority, unsaid(limited))
    assert authority.inputs["carried"] == carried
    following = unsaid(limited, name="old-ca-2", slot="old-ca/2", private_key_pem=Secret(key_pem("next")))
    following |= {"carries_on": {"certificate_pem": following.pop("adopt_certificate_pem"), "number": 2}}
    second = plugin.resource("Certificate", "old-ca-2")
    plugin.up(second, following)
    assert second.inputs["carried"] == carried
    changes = plugin.up(authority, unsaid(limited, path_length=1, change=["path_length"]))
    assert changes["carried.basicConstraints"] == "delete"
    assert authority.inputs["carried"] == {name: each for name, each in carried.items() if name != "basicConstraints"}


def test_other_words_for_what_is_carried_on_change_nothing(plugin: PluginRuns, limited: dict[str, str]) -> None:
    """A newer plugin may say it better; nothing is updated for that."""
    authority, plugin.now = plugin.resource("Certificate", "old-ca"), datetime.now(UTC)
    plugin.up(authority, unsaid(limited))
    authority.inputs = {name: each for name, each in authority.inputs.items() if name != "carried"}
    assert plugin.up(authority, unsaid(limited)) == {}


def test_the_old_root_is_trusted_beside_the_new_one_until_it_expires(
    plugin: PluginRuns, made_elsewhere: dict[str, str]
) -> None:
    """What names the old root by its serial number verifies as long as that root would have lasted; no longer."""
    authority = plugin.resource("Certificate", "old-ca")
    declared = adopted(made_elsewhere)
    plugin.now = datetime.now(UTC)
    plugin.up(authority, declared)
    first = certificate_of(authority.outputs)
    plugin.now = instant(authority.outputs["renew_at"])
    plugin.up(authority, declared)
    second = certificate_of(authority.outputs)
    assert load_chain(authority.outputs["trusted_pem"], what="trusted") == [second, first]
    assert plugin.up(authority, declared) == {}
    plugin.now = first.not_valid_after_utc + timedelta(hours=1)
    assert plugin.up(authority, declared) == {"generations": "add"}
    assert authority.inputs["generations"] == "g1 retired"
    assert load_chain(authority.outputs["trusted_pem"], what="trusted") == [second]


def test_no_root_of_an_adopted_authority_is_trusted_once_its_slot_is_distrusted(
    plugin: PluginRuns, made_elsewhere: dict[str, str]
) -> None:
    """Neither the one that was made elsewhere nor its renewal; both are revoked, and neither is ever renewed."""
    authority = plugin.resource("Certificate", "old-ca")
    declared = adopted(made_elsewhere)
    plugin.now = datetime.now(UTC)
    plugin.up(authority, declared)
    plugin.now = instant(authority.outputs["renew_at"])
    plugin.up(authority, declared)
    assert len(load_chain(authority.outputs["trusted_pem"], what="trusted")) == 2
    stolen = declared | {"is_distrusted": True}
    plugin.up(authority, stolen)
    outputs = authority.outputs
    assert (outputs["trusted_pem"], outputs["previous"], outputs["generation"]) == ("", [], 2)
    assert [(each["generation"], each["reason"]) for each in outputs["revoked"]] == [
        (1, "cACompromise"),
        (2, "cACompromise"),
    ]
    plugin.now += timedelta(days=5000)
    assert plugin.up(authority, stolen) == {}
    (problem,) = plugin.problems(authority, declared)
    assert "never trusted again" in problem


DIFFERENT: dict[str, tuple[dict[str, Any], str, str]] = {
    "name": (
        {"common_name": "New CA"},
        "subject",
        "common_name: got 'New CA', and the adopted certificate has 'Old CA'",
    ),
    "part": ({"locality": "Bern"}, "subject", "locality: got 'Bern', and the adopted certificate has none"),
    "length": ({"path_length": 1}, "path_length", "path_length: got '1', and the adopted certificate has 0"),
    "names": (
        {"permitted_dns": ["example.net"]},
        "name_constraints",
        "permitted_dns: got 'example.net', and the adopted certificate has 'example.org'",
    ),
}


@pytest.mark.parametrize("difference", DIFFERENT)
def test_a_difference_is_refused_and_made_where_it_is_listed(
    plugin: PluginRuns, limited: dict[str, str], difference: str
) -> None:
    """The refusal tells the consequence; listed as a change, the preview tells it, and a new certificate has it."""
    said, change, refusal = DIFFERENT[difference]
    authority, plugin.now = plugin.resource("Certificate", "old-ca"), datetime.now(UTC)
    (problem,) = plugin.problems(authority, unsaid(limited, **said))
    assert problem.startswith(f"{refusal}: leave this out, or add {change} to adopt.change; then the authority gets")
    plugin.up(authority, unsaid(limited, change=[change], **said))
    assert authority.outputs["generation"] == 2
    assert [line for line in plugin.lines if "the authority gets" in line]
    new, old = certificate_of(authority.outputs), x509.load_pem_x509_certificate(limited["ca.pem"].encode())
    assert (new.subject == old.subject) == (change != "subject")
    changed = {oid for oid, *_ in {*extensions_of(new)} ^ {*extensions_of(old)}}
    expected = {"path_length": {"2.5.29.19"}, "name_constraints": {"2.5.29.30"}, "subject": set()}
    assert changed == expected[change]
    assert plugin.up(authority, unsaid(limited, change=[change], **said)) == {}


def test_what_is_repeated_rightly_changes_nothing(plugin: PluginRuns, limited: dict[str, str]) -> None:
    """A stack file may say what the certificate says, now or later."""
    authority, plugin.now = plugin.resource("Certificate", "old-ca"), datetime.now(UTC)
    plugin.up(authority, unsaid(limited))
    said = {"common_name": "Old CA", "path_length": 0, "permitted_dns": ["example.org"], "permitted_ip": ["10.0.0.0/8"]}
    assert plugin.up(authority, unsaid(limited, **said)) == {}
    assert authority.outputs["generation"] == 1


def test_an_expired_authority_is_not_adopted(plugin: PluginRuns, made_elsewhere: dict[str, str]) -> None:
    """Nobody would accept what it signs; once adopted, it is renewed even after its end."""
    authority = plugin.resource("Certificate", "old-ca")
    plugin.now = datetime.now(UTC)
    plugin.up(authority, adopted(made_elsewhere))
    plugin.now += timedelta(days=3651)
    (problem,) = plugin.problems(plugin.resource("Certificate", "other"), adopted(made_elsewhere))
    assert "expired on" in problem
    plugin.up(authority, adopted(made_elsewhere))
    assert authority.outputs["generation"] == 2


def test_a_change_of_the_name_that_is_taken_back_is_told_with_what_follows(
    plugin: PluginRuns, made_elsewhere: dict[str, str]
) -> None:
    """Back to the old name is another name once more, though no change is listed any more."""
    authority, plugin.now = plugin.resource("Certificate", "old-ca"), datetime.now(UTC)
    plugin.up(authority, adopted(made_elsewhere))
    plugin.up(authority, adopted(made_elsewhere, common_name="New CA", change=["subject"]))
    plugin.lines.clear()
    plugin.up(authority, adopted(made_elsewhere))
    assert authority.outputs["generation"] == 3
    assert any("the authority gets another name" in each for each in plugin.lines)
    plugin.lines.clear()
    plugin.up(authority, adopted(made_elsewhere, path_length=3, change=["path_length"]))
    assert not any("another name" in each for each in plugin.lines)
