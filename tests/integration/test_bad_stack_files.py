"""Stack files with mistakes, through the real engine: clear sentences with paths, and nothing is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from postseal_core.errors import Problem
from tests.support.engine import Result
from tests.support.stack_files import problems_of
from tests.support.stacks import MailStack, custom_resources, mail_stack
from tests.support.test_authority import Credential, ThrowAwayAuthority

OTHER = ThrowAwayAuthority("Other CA")
LEAF = OTHER.issue_client("somebody")
GOOD_CLIENT = {"email": "alice@example.org"}
# What is wrong in one stack file; by path, the words that its message must hold.
MISTAKES: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "lifetime": {"validity": "400d"}, "protect": False},
    "servers": {
        "web": {"dns_names": ["web_1 .example.org"]},
        "weak": {"dns_names": ["weak.example.org"], "key_algorithm": "RSA-1024"},
        "long": {"dns_names": ["long.example.org"], "lifetime": {"validity": "900d"}},
    },
    "clients": {
        "Alice": {"email": "other@example.org"},
        "alice": {**GOOD_CLIENT, "emial": "alice@example.org"},
        "bob": {"email": "bob@"},
        "carol": {"email": "carol@example.org", "lifetime": {"validity": "401d"}},
        "dave": {"email": "dave@example.org", "lifetime": {"validity": "0d"}},
        "erin": {"email": "erin@example.org", "pkcs12": {"passphrase_secret": "erin-passphrase"}},
    },
    "hosts": {
        "mx1": {
            "myhostname": "mx1.example.org",
            "settings": {"smtpd_tls_security_level": "maybe"},
            "extra_relay_clients": [
                {"name": "partner", "fingerprint_sha256": LEAF.fingerprint_sha256},
                {"name": "friend", "certificate_pem": LEAF.certificate_pem},
            ],
            "trust": {"roots_pem": [LEAF.certificate_pem]},
            "target": {"directory": "out/my host"},
        },
    },
}
EXPECTED: Mapping[str, str] = {
    "servers.web.dns_names[0]": "'web_1 .example.org'",
    "servers.weak.key_algorithm": "too weak",
    "servers.long.lifetime.validity": "at most",
    "clients.alice.emial": "did you mean email?",
    "clients.Alice": "lower-case letters",
    "clients.alice": "differs from Alice only in case",
    "clients.bob.email": "expected a host name",
    "clients.carol.lifetime.validity": "its authority lives only",
    "clients.dave.lifetime.validity": "'0d'",
    "clients.erin.pkcs12.passphrase_secret": "erin-passphrase",
    "hosts.mx1.settings.smtpd_tls_security_level": "one of may, encrypt",
    "hosts.mx1.extra_relay_clients": "friend and partner are the same",
    "hosts.mx1.trust.roots_pem[0]": "no authority",
    "hosts.mx1.target.directory": "without blanks",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the engine said about a stack file, what it made all the same, and what the file's own check says."""

    result: Result
    made: list[Mapping[str, Any]]
    files: list[Path]

    def faults(self) -> list[str]:
        """Say how this is no clean refusal."""
        checks = {
            "it succeeded": self.result.is_success,
            "a traceback": "Traceback" in str(self.result),
            "a private key": "PRIVATE KEY" in str(self.result),
            f"made {self.made}": bool(self.made),
            f"wrote {self.files}": bool(self.files),
        }
        return [fault for fault, is_there in checks.items() if is_there]


def _at(problems: Sequence[Problem], path: str) -> list[Problem]:
    return [problem for problem in problems if problem.path == path]


def refusal(mail: MailStack) -> Refusal:
    """Bring a stack up that cannot be."""
    result = mail.stack.up()
    return Refusal(result, custom_resources(mail.stack.export()), list(mail.out.rglob("*")))


def encrypted(credential: Credential, passphrase: str) -> str:
    """Return the private key of a credential, protected by a passphrase."""
    key = serialization.load_pem_private_key(credential.private_key_pem.encode(), password=None)
    encryption = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def adopting(secret: str, authority: ThrowAwayAuthority, common_name: str) -> dict[str, Any]:
    """Return an authority that is taken over with the key in a secret."""
    adopt = {"certificate_pem": authority.certificate_pem, "private_key_secret": secret}
    return {"common_name": common_name, "adopt": adopt, "protect": False}


@pytest.mark.needs_engine
def test_every_mistake_of_a_stack_file_is_told_at_once(engine_home: Path, tmp_path: Path) -> None:
    """The engine shows each problem with its path as the check of the file words it, and registers nothing."""
    mail = mail_stack(tmp_path, engine_home)
    mail.declare(MISTAKES)
    refused = refusal(mail)
    assert refused.faults() == []
    shown = {line.strip() for line in str(refused.result).splitlines()}
    told = problems_of(MISTAKES)
    assert {problem.path for problem in told} == EXPECTED.keys()
    assert {
        path for path, words in EXPECTED.items() if not any(words in str(each) for each in _at(told, path))
    } == set()
    assert {str(problem) for problem in told} - shown == set()
    assert [line for line in shown if "problems; nothing was changed" in line]


@pytest.mark.needs_engine
@pytest.mark.parametrize(
    ("key_pem", "words"),
    [
        pytest.param(LEAF.private_key_pem, "old-key is the key of another certificate", id="of another certificate"),
        pytest.param(encrypted(LEAF, "correct horse"), "passphrase", id="under a passphrase"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_before_anything_is_made(
    engine_home: Path, tmp_path: Path, key_pem: str, words: str
) -> None:
    """The authority that it was handed in for says what is wrong with it."""
    mail = mail_stack(tmp_path, engine_home)
    mail.stack.set_config("old-key", key_pem, is_secret=True)
    mail.declare({"authority": adopting("old-key", ThrowAwayAuthority("Old CA"), "Old CA")})
    refused = refusal(mail)
    assert refused.faults() == []
    assert words in str(refused.result)


@pytest.mark.needs_engine
def test_a_client_that_is_declared_twice_is_refused(engine_home: Path, tmp_path: Path) -> None:
    """YAML itself has no two keys of one name: the engine names the line, and the second never replaces the first."""
    mail = mail_stack(tmp_path, engine_home)
    mail.declare({"clients": {"alice": GOOD_CLIENT}})
    path = mail.project / "stacks/Pulumi.test.yaml"
    path.write_text(path.read_text() + "    alice:\n      email: other@example.org\n")
    refused = mail.stack.up()
    assert not refused.is_success
    assert '"alice" already' in str(refused)
