"""A stack with every resource type as it was stored once, with its files: what a newer plugin must plan nothing on.

`make states` makes it anew; that is done until the first release, and from then on a stored stack is kept as it is.
"""

import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from postseal_core.instants import format_instant, parse_instant
from tests.support.engine import REPOSITORY, copy_project, prepare_home
from tests.support.engine import Stack as EngineStack
from tests.support.offline_signer import OfflineSigner, pem
from tests.support.stacks import MailStack
from tests.support.test_authority import ThrowAwayAuthority

__all__ = ["STATES", "StoredStack", "make_stored_stack", "restore"]

STATES = REPOSITORY / "tests/states"
# Long ago enough that a renewal and its overlap lie before the day on which the state was stored.
_FIRST_DAY = timedelta(days=20)
_DAYS_OF_ANSWERS = (-30, 365)  # from before the first day on
_PLACES = frozenset({"sourcePosition", "stackTrace"})


@dataclass(frozen=True, slots=True)
class StoredStack:
    """One stored stack: `sections` of its stack file, the `clock` it lived at, and its directory."""

    directory: Path

    @property
    def sections(self) -> dict[str, Any]:
        """The sections of the stack file."""
        sections: dict[str, Any] = yaml.safe_load((self.directory / "sections.yaml").read_text())
        return sections

    @property
    def secrets(self) -> dict[str, str]:
        """The secret keys of the stack file, in clear: they were made for this stack only."""
        secrets: dict[str, str] = yaml.safe_load((self.directory / "secrets.yaml").read_text())
        return secrets

    @property
    def clock(self) -> datetime:
        """The instant at which the state was stored."""
        return parse_instant((self.directory / "clock").read_text().strip())


def restore(stored: StoredStack, directory: Path, home: Path) -> MailStack:
    """Return the stack as it was, with its state, its stack file and its files, in a new directory."""
    scratch = directory / "backend"
    scratch.mkdir(parents=True)
    shutil.copy(stored.directory / "passphrase", scratch / "passphrase")
    mail = MailStack(EngineStack(copy_project(REPOSITORY, directory / "project"), scratch, home).init())
    _hide(stored.secrets, mail)
    mail.declare(stored.sections, clock=stored.clock)
    mail.stack.run("stack", "import", "--file", str(stored.directory / "export.json")).expect_success()
    with tarfile.open(stored.directory / "out.tar.gz") as files:
        files.extractall(mail.project, filter="tar")  # keeps the modes, which are compared
    return mail


def make_stored_stack(directory: Path) -> StoredStack:
    """Bring up a stack with every resource type, let time pass, and store what it is then."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hosted = ThrowAwayAuthority("Third party").issue_client("hosted.example.org", days=_DAYS_OF_ANSWERS)
    sections, secrets = _sections(hosted.certificate_pem), {"hosted-key": hosted.private_key_pem}
    with tempfile.TemporaryDirectory(prefix="postseal-states-") as name:
        work = Path(name)
        home = prepare_home(work / "home")
        mail = MailStack(EngineStack(copy_project(REPOSITORY, work / "project"), work / "backend", home).init())
        _hide(secrets, mail)
        mail.declare(sections, clock=now - _FIRST_DAY)
        mail.stack.up().expect_success()
        sections["servers"]["answered"]["third_party"] = {"signed_chain_pem": _answer(mail)}
        sections["authorities"]["signed"]["third_party"] = _signed(mail, now)
        sections["clients"]["dave"]["revoke"] = "keyCompromise"
        sections["authorities"]["root"]["slots"] = {"active": 2, "retiring": 1, "cross_sign": True, "standby_for": 0}
        mail.declare(sections, clock=now)
        mail.stack.up().expect_success()
        mail.stack.preview(expect_no_changes=True).expect_success()
        _store(mail, directory, sections, secrets, now)
    return StoredStack(directory)


def _answer(mail: MailStack) -> str:
    """Return the chain with which a third party answers the stack's request."""
    request = (mail.out / "requests/answered.csr.pem").read_text()
    return ThrowAwayAuthority("Third party").sign_request(request, "answered.example.org")


def _signed(mail: MailStack, now: datetime) -> dict[str, str]:
    """Return what an offline root answers to the request of an authority."""
    root = OfflineSigner(now)
    answer = root.sign((mail.out / "requests/signed.csr.pem").read_text())
    return {"signed_chain_pem": pem(answer), "roots_pem": pem(root.certificate)}


def _hide(secrets: Mapping[str, str], mail: MailStack) -> None:
    for key, value in secrets.items():
        mail.stack.set_config(key, value, is_secret=True)


def _without_places(value: Any) -> Any:
    """Leave out where on this machine each resource was declared: the engine notes it, and never reads it."""
    if isinstance(value, dict):
        return {name: _without_places(each) for name, each in value.items() if name not in _PLACES}
    return [_without_places(each) for each in value] if isinstance(value, list) else value


def _store(mail: MailStack, directory: Path, sections: dict[str, Any], secrets: dict[str, str], now: datetime) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / "sections.yaml").write_text(yaml.safe_dump(sections, sort_keys=False))
    (directory / "secrets.yaml").write_text(yaml.safe_dump(secrets))
    (directory / "clock").write_text(f"{format_instant(now)}\n")
    (directory / "export.json").write_text(json.dumps(_without_places(mail.stack.export()), indent=1) + "\n")
    shutil.copy(mail.stack.scratch / "passphrase", directory / "passphrase")
    with tarfile.open(directory / "out.tar.gz", "w:gz") as files:
        files.add(mail.project / "out", "out")


def _sections(hosted_chain_pem: str) -> dict[str, Any]:
    short = {"validity": "30d", "renew_fraction": "1/2", "overlap": "14d"}
    return {
        "authorities": {
            "root": {"common_name": "Stored Root", "path_length": 2, "slots": {"active": 1, "standby": 2}},
            "issuing": {
                "common_name": "Stored Issuing CA",
                "issuer": "root",
                "crl_urls": ["http://pki.example.org/issuing.crl"],
                "crl": {"lifetime": "60d"},
            },
            "signed": {"common_name": "Stored Signed CA", "path_length": 0, "third_party": {}},
            "awaited": {"common_name": "Stored Awaited CA", "path_length": 0, "third_party": {}},
        },
        "lifetime": {"leaf": short},
        "servers": {
            "mx1": {"authority": "issuing", "dns_names": ["mx1.example.org"], "also_client": True},
            "own": {"self_signed": True, "dns_names": ["own.example.org"]},
            "open": {"third_party": {}, "dns_names": ["open.example.org"]},
            "answered": {"third_party": {}, "dns_names": ["answered.example.org"]},
        },
        "clients": {
            "alice": {
                "authority": "issuing",
                "email": "alice@example.org",
                "pkcs12": "modern",
                "organization": "Example",
            },
            "bob": {"authority": "issuing", "email": "bob@example.org", "confirm": True},
            "dave": {"authority": "issuing", "email": "dave@example.org"},
            "frank": {"authority": "signed", "email": "frank@example.org"},
            "grace": {"authority": "awaited", "email": "grace@example.org"},
            "relay": {
                "authority": "issuing",
                "dns_names": ["relay.example.org"],
                "match": "public_key",
                "lifetime": {"renew_key": "never"},
            },
            "hosted": {"third_party": {"signed_chain_pem": hosted_chain_pem, "private_key_secret": "hosted-key"}},
        },
        "rosters": {
            "staff": {
                "authority": "issuing",
                "pkcs12": "legacy",
                "clients": {
                    "carol": {"email": "carol@example.org"},
                    "erin": {"email": "erin@example.org", "pkcs12": "none", "validity_hours": 2160},
                },
            }
        },
        "hosts": {
            "mx1": {
                "myhostname": "mx1.example.org",
                "relay_clients": ["alice", "bob", "dave", "relay", "mx1"],
                "relay_rosters": ["staff"],
                "extra_relay_clients": [{"name": "partner", "fingerprint_sha256": ":".join(["AB"] * 32)}],
                "transports": {
                    "out": {"destinations": ["example.net"], "next_hop": "[a.example.net]", "certificate": "server"},
                    "hosted": {"destinations": ["example.com"], "next_hop": "[b.example.com]", "certificate": "hosted"},
                },
                "policies": {"example.com": {"level": "encrypt"}},
            },
            "relay": {
                "myhostname": "relay.example.org",
                "certificate": "none",
                "relay_through": {"relayhost": "[mx1.example.org]", "certificate": "relay"},
            },
            "open": {"myhostname": "open.example.org"},
            "answered": {"myhostname": "answered.example.org", "trust": {"ca_path": True}},
        },
    }


if __name__ == "__main__":
    make_stored_stack(STATES / sys.argv[1])
