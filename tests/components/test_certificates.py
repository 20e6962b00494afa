"""What client and server certificates, archives and hand-outs register."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

import pki
from postseal_core.errors import ConfigError
from tests.support.mocks import run_program, secrets_in_clear
from tests.support.provider import UNKNOWN, Secret


def root() -> pki.CertificateAuthority:
    """Return the root of these tests."""
    return pki.CertificateAuthority("mail-ca", common_name="Example Mail CA")


def everything() -> None:
    """Register one of each."""
    authority = root()
    alice = pki.ClientCertificate("alice", authority=authority, email="alice@example.org")
    bob = pki.ClientCertificate("bob", authority=authority, dns_names=["bob.example.org"])
    archive = pki.Pkcs12("alice", certificate=alice, passphrase="passphrase of alice")
    pki.ServerCertificate("mx1", authority=authority, dns_names=["mx1.example.org"])
    waiting = pki.ThirdPartyServerCertificate("mx2", dns_names=["mx2.example.org"])
    pki.HandOut(
        "clients",
        directory="out",
        authorities=[authority],
        clients=[alice, bob],
        archives=[archive],
        requests=[waiting],
    )


@pytest.mark.parametrize("preview", [True, False])
def test_what_is_one_thing_is_one_resource_and_what_is_several_stands_below_a_component(*, preview: bool) -> None:
    """A preview registers the same tree: nothing waits for a value."""
    assert run_program(everything, preview=preview).tree() == {
        "CertificateAuthority mail-ca": "",
        "PrivateKey mail-ca-key": "CertificateAuthority mail-ca",
        "Certificate mail-ca": "CertificateAuthority mail-ca",
        "ClientCertificate alice": "",
        "ClientCertificate bob": "",
        "Pkcs12 alice": "",
        "ServerCertificate mx1": "",
        "ThirdPartyServerCertificate mx2": "",
        "PrivateKey mx2-key": "ThirdPartyServerCertificate mx2",
        "CertRequest mx2-request": "ThirdPartyServerCertificate mx2",
        "Certificate mx2": "ThirdPartyServerCertificate mx2",
        "HandOut clients": "",
    }


@pytest.mark.parametrize("preview", [True, False])
def test_every_component_registers_outputs_and_no_secret_goes_out_in_clear(*, preview: bool) -> None:
    """Keys, archives and passphrases are secrets in every property and every output; components are complete."""
    program = run_program(everything, preview=preview)
    components = {each.parent for each in program.registrations} - {program.registrations[0].parent}
    assert components == {each.urn for each in program.registrations if each.has_outputs}
    for each in program.registrations:
        assert secrets_in_clear(each.properties) == []
        assert secrets_in_clear(each.outputs) == []


def test_a_person_is_named_by_e_mail_address_and_a_host_by_its_name() -> None:
    """What is not given is left out; the common name is by default the first name, which the plugin sees to."""
    program = run_program(everything)
    alice, bob = (program.one("ClientCertificate", name).properties for name in ("alice", "bob"))
    assert (alice["profile"], alice["email"]) == ("client", "alice@example.org")
    assert bob["dns_names"] == ["bob.example.org"]
    absent = {"common_name", "dns_names", "match", "confirm", "confirmed_generation", "revoke", "issue_again"}
    assert not alice.keys() & absent
    assert "private_key_pem" not in {name for name, value in alice.items() if value}


def test_what_a_client_declares_beyond_its_name_is_passed_on() -> None:
    """Matching, confirmation and revocation reach the resource under the same words."""
    program = run_program(
        lambda: pki.ClientCertificate(
            "alice",
            authority=root(),
            email="alice@example.org",
            common_name="Alice",
            match="public_key",
            confirm=True,
            confirmed_generation=3,
            revoke="keyCompromise",
            issue_again=True,
            key_algorithm="RSA-2048",
            lifetime=pki.LifetimePolicy(renew_key_every=0),
            ip_addresses=["192.0.2.7"],
        )
    )
    expected = {
        "common_name": "Alice",
        "match": "public_key",
        "confirm": True,
        "confirmed_generation": 3,
        "revoke": "keyCompromise",
        "issue_again": True,
        "key_algorithm": "RSA-2048",
        "renew_key_every": 0,
        "renew_fraction": "2/3",
        "ip_addresses": ["192.0.2.7"],
    }
    assert expected.items() <= program.one("ClientCertificate", "alice").properties.items()


@pytest.mark.parametrize(("also_client", "profile"), [(False, "server"), (True, "server_and_client")])
def test_a_server_is_a_client_only_when_it_is_asked_for(*, also_client: bool, profile: str) -> None:
    """The profile decides the extended key usage."""
    program = run_program(
        lambda: pki.ServerCertificate(
            "mx1", authority=root(), dns_names=["mx1.example.org"], ip_addresses=["192.0.2.1"], also_client=also_client
        )
    )
    properties = program.one("ServerCertificate", "mx1").properties
    assert properties["profile"] == profile
    assert properties["ip_addresses"] == ["192.0.2.1"]


def test_a_server_that_signs_itself_has_no_issuer() -> None:
    """Nothing of an authority is passed on."""
    program = run_program(lambda: pki.ServerCertificate("mx1", self_signed=True, dns_names=["mx1.example.org"]))
    properties = program.one("ServerCertificate").properties
    assert not [name for name in properties if name.startswith("issuer")]


@pytest.mark.parametrize(("has_authority", "self_signed"), [(True, True), (False, False)])
def test_a_server_has_an_authority_or_signs_itself(*, has_authority: bool, self_signed: bool) -> None:
    """Both or neither is refused before anything of the server is registered."""

    def wrong() -> None:
        authority = root() if has_authority else None
        pki.ServerCertificate("mx1", authority=authority, self_signed=self_signed, dns_names=["mx1.example.org"])

    with pytest.raises(pulumi.RunError, match=r"^servers\.mx1: give either an authority or self_signed=True$"):
        run_program(wrong)


NAMELESS: dict[str, Callable[[], object]] = {
    "server": lambda: pki.ServerCertificate("mx1", self_signed=True, dns_names=[]),
    "third party": lambda: pki.ThirdPartyServerCertificate("mx1", dns_names=[]),
}


@pytest.mark.parametrize("declare", NAMELESS.values(), ids=NAMELESS.keys())
def test_a_server_without_a_name_is_refused_in_one_sentence(declare: Callable[[], object]) -> None:
    """A certificate that no client could check is a mistake in the declaration."""
    with pytest.raises(pulumi.RunError, match=r"^servers\.mx1\.dns_names: is empty, expected the names"):
        run_program(declare)


def test_a_third_party_signs_a_request_while_the_key_signs_itself() -> None:
    """Until the answer is there, the same key serves a certificate that it signed itself."""
    program = run_program(everything)
    request = program.one("CertRequest").properties
    assert request["privateKeyPem"] == Secret("privateKeyPem of mx2-key")
    assert request["dnsNames"] == ["mx2.example.org"]
    assert request["subject"] == {"commonName": "mx2.example.org"}
    interim = program.one("Certificate", "mx2").properties
    assert interim["private_key_pem"] == Secret("privateKeyPem of mx2-key")
    assert interim["is_interim"] is True
    assert program.one("ThirdPartyServerCertificate").outputs == {"cert_request_pem": "certRequestPem of mx2-request"}


def test_an_answer_of_the_third_party_is_imported_in_place_of_the_interim_certificate() -> None:
    """The chain is handed over with the key and the names that it must fit."""
    program = run_program(
        lambda: pki.ThirdPartyServerCertificate("mx2", dns_names=["mx2.example.org"], signed_chain_pem="the chain")
    )
    assert program.one("ImportedCertificate").properties == {
        "name": "mx2",
        "dns_names": ["mx2.example.org"],
        "chain_pem": "the chain",
        "private_key_pem": Secret("privateKeyPem of mx2-key"),
    }
    assert "Certificate mx2" not in program.tree()


def test_an_archive_takes_all_its_content_from_the_certificate() -> None:
    """The passphrase is a secret also when it was given as plain text."""
    assert run_program(everything).one("Pkcs12").properties == {
        "name": "alice",
        "generation": 1,
        "certificate_pem": "certificate_pem of alice",
        "private_key_pem": Secret("private_key_pem of alice"),
        "ca_pem": "certificate_pem of mail-ca",
        "passphrase": Secret("passphrase of alice"),
    }


def test_a_hand_out_has_a_folder_and_a_line_for_each_client() -> None:
    """Certificates and roots are plain, keys and archives secret and marked for mode 0400."""
    properties = run_program(everything).one("HandOut").properties
    assert properties["directory"] == "out"
    assert properties["folders"]["clients/alice"] == {
        "alice.cert.pem": {"text": "chain_pem of alice"},
        "alice.key.pem": {"text": Secret("private_key_pem of alice"), "is_secret": True},
        "alice.p12": {"base64": Secret("archive_p12_base64 of alice"), "is_secret": True},
        "alice.txt": {
            "mail": {
                "name": "alice",
                "fingerprint_sha256": "fingerprint_sha256 of alice",
                "not_after": "2027-06-01T12:00:00Z",
                "renew_at": "2027-01-30T20:00:00Z",
            }
        },
        "ca.pem": {"text": "certificate_pem of mail-ca"},
    }
    assert properties["folders"]["clients/bob"].keys() == {"bob.cert.pem", "bob.key.pem", "ca.pem"}
    assert properties["folders"]["ca"] == {"ca.pem": {"text": "certificate_pem of mail-ca"}}
    assert properties["folders"]["requests"] == {"mx2.csr.pem": {"text": "certRequestPem of mx2-request"}}
    assert properties["descriptions"] == {
        "ca": "roots: mail-ca",
        "requests": "for a third party to sign: mx2",
        "clients/alice": "generation 1: certificate, key, ca.pem, alice.p12 (modern)",
        "clients/bob": "generation 1: certificate, key, ca.pem",
    }


def test_a_server_is_handed_out_with_its_key_whoever_signs_it() -> None:
    """For a service that is no host here; roots come with what an authority of ours has signed."""

    def program() -> None:
        names = ["imap.example.org"]
        servers: list[pki.ServerCertificate | pki.ThirdPartyServerCertificate] = [
            pki.ServerCertificate("imap", authority=root(), dns_names=names),
            pki.ServerCertificate("test", self_signed=True, dns_names=names),
            pki.ThirdPartyServerCertificate("www", dns_names=names),
        ]
        pki.HandOut("all", directory="out", servers=servers)

    properties = run_program(program).one("HandOut").properties
    assert properties["folders"]["servers/imap"] == {
        "imap.cert.pem": {"text": "chain_pem of imap"},
        "imap.key.pem": {"text": Secret("private_key_pem of imap"), "is_secret": True},
        "ca.pem": {"text": "certificate_pem of mail-ca"},
    }
    assert properties["folders"]["servers/test"].keys() == {"test.cert.pem", "test.key.pem"}
    assert properties["folders"]["servers/www"].keys() == {"www.cert.pem", "www.key.pem"}
    assert properties["folders"]["servers/www"]["www.key.pem"]["is_secret"]
    assert properties["descriptions"]["servers/imap"].startswith("imap.example.org, until ")


def test_in_a_preview_lines_are_known_and_contents_are_not() -> None:
    """A reviewer reads who gets which generation before anything is signed."""
    properties = run_program(everything, preview=True).one("HandOut").properties
    assert properties["descriptions"]["clients/bob"] == "generation 1: certificate, key, ca.pem"
    files = properties["folders"]["clients/alice"]
    mail = files.pop("alice.txt")["mail"]
    assert mail["fingerprint_sha256"] == UNKNOWN
    assert {file.get("text", file.get("base64")) for file in files.values()} == {UNKNOWN}


def test_without_texts_a_hand_out_has_what_programs_read() -> None:
    """Whoever consumes the directory by program may leave them out; hosts that let somebody in are named in them."""

    def program(**more: Any) -> Callable[[], None]:
        def declare() -> None:
            authority = root()
            alice = pki.ClientCertificate("alice", authority=authority, email="alice@example.org")
            pki.HandOut("all", directory="out", clients=[alice], archives=[pki.Pkcs12("a", certificate=alice)], **more)

        return declare

    silent = run_program(program(mail_texts=False)).one("HandOut").properties
    assert "alice.txt" not in silent["folders"]["clients/alice"]
    named = run_program(program(relays={"alice": ["mx1.example.org"]})).one("HandOut").properties
    assert named["folders"]["clients/alice"]["alice.txt"]["mail"]["relays"] == ["mx1.example.org"]
    with pytest.raises(pki.ConfigError) as caught:
        run_program(
            program(
                relays={
                    "bob": ["mx1.example.org"],
                    "alice": ["no host\nat all", "mx1.example.org:0", "mx1.example.org:25"],
                }
            )
        )
    assert [problem.path for problem in caught.value.problems] == [
        "hand_out.all.relays.bob",
        "hand_out.all.relays.alice[0]",
        "hand_out.all.relays.alice[1]",
    ]


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("clients", lambda opts: pki.ClientCertificate("alice", authority=root(), email="a@example.org", opts=opts)),
        ("servers", lambda opts: pki.ServerCertificate("alice", self_signed=True, dns_names=["a.org"], opts=opts)),
        ("requests", lambda opts: pki.ThirdPartyServerCertificate("alice", dns_names=["mx.example.org"], opts=opts)),
    ],
)
def test_two_of_one_name_cannot_be_handed_out_together(
    field: str, make: Callable[[pulumi.ResourceOptions], Any]
) -> None:
    """They would share a folder, and one of the two would find the other's key there."""

    def declare() -> None:
        parents = [pulumi.ComponentResource("test:index:Department", name) for name in ("sales", "support")]
        same = [make(pulumi.ResourceOptions(parent=each)) for each in parents]
        options: dict[str, Any] = {field: same}
        pki.HandOut("all", directory="out", authorities=[], **options)

    with pytest.raises(ConfigError) as caught:
        run_program(declare)
    assert [problem.path for problem in caught.value.problems] == [f"hand_out.all.{field}"]
