"""Which authorities that were made elsewhere can work, and the sentence for each that cannot."""

import subprocess
from collections.abc import Sequence
from datetime import timedelta
from inspect import signature
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki import adoptable
from pki.adoptable import faults_of_authority, faults_of_dates, faults_of_trial
from pki.extensions import long_names
from pki.issuing import Issuer
from pki.keys import PrivateKey
from pki.model import KeyAlgorithm, NameConstraints, Profile, Subject, SubjectAltNames
from tests.support.judges import Purpose, openssl_verify_strict
from tests.support.specimens import NOW, VALIDITY, issue_leaf, key_of, make_authority, sign_by_hand

CA = x509.BasicConstraints(ca=True, path_length=None)
FOREIGN_OID = x509.ObjectIdentifier("1.2.3.4")


def usage(*bits: str) -> x509.KeyUsage:
    """Return a key usage with only these bits."""
    names = [name for name in signature(x509.KeyUsage).parameters if name != "self"]
    return x509.KeyUsage(**{name: name in bits for name in names})


def directory(organization: str) -> x509.DirectoryName:
    """Return the subtree of all names of this organization."""
    return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]))


REFUSED: dict[str, tuple[Sequence[x509.ExtensionType], str]] = {
    "a leaf": (
        [x509.BasicConstraints(ca=False, path_length=None)],
        "CN=by hand is no authority's certificate (CA:FALSE): it may sign nothing; adopt the one that may",
    ),
    "one that does not say": (
        [usage("key_cert_sign")],
        "CN=by hand is no authority's certificate (no basicConstraints): it may sign nothing; adopt the one that may",
    ),
    "one that may not sign": (
        [CA, usage("crl_sign")],
        "CN=by hand may sign no certificates: its keyUsage lacks keyCertSign",
    ),
    "one that may sign no lists": (
        [CA, usage("key_cert_sign")],
        "CN=by hand may sign no revocation lists: its keyUsage lacks cRLSign; leave crl out",
    ),
    "one for mail and programs": (
        [CA, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CODE_SIGNING])],
        (
            "CN=by hand may certify neither servers nor clients of TLS: its extendedKeyUsage has 1.3.6.1.5.5.7.3.4, "
            "1.3.6.1.5.5.7.3.3 only, and lacks serverAuth and clientAuth"
        ),
    ),
}

ACCEPTED: dict[str, Sequence[x509.ExtensionType]] = {
    "one without key usage": [CA],
    "one that may sign both": [CA, usage("key_cert_sign", "crl_sign")],
    "one for servers and mail": [
        CA,
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION]),
    ],
    "one for clients": [CA, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])],
    "one with an extension of its own": [CA, x509.UnrecognizedExtension(FOREIGN_OID, b"\x05\x00")],
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_authority_that_may_not_sign_is_refused_with_its_cause(kind: str) -> None:
    """One sentence says what is missing."""
    extensions, sentence = REFUSED[kind]
    assert list(faults_of_authority(sign_by_hand(*extensions), signs_lists=True)) == [sentence]


@pytest.mark.parametrize("kind", ACCEPTED)
def test_an_authority_that_may_sign_is_accepted(kind: str) -> None:
    """The control: what OpenSSL takes is taken here."""
    assert list(faults_of_authority(sign_by_hand(*ACCEPTED[kind]), signs_lists=True)) == []


def test_an_authority_without_lists_needs_not_be_able_to_sign_them() -> None:
    """The bit matters only beside a list."""
    assert list(faults_of_authority(sign_by_hand(CA, usage("key_cert_sign")))) == []


def test_a_critical_extension_that_nobody_understands_is_told() -> None:
    """Verifiers must refuse it (RFC 5280 section 4.2); that it may not sign is told beside it."""
    certificate = _signed(key_of(KeyAlgorithm.ECDSA_P256, "critical"), critical=FOREIGN_OID, bits=("crl_sign",))
    assert list(faults_of_authority(certificate)) == [
        "CN=made elsewhere may sign no certificates: its keyUsage lacks keyCertSign",
        "CN=made elsewhere has the critical extension 1.2.3.4, which OpenSSL or Go does not understand and so refuses",
    ]


def _signed(
    key: PrivateKey, *, critical: x509.ObjectIdentifier | None = None, bits: Sequence[str] = ()
) -> x509.Certificate:
    """Return an authority's certificate with this key, signed by itself."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made elsewhere")])
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, VALIDITY.not_before, VALIDITY.not_after)
        .add_extension(CA, critical=True)
        .add_extension(usage(*(bits or ("key_cert_sign",))), critical=True)
    )
    if critical:
        builder = builder.add_extension(x509.UnrecognizedExtension(critical, b"\x05\x00"), critical=True)
    return builder.sign(key, hashes.SHA256())


def test_a_key_on_a_curve_that_is_not_accepted_is_told() -> None:
    """The sentence names the curve and what is accepted; the same certificate with P-256 is fine."""
    (fault,) = faults_of_authority(_signed(ec.generate_private_key(ec.BrainpoolP256R1())))
    assert fault.startswith(
        "CN=made elsewhere has an ECDSA key on curve brainpoolP256r1, and keys that sign here are ECDSA-"
    )
    assert "declare a new authority without adopt" in fault
    assert list(faults_of_authority(_signed(ec.generate_private_key(ec.SECP256R1())))) == []


def _openssl(place: Path, *commands: str) -> x509.Certificate:
    """Run openssl in a directory, command by command, and return the certificate ca.pem."""
    for command in commands:
        subprocess.run(["openssl", *command.split()], cwd=place, check=True, capture_output=True, timeout=60)
    return x509.load_pem_x509_certificate((place / "ca.pem").read_bytes())


_REQUEST = "req -new -key ca.key -out ca.csr -subj /CN=Old"
_ROOT = "req -x509 -new -key ca.key -days 90 -out ca.pem -subj /CN=Old"
_P256 = "ecparam -name prime256v1 -genkey -noout -out ca.key"

MADE_BY_OPENSSL: dict[str, tuple[Sequence[str], str]] = {
    "of version 1": (
        [_P256, _REQUEST, "x509 -req -in ca.csr -signkey ca.key -days 90 -out ca.pem"],
        "CN=Old is a certificate of version 1, which cannot say that it is an authority",
    ),
    "with its curve spelt out": (
        [f"{_P256} -param_enc explicit", _ROOT],
        "CN=Old has a key on a curve that is spelt out (explicit EC parameters)",
    ),
    "on a curve that the library does not know": (
        ["ecparam -name secp112r2 -genkey -noout -out ca.key", _ROOT],
        "CN=Old has a key of an algorithm that is not known here",
    ),
    "with a key for RSASSA-PSS alone": (
        ["genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out ca.key", _ROOT],
        "CN=Old has a key for RSASSA-PSS signatures alone",
    ),
    "with a key of DSA": (
        [
            "genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:2048 -out dsa.pem",
            "genpkey -paramfile dsa.pem -out ca.key",
            _ROOT,
        ],
        "CN=Old has a DSA key of 2048 bits, and keys that sign here are",
    ),
    "with a key of SM2": (
        ["genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out ca.key", _ROOT],
        "CN=Old has a key of an algorithm that is not known here",
    ),
}


@pytest.mark.needs_openssl
@pytest.mark.parametrize("kind", MADE_BY_OPENSSL)
def test_what_openssl_makes_and_nobody_accepts_is_refused(kind: str, tmp_path: Path) -> None:
    """One sentence each; without the defect there is none."""
    commands, sentence = MADE_BY_OPENSSL[kind]
    (fault,) = faults_of_authority(_openssl(tmp_path, *commands))
    assert fault.startswith(sentence)
    assert list(faults_of_authority(_openssl(tmp_path, _P256, _ROOT))) == []


@pytest.mark.needs_openssl
@pytest.mark.parametrize(("digest", "is_refused"), [("sha1", True), ("md5", True), ("sha256", False)])
def test_an_intermediate_with_a_weak_signature_is_refused(digest: str, is_refused: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """OpenSSL refuses it from security level 1 on; a root's signature of itself is not looked at."""
    (tmp_path / "ext.cnf").write_text("basicConstraints = critical, CA:TRUE\n")
    root = _openssl(tmp_path, "genrsa -out ca.key 2048", f"{_ROOT} -{digest}")
    signed = (
        f"x509 -req -in sub.csr -CA root.pem -CAkey ca.key -set_serial 2 -days 9 -out ca.pem -extfile ext.cnf -{digest}"
    )
    (tmp_path / "ca.pem").rename(tmp_path / "root.pem")
    certificate = _openssl(tmp_path, "req -new -key ca.key -out sub.csr -subj /CN=Below", signed)
    assert list(faults_of_authority(root)) == []
    expected = [f"CN=Below is signed with {digest}, which OpenSSL refuses: have it signed anew with sha256"]
    assert list(faults_of_authority(certificate)) == (expected if is_refused else [])


def test_both_dates_belong_to_the_time_in_which_it_is_good() -> None:
    """A second earlier or later there is a sentence (RFC 5280 section 4.1.2.5)."""
    certificate, second = sign_by_hand(CA), timedelta(seconds=1)
    assert [list(faults_of_dates(certificate, at)) for at in (VALIDITY.not_before, VALIDITY.not_after)] == [[], []]
    assert list(faults_of_dates(certificate, VALIDITY.not_after + second)) == [
        "CN=by hand expired on 2027-06-01T12:00:00Z: have it renewed where it was made"
    ]
    assert list(faults_of_dates(certificate, VALIDITY.not_before - second)) == [
        "CN=by hand is not valid before 2026-05-31T12:00:00Z: adopt it from then on"
    ]


def _constrained(
    permitted: Sequence[x509.GeneralName] | None = None, excluded: Sequence[x509.GeneralName] | None = None
) -> Issuer:
    """Return a root that may certify only what is given."""
    name = f"limited {permitted} {excluded}"[:60]
    root = sign_by_hand(CA, x509.NameConstraints(permitted, excluded), common_name=name)
    return Issuer(root, key_of(KeyAlgorithm.ECDSA_P256, name))


LIMITS: dict[str, tuple[Sequence[x509.GeneralName] | None, Sequence[x509.GeneralName] | None]] = {
    "hosts below and at a domain": ([x509.DNSName("example.org")], None),
    "hosts below a domain": ([x509.DNSName(".example.org")], None),
    "hosts of two domains, but for one": (
        [x509.DNSName("example.com"), x509.DNSName("Example.org")],
        [x509.DNSName("example.com")],
    ),
    "all hosts but for some": (None, [x509.DNSName("example.org")]),
    "all hosts but for the one that is tried": (None, [x509.DNSName("invalid")]),
    "no hosts": (None, [x509.DNSName("")]),
    "mailboxes": ([x509.RFC822Name("example.org")], None),
    "one organization": ([directory("Example")], None),
    "all but one organization": (None, [directory("Elsewhere")]),
}


@pytest.mark.parametrize("below", [False, True], ids=["itself", "the root above"])
@pytest.mark.parametrize("kind", LIMITS)
def test_an_authority_with_limits_is_tried_within_them(kind: str, below: bool) -> None:  # noqa: FBT001
    """Whether it has them itself or the root above it has them: limits are no fault."""
    root = _constrained(*LIMITS[kind])
    tried = make_authority(root, subject=Subject("below", "Example"), validity=VALIDITY) if below else root
    above = [root.certificate] if below else []
    assert list(faults_of_trial(tried.certificate, tried.private_key, above, NOW)) == []


@pytest.mark.needs_openssl
def test_an_authority_below_limits_signs_what_openssl_accepts() -> None:
    """The judge agrees that such an authority works: a host within is accepted, and one outside is not."""
    root = make_authority(name_constraints=NameConstraints(permitted_dns=("example.org",)))
    below = make_authority(root)

    def is_accepted(host: str) -> bool:
        leaf = issue_leaf(below, Profile.SERVER, alt_names=SubjectAltNames(dns_names=(host,)))
        verdict = openssl_verify_strict(
            leaf, roots=[root.certificate], intermediates=[below.certificate], purpose=Purpose.SERVER, at=NOW
        )
        return verdict.is_accepted

    assert [is_accepted(host) for host in ("mx1.example.org", "mx1.example.com")] == [True, False]


def test_an_authority_with_the_key_of_another_is_refused() -> None:
    """Nothing can be issued on trial; no key is in the sentence."""
    root, other = make_authority(), key_of(KeyAlgorithm.ECDSA_P256, "other")
    assert list(faults_of_trial(root.certificate, root.private_key, [], NOW)) == []
    (fault,) = faults_of_trial(root.certificate, other, [], NOW)
    assert fault == (
        "a certificate issued on trial cannot be made: the private key does not belong to issuer CN=root specimen,"
        "O=Example: hand in the key it was made for"
    )


@pytest.mark.parametrize(("path_length", "is_refused"), [(0, True), (1, False)])
def test_an_authority_deeper_than_the_root_allows_is_refused(path_length: int, is_refused: bool) -> None:  # noqa: FBT001
    """The root says how many authorities may stand below it."""
    root = make_authority(path_length=path_length)
    below = make_authority(root)
    faults = list(faults_of_trial(below.certificate, below.private_key, [root.certificate], NOW))
    sentence = "a certificate issued on trial is refused: CN=root specimen,O=Example may stand above 0 authorities"
    assert [fault.startswith(sentence) for fault in faults] == ([True] if is_refused else [])


def _spelt(string_type: _ASN1Type, owner: str) -> Issuer:
    """Return a root whose name is a string of this type."""
    key = key_of(KeyAlgorithm.ECDSA_P256, owner)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "spelt", _type=string_type)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, VALIDITY.not_before, VALIDITY.not_after)
    return Issuer(builder.add_extension(CA, critical=True).sign(key, hashes.SHA256()), key)


NO_KEY = "a certificate issued on trial does not verify with the authority's own key"
NO_BYTES = "a certificate issued on trial has not the bytes of the name CN=spelt: GnuTLS, NSS and Go would refuse it"


@pytest.mark.parametrize(
    ("string_type", "owner", "sentence"),
    [
        (_ASN1Type.UTF8String, "spelt", ""),
        (_ASN1Type.PrintableString, "spelt", NO_BYTES),
        (_ASN1Type.UTF8String, "another", NO_KEY),
    ],
    ids=["the same", "another string type", "another key"],
)
def test_a_leaf_that_does_not_fit_its_authority_to_the_byte_is_told(
    string_type: _ASN1Type, owner: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the library wrote names or signed otherwise than it read: the trial leaf is another authority's."""
    own, other = _spelt(_ASN1Type.UTF8String, "spelt"), _spelt(string_type, owner)
    leaf = issue_leaf(other)
    monkeypatch.setattr(adoptable, "issue", lambda *_, **__: leaf)
    faults = list(faults_of_trial(own.certificate, own.private_key, [], NOW))
    assert faults[:1] == ([sentence] if sentence else [])


def _named(*parts: x509.NameAttribute[str], signer: str = "named", identifier: str = "") -> x509.Certificate:
    """Return a root of this name; signed with the key of `signer`, which is its own unless another one is named."""
    name, own = x509.Name(list(parts)), key_of(KeyAlgorithm.ECDSA_P256, "named")
    builder = x509.CertificateBuilder(name, name, own.public_key(), 7, VALIDITY.not_before, VALIDITY.not_after)
    builder = builder.add_extension(CA, critical=True)
    builder = builder.add_extension(usage("key_cert_sign", "crl_sign"), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier(b"its own"), critical=False)
    if identifier:
        issuer = x509.AuthorityKeyIdentifier(identifier.encode(), None, None)
        builder = builder.add_extension(issuer, critical=False)
    return builder.sign(key_of(KeyAlgorithm.ECDSA_P256, signer), hashes.SHA256())


def _part(value: str, string_type: _ASN1Type = _ASN1Type.UTF8String) -> x509.NameAttribute[str]:
    with long_names():
        return x509.NameAttribute(NameOID.COMMON_NAME, value, _type=string_type, _validate=False)


NAMED: dict[str, tuple[x509.Certificate, str]] = {
    "no name": (_named(), "the certificate has no name (its subject is empty), and GnuTLS refuses what it signs"),
    "an empty name": (_named(_part("")), "the certificate has an empty part in its name"),
    "a VisibleString": (
        _named(_part("Old", _ASN1Type.VisibleString)),
        "the name CN=Old has a VisibleString in it, so OpenSSL, and with it Postfix, cannot read the certificate",
    ),
    "another signer": (_named(_part("Old"), signer="another"), "CN=Old has itself as issuer, and its own key has not"),
    "another issuer's identifier": (
        _named(_part("Old"), identifier="elsewhere"),
        "the authorityKeyIdentifier of CN=Old is 656c73657768657265, and CN=Old has the subjectKeyIdentifier",
    ),
}


@pytest.mark.parametrize("kind", NAMED)
def test_a_root_that_verifiers_cannot_find_is_refused_with_the_cause(kind: str) -> None:
    """No name, a name that cannot be read, or one that leads elsewhere; the same without that is fine."""
    certificate, sentence = NAMED[kind]
    with long_names():
        (fault,) = faults_of_authority(certificate)
    assert fault.startswith(sentence)
    assert list(faults_of_authority(_named(_part("Old"), identifier="its own"))) == []


@pytest.mark.needs_openssl
@pytest.mark.parametrize("kind", ["a VisibleString", "another issuer's identifier"])
def test_openssl_refuses_such_a_root(kind: str) -> None:
    """The judge agrees: it does not even read the one, and looks elsewhere for the issuer of the other."""

    def is_accepted(root: x509.Certificate) -> bool:
        leaf = issue_leaf(Issuer(root, key_of(KeyAlgorithm.ECDSA_P256, "named")), Profile.SERVER)
        return openssl_verify_strict(leaf, roots=[root], purpose=Purpose.SERVER, at=NOW).is_accepted

    assert [is_accepted(NAMED[kind][0]), is_accepted(_named(_part("Old"), identifier="its own"))] == [False, True]
