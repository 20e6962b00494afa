"""Bounds at their very number, names in what is told, and parts of a certificate that are like their neighbours."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki import adoptable
from pki.adoptable import faults_of_trial
from pki.authority_links import problems_of_numbers
from pki.authority_scope import faults_of_scope
from pki.carried_words import carried_in_words
from pki.certificate.issuance import describe_issued
from pki.common_names import problems_of_foreign_names
from pki.generations import AcceptedGeneration, Cause, RevokedGeneration, Schedule
from pki.issuing import Issuer
from pki.model import KeyAlgorithm, Profile, RevocationReason, Subject, SubjectAltNames, Validity
from pki.string_types import string_types_of_names
from pki.third_party_answer import read_answer
from pki.unreadable import cause_of_unreadable
from pki.verification import chain_pem, common_instant
from postseal_core.bounds import MOST_CERTIFICATES
from postseal_core.errors import CertificateError, PostsealError, Problem
from tests.support.specimens import NOW, VALIDITY, declare, issue_leaf, key_of, make_authority, sign_by_hand

CA = x509.BasicConstraints(ca=True, path_length=None)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("permitted", "excluded", "hosts"),
    [
        (None, None, ["trial.invalid"]),
        ([x509.DNSName("example.org")], None, ["example.org"]),
        ([x509.DNSName(".example.org")], None, ["trial.example.org"]),
        ([x509.DNSName("invalid")], None, ["trial.invalid"]),
        ([x509.RFC822Name("example.org")], None, ["trial.invalid"]),
        (None, [x509.DNSName("example.org")], ["trial.invalid"]),
        (None, [x509.DNSName("invalid")], []),
        ([x509.DNSName("a.example"), x509.DNSName("b.example")], [x509.DNSName("a.example")], ["b.example"]),
    ],
)
@pytest.mark.parametrize("above", [False, True], ids=["itself", "the root above"])
def test_an_authority_is_tried_with_a_host_that_it_may_certify(
    monkeypatch: pytest.MonkeyPatch,
    permitted: list[x509.GeneralName] | None,
    excluded: list[x509.GeneralName] | None,
    hosts: list[str],
    *,
    above: bool,
) -> None:
    """So that its limits are met where they are, and none is tried where there is none."""
    name = f"tried {permitted} {excluded}"[:60]
    limits = [x509.NameConstraints(permitted, excluded)] if permitted or excluded else []
    limited = Issuer(sign_by_hand(CA, *limits, common_name=name), key_of(KeyAlgorithm.ECDSA_P256, name))
    tried = make_authority(limited, subject=Subject("below"), validity=VALIDITY) if above else limited
    judged: list[list[str]] = []

    def judge(chain: list[x509.Certificate], _roots: list[x509.Certificate]) -> list[Problem]:
        names = [*chain[0].extensions]
        found = [each.value for each in names if isinstance(each.value, x509.SubjectAlternativeName)]
        judged.append([host for each in found for host in each.get_values_for_type(x509.DNSName)])
        return []

    monkeypatch.setattr(adoptable, "problems_of_path", judge)
    roots = [limited.certificate] if above else []
    assert [*faults_of_trial(tried.certificate, tried.private_key, roots, NOW)] == []
    assert judged == [hosts]


def _with_number(number: int) -> x509.Certificate:
    """Return a certificate whose serial number of one octet is put in place of 0x55."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "by hand")])
    key = key_of(KeyAlgorithm.ECDSA_P256, "by hand")
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(0x55).not_valid_before(VALIDITY.not_before).not_valid_after(VALIDITY.not_after)
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    assert der.count(b"\x02\x01\x55") == 1
    changed = der.replace(b"\x02\x01\x55", b"\x02\x01" + number.to_bytes(1, signed=True))
    return x509.load_der_x509_certificate(changed)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize(("number", "is_told"), [(-128, True), (-1, True), (0, False), (1, False), (127, False)])
def test_a_serial_number_is_told_as_negative_only_where_it_is(number: int, *, is_told: bool) -> None:
    """Go takes a zero, and refuses what is below it."""
    messages = [problem.message for problem in problems_of_numbers([_with_number(number)], [], "")]
    assert ["has a negative serial number" in each for each in messages] == [True] * is_told


@pytest.mark.parametrize("is_root_known", [True, False])
@pytest.mark.parametrize(
    ("path_length", "needed", "is_told"), [(1, 0, False), (0, 0, True), (1, 1, True), (2, 1, False)]
)
def test_every_authority_above_must_leave_room_also_where_no_root_is_known(
    path_length: int, needed: int, *, is_root_known: bool, is_told: bool
) -> None:
    """The nearest one as well, which is not counted below itself."""
    root = make_authority(path_length=None)
    above = make_authority(root, path_length=path_length)
    declaration = declare(Profile.INTERMEDIATE, path_length=needed)
    own = sign_by_hand(x509.BasicConstraints(ca=True, path_length=needed), issuer=above)
    chain = [own, above.certificate]
    faults = [*faults_of_scope(chain, [root.certificate] if is_root_known else [], declaration, ())]
    assert [f"may stand above {path_length} authorities" in each for each in faults] == [True] * is_told


@pytest.mark.parametrize(
    ("purpose", "word"),
    [
        (ExtendedKeyUsageOID.SERVER_AUTH, "serverAuth"),
        (ExtendedKeyUsageOID.CLIENT_AUTH, "clientAuth"),
        (ExtendedKeyUsageOID.CODE_SIGNING, "codeSigning"),
        (ExtendedKeyUsageOID.EMAIL_PROTECTION, "emailProtection"),
        (ExtendedKeyUsageOID.TIME_STAMPING, "timeStamping"),
        (ExtendedKeyUsageOID.OCSP_SIGNING, "OCSPSigning"),
        (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, "anyExtendedKeyUsage"),
    ],
)
def test_a_purpose_is_told_by_its_name_in_rfc_5280(purpose: x509.ObjectIdentifier, word: str) -> None:
    """Section 4.2.1.12."""
    certificate = sign_by_hand(x509.ExtendedKeyUsage([purpose]))
    assert carried_in_words(certificate, (), has_crl_urls=False) == {"extendedKeyUsage": f"certifies for {word} alone"}


@pytest.mark.parametrize(
    ("bit", "word"),
    [
        ("digital_signature", "digitalSignature"),
        ("content_commitment", "nonRepudiation"),
        ("key_encipherment", "keyEncipherment"),
        ("data_encipherment", "dataEncipherment"),
        ("key_agreement", "keyAgreement"),
        ("key_cert_sign", "keyCertSign"),
        ("crl_sign", "cRLSign"),
    ],
)
def test_a_usage_of_a_key_is_told_by_its_name_in_rfc_5280(bit: str, word: str) -> None:
    """Section 4.2.1.3."""
    bits = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    usage = {each: each == bit for each in (*bits, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")}
    certificate = sign_by_hand(x509.KeyUsage(**usage))
    assert carried_in_words(certificate, (), has_crl_urls=False) == {"keyUsage": word}


@pytest.mark.parametrize(
    ("common_name", "foreign"),
    [
        ("relay.example.org/path", ""),
        ("relay.example.org:25/path", ""),
        ("192.0.2.1/32", ""),
        ("https://relay.example.org/path", ""),
        ("smtp://relay.example.org:25", ""),
        ("mx1.example.org/path", "mx1.example.org"),
        ("mx1.example.org:25/path", "mx1.example.org"),
        ("192.0.2.2/32", "192.0.2.2/32"),
        ("https://mx1.example.org/path", "mx1.example.org"),
        ("://mx1", "://mx1"),
        (".//25://", ".//25://"),
    ],
)
def test_a_host_is_found_before_what_follows_it_and_told_without_that(common_name: str, foreign: str) -> None:
    """A path, a port and a prefix are no part of its name; what has a scheme and no host is told whole."""
    own = SubjectAltNames(dns_names=("relay.example.org",), ip_addresses=("192.0.2.1",))
    messages = [problem.message for problem in problems_of_foreign_names(Subject(common_name), own)]
    assert [f"and '{foreign}' is none of" in each for each in messages] == [True] * bool(foreign)


def test_a_key_that_may_not_sign_is_told_with_the_authority_that_it_is_of() -> None:
    """A stack has several."""
    with pytest.raises(CertificateError, match=r"^key of issuer CN=by hand"):
        Issuer(sign_by_hand(CA), ec.generate_private_key(ec.SECP256K1()))


def _named(subject: _ASN1Type, issuer: _ASN1Type) -> bytes:
    """Return a certificate whose two names are of these types of strings, in DER."""
    key = key_of(KeyAlgorithm.ECDSA_P256)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mail CA", kind)]) for kind in (subject, issuer)]
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(VALIDITY.not_before).not_valid_after(VALIDITY.not_after)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_the_spelling_of_both_names_is_found_the_issuers_first() -> None:
    """They may differ, where an authority has been renewed by other software."""
    utf8, bmp, printable = _ASN1Type.UTF8String, _ASN1Type.BMPString, _ASN1Type.PrintableString
    assert string_types_of_names(_named(utf8, utf8)) == []
    assert string_types_of_names(_named(utf8, bmp)) == ["BMPString"]
    assert string_types_of_names(_named(bmp, utf8)) == ["BMPString"]
    assert string_types_of_names(_named(bmp, printable)) == ["PrintableString", "BMPString"]
    assert string_types_of_names(_named(bmp, bmp)) == ["BMPString"]


def test_the_chain_of_an_authority_is_looked_for_among_as_many_certificates_as_a_chain_has() -> None:
    """Repetitions count; one more, and the answer stays as it stands."""
    root, stranger = make_authority(), sign_by_hand(CA, common_name="stranger")
    own = make_authority(root).certificate
    most = [own, *[stranger] * (MOST_CERTIFICATES - 1)]
    assert read_answer(chain_pem(most), what="answer", roots=[root.certificate]) == [own]
    assert len(read_answer(chain_pem([*most, stranger]), what="answer", roots=[root.certificate])) == len(most) + 1


@pytest.mark.parametrize("kind", ["ShortData { needed: 2 }", "ExtraData", "InvalidLength"])
def test_a_certificate_that_is_not_whole_is_copied_again_and_one_that_is_whole_is_not(kind: str) -> None:
    """Where the library got as far as its contents, something within is strange; outside, the block was cut."""
    cut = f'error parsing asn1 value: ParseError {{ kind: {kind}, location: ["Validity::not_before"] }}'
    assert "copy it again" in cause_of_unreadable(ValueError(cut))
    for whole in (cut.replace('["', '["Certificate::tbs_cert", "'), cut.replace(kind, "InvalidValue")):
        assert cause_of_unreadable(ValueError(whole)).startswith("a date in it is not written as RFC 5280")


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 9)], 0),
        ([(0, 9), (3, 12)], 3),
        ([(3, 12), (0, 9)], 3),
        ([(0, 3), (3, 9)], 3),
        ([(0, 3), (4, 9)], 0),
        ([(4, 9), (0, 3)], 4),
    ],
    ids=["alone", "overlapping", "the other way", "at one instant", "apart", "apart the other way"],
)
def test_a_chain_is_looked_at_when_all_of_it_is_valid_or_when_its_first_begins(
    spans: list[tuple[int, int]], expected: int
) -> None:
    """Both ends belong to the time of a certificate (RFC 5280 section 4.1.2.5)."""
    start: datetime = VALIDITY.not_before
    root = make_authority()
    chain = [issue_leaf(root, validity=Validity(start + first * DAY, start + last * DAY)) for first, last in spans]
    assert common_instant(chain) == start + expected * DAY


@pytest.mark.parametrize("is_revoked", [True, False], ids=["revoked", "accepted"])
def test_a_generation_that_the_state_does_not_have_is_told_by_its_number(*, is_revoked: bool) -> None:
    """Whatever the inputs say of it: nobody could say which certificate it was."""
    start, end = VALIDITY.not_before, VALIDITY.not_after
    revoked = RevokedGeneration(7, start, end, NOW, RevocationReason.SUPERSEDED)
    accepted = AcceptedGeneration(7, start, end, NOW)
    schedule = Schedule(
        generation=8,
        key_generation=8,
        validity=VALIDITY,
        renew_at=NOW,
        cause=Cause.CHANGED,
        reason="",
        accepted=() if is_revoked else (accepted,),
        revoked=(revoked,) if is_revoked else (),
    )
    known = replace(schedule, accepted=(), revoked=())
    certificate = issue_leaf(make_authority())
    issued = describe_issued(subject="alice", issuer="mail-ca", schedule=known, old=None, certificate=certificate)
    assert issued.generation == 8
    with pytest.raises(PostsealError, match="the state has no generation 7 of alice, which its inputs name"):
        describe_issued(subject="alice", issuer="mail-ca", schedule=schedule, old=issued)
