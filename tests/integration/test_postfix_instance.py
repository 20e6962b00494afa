"""The private Postfix that other tests stand on: it boots, decides, complains, delivers and leaves nothing behind."""

import shutil
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.support.loopback import free_ports
from tests.support.postfix_instance import Boot, BootError, PostfixInstance, boot
from tests.support.postfix_overlay import RECEIVING_SIDE, drop_parameters, overlay_main_cf, sending_to
from tests.support.smtp_probe import probe
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = pytest.mark.needs_postfix

SERVER_NAME = "mx1.example.test"
MAIN_CF = """
compatibility_level = 3.6
myhostname = mx1.example.test
mydestination =
relay_clientcerts = hash:/etc/postfix/client_certs
smtpd_relay_restrictions =
    permit_tls_clientcerts,
# a comment inside a value
    reject_unauth_destination
smtpd_tls_CAfile = $config_directory/tls/ca.pem
smtpd_tls_ask_ccert = yes
smtpd_tls_chain_files = /etc/postfix/tls/mx1.pem
smtpd_tls_fingerprint_digest = sha256
smtpd_tls_security_level = may
"""
SENDER_CF = """
compatibility_level = 3.6
myhostname = sender.example.test
smtp_tls_CAfile = $config_directory/ca.pem
smtp_tls_security_level = encrypt
"""


@pytest.fixture(scope="module")
def server_certificate(authority: ThrowAwayAuthority) -> Credential:
    """Return what the servers serve, good for its name and for loopback."""
    return authority.issue_server(SERVER_NAME, "127.0.0.1")


@pytest.fixture(scope="module")
def listed_client(authority: ThrowAwayAuthority) -> Credential:
    """Return the one client that the servers list."""
    return authority.issue_client("listed.example.test")


@pytest.fixture(scope="module")
def rendered(
    tmp_path_factory: pytest.TempPathFactory,
    authority: ThrowAwayAuthority,
    server_certificate: Credential,
    listed_client: Credential,
) -> Path:
    """Return a configuration directory with absolute paths, a table without its index and no master.cf."""
    directory = tmp_path_factory.mktemp("server")
    (directory / "main.cf").write_text(MAIN_CF)
    (directory / "client_certs").write_text(f"{listed_client.fingerprint_sha256} listed\n")
    (directory / "tls").mkdir()
    (directory / "tls/ca.pem").write_text(authority.certificate_pem)
    server_certificate.write_chain(directory / "tls/mx1.pem")
    return directory


@pytest.fixture(scope="module")
def server(rendered: Path) -> Iterator[PostfixInstance]:
    """Yield one master with a server of each kind."""
    variants = {
        "may": {},
        "encrypt": {"smtpd_tls_security_level": "encrypt"},
        "wrapped": {"smtpd_tls_wrappermode": "yes"},
        "required": {"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"},
    }
    with boot(rendered, servers=variants, overrides=RECEIVING_SIDE) as instance:
        yield instance


def test_a_listed_client_may_relay(
    server: PostfixInstance, authority: ThrowAwayAuthority, server_certificate: Credential, listed_client: Credential
) -> None:
    """The probe sees the declared certificate under its own authority, and RCPT says 250 to a listed client."""
    seen = probe(server.port, client_certificate=listed_client, server_name=SERVER_NAME, ca=authority.certificate_pem)
    assert seen.served_fingerprint_sha256 == server_certificate.fingerprint_sha256
    assert seen.may_relay


@pytest.mark.parametrize("kind", ["unlisted", "expired", "foreign", "none"])
def test_any_other_client_may_not_relay(server: PostfixInstance, authority: ThrowAwayAuthority, kind: str) -> None:
    """A client that is not in the table is refused, whoever signed its certificate."""
    clients = {
        "unlisted": authority.issue_client("unlisted.example.test"),
        "expired": authority.issue_expired_client("listed.example.test"),
        "foreign": authority.issue_foreign_client("listed.example.test"),
        "none": None,
    }
    seen = probe(server.port, client_certificate=clients[kind])
    assert seen.rcpt is not None
    assert seen.rcpt.code == 554


@pytest.mark.parametrize("kind", ["expired", "foreign"])
def test_a_refused_certificate_shows_as_a_cut_after_the_handshake(
    server: PostfixInstance, authority: ThrowAwayAuthority, kind: str
) -> None:
    """With TLS 1.3 a server that insists on a trusted certificate lets the handshake end and then hangs up."""
    clients = {
        "expired": authority.issue_expired_client("listed.example.test"),
        "foreign": authority.issue_foreign_client("listed.example.test"),
    }
    seen = probe(server.ports["required"], client_certificate=clients[kind])
    assert seen.tls_version == "TLSv1.3"
    assert seen.is_cut_off
    assert seen.rcpt is None


def test_a_trusted_certificate_is_let_in_where_one_is_required(
    server: PostfixInstance, listed_client: Credential
) -> None:
    """The server that cuts others off talks to a client of its own authority."""
    assert probe(server.ports["required"], client_certificate=listed_client).may_relay


def test_plaintext_is_refused_where_tls_is_required(server: PostfixInstance) -> None:
    """Level encrypt answers MAIL FROM with 530 before STARTTLS."""
    seen = probe(server.ports["encrypt"], tls="none")
    assert seen.mail_from is not None
    assert seen.mail_from.code == 530


def test_a_wrapped_port_speaks_tls_from_the_first_byte(server: PostfixInstance, listed_client: Credential) -> None:
    """A server in wrapper mode is waited for and probed with TLS before its greeting."""
    assert probe(server.ports["wrapped"], tls="implicit", client_certificate=listed_client).may_relay


def test_a_wrong_server_name_fails_the_handshake(server: PostfixInstance, authority: ThrowAwayAuthority) -> None:
    """A probe that verifies reports why it did not trust the server, and says nothing more to it."""
    seen = probe(server.port, server_name="mx2.example.test", ca=authority.certificate_pem)
    assert seen.tls_error == "CERTIFICATE_VERIFY_FAILED"
    assert seen.mail_from is None


def test_a_changed_table_decides_after_a_reload(
    rendered: Path, postfix_instance: Boot, authority: ThrowAwayAuthority, listed_client: Credential
) -> None:
    """Reload indexes the tables again, so that a new client comes in and the old one stays out."""
    new_client = authority.issue_client("new.example.test")
    instance = postfix_instance(rendered)
    (instance.config_directory / "client_certs").write_text(f"{new_client.fingerprint_sha256} new\n")
    instance.reload()
    assert probe(instance.port, client_certificate=new_client).may_relay
    assert not probe(instance.port, client_certificate=listed_client).may_relay


@pytest.mark.needs_openssl
@pytest.mark.parametrize("is_chrooted", [True, False])
def test_a_ca_path_works_in_and_out_of_the_chroot(
    rendered: Path, tmp_path: Path, postfix_instance: Boot, listed_client: Credential, *, is_chrooted: bool
) -> None:
    """A hashed directory of authorities is copied into the chroot, where smtpd opens it."""
    directory = shutil.copytree(rendered, tmp_path / "rendered")
    (directory / "authorities").mkdir()
    (directory / "tls/ca.pem").rename(directory / "authorities/ca.pem")
    subprocess.run(["openssl", "rehash", directory / "authorities"], check=True, timeout=10)
    insisting = {"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"}
    ca_path = {"smtpd_tls_CAfile": "", "smtpd_tls_CApath": "/etc/postfix/authorities"}
    (directory / "main.cf").write_text(overlay_main_cf(MAIN_CF, insisting | ca_path))
    instance = postfix_instance(directory, is_chrooted=is_chrooted)
    assert probe(instance.port, client_certificate=listed_client).may_relay
    assert instance.complaints() == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("smtpd_tls_securty_level = may", "unused parameter: smtpd_tls_securty_level"),
        ("no equals sign", "missing '=' after attribute name"),
        ("smtpd_tls_req_ccert = yes # really", "fatal: bad boolean configuration"),
        ("relocated_maps = hash:$config_directory/absent", "No such file"),
    ],
)
def test_a_broken_main_cf_is_reported(rendered: Path, tmp_path: Path, fault: str, message: str) -> None:
    """Boot raises what postconf, postmap or the dying server said, and does not wait for a greeting for ever."""
    broken = shutil.copytree(rendered, tmp_path / "broken")
    (broken / "main.cf").write_text(f"{MAIN_CF}\n{fault}\n")
    with pytest.raises(BootError, match=message):
        boot(broken)


def test_nothing_is_left_after_the_end(rendered: Path) -> None:
    """A closed instance has no master, no port and no work directory any more."""
    with boot(rendered) as instance:
        assert instance.master_pid() is not None
    assert instance.master_pid() is None
    assert not instance.work_directory.exists()


def test_a_message_is_delivered_by_client_certificate(
    rendered: Path, tmp_path: Path, postfix_instance: Boot, authority: ThrowAwayAuthority, listed_client: Credential
) -> None:
    """Of two clients of one sending instance the one with the listed certificate delivers, the bare one is refused."""
    receiver = postfix_instance(rendered, overrides=RECEIVING_SIDE)
    (tmp_path / "main.cf").write_text(SENDER_CF)
    (tmp_path / "ca.pem").write_text(authority.certificate_pem)
    listed_client.write_chain(tmp_path / "client.pem")
    sender = postfix_instance(
        tmp_path,
        servers={},
        transports={"t-listed": {"smtp_tls_chain_files": "$config_directory/client.pem"}, "t-bare": {}},
        overrides=sending_to({f"{name}.test": f"t-{name}:[127.0.0.1]:{receiver.port}" for name in ("listed", "bare")}),
    )
    delivered = sender.send("someone@listed.test")
    refused = sender.send("someone@bare.test")
    assert (delivered.status, delivered.dsn, delivered.trust) == ("sent", "2.0.0", "Trusted")
    # soft_bounce turns the refusal into a 4.x.x code and keeps the server's words.
    assert (refused.status, refused.dsn) == ("SOFTBOUNCE", "4.7.1")
    assert "said: 554 5.7.1" in refused.reason
    assert sender.complaints() == receiver.complaints() == []


def test_a_port_is_never_handed_out_twice() -> None:
    """Two hundred free ports are two hundred different ones below the kernel's own range."""
    ports = set(islice(free_ports(), 200))
    assert len(ports) == 200
    assert ports <= set(range(20000, 32000))


def test_a_dropped_parameter_takes_its_continuation_lines_along() -> None:
    """Comments and empty lines inside a value go with it; the next parameter stays."""
    text = "mynetworks = 10.0.0.0/8,\n# inside\n\n  192.0.2.0/24\nmyhostname = a\n"
    assert drop_parameters(text, ["mynetworks"]) == "myhostname = a\n"
