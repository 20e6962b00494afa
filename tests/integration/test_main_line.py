"""From a stack file to a Postfix that admits the right clients and back to nothing, with the real engine."""

import re
import shutil
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import Result
from tests.support.judges import openssl_pkcs12_info
from tests.support.postfix_instance import Boot, Delivery
from tests.support.postfix_overlay import RECEIVING_SIDE, SENDING_SIDE
from tests.support.smtp_probe import probe
from tests.support.stacks import (
    certificates,
    custom_resources,
    faults_of_certificates,
    file_modes,
    handed_out,
    mail_stack,
    resource_outputs,
    revealed,
    table_rows,
    tree,
)
from tests.support.test_authority import ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

GIVEN_PASSPHRASE = "correct horse battery"
SERVER_NAME = "mx1.example.org"
SECTIONS: dict[str, Any] = {
    "authority": {
        "common_name": "Example Mail CA",
        "organization": "Example",
        "path_length": 0,
        "name_constraints": {"permitted_dns": ["example.org"], "permitted_email": ["example.org"]},
        "protect": False,
    },
    "clients": {
        "alice": {"email": "alice@example.org", "pkcs12": "modern"},
        "bob": {
            "email": "bob@example.org",
            "pkcs12": {"profile": "legacy", "passphrase_secret": "bob-passphrase"},
        },
        "relay2": {"dns_names": ["relay2.example.org"]},
    },
    "hosts": {"mx1": {"myhostname": SERVER_NAME, "relay_clients": ["alice", "relay2"]}},
}
CAROL = {"email": "carol@example.org", "organization": "Example", "key_algorithm": "ECDSA-P384"}
PROFILES = {"authority": "root", "mx1": "server"} | dict.fromkeys(("alice", "bob", "relay2", "carol"), "client")


def with_carol(port: int) -> dict[str, Any]:
    """Return the stack file with a client more, and with a host that sends through the server on a port."""
    next_hop = f"[127.0.0.1]:{port}"
    sender = {
        "myhostname": "relay2.example.org",
        "certificate": "none",
        "relay_through": {"relayhost": next_hop, "certificate": "relay2"},
        "policies": {next_hop: {"level": "secure", "match": [SERVER_NAME]}},
    }
    server = SECTIONS["hosts"]["mx1"] | {"relay_clients": ["alice", "relay2", "carol"]}
    clients = SECTIONS["clients"] | {"carol": CAROL}
    return SECTIONS | {"clients": clients, "hosts": {"mx1": server, "relay2": sender}}


def without_alice(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stack file in which alice is nowhere any more."""
    clients = {name: client for name, client in sections["clients"].items() if name != "alice"}
    server = sections["hosts"]["mx1"] | {"relay_clients": ["relay2", "carol"]}
    return {**sections, "clients": clients, "hosts": sections["hosts"] | {"mx1": server}}


@dataclass(slots=True)
class Story:
    """What one stack went through; `first`, `added` and `removed` are copies of its directory `out/test`."""

    directory: Path
    again: Result
    adding: Result
    removing: Result
    restored: dict[str, bytes]
    outputs: Mapping[str, Any]
    state: Mapping[str, Any]
    left: Mapping[str, Any]
    left_files: dict[str, bytes]

    @property
    def first(self) -> Path:
        """The files after the first `up`."""
        return self.directory / "first"

    @property
    def added(self) -> Path:
        """The files with carol and the sending host."""
        return self.directory / "added"

    @property
    def removed(self) -> Path:
        """The files without alice."""
        return self.directory / "removed"


@pytest.fixture(scope="module")
def story(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Bring a stack up, change it, lose its files, and take it down; every step is looked at afterwards."""
    directory = tmp_path_factory.mktemp("main-line")
    mail = mail_stack(directory, engine_home)
    mail.stack.set_config("bob-passphrase", GIVEN_PASSPHRASE, is_secret=True)
    mail.declare(SECTIONS)
    mail.stack.up().expect_success()
    (mail.out / "mx1/postfix/notes.txt").write_text("mine\n")
    shutil.copytree(mail.out, directory / "first")
    again = mail.stack.up().expect_success()

    # Nothing listens there yet; the test that sends mail puts its server's port in this one's place.
    sections = with_carol(25)
    mail.declare(sections)
    adding = mail.stack.preview(diff=True).expect_success()
    mail.stack.up().expect_success()
    shutil.copytree(mail.out, directory / "added")
    outputs, state = mail.stack.outputs(show_secrets=True), mail.stack.export(show_secrets=True)

    shutil.rmtree(mail.out)
    mail.stack.up().expect_success()
    restored = tree(mail.out)
    (mail.out / "clients/alice/notes.txt").write_text("mine\n")

    mail.declare(without_alice(sections))
    removing = mail.stack.preview(diff=True).expect_success()
    mail.stack.up().expect_success()
    shutil.copytree(mail.out, directory / "removed")
    mail.stack.destroy().expect_success()
    left = mail.stack.export()
    return Story(directory, again, adding, removing, restored, outputs, state, left, tree(mail.out))


def test_a_second_up_changes_nothing(story: Story) -> None:
    """With the same stack file the engine finds every resource unchanged, and says nothing else."""
    resources = story.again.stdout.partition("Resources:\n")[2].partition("\n\n")[0]
    assert resources.split()[1:] == ["unchanged"]


def test_adding_a_client_shows_all_that_is_known_of_it(story: Story) -> None:
    """Before a certificate is made, a reviewer reads its name, key, subject, names, dates and row."""
    shown = re.sub(" +:", ":", story.adding.stdout)
    outputs = certificates(story.state)["carol"]
    known = {
        'name: "carol"',
        'key_algorithm: "ECDSA-P384"',
        'subject: "CN=carol@example.org,O=Example"',
        'email: "carol@example.org"',
        *(f'{date}: "{outputs[date]}"' for date in ("not_before", "not_after", "renew_at")),
        f'let in: g1 until {outputs["not_after"][:10]}: "carol"',
    }
    assert {words for words in known if words not in shown} == set()


def test_removing_a_client_says_that_it_is_no_longer_let_in(story: Story) -> None:
    """By its name, at the host that let it in, and in the line of that host."""
    assert '+ will no longer be let in: "alice"' in story.removing.stdout
    (line,) = [each for each in str(story.removing).splitlines() if each.startswith("mx1: ") and " before, " in each]
    assert "; removed: alice; " in line


def test_every_certificate_pleases_openssl_and_pkilint(story: Story) -> None:
    """Chains verify strictly for what each certificate is for, and the linter finds no error."""
    assert certificates(story.state).keys() == PROFILES.keys()
    assert list(faults_of_certificates(story.state, PROFILES)) == []


@pytest.mark.parametrize(("name", "is_legacy"), [("alice", False), ("bob", True)])
def test_archives_open_with_the_passphrase_of_the_outputs(story: Story, name: str, is_legacy: bool) -> None:  # noqa: FBT001
    """`openssl pkcs12` opens what was handed out with the secret output, and with nothing else."""
    archives = resource_outputs(story.state, "postseal:index:Pkcs12")
    archive = (story.added / f"clients/{name}/{name}.p12").read_bytes()
    assert archive == b64decode(revealed(archives[name]["archive_p12_base64"]))
    passphrase = story.outputs["pkcs12_passphrases"][name]
    assert openssl_pkcs12_info(archive, passphrase, legacy=is_legacy).is_accepted
    assert not openssl_pkcs12_info(archive, f"{passphrase}x", legacy=is_legacy).is_accepted
    assert (passphrase == GIVEN_PASSPHRASE) == (name == "bob")


def test_private_files_are_for_their_owner_only(story: Story) -> None:
    """Keys, archives and chain files have mode 0400, everything else may be read by all."""
    modes = file_modes(story.added)
    private = {path for path, mode in modes.items() if mode == 0o400}
    assert private == {
        *(f"clients/{name}/{name}.key.pem" for name in ("alice", "bob", "carol", "relay2")),
        "clients/alice/alice.p12",
        "clients/bob/bob.p12",
        "mx1/postfix/tls/mx1.pem",
        "relay2/postfix/tls/relay2.pem",
    }
    assert {mode for path, mode in modes.items() if path not in private} == {0o644}


def test_files_of_others_stay_and_ours_go_with_their_declaration(story: Story) -> None:
    """What is no longer declared is removed, down to nothing; what somebody else put there is left alone."""
    alice = {path for path in tree(story.removed) if path.startswith("clients/alice/")}
    assert alice == {"clients/alice/notes.txt"}
    assert story.left_files == {"clients/alice/notes.txt": b"mine\n"}
    assert custom_resources(story.left) == []


def test_lost_files_are_written_again_as_they_were(story: Story) -> None:
    """After `out` was deleted the next `up` brings every file of ours back, byte for byte."""
    lost = tree(story.added)
    assert lost.pop("mx1/postfix/notes.txt") == b"mine\n"
    assert story.restored == lost


@pytest.mark.needs_postfix
def test_the_listed_clients_relay_and_nobody_else(story: Story, postfix_instance: Boot) -> None:
    """The rendered directory serves the certificate of the state and admits whom the stack file names."""
    instance = postfix_instance(story.first / "mx1/postfix")
    served = certificates(story.state)["mx1"]["fingerprint_sha256"]
    other = ThrowAwayAuthority("Other CA")
    ca_pem = (story.first / "ca/ca.pem").read_text()
    clients = {name: handed_out(story.first, name) for name in ("alice", "relay2", "bob")}
    strangers = {"expired": other.issue_expired_client("alice"), "none": None}
    seen = {
        name: probe(instance.port, client_certificate=client, server_name=SERVER_NAME, ca=ca_pem)
        for name, client in (clients | strangers).items()
    }
    assert {each.served_fingerprint_sha256 for each in seen.values()} == {served}
    assert {name: each.rcpt.code for name, each in seen.items() if each.rcpt} == {
        "alice": 250,
        "relay2": 250,
        "bob": 554,
        "expired": 554,
        "none": 554,
    }
    assert instance.complaints() == []


def test_a_row_names_its_client(story: Story) -> None:
    """The table holds the fingerprints of the state, each with a name that a person can read."""
    clients = certificates(story.state)
    expected = {clients[name]["fingerprint_sha256"]: name for name in ("alice", "relay2", "carol")}
    rows = table_rows(story.added / "mx1/postfix")
    assert {fingerprint: rest.split()[0] for fingerprint, rest in rows.items()} == expected


def deliver(sender: Path, port: int, boot_one: Boot, directory: Path) -> Delivery:
    """Boot a copy of the sending host with a port in place of 25, and return what became of a message."""
    shutil.copytree(sender, directory)
    for file_name in ("main.cf", "tls_policy"):
        path = directory / file_name
        path.write_text(path.read_text().replace("[127.0.0.1]:25", f"[127.0.0.1]:{port}"))
    return boot_one(directory, overrides=SENDING_SIDE).send("someone@elsewhere.test")


@pytest.mark.needs_postfix
def test_the_sending_side_delivers_by_its_certificate(story: Story, postfix_instance: Boot, tmp_path: Path) -> None:
    """The declared client relays through the declared server over verified TLS; without its row it may not."""
    receiver = postfix_instance(story.added / "mx1/postfix", overrides=RECEIVING_SIDE)
    sender = story.added / "relay2/postfix"
    sent = deliver(sender, receiver.port, postfix_instance, tmp_path / "listed")
    assert (sent.status, sent.trust) == ("sent", "Verified")

    closed = tmp_path / "closed"
    shutil.copytree(story.added / "mx1/postfix", closed)
    (closed / "relay_clientcerts").write_text("# nobody\n")
    strict = postfix_instance(closed, overrides=RECEIVING_SIDE)
    refused = deliver(sender, strict.port, postfix_instance, tmp_path / "unlisted")
    assert (refused.status, refused.dsn, refused.trust) == ("SOFTBOUNCE", "4.7.1", "Verified")
