"""Certificates from elsewhere: how they are read, ordered and judged."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.keys import private_key_pem
from pki.model import KeyAlgorithm, Profile, Subject, SubjectAltNames
from pki.verification import (
    chain_pem,
    load_certificate,
    load_chain,
    order_chain,
    problems_of_ca_file,
    problems_of_imported_chain,
)
from postseal_core.errors import CertificateError, Problem
from tests.support.specimens import NOW, VALIDITY, issue_leaf, key_of, make_authority, sign_by_hand

P256 = KeyAlgorithm.ECDSA_P256
ROOT = make_authority()
MIDDLE = make_authority(ROOT)
LEAF = issue_leaf(MIDDLE, alt_names=SubjectAltNames(("mx1.example.org", "*.mail.example.org")))
OTHER_ROOT = make_authority(subject=Subject("another root"), algorithm=KeyAlgorithm.ED25519)
CHAIN = [LEAF, MIDDLE.certificate]
EXPIRED = VALIDITY.not_after + timedelta(seconds=1)


def _subjects(certificates: Sequence[x509.Certificate]) -> list[str]:
    return [certificate.subject.rfc4514_string() for certificate in certificates]


def _imported(chain: Sequence[x509.Certificate], **changes: Any) -> list[Problem]:
    arguments: dict[str, Any] = {
        "public_key": key_of(P256).public_key(),
        "dns_names": ["mx1.example.org"],
        "now": NOW,
        "roots": [ROOT.certificate],
    }
    return problems_of_imported_chain(chain, **{**arguments, **changes})


def _paths(problems: Sequence[Problem]) -> list[str]:
    return [problem.path for problem in problems]


def test_a_chain_is_read_as_it_was_written() -> None:
    """Order is kept, text between the blocks and Windows line ends do not matter."""
    pem = "subject: mx1\n" + chain_pem(CHAIN).replace("\n", "\r\n") + "the end\n"
    assert load_chain(pem, what="chain") == CHAIN
    assert load_certificate(chain_pem([LEAF]), what="certificate") == LEAF


def test_one_certificate_is_not_several() -> None:
    """Where one is expected, a chain is refused with its length."""
    with pytest.raises(CertificateError, match=r"^certificate: got 2 certificates, expected one"):
        load_certificate(chain_pem(CHAIN), what="certificate")


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        ("", "got no PEM block"),
        (LEAF.public_bytes(Encoding.DER).decode("latin-1"), "with `-inform DER` if the file is binary"),
        (private_key_pem(key_of(P256)) + chain_pem([LEAF]), "a private key stands among the certificates"),
        ("-----BEGIN EC PRIVATE KEY-----\n", "a private key stands among the certificates"),
        (chain_pem([LEAF]).replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "got PEM blocks TRUSTED CERTIFICATE"),
        ("-----BEGIN PKCS7-----\n", "openssl pkcs7 -print_certs -in FILE"),
        (f"{chain_pem([LEAF])}-----BEGIN X509 CRL-----\n", "blocks; leave the revocation list out"),
        ("-----BEGIN CERTIFICATE REQUEST-----\n-----BEGIN X509 CRL-----\n", "PEM blocks CERTIFICATE REQUEST, X509 CRL"),
        ("-----BEGIN CERTIFICATE REQUEST-----\n", "hand in what the authority answered, not the request"),
        ("-----BEGIN NEW CERTIFICATE REQUEST-----\n", "hand in what the authority answered, not the request"),
        (chain_pem([LEAF]).replace("\nMII", "\nMIJ"), "cannot be parsed"),
        (chain_pem([LEAF])[:200], "cannot be parsed"),
        ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "cannot be parsed"),
    ],
    ids=[
        *(
            "empty",
            "DER",
            "PKCS#8 key",
            "EC key",
            "trusted",
            "PKCS#7",
            "list",
            "request and list",
            "request",
            "NEW request",
        ),
        *("altered", "cut off", "empty block"),
    ],
)
def test_what_is_no_chain_is_refused_without_quoting_it(pem: str, said: str) -> None:
    """The message names the place and the way out, never a line of the block."""
    with pytest.raises(CertificateError) as caught:
        load_chain(pem, what="chain of mx1")
    assert str(caught.value).startswith("chain of mx1: ")
    assert said in str(caught.value)
    assert not any(len(line) > 40 and line in str(caught.value) for line in pem.splitlines())


def test_a_certificate_with_a_broken_extension_is_refused_when_it_is_read() -> None:
    """What cannot be judged is not let in."""
    broken = sign_by_hand(x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x30\x03"))
    with pytest.raises(CertificateError, match="cannot be parsed"):
        load_certificate(chain_pem([broken]), what="certificate")


@pytest.mark.parametrize("mixed", list(permutations([LEAF, MIDDLE.certificate, ROOT.certificate])))
def test_every_order_of_a_chain_is_put_right(mixed: Sequence[x509.Certificate]) -> None:
    """Leaf first, then each one's issuer, and a repetition is dropped."""
    assert order_chain([*mixed, mixed[0]]) == [LEAF, MIDDLE.certificate, ROOT.certificate]


@pytest.mark.parametrize(
    ("certificates", "strays"),
    [
        ([], ": nothing;"),
        ([LEAF, ROOT.certificate], "CN=root specimen"),
        ([LEAF, MIDDLE.certificate, OTHER_ROOT.certificate], "CN=another root"),
        ([LEAF, issue_leaf(MIDDLE, serial_number=9), MIDDLE.certificate], "CN=server specimen"),
    ],
)
def test_certificates_of_several_chains_are_refused(certificates: list[x509.Certificate], strays: str) -> None:
    """Those that do not fit are named."""
    with pytest.raises(CertificateError) as caught:
        order_chain(certificates)
    assert strays in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"roots": []},
        {"dns_names": ["MX1.example.org", "a.mail.example.org"]},
        {"now": VALIDITY.not_before},
        {"now": VALIDITY.not_after},
    ],
)
def test_a_good_chain_has_no_problems(changes: dict[str, Any]) -> None:
    """Wildcards cover one label, both ends of the validity count, and no root needs to be known."""
    assert _imported(CHAIN, **changes) == []


def test_a_leaf_signed_by_a_given_root_needs_no_intermediate() -> None:
    """The shortest chain is one certificate; without any extended key usage it may serve."""
    names = x509.SubjectAlternativeName([x509.DNSName("mx1.example.org")])
    bare = sign_by_hand(names, issuer=ROOT)
    assert _imported([bare], public_key=key_of(P256, "by hand").public_key()) == []


@pytest.mark.parametrize(
    ("chain", "changes", "problems"),
    [
        ([], {}, [("chain", "is empty")]),
        (
            CHAIN,
            {"public_key": key_of(P256, "another").public_key()},
            [("chain[0]", "request a certificate for this key")],
        ),
        (CHAIN, {"dns_names": ["mx2.example.org"]}, [("dns_names[0]", "mx2.example.org is not covered")]),
        (CHAIN, {"dns_names": ["mail.example.org"]}, [("dns_names[0]", "has mx1.example.org, *.mail.example.org")]),
        (CHAIN, {"dns_names": ["a.b.mail.example.org"]}, [("dns_names[0]", "is not covered")]),
        (CHAIN, {"now": EXPIRED}, [("chain[0]", "expired at 2027-06-01T12:00:00Z")]),
        (CHAIN, {"now": VALIDITY.not_before - timedelta(seconds=1)}, [("chain[0]", "is not valid before 2026-05-31")]),
        ([LEAF], {}, [("chain[0]", "which is none of the given roots")]),
        (CHAIN, {"roots": [OTHER_ROOT.certificate]}, [("chain[1]", "which is none of the given roots")]),
        ([*CHAIN, ROOT.certificate], {}, [("chain[2]", "leave it out, whoever trusts it has it")]),
        ([LEAF, *CHAIN], {}, [("chain[1]", "is no authority"), ("chain[1]", "is certificate 1 once more")]),
        (
            [LEAF, OTHER_ROOT.certificate],
            {"roots": []},
            [("chain[1]", "is signed by itself"), ("chain[1]", "expected the certificate of CN=intermediate")],
        ),
        (
            [MIDDLE.certificate, LEAF],
            {"roots": []},
            [("chain[0]", "certificate 2 does: put it first")],
        ),
        ([OTHER_ROOT.certificate, LEAF], {}, [("chain[0]", "certificate 2 does: put it first")]),
        ([issue_leaf(ROOT, Profile.CLIENT)], {"dns_names": []}, [("chain[0]", "lacks serverAuth")]),
    ],
)
def test_each_problem_of_an_imported_chain_is_reported_at_its_place(
    chain: list[x509.Certificate], changes: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    """Key, names, purpose, dates, order, repetitions and trust are judged, all at once."""
    found = _imported(chain, **changes)
    assert _paths(found) == [path for path, _ in problems]
    assert all(said in problem.message for problem, (_, said) in zip(found, problems, strict=True))


def test_a_self_signed_server_certificate_is_reported() -> None:
    """Nobody but its owner can verify it."""
    lone = sign_by_hand(
        x509.SubjectAlternativeName([x509.DNSName("mx1.example.org")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    )
    (problem,) = _imported([lone], public_key=key_of(P256, "by hand").public_key(), roots=[])
    assert problem == Problem("chain[0]", "CN=by hand is signed by itself: have it signed by an authority")


def test_a_self_signed_server_certificate_may_be_served_where_it_is_meant() -> None:
    """The interim certificate of a server that waits for a third party is its own, and every other rule still holds."""
    lone = sign_by_hand(
        x509.SubjectAlternativeName([x509.DNSName("mx1.example.org")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    )
    by_hand = key_of(P256, "by hand").public_key()
    assert _imported([lone], public_key=by_hand, roots=[], may_sign_itself=True) == []
    (problem,) = _imported([lone], public_key=by_hand, roots=[], may_sign_itself=True, dns_names=["mx2.example.org"])
    assert problem.path == "dns_names[0]"


def test_a_chain_whose_signature_was_altered_is_reported() -> None:
    """Names that fit are not enough: the signature must verify."""
    forged = make_authority(make_authority(algorithm=KeyAlgorithm.ED25519), algorithm=KeyAlgorithm.ED25519).certificate
    assert _subjects([forged]) == _subjects([MIDDLE.certificate])
    (problem,) = _imported([LEAF, forged], roots=[])
    assert problem.path == "chain[1]"


def test_a_certificate_with_a_key_that_nobody_knows_is_reported_and_no_crash() -> None:
    """A key algorithm from another world belongs to no key of ours and verifies nothing."""
    ec_public_key, unknown = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d027f")
    foreign = x509.load_der_x509_certificate(
        MIDDLE.certificate.public_bytes(Encoding.DER).replace(ec_public_key, unknown)
    )
    found = _imported([foreign, foreign], dns_names=[], roots=[])
    assert _paths(found) == ["chain[0]", "chain[1]"]
    assert [problem.path for problem in _imported([LEAF, foreign], roots=[])] == ["chain[1]"]


def test_a_ca_file_of_authorities_has_no_problems() -> None:
    """Roots and intermediates may stand there, also before they are valid."""
    pem = chain_pem([ROOT.certificate, MIDDLE.certificate, OTHER_ROOT.certificate])
    assert problems_of_ca_file(pem, now=NOW) == []
    assert problems_of_ca_file(pem, now=NOW - timedelta(days=1000)) == []


def test_everything_wrong_in_a_ca_file_is_reported() -> None:
    """A leaf, a repetition and an expired authority are each found at their place."""
    pem = chain_pem([ROOT.certificate, LEAF, ROOT.certificate])
    late = ROOT.certificate.not_valid_after_utc + timedelta(seconds=1)
    assert [(problem.path, problem.message.partition(":")[0]) for problem in problems_of_ca_file(pem, now=late)] == [
        ("certificates[2]", "is certificate 1 once more"),
        ("certificates[0]", "CN=root specimen,O=Example expired at 2034-08-18T12"),
        ("certificates[1]", "CN=server specimen,O=Example is no authority"),
        ("certificates[1]", "CN=server specimen,O=Example expired at 2027-06-01T12"),
        ("certificates[2]", "CN=root specimen,O=Example expired at 2034-08-18T12"),
    ]


@pytest.mark.parametrize("pem", ["", private_key_pem(key_of(P256))])
def test_a_ca_file_that_cannot_be_read_is_one_problem(pem: str) -> None:
    """Postfix would turn TLS off because of it."""
    (problem,) = problems_of_ca_file(pem, now=NOW)
    assert problem.message.startswith("CA file: ")


def test_a_chain_of_two_mebibytes_is_read_and_no_larger_one() -> None:
    """The bound counts characters; what is too large is not parsed."""
    pem = chain_pem([make_authority().certificate])
    fits = pem + " " * (2 * 2**20 - len(pem))
    assert len(load_chain(fits, what="chain")) == 1
    with pytest.raises(CertificateError, match=r"^chain: got more than 2 MiB"):
        load_chain(f"{fits} ", what="chain")
