"""Revocation with the real engine: what a reviewer reads, what Postfix and openssl do, what cannot be taken back."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from postseal_core.instants import format_instant
from tests.support.engine import Stack, write_project
from tests.support.judges import (
    LintRole,
    Purpose,
    openssl_crl_text,
    openssl_crl_verify,
    openssl_verify_strict,
    pkilint_findings,
)
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.smtp_probe import probe
from tests.support.stacks import handed_out, load_certificates, resource_outputs, table_rows, tree
from tests.support.test_authority import Credential

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

CRL_URL = "http://crl.example.org/mail-ca.crl"
PROGRAM = f"""
import pki
import postfix
import pulumi

unprotected = pulumi.ResourceOptions(protect=False)
ca = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA", crl_urls=["{CRL_URL}"], opts=unprotected)
mx1 = pki.ServerCertificate("mx1", authority=ca, dns_names=["mx1.example.org"])
clients = [
    pki.ClientCertificate(name, authority=ca, email=f"{{name}}@example.org", **fields)
    for name, fields in pulumi.Config().require_object("clients").items()
]
crl = pki.RevocationList("mail-ca", authority=ca, certificates=[mx1, *clients])
pki.HandOut("hand-out", directory="out", authorities=[ca], clients=clients, revocation_lists=[crl])
postfix.MailServer(
    "mx1",
    myhostname="mx1.example.org",
    certificate=mx1,
    target=postfix.Directory("out/mx1/postfix"),
    relay_clients=clients,
)
"""
START = datetime(2026, 11, 22, 20, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Program:
    """A stack with an authority, its list, and clients that a test declares."""

    stack: Stack

    @property
    def out(self) -> Path:
        """What the stack hands out."""
        return self.stack.project / "out"

    @property
    def root(self) -> x509.Certificate:
        """The authority's certificate, as handed out."""
        return load_certificates((self.out / "ca/ca.pem").read_text())[0]

    @property
    def crl(self) -> x509.CertificateRevocationList:
        """The list, as it would be published."""
        return x509.load_der_x509_crl((self.out / "crl/mail-ca.crl").read_bytes())

    def declare(self, clients: Mapping[str, Mapping[str, Any]], *, clock: datetime | None = None) -> None:
        """Set the clients, and the clock of a rehearsal."""
        self.stack.set_config("clients", json.dumps(clients))
        if clock:
            self.stack.set_config("postseal:clock", format_instant(clock))
            self.stack.set_config("postseal:rehearsal", "true")

    def up(self, clients: Mapping[str, Mapping[str, Any]], *, clock: datetime | None = None) -> dict[str, Any]:
        """Declare and deploy; return the outputs of the list."""
        self.declare(clients, clock=clock)
        self.stack.up().expect_success()
        return self.listing()

    def listing(self) -> dict[str, Any]:
        """Return the outputs of the list."""
        return dict(resource_outputs(self.stack.export(), "postseal:index:RevocationList")["mail-ca"])

    def resources(self) -> dict[str, Any]:
        """Return inputs and outputs of every resource; the engine keeps them in the order of the last run."""
        resources = self.stack.export(show_secrets=True)["deployment"]["resources"]
        return {each["urn"]: (each.get("inputs"), each.get("outputs")) for each in resources}

    def is_accepted(self, client: Credential, *, at: datetime) -> bool:
        """Whether openssl accepts a client with the list as it is handed out."""
        leaf = load_certificates(client.certificate_pem)[0]
        verdict = openssl_verify_strict(leaf, roots=[self.root], purpose=Purpose.CLIENT, at=at, crl=self.crl)
        assert verdict.is_accepted or "revoked" in verdict.report or "CRL has expired" in verdict.report
        return verdict.is_accepted


@pytest.fixture
def program(new_stack: Callable[..., Stack], tmp_path: Path) -> Program:
    """Return a stack that is still empty."""
    return Program(new_stack(write_project(tmp_path / "project", PROGRAM)))


def admitted(instance: PostfixInstance, out: Path, clients: Mapping[str, Credential]) -> set[str]:
    """Bring the table of a running Postfix up to date, and return which clients it lets relay."""
    shutil.copy(out / "mx1/postfix/relay_clientcerts", instance.config_directory)
    instance.reload()
    replies = {
        name: probe(instance.port, client_certificate=client, server_name="mx1.example.org").rcpt
        for name, client in clients.items()
    }
    assert {name for name, reply in replies.items() if reply and reply.code not in (250, 554)} == set()
    return {name for name, reply in replies.items() if reply and reply.code == 250}


@pytest.mark.needs_postfix
def test_a_revoked_client_is_out_at_once_and_for_good(program: Program, postfix_instance: Boot) -> None:
    """Revoked, refused everywhere, not to be taken back, issued again with a new key, and listed after its removal."""
    first = program.up({"alice": {}, "bob": {}})
    people = {name: handed_out(program.out, name) for name in ("alice", "bob")}
    instance = postfix_instance(program.out / "mx1/postfix")
    assert admitted(instance, program.out, people) == {"alice", "bob"}
    assert all(program.is_accepted(each, at=datetime.now(UTC)) for each in people.values())

    # A reviewer reads it in words before it happens: the entry, the row that goes, the file that changes.
    revoking: dict[str, Any] = {"alice": {"revoke": "keyCompromise"}, "bob": {}}
    program.declare(revoking)
    shown = program.stack.preview(diff=True).expect_success().stdout
    serial_number = f"{load_certificates(people['alice'].certificate_pem)[0].serial_number:x}"
    assert "alice generation 1 revoked: keyCompromise" in shown
    assert any("keyCompromise on " in line and f"; serial {serial_number}; " in line for line in shown.splitlines())
    assert '+ will no longer be let in: "alice"' in shown
    assert "mail-ca: list 2, 1 revoked, until " in shown

    listing = program.up(revoking)
    now = datetime.now(UTC)
    assert admitted(instance, program.out, people) == {"bob"}
    assert people["alice"].fingerprint_sha256 not in table_rows(program.out / "mx1/postfix")
    assert not program.is_accepted(people["alice"], at=now)
    assert program.is_accepted(people["bob"], at=now)
    assert (first["crl_number"], listing["crl_number"]) == (1, 2)
    assert [(each["name"], each["serial_number"]) for each in listing["revoked"]] == [("alice", serial_number)]
    assert openssl_crl_verify(program.crl, program.root).is_accepted
    assert "Key Compromise" in openssl_crl_text(program.crl)
    assert (program.out / "crl/mail-ca.crl.pem").read_text() == listing["crl_pem"]
    assert pkilint_findings(listing["crl_pem"], LintRole.CRL) == []

    # Taking it back is refused, and nothing changes.
    before = (program.resources(), tree(program.out))
    program.declare({"alice": {}, "bob": {}})
    refused = program.stack.up()
    assert not refused.is_success
    assert "generation 1 was revoked on " in str(refused)
    assert "only certificateHold can be taken back (RFC 5280 section 5.3.1)" in str(refused)
    assert (program.resources(), tree(program.out)) == before

    # Issued again: another key, in with the new certificate and not with the old one; the list stays as it is.
    again = program.up({"alice": {"revoke": "keyCompromise", "issue_again": True}, "bob": {}})
    people["alice again"] = handed_out(program.out, "alice")
    assert people["alice again"].public_key_fingerprint_sha256 != people["alice"].public_key_fingerprint_sha256
    assert admitted(instance, program.out, people) == {"alice again", "bob"}
    assert again == listing

    # Removed altogether: nothing of her is left but the entry; bob leaves unrevoked, so only his row goes.
    program.up({"carol": {}})
    assert admitted(instance, program.out, people) == set()
    assert program.listing() == listing
    assert program.is_accepted(people["bob"], at=datetime.now(UTC))
    assert program.stack.preview(expect_no_changes=True).is_success


def test_lists_follow_the_clock_of_a_rehearsal(program: Program) -> None:
    """A hold comes and goes, a list that is due or expired is signed anew, and a clock behind signs nothing."""
    both: dict[str, Any] = {"alice": {}, "bob": {}}
    first = program.up(both, clock=START)
    alice = handed_out(program.out, "alice")
    assert (first["this_update"], first["next_update"]) == ("2026-11-22T20:00:00Z", "2026-11-29T20:00:00Z")

    held = program.up({"alice": {"revoke": "certificateHold"}, "bob": {}}, clock=START + DAY)
    assert [(each["name"], each["reason"]) for each in held["revoked"]] == [("alice", "certificateHold")]
    assert alice.fingerprint_sha256 not in table_rows(program.out / "mx1/postfix")
    assert not program.is_accepted(alice, at=START + DAY)
    released = program.up(both, clock=START + 2 * DAY)
    assert (released["crl_number"], released["revoked"]) == (3, [])
    assert alice.fingerprint_sha256 in table_rows(program.out / "mx1/postfix")
    assert program.is_accepted(alice, at=START + 2 * DAY)

    # Nobody ran `up` until after the end of the list: until then everybody is refused by it.
    late = START + 40 * DAY
    assert not program.is_accepted(alice, at=late)
    program.declare(both, clock=late)
    shown = program.stack.preview(diff=True).expect_success().stdout
    assert "re-signed: list 3 expired on 2026-12-01T20:00:00Z" in shown
    assert program.up(both, clock=late)["crl_number"] == 4
    assert program.is_accepted(alice, at=late)

    program.declare(both, clock=START)
    behind = program.stack.up()
    assert "before this_update 2027-01-01T20:00:00Z of list 4: nothing is signed" in str(behind.expect_success())
    assert program.listing()["crl_number"] == 4


def test_certificates_name_the_place_of_their_issuers_list(program: Program) -> None:
    """The addresses of an authority stand in what it issues; the root itself has no issuer with a list."""
    program.up({"alice": {}})
    leaf = load_certificates((program.out / "clients/alice/alice.cert.pem").read_text())[0]
    points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [name.value for point in points for name in point.full_name or ()] == [CRL_URL]
    with pytest.raises(x509.ExtensionNotFound):
        program.root.extensions.get_extension_for_class(x509.CRLDistributionPoints)
