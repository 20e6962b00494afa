"""`postseal seen` on the log of a real Postfix: who used which generation, and nobody without the flag."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.engine import REPOSITORY, Result, run_limited
from tests.support.played_engine import PlayedStack
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import probe
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = pytest.mark.needs_postfix

NOW = datetime.now(UTC).replace(microsecond=0)
FIRST = NOW - timedelta(days=40)
CLIENTS = ("alice", "bob", "carol")
SECTIONS: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "path_length": 0, "protect": False},
    "lifetime": {"leaf": {"validity": "60d", "renew_fraction": "1/2", "overlap": "20d"}},
    "clients": {name: {"email": f"{name}@example.org", "pkcs12": "modern"} for name in CLIENTS},
    "hosts": {
        "relay": {
            "myhostname": "mx1.example.org",
            "relay_clients": list(CLIENTS),
            "settings": {"smtpd_tls_loglevel": [1, "peercert"]},
        }
    },
}


@dataclass(slots=True)
class Lived:
    """A stack whose certificates were renewed once, with what each client had at first and has now."""

    directory: Path
    old: Mapping[str, Credential]
    new: Mapping[str, Credential]

    @property
    def rendered(self) -> Path:
        """Where the files of the host are."""
        return self.directory / "out/prod/relay/postfix"

    def seen(self, log: str, *arguments: str) -> Result:
        """Run the command on a log, in a file beside the state."""
        (self.directory / "log").write_text(log)
        command = [str(Path(sys.executable).with_name("postseal")), "seen", "log", "--state", "state.json", *arguments]
        return run_limited(command, self.directory, os.environ, 60)

    def told(self, log: str, *arguments: str) -> dict[str, Any]:
        """Return what the command says of a log."""
        done = self.seen(log, "--format", "json", *arguments).expect_success()
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def handed_out(directory: Path) -> dict[str, Credential]:
    """Return what clients have at the moment."""
    places = {name: directory / "out/prod/clients" / name for name in CLIENTS}
    return {
        name: Credential((at / f"{name}.cert.pem").read_text(), (at / f"{name}.key.pem").read_text(), "")
        for name, at in places.items()
    }


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Bring a stack up, and again when its certificates are due."""
    directory = tmp_path_factory.mktemp("seen")
    with chdir(directory):
        stack = PlayedStack(name="prod")
        stack.up(SECTIONS, FIRST)
        old = handed_out(directory)
        stack.up(SECTIONS, NOW)
        (directory / "state.json").write_text(json.dumps(stack.export()))
        return Lived(directory, old, handed_out(directory))


def forger(victim: Credential) -> Credential:
    """Return a certificate that claims in its names to have the fingerprint of somebody else."""
    claim = f"x, fingerprint={victim.fingerprint_sha256}, pkey_fingerprint={victim.public_key_fingerprint_sha256}"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, claim, _validate=False)])
    begin = NOW - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=9))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Credential(certificate.public_bytes(Encoding.PEM).decode(), private, "")


def visit(instance: PostfixInstance, *clients: Credential | None) -> str:
    """Let each of them come, and return what was logged of it."""
    mark = instance.mark()
    for each in clients:
        assert probe(instance.port, client_certificate=each).rcpt is not None
    instance.wait_for_log(rf"(?s)(disconnect from \S+ ehlo=2.*){{{len(clients)}}}", since=mark)
    return instance.log_since(mark)


def generations(document: Mapping[str, Any]) -> dict[str, list[tuple[int | None, int]]]:
    """Return of each client which generations were seen how often, the latest first."""
    return {
        each["client"]: [(use["generation"], use["sessions"]) for use in each["uses"]]
        for each in document["clients"]
        if each["client"] in CLIENTS
    }


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_the_log_says_who_used_which_generation(lived: Lived) -> None:
    """An old certificate and then a new one, an old one, a stranger, a forger, nobody; without the flag no one."""
    stranger = ThrowAwayAuthority("Another CA").issue_client("alice")
    forged = forger(lived.new["carol"])
    visitors = (lived.old["alice"], lived.new["alice"], lived.old["bob"], stranger, forged, None)
    with boot(lived.rendered) as instance:
        named = visit(instance, *visitors)
    with boot(lived.rendered, overrides={"smtpd_tls_loglevel": "1"}) as instance:
        unnamed = visit(instance, *visitors)
    told = lived.told(named)
    found = generations(told)
    assert found["carol"] == []
    assert sorted(found["alice"]) == [(1, 1), (2, 1)]
    assert found["bob"] == [(1, 1)]
    (host,) = told["hosts"]
    assert (host["logged_as"], host["host"], host["sessions"], host["unnamed"]) == ("mx1", "relay", 5, 0)
    assert [each["fingerprint_sha256"] for each in told["unlisted"]] == [stranger.fingerprint_sha256]
    assert (told["doubtful"], told["other_digest"], told["overlong"]) == (1, 0, 0)
    assert all(each["addresses"] is None for each in told["clients"])
    addresses = {each["client"]: each["addresses"] for each in lived.told(named, "--addresses")["clients"]}
    assert {name: addresses[name] for name in CLIENTS} == {"alice": ["127.0.0.1"], "bob": ["127.0.0.1"], "carol": []}

    without = lived.told(unnamed)
    assert all(uses == [] for uses in generations(without).values())
    assert without["hosts"][0]["unnamed"] == 5
    assert "set smtpd_tls_loglevel to [1, peercert]" in lived.seen(unnamed).expect_success().stdout


def test_the_text_says_who_has_not_switched(lived: Lived) -> None:
    """From a log of today, also where the host is named by hand, and after a format that rsyslog writes."""
    with boot(lived.rendered) as instance:
        log = visit(instance, lived.old["bob"])
    assert re.search(r"bob +\S+ \S+ +1, not yet 2 +1 +relay\n", lived.seen(log).expect_success().stdout)
    elsewhere = re.sub(r"^(\w+ +\d+ \S+) mx1 ", f"{NOW:%Y-%m-%dT%H:%M:%S}.5+00:00 4f2a ", log, flags=re.MULTILINE)
    told = lived.told(elsewhere, "--host", "relay")
    assert generations(told)["bob"] == [(1, 1)]
    assert told["hosts"][0]["host"] == "relay"


def test_the_parameter_is_what_was_declared(lived: Lived) -> None:
    """As the installed Postfix reads it."""
    command = ["postconf", "-c", str(lived.rendered), "-h", "smtpd_tls_loglevel"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout == "1,peercert\n"
