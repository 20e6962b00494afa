"""What authorities register: a protected key and a certificate, in a preview as well."""

from typing import Any

import pulumi
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

import pki
from postseal_core.errors import ConfigError
from tests.support.declarations import mistake_of
from tests.support.mocks import run_program, secrets_in_clear
from tests.support.provider import UNKNOWN, Secret
from tests.support.test_authority import ThrowAwayAuthority

OLD_CA = ThrowAwayAuthority("Old CA").certificate_pem


def root() -> pki.CertificateAuthority:
    """Return the root of these tests."""
    return pki.CertificateAuthority("mail-ca", common_name="Example Mail CA", organization="Example", country="CH")


def test_a_root_is_a_component_with_a_key_and_a_certificate() -> None:
    """Both stand below the component; the certificate carries the name and the key's content, as a secret."""
    program = run_program(root)
    assert program.tree() == {
        "CertificateAuthority mail-ca": "",
        "PrivateKey mail-ca-key": "CertificateAuthority mail-ca",
        "Certificate mail-ca": "CertificateAuthority mail-ca",
    }
    assert program.one("PrivateKey").properties == {"algorithm": "ECDSA", "ecdsaCurve": "P256"}
    assert program.one("Certificate").properties == {
        "name": "mail-ca",
        "profile": "root",
        "common_name": "Example Mail CA",
        "organization": "Example",
        "country": "CH",
        "slot": "mail-ca/1",
        "private_key_pem": Secret("privateKeyPem of mail-ca-key"),
    }


def test_a_component_registers_its_outputs() -> None:
    """The fingerprint stands in the state of the component, where a person looks for it."""
    component = run_program(root).one("CertificateAuthority")
    assert component.has_outputs
    assert component.outputs == {"fingerprint_sha256": "fingerprint_sha256 of mail-ca"}


def test_an_intermediate_gets_everything_of_its_issuer_from_its_outputs() -> None:
    """Slot, generation and dates are in clear, the key is a secret, and the chain starts with the issuer."""
    program = run_program(lambda: pki.IntermediateAuthority("office-ca", authority=root(), common_name="Office CA"))
    properties = program.one("Certificate", "office-ca").properties
    assert properties["issuer"] == {
        "slot": "mail-ca/1",
        "slots": ["mail-ca/1"],
        "generation": 1,
        "not_before": "2026-06-01T12:00:00Z",
        "not_after": "2027-06-01T12:00:00Z",
        "chain_pem": "certificate_pem of mail-ca",
        "private_key_pem": Secret("privateKeyPem of mail-ca-key"),
    }
    assert not [name for name in properties if name.startswith("issuer_")]
    assert (properties["profile"], properties["path_length"]) == ("intermediate", 0)
    assert program.tree()["IntermediateAuthority office-ca"] == ""


def test_a_chain_grows_with_every_authority_below() -> None:
    """What an authority hands on is its own certificate and then those above it."""

    def three() -> None:
        middle = pki.IntermediateAuthority("a", authority=root(), common_name="A", path_length=1)
        lower = pki.IntermediateAuthority("b", authority=middle, common_name="B")
        pki.ClientCertificate("alice", authority=lower, email="alice@example.org")

    issuer = run_program(three).one("ClientCertificate", "alice").properties["issuer"]
    assert issuer["chain_pem"] == "certificate_pem of bcertificate_pem of acertificate_pem of mail-ca"
    assert issuer["above"] == [{"name": "a", "generation": 1}]


def test_in_a_preview_what_is_not_made_yet_is_unknown_and_nothing_is_computed_from_it() -> None:
    """Key and chain of a new root are unknown; generation and dates follow from its inputs and are known."""
    program = run_program(
        lambda: pki.IntermediateAuthority("office-ca", authority=root(), common_name="Office CA"), preview=True
    )
    assert program.one("Certificate", "mail-ca").properties["private_key_pem"] == UNKNOWN
    issuer = program.one("Certificate", "office-ca").properties["issuer"]
    assert issuer["private_key_pem"] == issuer["chain_pem"] == UNKNOWN
    assert (issuer["generation"], issuer["slot"]) == (1, "mail-ca/1")
    assert len(program.registrations) == 6


@pytest.mark.parametrize("preview", [True, False])
def test_authorities_and_all_below_them_are_protected_unless_told_otherwise(*, preview: bool) -> None:
    """A lost key means new certificates for everybody, so the engine refuses to delete it; `protect=False` lets go."""

    def both() -> None:
        open_root = pki.CertificateAuthority(
            "open-ca", common_name="Open CA", opts=pulumi.ResourceOptions(protect=False)
        )
        pki.IntermediateAuthority("office-ca", authority=open_root, common_name="Office CA")

    protected = {each.name: each.is_protected for each in run_program(both, preview=preview).registrations}
    assert protected == dict.fromkeys(("open-ca", "open-ca-key"), False) | dict.fromkeys(
        ("office-ca", "office-ca-key"), True
    )


def test_other_options_do_not_take_the_protection_away() -> None:
    """Options that say nothing of protection are added to it."""
    program = run_program(
        lambda: pki.CertificateAuthority(
            "mail-ca", common_name="CA", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old-ca")])
        )
    )
    assert all(each.is_protected for each in program.registrations)


def test_a_renamed_authority_keeps_what_it_has_through_an_alias() -> None:
    """The alias reaches the engine, which applies it to everything that stands below the component."""
    program = run_program(
        lambda: pki.CertificateAuthority(
            "mail-ca", common_name="CA", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old-ca")])
        )
    )
    assert program.one("CertificateAuthority").aliases == ("old-ca",)
    below = [each for each in program.registrations if each.type != "postseal:index:CertificateAuthority"]
    assert [each.parent for each in below] == [program.one("CertificateAuthority").urn] * 2


def test_an_adopted_authority_brings_its_key_and_no_other_is_made() -> None:
    """Certificate and key come from outside; a key that was given in plain text is a secret from then on."""
    certificate = ThrowAwayAuthority("Old CA").certificate_pem
    adopted = pki.AdoptedAuthority(certificate, "private_key_pem of old-ca")
    program = run_program(lambda: pki.CertificateAuthority("old-ca", adopt=adopted))
    properties = program.one("Certificate").properties
    assert properties["adopt_certificate_pem"] == certificate
    assert properties["private_key_pem"] == Secret("private_key_pem of old-ca")
    assert "PrivateKey old-ca-key" not in program.tree()
    assert secrets_in_clear(properties) == []
    assert "private_key" not in repr(adopted)


@pytest.mark.parametrize("is_traditional", [False, True])
def test_an_encrypted_key_of_an_adopted_authority_is_opened(is_traditional: bool) -> None:  # noqa: FBT001
    """The resource gets the key in clear, as a secret; the passphrase, which may be an output, goes nowhere else."""
    form = PrivateFormat.TraditionalOpenSSL if is_traditional else PrivateFormat.PKCS8
    old = ThrowAwayAuthority("Old CA")
    key = load_pem_private_key(old.private_key_pem.encode(), None)
    encrypted = key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"swordfish")).decode()
    passphrase = pulumi.Output.from_input("swordfish")
    adopted = pki.AdoptedAuthority(old.certificate_pem, encrypted, private_key_passphrase=passphrase)
    program = run_program(lambda: pki.CertificateAuthority("old-ca", adopt=adopted))
    properties = program.one("Certificate").properties
    assert properties["private_key_pem"] == Secret(old.private_key_pem)
    assert "swordfish" not in str([each.properties for each in program.registrations])
    assert "swordfish" not in repr(adopted)


def test_a_passphrase_that_does_not_open_the_key_stops_the_program_without_showing_it() -> None:
    """As a sentence; the right one, above, opens it."""
    old = ThrowAwayAuthority("Old CA")
    key = load_pem_private_key(old.private_key_pem.encode(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"swordfish")).decode()
    adopted = pki.AdoptedAuthority(old.certificate_pem, encrypted, private_key_passphrase="rumpelstiltskin")
    with pytest.raises(Exception, match="does not open the key") as caught:
        run_program(lambda: pki.CertificateAuthority("old-ca", adopt=adopted))
    assert isinstance(caught.value, pulumi.RunError)
    assert not any(word in str(caught.value) for word in ("swordfish", "rumpelstiltskin", "PRIVATE KEY"))


@pytest.mark.parametrize(
    ("certificate_pem", "fields", "expected"),
    [
        ("", {}, ["adopt.certificate_pem: certificate: got no PEM block"]),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", {}, ["adopt.certificate_pem: certificate"]),
        (OLD_CA, {"key_algorithm": "RSA-4096"}, ["key_algorithm: the adopted certificate's key is ECDSA-P256; leave"]),
        (OLD_CA, {"key_algorithm": "ECDSA-P256"}, []),
        (OLD_CA, {}, []),
    ],
    ids=["empty", "damaged", "another algorithm", "its algorithm", "nothing said"],
)
def test_an_adopted_certificate_is_read_before_anything_is_registered(
    certificate_pem: str, fields: dict[str, Any], expected: list[str]
) -> None:
    """What it says about its key decides; a mistake has the path of its argument."""

    def declare() -> None:
        adopted = pki.AdoptedAuthority(certificate_pem, "a key that the engine keeps")
        pki.CertificateAuthority("old-ca", adopt=adopted, **fields)

    if not expected:
        assert run_program(declare).one("Certificate", "old-ca").properties["adopt_certificate_pem"] == OLD_CA
        return
    found = [str(problem) for problem in mistake_of(declare).problems]
    assert len(found) == len(expected)
    for problem, beginning in zip(found, expected, strict=True):
        assert problem.startswith(f"authorities.old-ca.{beginning}")


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        (pki.KeyAlgorithm.ECDSA_P384, {"algorithm": "ECDSA", "ecdsaCurve": "P384"}),
        ("RSA-4096", {"algorithm": "RSA", "rsaBits": 4096}),
        ("ED25519", {"algorithm": "ED25519"}),
    ],
)
def test_the_key_is_of_the_declared_algorithm(algorithm: Any, expected: dict[str, object]) -> None:
    """Words of the stack file become the words of the key's own resource."""
    program = run_program(lambda: pki.CertificateAuthority("ca", common_name="CA", key_algorithm=algorithm))
    assert program.one("PrivateKey").properties == expected
    assert program.one("Certificate").properties["key_algorithm"] == str(algorithm)


def test_limits_and_lifetime_are_passed_on_and_what_is_not_given_is_left_out() -> None:
    """A path length of 0 is a limit; None is none and does not appear."""
    program = run_program(
        lambda: pki.CertificateAuthority(
            "ca",
            common_name="CA",
            path_length=0,
            name_constraints=pki.NameConstraints(permitted_dns=("example.org",), excluded_email=(".example.net",)),
            lifetime=pki.LifetimePolicy(validity_hours=1000, renew_before_hours=100),
        )
    )
    properties = program.one("Certificate").properties
    assert properties["path_length"] == 0
    assert properties["permitted_dns"] == ["example.org"]
    assert properties["excluded_email"] == [".example.net"]
    assert (properties["validity_hours"], properties["renew_before_hours"]) == (1000, 100)
    assert not properties.keys() & {"renew_fraction", "excluded_dns", "permitted_email", "organization"}


def test_an_address_of_revocation_lists_stands_in_what_the_authority_issues_and_not_in_its_own_certificate() -> None:
    """The address is that of the list that this authority signs."""

    def both() -> None:
        authority = pki.CertificateAuthority("ca", common_name="CA", crl_urls=["http://example.org/ca.crl"])
        pki.ClientCertificate("alice", authority=authority, email="alice@example.org")

    program = run_program(both)
    assert "crl_urls" not in program.one("Certificate", "ca").properties
    issuer = program.one("ClientCertificate", "alice").properties["issuer"]
    assert issuer["crl_urls"] == ["http://example.org/ca.crl"]


def test_an_impossible_declaration_is_refused_before_anything_is_registered() -> None:
    """Problems that need no plugin to be seen are all raised at once, and the program has registered nothing yet."""
    with pytest.raises(ConfigError) as caught:
        run_program(
            lambda: pki.CertificateAuthority(
                "ca", common_name="CA", crl_urls=["ftp://example.org/ca.crl"], slots=pki.Slots(active=0)
            )
        )
    assert {problem.path.split(".")[1] for problem in caught.value.problems} == {"ca"}
    assert len(caught.value.problems) >= 2
