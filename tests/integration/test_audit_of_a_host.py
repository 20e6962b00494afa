"""What an audit says of a running Postfix is what its clients meet, and nothing on the host changes."""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from postfix.audit.findings import Finding
from postfix.audit.kinds import Kind, Severity
from postseal.audit.gathering import audit_directory
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import probe
from tests.support.test_authority import ThrowAwayAuthority
from tests.support.xclient_probe import rcpt_code_as

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.takes_long]

AUTHORITY = ThrowAwayAuthority("Example Mail CA")
SERVER, ALICE = AUTHORITY.issue_server("mx1.example.test"), AUTHORITY.issue_client("alice")
STRANGER = "203.0.113.77"
MAIN_CF = """\
compatibility_level = 3.6
myhostname = mx1.example.test
relay_clientcerts = texthash:$config_directory/clients
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, permit_tls_clientcerts, reject_unauth_destination
smtpd_tls_ask_ccert = yes
smtpd_tls_chain_files = $config_directory/tls/mx1.pem
smtpd_tls_fingerprint_digest = sha256
smtpd_tls_security_level = may
smtp_tls_security_level = may
"""
SERVERS = {
    "good": {},
    "open": {"mynetworks": "203.0.113.0/24"},
    "unasked": {"smtpd_tls_ask_ccert": "no"},
    "digest": {"smtpd_tls_fingerprint_digest": "md5"},
    "missing": {"smtpd_recipient_restrictions": "check_recipient_access hash:/nonexistent/table"},
    "keyless": {"smtpd_tls_chain_files": "/nonexistent/chain.pem"},
    "dead": {"smtpd_helo_required": "yess"},
    "required": {"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"},
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostfixInstance]:
    """Boot one Postfix with a server for each matter, as it is: some of them do not greet."""
    directory = tmp_path_factory.mktemp("audited")
    (directory / "tls").mkdir()
    (directory / "tls/mx1.pem").write_text(SERVER.chain_pem)
    (directory / "tls/mx1.pem").chmod(0o600)
    (directory / "main.cf").write_text(MAIN_CF)
    (directory / "clients").write_text(f"{ALICE.fingerprint_sha256} alice\n")
    with boot(directory, servers=SERVERS, is_started=False) as instance:
        instance.prepare()
        instance.start_as_it_is()
        yield instance


@pytest.fixture(scope="module")
def found(host: PostfixInstance, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    """Audit the same files as those of a host at addresses of its own; return what is found by server."""
    place = tmp_path_factory.mktemp("public") / "conf"
    shutil.copytree(host.config_directory, place)
    master_cf = place / "master.cf"
    master_cf.write_text(master_cf.read_text().replace("127.0.0.1:", "0.0.0.0:"))
    before, start = digests(place), time.monotonic()
    _, audit = audit_directory(place, "", datetime.now(UTC))
    assert time.monotonic() - start < 10
    assert digests(place) == before
    by_port = {f"0.0.0.0:{port}/inet": name for name, port in host.ports.items()}
    findings: dict[str, list[Finding]] = defaultdict(list)
    for finding in audit.findings:
        for service in finding.place.service.split(", "):
            findings[by_port.get(service, "host")].append(finding)
    return findings


def digests(place: Path) -> dict[str, str]:
    """Return all files of a directory with what is in them."""
    return {str(each): sha256(each.read_bytes()).hexdigest() for each in place.rglob("*") if each.is_file()}


def worst(findings: list[Finding]) -> set[Kind]:
    """Return what is broken or open."""
    return {finding.kind for finding in findings if finding.severity is Severity.ERROR}


def lets_alice_in(host: PostfixInstance, name: str) -> bool:
    """Return whether the listed client may relay through a server."""
    with suppress(OSError):
        return probe(host.ports[name], client_certificate=ALICE).may_relay
    return False


def lets_strangers_in(host: PostfixInstance, name: str) -> bool:
    """Return whether a client from anywhere may."""
    with suppress(OSError, AssertionError, ValueError):
        return rcpt_code_as(STRANGER, host.ports[name], "someone@elsewhere.test") == 250
    return False


def test_what_is_right_is_not_found_fault_with(host: PostfixInstance, found: dict[str, list[Finding]]) -> None:
    """The listed client gets in, strangers do not, and no finding is about this server."""
    assert lets_alice_in(host, "good")
    assert not lets_strangers_in(host, "good")
    assert found["good"] == []
    assert worst(found["host"]) == set()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("unasked", Kind.LISTED_REFUSED_HERE),
        ("digest", Kind.ROWS_NEVER_MATCH),
        ("missing", Kind.REFUSES),
        ("keyless", Kind.NO_TLS),
        ("dead", Kind.DEAD),
        ("required", Kind.REQUIRED_UNTRUSTED),
    ],
)
def test_who_is_said_to_be_refused_is(
    name: str, kind: Kind, host: PostfixInstance, found: dict[str, list[Finding]]
) -> None:
    """The listed client, and for the reason that is told."""
    assert kind in {finding.kind for finding in found[name]}
    assert not lets_alice_in(host, name)
    assert not lets_strangers_in(host, name)


def test_who_is_said_to_be_open_is(host: PostfixInstance, found: dict[str, list[Finding]]) -> None:
    """And no other server is."""
    open_servers = {name for name, each in found.items() if Kind.OPEN_RELAY in worst(each)}
    assert open_servers == {"open"}
    assert {name for name in SERVERS if lets_strangers_in(host, name)} == open_servers
