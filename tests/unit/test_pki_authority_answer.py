"""What somebody else signs for an authority of ours: the request, and what is told of each answer."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from pki.authority_answer import AskedFor, issuer_name, problems_of_answer, problems_of_roots
from pki.authority_request import PurposeWord, authority_request_pem
from pki.constrained_names import name_constraints
from pki.issuing import Issuer
from pki.keys import PrivateKey
from pki.model import CertificateDeclaration, KeyAlgorithm, NameConstraints, Profile, Subject, SubjectAltNames
from tests.support.judges import Purpose, openssl_verify_strict
from tests.support.offline_signer import OfflineSigner, common_name
from tests.support.specimens import NOW, issue_leaf, key_of, make_authority

NAMES = NameConstraints(
    permitted_dns=("example.org",), permitted_email=("example.org",), excluded_dns=("x.example.org",)
)
DECLARED = CertificateDeclaration(
    Profile.INTERMEDIATE, Subject("Example Issuing CA"), path_length=0, name_constraints=NAMES
)
KEY = key_of(KeyAlgorithm.ECDSA_P256, "issuing")
ASKED = AskedFor(DECLARED, KEY.public_key())
ROOT = OfflineSigner(NOW)
BOTH = (PurposeWord.SERVER_AUTH, PurposeWord.CLIENT_AUTH)


def request(asked: AskedFor = ASKED) -> str:
    """Return the request for what is asked."""
    return authority_request_pem(asked.declaration, KEY, asked.purposes)


def signed(
    *changed: x509.ExtensionType, asked: AskedFor = ASKED, without: Any = (), **options: Any
) -> x509.Certificate:
    """Return what the offline root signs: as requested, with some extensions in place of theirs, or without some."""
    wanted = x509.load_pem_x509_csr(request(asked).encode()).extensions
    kinds = {*without, *(type(each) for each in changed)}
    kept = [each for each in wanted if type(each.value) not in kinds]
    added = [x509.Extension(each.oid, isinstance(each, x509.BasicConstraints), each) for each in changed]
    return ROOT.sign(request(asked), extensions=[*kept, *added], **options)


def told(*chain: x509.Certificate, asked: AskedFor = ASKED, **changes: Any) -> list[str]:
    """Return what is wrong with an answer."""
    options: dict[str, Any] = {"roots": [ROOT.certificate], "now": NOW, **changes}
    return [each.message for each in problems_of_answer(chain, asked=asked, **options)]


@pytest.mark.needs_openssl
@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("purposes", [(), BOTH], ids=["no usages", "both usages"])
def test_a_request_asks_for_everything_and_is_the_same_each_time(
    algorithm: KeyAlgorithm, purposes: tuple[PurposeWord, ...], tmp_path: Path
) -> None:
    """OpenSSL verifies that it was signed by its own key, and reads what it asks for."""
    key = key_of(algorithm, "issuing")
    made = authority_request_pem(DECLARED, key, purposes)
    assert made == authority_request_pem(DECLARED, key, purposes)
    (tmp_path / "it.csr").write_text(made)
    command = ["openssl", "req", "-in", "it.csr", "-noout", "-verify", "-text"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60)
    assert "verify OK" in done.stdout + done.stderr
    for line in ("CN = Example Issuing CA", "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "DNS:example.org"):
        assert line in done.stdout
    assert ("TLS Web Client Authentication" in done.stdout) == bool(purposes)


@pytest.mark.parametrize("purposes", [(), BOTH, BOTH[:1]], ids=["no usages", "both", "servers only"])
def test_what_was_signed_as_requested_is_taken(purposes: tuple[PurposeWord, ...]) -> None:
    """The positive control of everything that is refused below."""
    asked = replace(ASKED, purposes=purposes)
    assert told(signed(asked=asked), asked=asked) == []


def _wide(**changes: Any) -> x509.NameConstraints:
    return name_constraints(replace(NAMES, **changes))


REFUSED: dict[str, tuple[Callable[[], x509.Certificate], str]] = {
    "another key": (lambda: signed(public_key=key_of(KeyAlgorithm.ECDSA_P256, "x").public_key()), "another key"),
    "no authority": (lambda: signed(x509.BasicConstraints(ca=False, path_length=None)), "lacks CA:TRUE"),
    "no basic constraints": (lambda: signed(without=[x509.BasicConstraints]), "lacks CA:TRUE"),
    "no path length": (lambda: signed(x509.BasicConstraints(ca=True, path_length=None)), "wider"),
    "longer path": (lambda: signed(x509.BasicConstraints(ca=True, path_length=1)), "wider"),
    "no name constraints": (lambda: signed(without=[x509.NameConstraints]), "lacks name constraints"),
    "more hosts": (lambda: signed(_wide(permitted_dns=("example.org", "example.net"))), "(dns_names)"),
    "all mailboxes": (lambda: signed(_wide(permitted_email=())), "(email_addresses)"),
    "no excluded host": (lambda: signed(_wide(excluded_dns=())), "(dns_names)"),
    "addresses": (lambda: signed(_wide(permitted_ip=("192.0.2.0/24",))), "(ip_addresses)"),
    "no clients": (lambda: signed(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])), "lacks clientAuth"),
    "another name": (lambda: signed(subject=common_name("Other CA")), "declared is the common name"),
    "expired": (lambda: signed(at=NOW - timedelta(days=60), days=30), "expired"),
    "not yet": (lambda: signed(at=NOW + timedelta(days=2)), "is not valid before"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_answer_that_does_not_fit_is_refused_with_its_cause(name: str) -> None:
    """One sentence for one fault, so that the reader knows what to ask the signer for."""
    make, words = REFUSED[name]
    (message,) = told(make())
    assert words in message


def test_a_critical_extension_that_nobody_knows_is_refused() -> None:
    """Not critical, it is passed over."""
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    plain = [*x509.load_pem_x509_csr(request().encode()).extensions]
    for is_critical in (True, False):
        extension = x509.Extension(unknown.oid, is_critical, unknown)
        messages = told(ROOT.sign(request(), extensions=[*plain, extension]))
        assert ["1.2.3.4" in each for each in messages] == [True] * is_critical


def test_narrower_names_are_taken_and_a_narrower_path_is_told() -> None:
    """Names are held to the certificate one by one; a path length is what the stack file can say."""
    assert told(signed(_wide(permitted_dns=("mail.example.org",)))) == []
    asked = replace(ASKED, declaration=replace(DECLARED, path_length=1))
    (message,) = told(signed(x509.BasicConstraints(ca=True, path_length=0), asked=asked), asked=asked)
    assert "narrower" in message
    assert "path_length: 0" in message


def test_other_parts_of_the_subject_are_the_signers() -> None:
    """A signer that writes its own organization in front is taken as it is."""
    assert (
        told(signed(subject=common_name("Example Issuing CA", x509.NameAttribute(NameOID.ORGANIZATION_NAME, "X"))))
        == []
    )


def test_a_usage_that_is_asked_for_must_be_there() -> None:
    """Without it the authority is wider than the stack says, with `any` as well."""
    asked = replace(ASKED, purposes=BOTH)
    wide = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    for usages, words in (([], "wider"), ([wide, *both], "wider"), ([wide], "lacks clientAuth, serverAuth")):
        changed = [x509.ExtendedKeyUsage(usages)] if usages else []
        answer = signed(*changed, asked=asked, without=[x509.ExtendedKeyUsage])
        (message,) = told(answer, asked=asked)
        assert words in message


@pytest.mark.needs_openssl
def test_any_usage_of_an_authority_is_none_to_openssl() -> None:
    """So it is refused, asked for or not; the usages by their names are the control."""
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    accepted = []
    for usages in ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], both):
        answer = signed(x509.ExtendedKeyUsage(usages))
        leaf = issue_leaf(Issuer(answer, KEY), alt_names=SubjectAltNames(dns_names=("mx1.example.org",)))
        verdict = openssl_verify_strict(
            leaf, roots=[ROOT.certificate], intermediates=[answer], purpose=Purpose.SERVER, at=NOW
        )
        accepted.append((verdict.is_accepted, told(answer) == []))
    assert accepted == [(False, False), (True, True)]


def test_the_root_must_have_signed_and_must_allow_it() -> None:
    """Another root of the same name, or one that allows no authority below, does not do."""
    other, closed = OfflineSigner(NOW), OfflineSigner(NOW, path_length=0)
    (message,) = told(signed(), roots=[other.certificate])
    assert "its signature does not verify with the key of that one" in message
    (message,) = told(signed(), roots=[OfflineSigner(NOW, name="Another Root").certificate])
    assert "none of the declared roots" in message
    (message,) = told(closed.sign(request()), roots=[closed.certificate])
    assert "may stand above 0 authorities" in message
    assert told(signed(), roots=[other.certificate, ROOT.certificate]) == []


def test_a_chain_with_an_authority_between_is_taken_whole_and_refused_in_part() -> None:
    """Policy authority between the offline root and ours."""
    root = make_authority()
    between = make_authority(root, path_length=1)
    ours = Issuer(between.certificate, between.private_key)
    answer = _signed_by(ours)
    good = [answer, between.certificate]
    assert told(*good, roots=[root.certificate]) == []
    assert any("none of the declared roots" in each for each in told(answer, roots=[make_authority().certificate]))
    stranger = make_authority(root, subject=Subject("Else"), path_length=1)
    wrong = told(answer, stranger.certificate, roots=[root.certificate])
    assert any("the chain has others in it" in each for each in wrong)
    short = make_authority(root, path_length=0)
    assert any(
        "may stand above 0 authorities" in each
        for each in told(_signed_by(short), short.certificate, roots=[root.certificate])
    )


def _signed_by(issuer: Issuer) -> x509.Certificate:
    return _signed_with(issuer.private_key, issuer.certificate.subject)


def _signed_with(key: PrivateKey, issuer: x509.Name) -> x509.Certificate:
    wanted = x509.load_pem_x509_csr(request().encode())
    builder = x509.CertificateBuilder().subject_name(wanted.subject).issuer_name(issuer)
    builder = builder.public_key(KEY.public_key()).serial_number(7)
    builder = builder.not_valid_before(NOW - timedelta(hours=1)).not_valid_after(NOW + timedelta(days=1825))
    for each in wanted.extensions:
        builder = builder.add_extension(each.value, critical=each.critical)
    return builder.sign(key, hashes.SHA256())


def test_a_renewal_keeps_the_bytes_by_which_it_is_found() -> None:
    """The same text in another string type is another name to GnuTLS, NSS and Go; so is another identifier."""
    first = signed()
    renewal = replace(ASKED, before=issuer_name(first))
    assert told(signed(serial_number=3), asked=renewal) == []
    printable = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "Example Issuing CA", x509.name._ASN1Type.PrintableString)]
    )
    (message,) = told(signed(subject=printable), asked=renewal)
    assert "byte for byte" in message
    (message,) = told(signed(x509.SubjectKeyIdentifier(b"other")), asked=renewal)
    assert "subjectKeyIdentifier" in message


@pytest.mark.needs_openssl
def test_a_weak_signature_is_refused(tmp_path: Path) -> None:
    """OpenSSL signs with SHA-1 when told to, and verifiers refuse that."""
    (tmp_path / "it.csr").write_text(request())
    (tmp_path / "ext").write_text("basicConstraints=critical,CA:TRUE,pathlen:0\n")
    made = "req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout r.key -out r.pem -subj /CN=Old"
    sign = "x509 -req -in it.csr -CA r.pem -CAkey r.key -CAcreateserial -days 365 -out it.pem -extfile ext"
    for command in (made, f"{sign} -sha1"):
        subprocess.run(["openssl", *command.split()], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    answer, root = (x509.load_pem_x509_certificate((tmp_path / name).read_bytes()) for name in ("it.pem", "r.pem"))
    asked = replace(ASKED, declaration=replace(DECLARED, name_constraints=NameConstraints()))
    messages = told(answer, asked=asked, roots=[root], now=datetime.now(UTC))
    assert [each for each in messages if "signed with sha1" in each]


def test_a_root_is_one_that_signs_itself_and_is_valid() -> None:
    """Trust begins at a root: an intermediate or a leaf among the roots is told, an expired root, too."""
    old = OfflineSigner(NOW - timedelta(days=4000))
    assert [*problems_of_roots([ROOT.certificate], NOW)] == []
    for wrong, words in ((signed(), "expected the root alone"), (old.certificate, "expired")):
        (problem,) = problems_of_roots([wrong], NOW)
        assert words in problem.message
    server = issue_leaf(make_authority())
    assert [*problems_of_roots([server], NOW)]


def test_a_root_that_is_no_authority_is_told() -> None:
    """It has signed itself and may sign nothing else; the same certificate as an authority is the control."""
    for is_authority in (True, False):
        messages = [each.message for each in problems_of_roots([_self_signed(is_authority=is_authority)], NOW)]
        assert ["is no authority's certificate" in each for each in messages] == [True] * (not is_authority)


def _self_signed(*, is_authority: bool) -> x509.Certificate:
    name = common_name("Alone")
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    builder = (
        builder.serial_number(5).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=9))
    )
    constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
    return builder.add_extension(constraints, critical=True).sign(KEY, hashes.SHA256())


@pytest.mark.parametrize("may_sign", [True, False])
def test_an_authority_that_may_not_sign_certificates_is_told(*, may_sign: bool) -> None:
    """With a keyUsage without keyCertSign, verifiers refuse all that it issues (RFC 5280 section 4.2.1.3)."""
    others = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=may_sign, crl_sign=True, decipher_only=False, **others)
    assert ["keyCertSign in keyUsage" in each for each in told(signed(usage))] == [True] * (not may_sign)


@pytest.mark.parametrize("is_authority", [True, False])
def test_an_end_entity_between_is_told_by_its_name(*, is_authority: bool) -> None:
    """A server's certificate has signed another, as who has stolen its key could; an authority there is the control."""
    root = make_authority()
    above = make_authority(root, path_length=1)
    server = issue_leaf(root)
    between = above.certificate if is_authority else server
    key = above.private_key if is_authority else key_of(KeyAlgorithm.ECDSA_P256)
    answer = _signed_with(key, between.subject)
    messages = told(answer, between, roots=[root.certificate])
    assert any("is no authority: remove it" in each for each in messages) != is_authority
    assert bool(messages) != is_authority


P256, P384_AND_SHA384 = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d040303")


def _altered(certificate: x509.Certificate, known: bytes) -> x509.Certificate:
    """Return a certificate with an algorithm in it that nobody has heard of."""
    der = certificate.public_bytes(Encoding.DER)
    assert known in der
    return x509.load_der_x509_certificate(der.replace(known, known[:-1] + b""))


@pytest.mark.parametrize(
    ("known", "words"),
    [(P256, "was signed for another key"), (P384_AND_SHA384, "is signed with an algorithm that is not known here")],
    ids=["a curve", "a signature"],
)
def test_an_algorithm_that_nobody_knows_is_refused_in_one_sentence(known: bytes, words: str) -> None:
    """Nobody can verify it; the same certificate as it was signed is the control."""
    assert told(signed()) == []
    (message,) = told(_altered(signed(), known))
    assert words in message


def test_an_issuer_whose_name_is_spelt_otherwise_is_told_as_that() -> None:
    """The words are the same and the bytes are not: GnuTLS, NSS and Go find no issuer (RFC 5280 section 4.1.2.4)."""
    printable = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ROOT.name, x509.name._ASN1Type.PrintableString)])
    (message,) = told(_signed_with(ROOT.key, printable))
    assert "spells that name otherwise" in message
    assert told(_signed_with(ROOT.key, ROOT.certificate.subject)) == []


def test_a_negative_serial_number_and_one_that_is_taken_are_told() -> None:
    """Go refuses the one, and NSS the other (RFC 5280 section 4.1.2.2)."""
    first = signed(serial_number=5)
    again = replace(ASKED, before=issuer_name(first), number_before="5")
    (message,) = told(signed(serial_number=5, days=1900), asked=again)
    assert "which its signer has given to the certificate in use, too" in message
    assert told(signed(serial_number=6, days=1900), asked=again) == []
    (message,) = told(signed(serial_number=ROOT.certificate.serial_number))
    assert "which its signer has given to CN=Example Root, too" in message


def test_a_way_up_that_verifiers_refuse_is_told_by_the_name_of_the_certificate() -> None:
    """A root of the future, one that nobody understands, and an issuer that is named wrongly."""
    (message,) = told(signed(), roots=[OfflineSigner(NOW + timedelta(days=9), key=ROOT.key).certificate])
    assert message.startswith("CN=Example Root is not valid before")
    (message,) = told(signed(x509.AuthorityKeyIdentifier(b"elsewhere", None, None), is_issuer_named=False))
    assert message.startswith("CN=Example Issuing CA: the authorityKeyIdentifier of CN=Example Issuing CA is 656c7365")


def test_two_answers_for_one_key_are_told_with_what_tells_them_apart() -> None:
    """Which one is meant, only who declares it knows."""
    messages = told(signed(serial_number=5), signed(serial_number=6, days=30))
    assert len(messages) == 1
    assert messages[0].startswith("has 2 certificates for this key: leave one of them, the newest (")
    assert "serial number 6, until 2026-07-01" in messages[0]
    strange = make_authority().certificate
    (message,) = told(strange, signed())
    assert "beside the certificate for this key it has others (CN=root specimen" in message
