"""What Postfix hosts register: one deployment each, refused as a whole when something in the declaration is wrong."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

import pki
import postfix
from postseal_core.errors import ConfigError
from tests.support.mocks import run_program, secrets_in_clear
from tests.support.provider import UNKNOWN, Secret

TARGET = postfix.Directory("out/mx1")
FINGERPRINT = ":".join(["AB"] * 32)


def root() -> pki.CertificateAuthority:
    """Return the root of these tests."""
    return pki.CertificateAuthority("mail-ca", common_name="Example Mail CA")


def served(authority: pki.CertificateAuthority, **options: Any) -> pki.ServerCertificate:
    """Return the certificate of mx1."""
    return pki.ServerCertificate("mx1", authority=authority, dns_names=["mx1.example.org"], **options)


def relay(**changes: Any) -> None:
    """Register a relay that admits alice."""
    authority = root()
    alice = pki.ClientCertificate("alice", authority=authority, email="alice@example.org")
    options: dict[str, Any] = {
        "myhostname": "mx1.example.org",
        "certificate": served(authority),
        "target": TARGET,
        "relay_clients": [alice],
    }
    postfix.MailServer("mx1", **(options | changes))


@pytest.mark.parametrize("preview", [True, False])
def test_a_host_is_one_deployment_below_its_component(*, preview: bool) -> None:
    """However many clients and certificates there are, a host is one resource; its component is complete."""
    program = run_program(relay, preview=preview)
    assert program.tree()["Deployment mx1"] == "MailServer mx1"
    assert program.one("MailServer").has_outputs
    assert secrets_in_clear(program.one("Deployment").properties) == []


def test_a_deployment_gets_declaration_target_and_all_that_comes_from_certificates() -> None:
    """The declaration is plain, identities come from the clients' resources, and the key of a chain is a secret."""
    properties = run_program(relay).one("Deployment").properties
    assert properties["target"] == {"kind": "directory", "path": "out/mx1", "config_directory": "/etc/postfix"}
    assert properties["declaration"]["myhostname"] == "mx1.example.org"
    assert properties["declaration"]["server"]["certificates"] == ["mx1"]
    assert properties["chains"] == {
        "mx1": {
            "description": "generation 1 until 2027-06-01T12:00:00Z",
            "private_key_pem": Secret("private_key_pem of mx1"),
            "chain_pem": "chain_pem of mx1",
        }
    }
    assert properties["roots"] == {"mail-ca": "certificate_pem of mail-ca"}
    assert properties["relay_clients"] == {
        "alice": {
            "match": "certificate",
            "generation": 1,
            "not_after": "2027-06-01T12:00:00Z",
            "fingerprint_sha256": "fingerprint_sha256 of alice",
            "public_key_fingerprint_sha256": "public_key_fingerprint_sha256 of alice",
            "previous": [],
            "revoked_at": "",
        }
    }


def test_in_a_preview_of_new_certificates_only_what_is_signed_is_unknown() -> None:
    """Generation, dates and the line of the chain are known; fingerprints and content are not."""
    properties = run_program(relay, preview=True).one("Deployment").properties
    identity = properties["relay_clients"]["alice"]
    assert (identity["generation"], identity["previous"]) == (1, [])
    assert identity["fingerprint_sha256"] == UNKNOWN
    assert properties["chains"]["mx1"]["description"] == "generation 1 until 2027-06-01T12:00:00Z"
    assert properties["chains"]["mx1"]["private_key_pem"] == UNKNOWN
    assert properties["roots"] == {"mail-ca": UNKNOWN}


def test_clients_from_elsewhere_are_listed_by_fingerprint() -> None:
    """A fingerprint of a certificate that is not ours is passed on under its name."""
    properties = run_program(lambda: relay(extra_relay_clients={"bob": FINGERPRINT})).one("Deployment").properties
    assert properties["extra_relay_clients"] == {"bob": {"fingerprint_sha256": FINGERPRINT}}


def test_a_roster_is_admitted_as_a_whole_and_its_root_is_trusted() -> None:
    """Its rows come ready from the roster; a server that lists nobody else admits by certificate because of them."""

    def program() -> None:
        authority = root()
        staff = pki.ClientRoster("staff", authority=authority, clients={"anna": {"email": "anna@example.org"}})
        options: dict[str, Any] = {"certificate": served(authority), "target": TARGET, "relay_rosters": [staff]}
        postfix.MailServer("mx1", myhostname="mx1.example.org", **options)

    properties = run_program(program).one("Deployment").properties
    assert list(properties["rosters"]) == ["staff"]
    assert properties["roots"] == {"mail-ca": "certificate_pem of mail-ca"}
    assert properties["declaration"]["server"]["settings"]["relay"]["client_certificates"]


def test_a_server_that_lists_nobody_admits_nobody_by_certificate() -> None:
    """Without clients there is no table of clients, and no root is trusted for them."""
    properties = run_program(lambda: relay(relay_clients=[])).one("Deployment").properties
    settings = properties["declaration"]["server"]["settings"]
    assert settings["relay"]["client_certificates"] is False
    assert settings["ca_file"] is False
    assert (properties["roots"], properties["relay_clients"]) == ({}, {})


def test_a_server_may_relay_as_a_client_with_a_certificate_of_its_own() -> None:
    """Both sides are one host; each chain is deployed once."""

    def both() -> None:
        authority = root()
        certificate = served(authority, also_client=True)
        postfix.MailServer(
            "mx1",
            myhostname="mx1.example.org",
            certificate=certificate,
            target=postfix.Local(),
            relay_through=postfix.ClientSettings(relayhost="[hub.example.org]:587"),
            relay_certificate=certificate,
            trust=[authority, postfix.TrustedRoot("other", "another root")],
        )

    properties = run_program(both).one("Deployment").properties
    assert properties["chains"].keys() == {"mx1"}
    assert properties["declaration"]["client"]["certificates"] == ["mx1"]
    assert properties["declaration"]["ownership"] == "merge"
    assert properties["target"] == {"kind": "local", "path": "/etc/postfix", "config_directory": "/etc/postfix"}
    assert properties["roots"] == {"mail-ca": "certificate_pem of mail-ca", "other": "another root"}


def test_a_host_that_only_sends_presents_its_client_certificate() -> None:
    """The declaration has a sending side only."""

    def sender() -> None:
        authority = root()
        host = pki.ClientCertificate("out", authority=authority, dns_names=["out.example.org"])
        postfix.RelayClient("out", myhostname="out.example.org", target=TARGET, certificate=host, trust=[authority])

    program = run_program(sender)
    assert program.tree()["Deployment out"] == "RelayClient out"
    declaration = program.one("Deployment").properties["declaration"]
    assert declaration.get("server") is None
    assert declaration["client"]["certificates"] == ["out"]


def test_a_host_that_was_renamed_is_found_by_its_alias() -> None:
    """Options of the component reach the engine."""
    program = run_program(lambda: relay(opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")], protect=True)))
    assert program.one("MailServer").aliases == ("old",)
    assert program.one("Deployment").is_protected


def wrong_name() -> None:
    """Serve a certificate under a name that it does not have."""
    relay(myhostname="mx9.example.org")


def server_certificate_as_client() -> None:
    """Present a server certificate to others."""
    authority = root()
    certificate = served(authority)
    postfix.RelayClient("mx1", myhostname="mx1.example.org", target=TARGET, certificate=certificate)


def client_certificate_as_server() -> None:
    """Serve a client certificate."""
    relay(certificate=pki.ClientCertificate("carol", authority=root(), email="carol@example.org"))


def wrong_level() -> None:
    """Demand certificates at a level at which mail may come without TLS, in a word that no level has."""
    relay(settings=postfix.ServerSettings(smtpd_tls_security_level="maybe", smtpd_tls_req_ccert=True))


def two_of_one_name() -> None:
    """Use two certificates that would become one file."""
    authority = root()
    other = pki.ClientCertificate("mx1", authority=authority, dns_names=["mx1.example.org"])
    postfix.MailServer(
        "mx1",
        myhostname="mx1.example.org",
        certificate=served(authority),
        target=TARGET,
        relay_through=postfix.ClientSettings(),
        relay_certificate=other,
    )


def no_fingerprint() -> None:
    """List a client by something else than a fingerprint."""
    relay(extra_relay_clients={"bob": "AB:CD"})


def two_clients_of_one_name() -> None:
    """Admit a client, and a server that is a client too, of the same name."""
    authority = root()
    both = pki.ServerCertificate("mx2", authority=authority, dns_names=["mx2.example.org"], also_client=True)
    relay(relay_clients=[pki.ClientCertificate("mx2", authority=authority, dns_names=["mx2.example.org"]), both])


def two_roots_of_one_name() -> None:
    """Trust a root of somebody else under the name of one of ours."""
    authority = root()
    relay(trust=[authority, postfix.TrustedRoot("mail-ca", "certificate of somebody else")])


MISTAKES: dict[str, tuple[Callable[[], None], str]] = {
    "name": (wrong_name, "hosts.mx1.certificate: mx1 is for mx1.example.org, not for myhostname mx9.example.org"),
    "server as client": (server_certificate_as_client, "hosts.mx1.certificate: mx1 is a server certificate; set also"),
    "client as server": (client_certificate_as_server, "hosts.mx1.certificate: carol is for no host name, not for"),
    "level": (wrong_level, "hosts.mx1.server.smtpd_tls_security_level: "),
    "one name": (two_of_one_name, "hosts.mx1: two different certificates are called mx1"),
    "clients of one name": (two_clients_of_one_name, "hosts.mx1.relay_clients: mx2 is the name of 2 different ones"),
    "roots of one name": (two_roots_of_one_name, "hosts.mx1.trust: mail-ca is the name of 2 different ones"),
    "fingerprint": (no_fingerprint, "hosts.mx1.extra_relay_clients.bob: "),
}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(("program", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_raised_with_its_place_before_the_host_is_registered(
    program: Callable[[], None], expected: str, *, preview: bool
) -> None:
    """The program stops in the preview already, with a sentence that names the host and the field."""
    registered = []

    def watched() -> None:
        try:
            program()
        except ConfigError as error:
            registered.append(str(error))

    seen = run_program(watched, preview=preview)
    (message,) = registered
    assert any(line.startswith(expected) for line in message.splitlines()), message
    assert not [each for each in seen.registrations if each.type.endswith(("MailServer", "RelayClient", "Deployment"))]


def test_a_wildcard_certificate_serves_every_host_of_its_domain() -> None:
    """`*.example.org` covers one label; a third party often signs such a certificate."""

    def wildcard() -> None:
        certificate = pki.ServerCertificate("any", self_signed=True, dns_names=["*.Example.org"])
        postfix.MailServer("mx1", myhostname="MX1.example.org", certificate=certificate, target=TARGET)

    assert run_program(wildcard).one("Deployment").properties["chains"].keys() == {"any"}
