"""Certificate requests: proof of possession, names that are compared and never taken, and waiting for a new key."""

from base64 import encodebytes
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.fields import DeclaredCertificate
from pki.generations import Demand, IssuerWindow, Schedule
from pki.lifetime import KEEP_KEY, LifetimePolicy
from pki.model import KeyAlgorithm, RevocationReason, SlotId, Validity
from pki.request import load_request, problems_of_requested_names
from pki.schedule import decide
from postseal_core.errors import CertificateError
from tests.support.specimens import key_of

REQUESTS = Path(__file__).parents[1] / "corpora/certificate_request"
A_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
P384 = bytes.fromhex("06052b81040022")
"""The name of a curve, as a key is written."""
DECLARED = DeclaredCertificate(
    common_name="Printer", email="printer@example.org", dns_names=("p1.example.org",), ip_addresses=("192.0.2.7",)
)


def request_pem(common_name: str = "Printer", *names: x509.GeneralName, email: str = "") -> str:
    """Return a request for a key of its own."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    parts += [x509.NameAttribute(NameOID.EMAIL_ADDRESS, email)] if email else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    key = key_of(KeyAlgorithm.ECDSA_P384, "printer")
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def altered(before: bytes, after: bytes) -> str:
    """Return a request in which some bytes are others."""
    der = x509.load_pem_x509_csr(request_pem().encode()).public_bytes(Encoding.DER)
    assert before in der
    lines = encodebytes(der.replace(before, after, 1)).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}-----END CERTIFICATE REQUEST-----\n"


def test_a_request_brings_its_key_and_nothing_else() -> None:
    """The key is the one that signed it, and its algorithm is told."""
    request = load_request(request_pem(), what="request")
    assert request.public_key == key_of(KeyAlgorithm.ECDSA_P384, "printer").public_key()
    assert request.key_algorithm is KeyAlgorithm.ECDSA_P384


def test_a_request_that_its_key_has_not_signed_is_refused() -> None:
    """Whoever has copied a public key has nothing certified."""
    der = bytearray(x509.load_pem_x509_csr(request_pem().encode()).public_bytes(Encoding.DER))
    position = bytes(der).index(b"Printer")
    der[position] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()
    with pytest.raises(CertificateError, match="not signed by its own key"):
        load_request(forged, what="request")


@pytest.mark.parametrize(
    ("pem", "sentence"),
    [
        ("", "got no PEM block"),
        ("no request", "got no PEM block"),
        (request_pem() * 2, "got 2 CERTIFICATE REQUEST, expected one"),
        (request_pem() + A_CERTIFICATE, "got 1 CERTIFICATE REQUEST, 1 CERTIFICATE, expected one"),
        (A_CERTIFICATE, "got 1 CERTIFICATE, expected .* under extra_relay_clients"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "got 1 PUBLIC KEY, expected"),
        ("-----BEGIN my swordfish-----\n", "got 1 another block, expected"),
        ("-----BEGIN CERTIFICATE REQUEST-----\n!!\n-----END CERTIFICATE REQUEST-----\n", "cannot be read"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "cannot be read"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nüü\n-----END CERTIFICATE REQUEST-----\n", "cannot be read"),
    ],
    ids=[
        *("nothing", "other text", "two", "a certificate beside it", "a certificate", "a public key"),
        *("a label of one's own", "no base64", "no DER", "no ASCII"),
    ],
)
def test_what_is_no_request_is_one_sentence(pem: str, sentence: str) -> None:
    """And nothing of it is repeated."""
    with pytest.raises(CertificateError, match=sentence):
        load_request(pem, what="request")


@pytest.mark.parametrize("name", ["sha1.pem", "ecdsa-sha1.pem"])
def test_an_old_hash_proves_possession_all_the_same(name: str) -> None:
    """Printers sign so; only who has the key could make use of a collision. An altered one proves nothing."""
    pem = (REQUESTS / name).read_text()
    assert load_request(pem, what="request").key_algorithm in KeyAlgorithm
    der = bytearray(x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER))
    der[bytes(der).index(b"printer")] ^= 1
    with pytest.raises(CertificateError, match="not signed by its own key"):
        load_request(x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode(), what="request")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("md5.pem", "is signed with MD5, .* with SHA-256"), ("pss-only.pem", "for PSS signatures alone")],
)
def test_the_cause_is_the_hash_or_the_kind_of_key(name: str, sentence: str) -> None:
    """A certificate for a key of that kind would be for another kind, and no program takes the pair."""
    with pytest.raises(CertificateError, match=sentence):
        load_request((REQUESTS / name).read_text(), what="request")


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"\x02\x01\x00", b"\x02\x01\x01"), (P384, P384[:-1] + b"\x7f")],
    ids=["version 2", "a curve that nobody knows"],
)
def test_a_request_of_another_kind_is_one_sentence(before: bytes, after: bytes) -> None:
    """It says which request it is."""
    with pytest.raises(CertificateError, match=r"^request of printer: cannot be read as a certificate request"):
        load_request(altered(before, after), what="request of printer")


def test_a_key_that_nothing_accepts_is_refused() -> None:
    """With the algorithms that are."""
    key = dsa.generate_private_key(2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Printer")])
    pem = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256()).public_bytes(Encoding.PEM)
    with pytest.raises(CertificateError, match=r"^request of printer: .*expected one of"):
        load_request(pem.decode(), what="request of printer")


@pytest.mark.parametrize(
    ("pem", "strange"),
    [
        (request_pem("HP LaserJet 4711"), []),
        (request_pem("printer7"), []),
        (request_pem("Printer No. 7"), []),
        (request_pem("Printer @ floor 2"), []),
        (request_pem("P1.Example.ORG", x509.DNSName("P1.example.org"), email="printer@example.org"), []),
        (request_pem("Printer", x509.IPAddress(ip_address("192.0.2.7"))), []),
        (request_pem("ceo@example.org"), ["'ceo@example.org'"]),
        (request_pem("mx1.example.org"), ["'mx1.example.org'"]),
        (request_pem("Printer", email="ceo@example.org"), ["'ceo@example.org'"]),
        (
            request_pem("Printer", x509.DNSName("mx1.example.org"), x509.IPAddress(ip_address("192.0.2.8"))),
            ["'mx1.example.org'", "'192.0.2.8'"],
        ),
        (request_pem("Printer", x509.UniformResourceIdentifier("https://p1.example.org/")), ["'a Uniform"]),
        (request_pem("Printer", x509.RFC822Name("p1.example.org")), ["'p1.example.org'"]),
    ],
    ids=[
        "a device's own name",
        "one word",
        "a name with a point",
        "a name with an at sign",
        "declared names in other case",
        "a declared address",
        "another mailbox as common name",
        "another host as common name",
        "another mailbox in the subject",
        "another host and address",
        "another kind of name",
        "a host name as mailbox",
    ],
)
def test_names_that_are_not_declared_are_told(pem: str, strange: list[str]) -> None:
    """They would be missing from the certificate, or somebody tries to get them."""
    request = load_request(pem, what="request")
    problems = [*problems_of_requested_names(request, DECLARED)]
    assert {problem.path for problem in problems} <= {"request_pem"}
    found = [str(problem) for problem in problems]
    assert len(found) == len(strange)
    for problem, name in zip(found, strange, strict=True):
        assert f"asks for {name}" in problem


def test_a_subject_names_hosts_and_mailboxes_only_where_they_belong() -> None:
    """A department may be called like a host; nobody is identified by it."""
    parts = [
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "it.example.org"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Printer"),
    ]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    pem = builder.sign(key_of(KeyAlgorithm.ECDSA_P384, "printer"), SHA256()).public_bytes(Encoding.PEM).decode()
    assert not [*problems_of_requested_names(load_request(pem, what="request"), DECLARED)]


def with_extensions(*extensions: tuple[str, bytes]) -> x509.CertificateSigningRequest:
    """Return a request with extensions that nothing looks into before they are read back."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Printer")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for oid, value in extensions:
        unread = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
        builder = builder.add_extension(unread, critical=False)
    return builder.sign(key_of(KeyAlgorithm.ECDSA_P384, "printer"), SHA256())


def test_names_that_cannot_be_read_are_one_sentence() -> None:
    """An extension that stands there twice, and one that is no list of names."""
    two = with_extensions(("1.2.3.4", b"x"), ("1.2.3.5", b"x")).public_bytes(Encoding.DER)
    twice = x509.load_der_x509_csr(two.replace(b"\x06\x03*\x03\x05", b"\x06\x03*\x03\x04"))
    for content in (twice, with_extensions(("2.5.29.17", b"\x30\x03\x82\x05a"))):
        with pytest.raises(CertificateError, match=r"^request: cannot be read as a certificate request"):
            load_request(content.public_bytes(Encoding.PEM).decode(), what="request")


START = datetime(2026, 1, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
CA = IssuerWindow(SlotId("mail-ca"), Validity(START - DAY, START + 5_000 * DAY))
NEW_KEYS = Demand(LifetimePolicy(), CA, is_key_elsewhere=True)
KEPT_KEY = replace(NEW_KEYS, policy=LifetimePolicy(renew_key_every=KEEP_KEY))
REVOKED = replace(KEPT_KEY, revoke_reason=RevocationReason.KEY_COMPROMISE, issue_again=True)


def issued(demand: Demand) -> Schedule:
    """Return the schedule of a certificate that was issued at START."""
    return decide(None, demand, START).schedule


@pytest.mark.parametrize("days", [250, 400], ids=["due", "expired"])
def test_a_renewal_with_a_new_key_waits_for_a_new_request(days: int) -> None:
    """The certificate that there is stays as it is, and the line says what is missing."""
    now, before = START + days * DAY, issued(NEW_KEYS)
    waiting = decide(before, NEW_KEYS, now)
    assert (waiting.is_issued, waiting.schedule) == (False, before)
    assert "hand in a request for a new one, or let renewals keep the key (renew_key: never)" in waiting.note
    renewed = decide(before, replace(NEW_KEYS, is_key_changed=True), now)
    assert (renewed.is_issued, renewed.schedule.key_generation) == (True, 2)


def test_a_renewal_that_keeps_the_key_takes_the_same_request() -> None:
    """The old generation stays accepted, as everywhere."""
    renewed = decide(issued(KEPT_KEY), KEPT_KEY, START + 250 * DAY)
    assert (renewed.is_issued, renewed.schedule.generation, renewed.schedule.key_generation) == (True, 2, 1)
    assert [entry.generation for entry in renewed.schedule.accepted] == [1]


def test_other_names_go_with_the_key_there_is() -> None:
    """Who adds a host name need not make a new key for it."""
    changed = decide(issued(NEW_KEYS), replace(NEW_KEYS, changes=("dns_names",)), START + DAY)
    assert (changed.is_issued, changed.schedule.key_generation) == (True, 1)


def test_after_a_revocation_only_another_key_is_certified() -> None:
    """Whatever the policy says about keys."""
    waiting = decide(issued(KEPT_KEY), REVOKED, START + DAY)
    assert (waiting.is_issued, waiting.schedule.is_revoked) == (False, True)
    assert waiting.note.endswith("but the key is made elsewhere: hand in a request for a new one")
    again = decide(waiting.schedule, replace(REVOKED, is_key_changed=True), START + 2 * DAY)
    assert (again.is_issued, again.schedule.generation, again.schedule.is_revoked) == (True, 2, False)
