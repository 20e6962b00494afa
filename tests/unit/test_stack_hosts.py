"""What a host in the stack file means for Postfix and for the certificates behind it."""

from datetime import UTC
from typing import Any

import pytest
from cryptography import x509

from pki.model import Profile
from postfix.host import ClientSide, Ownership, ServerSide
from postfix.preflight import problems_of_host
from postfix.settings import ClientSettings, DestinationPolicy, RelayPolicy, ServerSettings, Transport
from postfix.tables import ClientRow
from postfix.target import Directory, HostTarget, Local
from postseal.stack.config import load_stack
from postseal.stack.model import CertificateKind, CertificateReference, Host
from tests.support.stack_files import host, problems_of, stack
from tests.support.test_authority import ThrowAwayAuthority

LEAF = ThrowAwayAuthority().issue_client("partner")
PLAIN_FINGERPRINT = LEAF.fingerprint_sha256.replace(":", "").lower()


def loaded(**fields: Any) -> Host:
    """Return host mx1 with further fields, which Postfix's own rules accept."""
    mx1 = load_stack(host(**fields), [], stack_name="dev").hosts["mx1"]
    assert problems_of_host(mx1.declaration) == []
    return mx1


def server_settings(mx1: Host) -> ServerSettings:
    """Return the settings of the receiving side, which is there."""
    assert mx1.declaration.server is not None
    return mx1.declaration.server.settings


def client_settings(mx1: Host) -> ClientSettings:
    """Return the settings of the sending side, which is there."""
    assert mx1.declaration.client is not None
    return mx1.declaration.client.settings


def test_the_shortest_host_gets_a_server_certificate_of_its_own() -> None:
    """Only myhostname is declared: the certificate, its authority, the target and the trust follow."""
    config = load_stack(host(), [], stack_name="dev")
    mx1 = config.hosts["mx1"]
    assert mx1.declaration.server == ServerSide(ServerSettings(relay=RelayPolicy(client_certificates=False)), ("mx1",))
    assert mx1.declaration.client is None
    assert mx1.certificates == {"mx1": CertificateReference(CertificateKind.SERVER, "mx1")}
    assert mx1.target == Directory("out/dev/mx1/postfix", ownership=Ownership.WHOLE)
    assert mx1.trusted_authorities == ("authority",)
    server = config.servers["mx1"]
    assert (server.authority, server.declaration.profile) == ("authority", Profile.SERVER)
    assert server.declaration.alt_names.dns_names == ("mx1.example.org",)


def test_a_server_of_the_same_name_is_the_hosts_certificate() -> None:
    """It need not be named, and none is made in its place."""
    raw = stack(servers={"mx1": {"dns_names": ["mail.example.org", "*.example.org"], "self_signed": True}})
    config = load_stack(raw, [], stack_name="dev")
    assert list(config.servers) == ["mx1"]
    assert config.servers["mx1"].declaration.alt_names.dns_names == ("mail.example.org", "*.example.org")


def test_clients_and_servers_that_are_clients_may_relay() -> None:
    """Whoever is listed turns on relaying by certificate."""
    mx1 = loaded(relay_clients=["bob", "mx2"])
    assert mx1.relaying.clients == (
        CertificateReference(CertificateKind.CLIENT, "bob"),
        CertificateReference(CertificateKind.SERVER, "mx2"),
    )
    assert server_settings(mx1).relay == RelayPolicy()


@pytest.mark.parametrize(
    "fingerprint",
    [
        pytest.param(LEAF.fingerprint_sha256, id="colons"),
        pytest.param(PLAIN_FINGERPRINT, id="plain"),
        pytest.param(f"sha256:{PLAIN_FINGERPRINT}", id="prefix"),
    ],
)
def test_a_foreign_client_is_known_by_its_fingerprint_however_it_is_written(fingerprint: str) -> None:
    """Tables know one form only; the file may use any."""
    mx1 = loaded(extra_relay_clients=[{"name": "partner", "fingerprint_sha256": fingerprint}])
    assert mx1.relaying.extra == (ClientRow(LEAF.fingerprint_sha256, "partner"),)
    assert server_settings(mx1).relay.client_certificates is True


def test_a_foreign_client_is_known_by_its_certificate() -> None:
    """Its fingerprint and its end are read from the certificate."""
    mx1 = loaded(extra_relay_clients=[{"name": "partner", "certificate_pem": LEAF.certificate_pem}])
    not_after = x509.load_pem_x509_certificate(LEAF.certificate_pem.encode()).not_valid_after_utc
    assert not_after.tzinfo is UTC
    assert mx1.relaying.extra == (ClientRow(LEAF.fingerprint_sha256, "partner", not_after=not_after),)


def test_settings_go_where_postfix_has_them() -> None:
    """Typed ones to the side that reads them, in their types; all others become parameters."""
    mx1 = loaded(
        settings={
            "smtpd_tls_security_level": "encrypt",
            "smtpd_tls_ask_ccert": True,
            "smtpd_tls_received_header": "no",
            "smtpd_tls_loglevel": "2",
            "smtp_tls_loglevel": [1, "peercert"],
            "smtp_tls_security_level": "fingerprint",
            "smtp_tls_fingerprint_cert_match": [LEAF.fingerprint_sha256],
            "message_size_limit": 0,
            "disable_vrfy_command": True,
            "inet_interfaces": ["192.0.2.1", "localhost"],
        }
    )
    relay = RelayPolicy(client_certificates=False)
    assert server_settings(mx1) == ServerSettings(
        smtpd_tls_security_level="encrypt",
        smtpd_tls_ask_ccert=True,
        smtpd_tls_received_header=False,
        smtpd_tls_loglevel=2,
        relay=relay,
    )
    assert client_settings(mx1).smtp_tls_loglevel == ("1", "peercert")
    assert client_settings(mx1).smtp_tls_fingerprint_cert_match == (LEAF.fingerprint_sha256,)
    assert mx1.declaration.parameters == {
        "message_size_limit": "0",
        "disable_vrfy_command": "yes",
        "inet_interfaces": "192.0.2.1, localhost",
    }


@pytest.mark.parametrize(
    ("trust", "ca_file", "ca_path"),
    [
        ({}, True, False),
        ({"ca_path": True}, False, True),
        ({"authorities": []}, False, False),
        ({"authorities": [], "roots_pem": [LEAF.issuer_pem]}, True, False),
    ],
)
def test_roots_are_trusted_in_one_place_or_nowhere(trust: dict[str, Any], ca_file: bool, ca_path: bool) -> None:  # noqa: FBT001
    """Postfix turns TLS off over an empty file of roots, so without roots there is no file."""
    settings = server_settings(loaded(trust=trust))
    assert (settings.ca_file, settings.ca_path) == (ca_file, ca_path)


def test_who_else_may_relay_is_declared_under_relay() -> None:
    """An empty list of networks is not the default list."""
    relay = {"sasl": True, "networks": [], "restrict_recipients": True}
    assert server_settings(loaded(relay=relay)).relay == RelayPolicy(
        client_certificates=False, sasl=True, networks=(), restrict_recipients=True
    )


def test_a_host_that_only_sends_has_no_server() -> None:
    """Its client certificate is the only one it needs; the level is one at which it is presented."""
    mx1 = loaded(certificate="none", relay_through={"relayhost": "[r.example.org]:587", "certificate": "alice"})
    assert mx1.declaration.server is None
    assert mx1.declaration.client == ClientSide(
        ClientSettings("secure", relayhost="[r.example.org]:587"), certificates=("alice",)
    )
    assert mx1.certificates == {"alice": CertificateReference(CertificateKind.CLIENT, "alice")}


def test_a_next_hop_known_by_fingerprint_needs_no_level() -> None:
    """Fingerprints are matched at level fingerprint only, so that is the level."""
    relay_through = {"relayhost": "[r.example.org]", "smtp_tls_fingerprint_cert_match": [PLAIN_FINGERPRINT]}
    settings = client_settings(loaded(relay_through=relay_through))
    assert (settings.smtp_tls_security_level, settings.smtp_tls_fingerprint_cert_match) == (
        "fingerprint",
        (LEAF.fingerprint_sha256,),
    )


def test_a_host_may_present_its_server_certificate() -> None:
    """Under the word `server`, where that certificate may be a client's too."""
    servers = {"mx1": {"dns_names": ["mx1.example.org"], "also_client": True}}
    relay_through = {"relayhost": "[r.example.org]", "certificate": "server"}
    raw = stack(servers=servers, hosts={"mx1": {"myhostname": "mx1.example.org", "relay_through": relay_through}})
    mx1 = load_stack(raw, [], stack_name="dev").hosts["mx1"]
    assert client_settings(mx1).present_server_certificate is True
    assert mx1.declaration.client_certificates == ("mx1",)
    assert list(mx1.certificates) == ["mx1"]


def test_a_client_named_as_the_hosts_server_gets_a_file_of_its_own() -> None:
    """Server relay1 and client relay1 on one host are two chain files."""
    raw = stack(
        clients={"relay1": {"dns_names": ["relay1.example.org"]}},
        hosts={
            "relay1": {
                "myhostname": "relay1.example.org",
                "relay_through": {"relayhost": "[r.example.org]", "certificate": "relay1"},
            }
        },
    )
    relay1 = load_stack(raw, [], stack_name="dev").hosts["relay1"]
    assert relay1.declaration.client is not None
    assert relay1.declaration.client.certificates == ("relay1-client",)
    assert relay1.certificates == {
        "relay1": CertificateReference(CertificateKind.SERVER, "relay1"),
        "relay1-client": CertificateReference(CertificateKind.CLIENT, "relay1"),
    }


def test_transports_and_policies_are_those_of_postfix() -> None:
    """A transport names its certificate's file; fingerprints take the form of Postfix's tables."""
    mx1 = loaded(
        transports={"t-out": {"destinations": ["example.com"], "next_hop": "[r.example.org]", "certificate": "bob"}},
        policies={
            "example.net": {"level": "fingerprint", "match": [PLAIN_FINGERPRINT]},
            "example.com": {"level": "secure", "match": ["nexthop"]},
        },
    )
    settings = client_settings(mx1)
    assert settings.transports == (Transport("t-out", ("example.com",), "bob", "secure", (), "[r.example.org]"),)
    assert settings.policies == (
        DestinationPolicy("example.net", "fingerprint", (LEAF.fingerprint_sha256,)),
        DestinationPolicy("example.com", "secure", ("nexthop",)),
    )
    assert mx1.certificates["bob"] == CertificateReference(CertificateKind.CLIENT, "bob")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("out/here", Directory("out/here", ownership=Ownership.WHOLE)),
        ({"directory": "/srv/mx1"}, Directory("/srv/mx1", ownership=Ownership.WHOLE)),
        ({"local": "/etc/postfix"}, Local("/etc/postfix", Ownership.MERGE)),
        ({"local": "/etc/postfix", "ownership": "whole"}, Local("/etc/postfix", Ownership.WHOLE)),
    ],
)
def test_a_target_is_a_directory_of_ours_or_the_local_postfix(target: Any, expected: HostTarget) -> None:
    """A directory is ours as a whole; of a Postfix that is there only what is declared, unless the file says more."""
    mx1 = loaded(target=target)
    assert mx1.target == expected
    assert mx1.declaration.ownership is expected.ownership


def test_release_and_level_of_postfix_are_handed_on() -> None:
    """They decide which parameters are accepted."""
    declaration = loaded(postfix_version="3.10", compatibility_level="3.9", table_type="lmdb").declaration
    assert declaration.postfix_version == (3, 10)
    assert (declaration.effective_compatibility_level, declaration.table_type) == ("3.9", "lmdb")


def test_what_is_accepted_is_handed_on_and_mistakes_in_it_are_named() -> None:
    """By word and place; a word that nobody knows, and a parameter of the host itself."""
    accept = {"value_follows": ["smtp_tls_CAfile"], "listed_refused": ["submission"]}
    assert loaded(accept=accept).declaration.accept == {
        "value_follows": ("smtp_tls_CAfile",),
        "listed_refused": ("submission",),
    }
    wrong = {"value_follow": ["smtp_tls_CAfile"], "value_follows": ["smtpd_tls_CAfile"], "tls_weaker": ["a b"]}
    assert [problem.path for problem in problems_of(host(accept=wrong))] == [
        "hosts.mx1.accept.value_follow",
        "hosts.mx1.accept.value_follows",
        "hosts.mx1.accept.tls_weaker",
    ]


@pytest.mark.parametrize(
    ("target", "paths"),
    [
        ({"ownership": "merge"}, ["hosts.mx1.target.ownership"]),
        ({"directory": "out/mx1", "ownership": "merge"}, ["hosts.mx1.target.ownership"]),
        ({"ownership": "whole"}, []),
        ({"local": "/etc/postfix", "ownership": "merge"}, []),
    ],
)
def test_a_directory_of_ours_is_never_merged_with(target: dict[str, str], paths: list[str]) -> None:
    """Neither one that is named nor the default one: nobody else writes there."""
    assert [problem.path for problem in problems_of(host(target=target))] == paths
