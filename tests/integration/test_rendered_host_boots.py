"""A rendered host is booted: it serves the declared certificate, and only whom it declares may relay."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from pki.files.tree import Entry, FileEntry
from postfix.ca_path import chroot_entries
from postfix.content import ChainContent, HostContent, render_content_files
from postfix.host import TABLE_TYPES, ClientSide, HostDeclaration, Ownership, ServerSide
from postfix.main_cf import merge
from postfix.preflight import problems_of_deployment
from postfix.rendering import CA_DIRECTORY, render_configuration_files, render_parameters
from postfix.settings import ClientSettings, DestinationPolicy, RelayPolicy, ServerSettings, Transport
from postfix.tables import ClientRow
from tests.support.postfix_instance import Boot
from tests.support.postfix_overlay import RECEIVING_SIDE
from tests.support.smtp_probe import probe
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = pytest.mark.needs_postfix

NAME = "mx1.example.test"
# The cdb type needs a package that not every machine has.
BOOTABLE_TYPES = [table_type for table_type in TABLE_TYPES if table_type != "cdb"]


def chain_of(credential: Credential) -> ChainContent:
    """Return the content of a chain file for a certificate that the root signed itself."""
    leaf = x509.load_pem_x509_certificate(credential.certificate_pem.encode())
    return ChainContent(credential.private_key_pem, (leaf,))


def root_of(authority: ThrowAwayAuthority) -> x509.Certificate:
    """Return an authority's certificate as the renderer takes it."""
    return x509.load_pem_x509_certificate(authority.certificate_pem.encode())


def row_of(credential: Credential, name: str) -> ClientRow:
    """Return the table row of a client."""
    return ClientRow(credential.fingerprint_sha256, name, 1, datetime(2027, 2, 1, tzinfo=UTC))


def write(entries: Sequence[Entry], directory: Path) -> Path:
    """Write entries below a directory with their modes, as a deployment does."""
    for entry in entries:
        path = directory / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, FileEntry):
            path.write_bytes(entry.content)
            path.chmod(entry.mode)
        else:
            path.symlink_to(entry.target)
    return directory


def rendered(host: HostDeclaration, content: HostContent, directory: Path) -> Path:
    """Render a whole host, after its pre-flight found nothing."""
    entries = (*render_configuration_files(host), *render_content_files(host, content))
    assert problems_of_deployment(host, entries, now=datetime.now(UTC)) == []
    return write(entries, directory)


@pytest.mark.parametrize("table_type", BOOTABLE_TYPES)
def test_only_listed_clients_relay_and_nothing_is_complained_about(
    postfix_instance: Boot, authority: ThrowAwayAuthority, tmp_path: Path, table_type: str
) -> None:
    """The listed certificate relays; unlisted, expired and foreign ones and none at all do not."""
    server, listed = authority.issue_server(NAME), authority.issue_client("listed.example.test")
    host = HostDeclaration("mx1", NAME, ServerSide(ServerSettings(), ("mx1",)), table_type=table_type)
    content = HostContent({"mx1": chain_of(server)}, (root_of(authority),), (row_of(listed, "listed"),))
    instance = postfix_instance(rendered(host, content, tmp_path))
    answer = probe(instance.port, client_certificate=listed)
    assert answer.served_fingerprint_sha256 == server.fingerprint_sha256
    assert answer.may_relay
    strangers = (
        authority.issue_client("unlisted.example.test"),
        authority.issue_expired_client("listed.example.test"),
        authority.issue_foreign_client("listed.example.test"),
        None,
    )
    assert [probe(instance.port, client_certificate=each).may_relay for each in strangers] == [False] * len(strangers)
    assert instance.complaints() == []


def test_transports_present_their_own_certificates(
    postfix_instance: Boot, authority: ThrowAwayAuthority, tmp_path: Path
) -> None:
    """Two destinations see two certificates, verify the server's name, and a third transport refuses a wrong name."""
    server, relay, bank = (
        authority.issue_server(NAME, "127.0.0.1"),
        authority.issue_client("relay"),
        authority.issue_client("bank"),
    )
    receiver = HostDeclaration("mx1", NAME, ServerSide(ServerSettings(), ("mx1",)))
    content = HostContent(
        {"mx1": chain_of(server)}, (root_of(authority),), (row_of(relay, "relay"), row_of(bank, "bank"))
    )
    receiving = postfix_instance(rendered(receiver, content, tmp_path / "receiver"), overrides=RECEIVING_SIDE)
    hop = f"[127.0.0.1]:{receiving.port}"
    settings = ClientSettings(
        smtp_tls_security_level="encrypt",
        transports=(
            Transport("t-relay", ("relay.test",), "relay", match=(NAME,), next_hop=hop),
            Transport("t-bank", ("bank.test",), "bank", "fingerprint", (server.fingerprint_sha256,), hop),
            Transport("t-wrong", ("wrong.test",), "bank", match=("mx2.example.test",), next_hop=hop),
            Transport("t-bare", ("bare.test",), smtp_tls_security_level="encrypt", next_hop=hop),
        ),
    )
    sender = HostDeclaration(
        "out", "out.example.test", client=ClientSide(settings), parameters={"mynetworks": "127.0.0.0/8"}
    )
    chains = {"relay": chain_of(relay), "bank": chain_of(bank)}
    sending = postfix_instance(
        rendered(sender, HostContent(chains, (root_of(authority),)), tmp_path / "sender"),
        overrides={"mynetworks": "127.0.0.0/8", "soft_bounce": "yes"},
    )
    deliveries = {name: sending.send(f"someone@{name}.test") for name in ("relay", "bank", "wrong", "bare")}
    assert {name: delivery.status for name, delivery in deliveries.items()} == {
        "relay": "sent",
        "bank": "sent",
        "wrong": "deferred",
        "bare": "SOFTBOUNCE",
    }
    assert deliveries["relay"].trust == deliveries["bank"].trust == "Verified"


@pytest.mark.parametrize(("server_is_listed", "status"), [(True, "sent"), (False, "deferred")])
def test_a_policy_row_lets_mail_through_to_listed_fingerprints_only(
    postfix_instance: Boot, authority: ThrowAwayAuthority, tmp_path: Path, *, server_is_listed: bool, status: str
) -> None:
    """A row may name an old and a new fingerprint; mail is deferred if the server has neither."""
    server, others = authority.issue_server(NAME), [authority.issue_server(f"mx{n}.example.test") for n in (2, 3)]
    receiver = HostDeclaration(
        "mx1", NAME, ServerSide(ServerSettings(relay=RelayPolicy(client_certificates=False)), ("mx1",))
    )
    content = HostContent({"mx1": chain_of(server)}, (root_of(authority),))
    receiving = postfix_instance(
        rendered(receiver, content, tmp_path / "receiver"), overrides={**RECEIVING_SIDE, "mynetworks": "127.0.0.0/8"}
    )
    hop = f"[127.0.0.1]:{receiving.port}"
    match = (others[0].fingerprint_sha256, (server if server_is_listed else others[1]).fingerprint_sha256)
    settings = ClientSettings(relayhost=hop, policies=(DestinationPolicy(hop, "fingerprint", match),))
    sender = HostDeclaration("out", "out.example.test", client=ClientSide(settings))
    directory = rendered(sender, HostContent({}, (root_of(authority),)), tmp_path / "sender")
    sending = postfix_instance(directory, overrides={"mynetworks": "127.0.0.0/8", "soft_bounce": "yes"})
    assert sending.send("someone@elsewhere.test").status == status


DEBIAN_MAIN_CF = """\
# See /usr/share/postfix/main.cf.dist for a commented, more complete version
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
readme_directory = no

# TLS parameters
smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem
smtpd_tls_key_file=/etc/ssl/private/ssl-cert-snakeoil.key
smtpd_tls_security_level=may
smtp_tls_CApath=/etc/ssl/certs
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache

smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated
 defer_unauth_destination
myhostname = localhost
"""


def test_a_host_that_is_merged_into_a_distributions_files_works(
    postfix_instance: Boot, authority: ThrowAwayAuthority, tmp_path: Path
) -> None:
    """The declared certificate is served without a warning about those the file named before."""
    server, listed = authority.issue_server(NAME), authority.issue_client("listed.example.test")
    host = HostDeclaration(
        "mx1", NAME, ServerSide(ServerSettings(), ("mx1",)), ClientSide(ClientSettings()), ownership=Ownership.MERGE
    )
    content = HostContent({"mx1": chain_of(server)}, (root_of(authority),), (row_of(listed, "listed"),))
    directory = rendered(host, content, tmp_path)
    (directory / "main.cf").write_text(merge(DEBIAN_MAIN_CF, render_parameters(host)))
    instance = postfix_instance(directory)
    assert probe(instance.port, client_certificate=listed).served_fingerprint_sha256 == server.fingerprint_sha256
    assert probe(instance.port, client_certificate=listed).may_relay
    assert not probe(instance.port).may_relay
    assert instance.complaints() == []


def test_a_chrooted_server_trusts_the_roots_in_its_directory(
    postfix_instance: Boot, authority: ThrowAwayAuthority, tmp_path: Path
) -> None:
    """With the copy inside the jail, a client of the authority is let in and a foreign one is not."""
    server, client = authority.issue_server(NAME), authority.issue_client("client.example.test")
    settings = ServerSettings("encrypt", smtpd_tls_req_ccert=True, ca_path=True)
    host = HostDeclaration("mx1", NAME, ServerSide(settings, ("mx1",)))
    content = HostContent({"mx1": chain_of(server)}, (root_of(authority),), (row_of(client, "client"),))
    instance = postfix_instance(rendered(host, content, tmp_path), is_started=False)
    roots = [entry for entry in render_content_files(host, content) if entry.path.startswith(f"{CA_DIRECTORY}/")]
    jailed = chroot_entries(roots, config_directory=str(instance.config_directory))
    write(jailed, instance.queue_directory)
    instance.start()
    assert probe(instance.port, client_certificate=client).may_relay
    assert not probe(instance.port, client_certificate=authority.issue_foreign_client("client.example.test")).may_relay
