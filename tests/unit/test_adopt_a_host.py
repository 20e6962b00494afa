"""The entry that brings a host into a stack: nobody gains or loses by it, or it is not written."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from postfix.audit.host_view import HostView
from postfix.audit.judgement import audited
from postfix.audit.record import HostRecord, SeenTable
from postfix.rendering import render_parameters
from postseal.adopt.adoption import Adoption, adopted
from postseal.adopt.document import render_adoption
from postseal.cli import main
from postseal.stack.config import load_stack
from tests.support.audited_hosts import ALICE, AUTHORITY, CLIENTS, MAIN_CF, MASTER_CF, SERVER, AuditedHost, row_of

RELAY, RECIPIENT = "smtpd_relay_restrictions", "smtpd_recipient_restrictions"
LISTED, OTHERS = "permit_tls_clientcerts", "reject_unauth_destination"
PRINT = ALICE.fingerprint_sha256
ANOTHER = f"{PRINT[:-1]}{'1' if PRINT.endswith('0') else '0'}"
SUBMISSION = "submission inet n - y - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n  -o smtpd_tls_security_level=encrypt\n"
PROXIED = "proxy:unix:passwd.byname $mynetworks"
TARGET = {"local": "/etc/postfix", "ownership": "merge"}
SHA1_ROW = ":".join(["AB"] * 20) + " carol\n"


def adoption(host: AuditedHost) -> Adoption:
    """Return what brings a host into a stack, once all is asked."""
    return adopted(HostView(host.settled()), "mx1")


def table(source: str) -> SeenTable:
    """Return a table that was read."""
    return SeenTable(source=source, has_source=True)


def declared(found: Adoption) -> dict[str, str]:
    """Return the parameters that an entry makes of main.cf."""
    config = load_stack({"hosts": {"mx1": dict(found.entry)}}, [], stack_name="test")
    return render_parameters(config.hosts["mx1"].declaration)


def test_a_host_is_reproduced() -> None:
    """Its clients by fingerprint, its certificate as it is, its networks; the value that changes is named."""
    found = adoption(AuditedHost())
    assert found.obstacles == ()
    assert found.entry["extra_relay_clients"] == [{"name": "client", "fingerprint_sha256": PRINT}]
    assert found.entry["certificate"] == {"keep": True}
    assert found.entry["accept"] == {"taken_away": ["smtp"]}
    assert found.entry["relay"] == {"networks": ["127.0.0.0/8"]}
    assert [each.partition(":")[0] for each in found.values] == ["relay_clientcerts"]


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        (AuditedHost(main_cf={"mynetworks": "192.0.2.0/28"}), {"relay": {"networks": ["192.0.2.0/28"]}}),
        (AuditedHost(main_cf={"mynetworks": "198.0.0.0/8"}),
         {"relay": {"networks": [], "wide_networks": ["198.0.0.0/8"]}}),
        (AuditedHost(main_cf={"mynetworks": "127.0.0.0/8 [::1]/128"}), {"relay": {}}),
        (AuditedHost(main_cf={"mynetworks": "127.0.0.1, 127.0.0.0/8"}), {"relay": {"networks": ["127.0.0.0/8"]}}),
        (AuditedHost(main_cf={"mynetworks": "127.0.0.1, 127.0.0.0/8", "proxy_read_maps": PROXIED}),
         {"accept": {"taken_away": ["smtp"], "value_follows": ["proxy_read_maps"]}}),
        (AuditedHost(main_cf={"smtpd_tls_security_level": "encrypt"}),
         {"settings": {"smtpd_tls_security_level": "encrypt"}}),
        (AuditedHost(main_cf={"smtpd_tls_loglevel": "2"}), {"settings": {"smtpd_tls_loglevel": 2}}),
        (AuditedHost(main_cf={"smtpd_tls_loglevel": "1, PeerCert"}),
         {"settings": {"smtpd_tls_loglevel": ["1", "peercert"]}}),
        (AuditedHost(main_cf={"smtpd_tls_CAfile": "/ca.pem"}, files={"/ca.pem": AUTHORITY.certificate_pem}),
         {"settings": {"smtpd_tls_CAfile": "/ca.pem"}, "unchecked": ["smtpd_tls_CAfile"]}),
        (AuditedHost(main_cf={"myhostname": "mx7.example.org"}), {"public_names": ["mx1.example.org"]}),
        (AuditedHost(main_cf={"relay_clientcerts": "lmdb:/etc/postfix/relay_clientcerts"},
                     tables={"lmdb:/etc/postfix/relay_clientcerts": table(row_of())}),
         {"table_type": "lmdb", "target": {**TARGET, "take_over": ["relay_clientcerts"]}}),
        (AuditedHost(tables={CLIENTS: table(f"{PRINT} Bob, his laptop\n{ANOTHER} bob\n")}),
         {"extra_relay_clients": [{"name": "bob", "fingerprint_sha256": PRINT},
                                  {"name": "bob-2", "fingerprint_sha256": ANOTHER}]}),
        (AuditedHost(main_cf={"smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes",
                              RELAY: f"permit_mynetworks, permit_sasl_authenticated, {LISTED}, {OTHERS}",
                              "mynetworks": "127.0.0.0/8"}), {"relay": {"sasl": True, "networks": ["127.0.0.0/8"]}}),
    ],
)  # fmt: skip
def test_what_a_host_says_is_in_its_entry(host: AuditedHost, entry: Mapping[str, Any]) -> None:
    """Where the stack file would say something else by itself."""
    found = adoption(host)
    assert found.obstacles == ()
    said = dict(found.entry)
    settings = {name: value for name, value in said.get("settings", {}).items() if name in entry.get("settings", {})}
    assert {**said, "settings": settings} | dict(entry) == {**said, "settings": settings}


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (AuditedHost(main_cf={"smtpd_tls_fingerprint_digest": "sha1"}, tables={CLIENTS: table(SHA1_ROW)}), "'carol'"),
        (AuditedHost(main_cf={"relay_clientcerts": "ldap:/etc/postfix/clients.cf"}), "ldap:/etc/postfix/clients.cf"),
        (AuditedHost(tables={CLIENTS: SeenTable(is_hidden=True)}), "cannot be read"),
        (AuditedHost(main_cf={"mynetworks": "127.0.0.0/8, cidr:/etc/postfix/nets"}), "cidr:/etc/postfix/nets"),
        (AuditedHost(main_cf={"smtpd_tls_chain_files": None}), "names no server certificate"),
        (AuditedHost(main_cf={"myhostname": "mx1"}), "myhostname"),
        (AuditedHost(main_cf={RELAY: f"{LISTED}, check_policy_service inet:127.0.0.1:9, {OTHERS}"}), "refuse"),
        (AuditedHost(main_cf={RELAY: f"{LISTED}, {OTHERS}", "smtpd_client_restrictions": "permit_mynetworks"}),
         "stands in other lists only"),
        (AuditedHost(main_cf={RELAY: f"{LISTED}, permit_tls_all_clientcerts, {OTHERS}", "smtpd_tls_CApath": "/ca"}),
         "cannot tell -> refuse"),
        (AuditedHost(base=""), "cannot use the files"),
    ],
)  # fmt: skip
def test_what_cannot_be_reproduced_is_told(host: AuditedHost, words: str) -> None:
    """Instead of an entry with which somebody would gain or lose."""
    found = adoption(host)
    assert any(words in each for each in found.obstacles), found.obstacles


def test_rows_of_another_digest_are_kept_where_the_certificate_is_known() -> None:
    """It lies below the directory; the entry has its SHA-256 fingerprint."""
    from hashlib import sha1  # noqa: PLC0415 - of a host that is to leave it

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    certificate = x509.load_pem_x509_certificate(ALICE.certificate_pem.encode())
    old = sha1(certificate.public_bytes(Encoding.DER)).digest().hex(":")  # noqa: S324
    host = AuditedHost(
        main_cf={"smtpd_tls_fingerprint_digest": "sha1"},
        tables={CLIENTS: table(f"{old} alice\n")},
        known=HostRecord(
            directory="/etc/postfix", root="/etc/postfix", certificates={"/alice.pem": ALICE.certificate_pem}
        ),
    )
    found = adoption(host)
    assert found.obstacles == ()
    assert found.entry["extra_relay_clients"] == [{"name": "alice", "fingerprint_sha256": PRINT}]
    assert "smtpd_tls_fingerprint_digest: sha1 -> sha256" in found.values


def test_rows_that_let_nobody_in_are_left_out() -> None:
    """Else their clients would be let in by the entry; the reason is a remark."""
    found = adoption(AuditedHost(main_cf={RECIPIENT: "permit_mynetworks, reject_unauth_destination"}))
    assert "extra_relay_clients" not in found.entry
    assert any("they let nobody in now" in each for each in found.remarks)
    assert "relay_clientcerts" not in declared(found)


def test_a_host_without_clients_lists_none() -> None:
    """Nobody is expected to be let in then, and what asks for certificates stays as it is."""
    lists = {RELAY: f"permit_mynetworks, {OTHERS}", "relay_clientcerts": None, "smtpd_tls_ask_ccert": None}
    found = adoption(AuditedHost(main_cf=lists))
    assert found.obstacles == ()
    assert "extra_relay_clients" not in found.entry
    assert "permit_tls_clientcerts" not in declared(found)[RELAY]
    assert found.values == ()


def test_networks_that_no_list_lets_relay_gain_nothing() -> None:
    """The list of the stack file would let them in by their name."""
    found = adoption(AuditedHost(main_cf={RELAY: f"{LISTED}, {OTHERS}", "mynetworks": "10.0.0.0/8"}))
    assert found.obstacles == ()
    assert found.entry["relay"] == {"networks": []}
    assert declared(found)[RELAY] == f"{LISTED}, {OTHERS}"
    kept = adoption(AuditedHost(main_cf={"mynetworks": "10.0.0.0/8"}))
    assert kept.entry["relay"] == {"networks": ["10.0.0.0/8"]}


def test_users_of_another_port_are_kept() -> None:
    """Log-ins are on at submission only; the list of main.cf lets them relay there, and port 25 offers none."""
    host = AuditedHost(
        main_cf={RELAY: "permit_mynetworks, permit_tls_clientcerts, reject_unauth_destination"},
        master_cf=f"{SUBMISSION}  -o {RELAY}=permit_sasl_authenticated,reject\n",
    )
    found = adoption(host)
    assert found.obstacles == ()
    assert "sasl" not in found.entry["relay"]
    assert "smtpd_sasl_auth_enable" not in declared(found)


def test_the_text_is_a_stack_file_with_remarks() -> None:
    """It can be read back, and says in its comments what will change."""
    found = adoption(AuditedHost(main_cf={"mynetworks": "127.0.0.0/8 [::ffff:127.0.0.0]/104"}))
    text = render_adoption(found, "/etc/postfix", "mail-pki")
    assert yaml.safe_load(text)["config"]["mail-pki:hosts"] == {"mx1": dict(found.entry)}
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert "#   mynetworks: [::ffff:127.0.0.0]/104, which matches no client" in comments
    assert any("relay_clientcerts: texthash:/etc/postfix/clients -> " in line for line in comments)


@pytest.mark.parametrize(
    ("host", "claims"),
    [
        (AuditedHost(), {"no row", "no listener's answer"}),
        (AuditedHost(tables={CLIENTS: table(f"{row_of()}AA:BB no-print\n")}), {"no listener's answer"}),
        (AuditedHost(main_cf={RECIPIENT: "permit_mynetworks, reject_unauth_destination"}), {"no listener's answer"}),
        (AuditedHost(main_cf={RELAY: f"permit_mynetworks, {LISTED}, permit_tls_all_clientcerts, {OTHERS}",
                              "smtpd_tls_CAfile": "/ca.pem"}, files={"/ca.pem": AUTHORITY.certificate_pem}),
         {"no row"}),
    ],
)  # fmt: skip
def test_the_first_lines_claim_what_the_others_bear_out(host: AuditedHost, claims: set[str]) -> None:
    """No row changes, unless some are left out below; no answer of a listener, unless it is open to strangers now."""
    found = adoption(host)
    assert found.obstacles == ()
    text = render_adoption(found, "/etc/postfix", "mail-pki")
    assert {each for each in ("no row", "no listener's answer") if each in text} == claims
    assert ("Left out:" in text) == ("no row" not in claims)
    assert ("It closes to strangers:" in text) == ("no listener's answer" not in claims)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Lay down a copy of a host."""
    place = tmp_path / "copy"
    (place / "tls").mkdir(parents=True)
    (place / "tls/mx1.pem").write_text(SERVER.chain_pem)
    (place / "clients").write_text(row_of())
    (place / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in MAIN_CF.items()))
    (place / "master.cf").write_text(MASTER_CF)
    return place


def test_a_file_that_is_there_is_never_replaced(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same entries go to standard output, or to a new file."""
    output = directory.parent / "entries.yaml"
    options = ["adopt", str(directory), "--copy-of", "/etc/postfix"]
    assert main(options) == 0
    shown = capsys.readouterr().out
    assert main([*options, "--output", str(output)]) == 0
    assert output.read_text() == shown
    output.write_text("mine")
    assert main([*options, "--output", str(output)]) == 3
    assert output.read_text() == "mine"
    assert "PRIVATE" not in shown


def test_a_host_that_cannot_be_reproduced_gives_no_file(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """But why, on standard error."""
    (directory / "main.cf").write_text((directory / "main.cf").read_text() + "mynetworks = hash:/etc/postfix/nets\n")
    output = directory.parent / "entries.yaml"
    assert main(["adopt", str(directory), "--copy-of", "/etc/postfix", "--output", str(output)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hash:/etc/postfix/nets" in captured.err
    assert not output.exists()


def test_a_copy_without_a_name_needs_the_host() -> None:
    """The name of this machine is another one's."""
    host = AuditedHost(
        main_cf={"myhostname": None}, known=HostRecord(directory="/c", root="/etc/postfix", is_copy=True)
    )
    assert any("myhostname" in each for each in adoption(host).obstacles)
    assert audited(replace(host.record, is_copy=True), datetime.now(UTC)).findings
