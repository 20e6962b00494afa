"""A running Postfix is adopted: its entries go into a stack, and preview and `up` change nothing for anybody."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import probe
from tests.support.stacks import MailStack, mail_stack
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.takes_long]

AUTHORITY = ThrowAwayAuthority("Example Mail CA")
SERVER, ALICE, BOB = AUTHORITY.issue_server("mx1.example.org"), AUTHORITY.issue_client("a"), AUTHORITY.issue_client("b")
MALLORY = AUTHORITY.issue_client("mallory")
MAIN_CF = """\
# Made by hand.
compatibility_level = 3.6
myhostname = mx1.example.org
mydestination = localhost
mynetworks = 192.0.2.254/32
relay_clientcerts = hash:$config_directory/relay_clientcerts
relayhost = [smarthost.example.net]:587
smtpd_relay_restrictions = permit_mynetworks, permit_tls_clientcerts, defer_unauth_destination
smtpd_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
smtp_tls_CAfile = $smtpd_tls_CAfile
smtp_tls_security_level = may
smtpd_tls_ask_ccert = yes
smtpd_tls_chain_files = $config_directory/mx1.pem
smtpd_tls_fingerprint_digest = sha256
smtpd_tls_security_level = may
"""
VALUES = (
    "smtpd_tls_CAfile",
    "smtp_tls_CAfile",
    "relayhost",
    "mynetworks",
    "smtpd_tls_chain_files",
    "smtpd_tls_ask_ccert",
)


@dataclass
class Adopted:
    """The host, what the command wrote, and a stack that has it."""

    instance: PostfixInstance
    text: str
    entries: dict[str, Any]
    mail: MailStack

    def answers(self) -> list[tuple[bool, str | None]]:
        """Return who may relay, and what is served: two listed clients, one that is not, none, and no TLS."""
        port = self.instance.port
        clients: tuple[Credential | None, ...] = (ALICE, BOB, MALLORY, None)
        seen = [probe(port, client_certificate=each) for each in clients]
        seen.append(probe(port, tls="none"))
        return [(each.may_relay, each.served_fingerprint_sha256) for each in seen]

    def values(self) -> list[str]:
        """Return the values of routes, trust and networks."""
        return [self.instance.postconf("-xh", name).strip() for name in VALUES]

    def rows(self) -> set[str]:
        """Return the fingerprints of the table."""
        lines = (self.instance.config_directory / "relay_clientcerts").read_text().splitlines()
        return {line.split()[0] for line in lines if line and not line.startswith("#")}


@pytest.fixture(scope="module")
def adopted(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adopted]:
    """Boot a host that was made by hand, and have the command write what brings it into a stack."""
    rendered = tmp_path_factory.mktemp("rendered")
    (rendered / "main.cf").write_text(MAIN_CF)
    (rendered / "mx1.pem").write_text(SERVER.chain_pem)
    (rendered / "mx1.pem").chmod(0o600)
    rows = f"{ALICE.fingerprint_sha256} alice\n{BOB.public_key_fingerprint_sha256} bob, key\n"
    (rendered / "relay_clientcerts").write_text(rows)
    with boot(rendered) as instance:
        place = str(instance.config_directory)
        command = [sys.executable, "-m", "postseal.cli", "adopt", place, "--name", "mx1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        mail = mail_stack(tmp_path_factory.mktemp("office"), engine_home)
        yield Adopted(instance, done.stdout, yaml.safe_load(done.stdout), mail)


def flat(text: object) -> str:
    """Return what the engine says without its line breaks and indents."""
    return " ".join(str(text).split())


def test_the_entries_change_nothing_for_anybody(adopted: Adopted) -> None:
    """Preview and `up` refuse nothing and name what the comments name; who may relay, and by what, stays."""
    before = adopted.answers(), adopted.values(), adopted.rows()
    assert [may for may, _ in before[0]] == [True, True, False, False, False]
    hosts = adopted.entries["config"]["mail-pki:hosts"]
    adopted.mail.declare({"hosts": hosts})
    shown = flat(adopted.mail.stack.preview().expect_success())
    assert "up will refuse" not in shown
    assert "row goes" not in shown
    assert "rows go" not in shown
    promised = [line.removeprefix("#   ") for line in adopted.text.splitlines() if " -> " in line]
    assert promised
    assert [line for line in promised if flat(line) not in shown] == []
    adopted.mail.stack.up().expect_success()
    assert adopted.answers() == before[0]
    assert adopted.values() == before[1]
    assert adopted.rows() == before[2]
    assert "# Made by hand." in (adopted.instance.config_directory / "main.cf").read_text()


def test_what_is_named_as_better_is_there(adopted: Adopted) -> None:
    """Only that: others are refused for good instead of for now, and no key is in what was written."""
    assert "defer_unauth_destination -> " in adopted.text
    assert "PRIVATE" not in adopted.text
    named = {line.removeprefix("#   ").partition(":")[0] for line in adopted.text.splitlines() if " -> " in line}
    assert named == {"smtpd_relay_restrictions"}
