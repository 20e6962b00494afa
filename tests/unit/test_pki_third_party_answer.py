"""What third parties answer: PEM or PKCS#7 in any order, and a leaf without its intermediate."""

import subprocess
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki.issuing import Issuer, issue
from pki.model import KeyAlgorithm, Profile, Subject, Validity
from pki.third_party_answer import problems_of_missing_issuer, read_answer
from pki.verification import chain_pem
from postseal_core.errors import CertificateError
from tests.support.specimens import VALIDITY, declare, issue_leaf, key_of, make_authority, sign_by_hand

ROOT = make_authority()
MIDDLE = make_authority(ROOT)
LEAF = issue_leaf(MIDDLE)
WHOLE = [LEAF, MIDDLE.certificate, ROOT.certificate]
ACCESS = x509.AuthorityInformationAccess(
    [
        x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example.org/1.cer")
        )
    ]
)


@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
def test_any_order_becomes_leaf_first_without_the_root(order: tuple[int, ...]) -> None:
    """Text before and between the blocks, as signers put it there, is passed over."""
    text = "".join(f"subject: {index}\n{chain_pem([WHOLE[index]])}" for index in order)
    assert read_answer(text, what="answer") == WHOLE[:2]


@pytest.mark.needs_openssl
@pytest.mark.parametrize("order", [1, -1], ids=["leaf first", "root first"])
def test_pkcs7_is_read_as_openssl_writes_it(tmp_path: Path, order: int) -> None:
    """The form in which Microsoft's authorities answer, .p7b; openssl does not sort the set, as DER asks for."""
    (tmp_path / "chain.pem").write_text(chain_pem(WHOLE[::order]))
    command = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", str(tmp_path / "chain.pem")]
    p7b = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert p7b.startswith("-----BEGIN PKCS7-----")
    assert read_answer(p7b, what="answer") == WHOLE[:2]
    with pytest.raises(CertificateError, match="answer: the PKCS#7 block cannot be parsed"):
        read_answer(p7b.replace("A", "B"), what="answer")


def test_a_root_alone_is_the_answer_itself() -> None:
    """Whoever judges it tells that it is no server's; nothing at all would be told worse."""
    assert read_answer(chain_pem([ROOT.certificate]), what="answer") == [ROOT.certificate]


def test_an_answer_without_certificates_is_told_by_its_name() -> None:
    """There may be several."""
    with pytest.raises(CertificateError, match=r"^answer of mx1: got no PEM block"):
        read_answer("sorry", what="answer of mx1")


def test_what_is_no_single_chain_stays_as_it_is() -> None:
    """So that each fault is told at its place."""
    strays = [LEAF, ROOT.certificate]
    assert read_answer(chain_pem(strays), what="answer") == strays


def test_a_leaf_alone_that_names_its_issuers_place_lacks_its_intermediate() -> None:
    """A leaf that a root has signed itself says no such thing, and a whole chain lacks nothing."""
    alone = sign_by_hand(ACCESS, issuer=MIDDLE)
    (problem,) = problems_of_missing_issuer([alone])
    assert f"the certificate of {MIDDLE.certificate.subject.rfc4514_string()}" in str(problem)
    assert not [*problems_of_missing_issuer([alone, MIDDLE.certificate])]
    assert not [*problems_of_missing_issuer([LEAF])]
    assert not [*problems_of_missing_issuer([sign_by_hand(ACCESS)])]


def test_the_place_of_a_status_service_says_nothing_about_an_intermediate() -> None:
    """Access to information has several kinds."""
    address = x509.UniformResourceIdentifier("http://ocsp.example.org/")
    status = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address)
    assert not [*problems_of_missing_issuer([sign_by_hand(x509.AuthorityInformationAccess([status]), issuer=MIDDLE)])]


def _authority(name: str, issuer: Issuer | None = None, days: int = 9) -> Issuer:
    """Return an authority with a key of its name, that ends in these days."""
    key, profile = key_of(KeyAlgorithm.ECDSA_P256, name), Profile.INTERMEDIATE if issuer else Profile.ROOT
    certificate = issue(
        declare(profile, subject=Subject(name), path_length=None),
        public_key=key.public_key(),
        validity=Validity(VALIDITY.not_before, VALIDITY.not_before + timedelta(days=days)),
        serial_number=days,
        issuer=issuer,
        signing_key=None if issuer else key,
    )
    return Issuer(certificate, key)


ABOVE = _authority("Above", ROOT)
OURS = _authority("Ours", ABOVE)
STRANGER = _authority("Stranger")


@pytest.mark.parametrize(
    "others",
    [
        [STRANGER.certificate],
        [issue_leaf(ABOVE, validity=Validity(VALIDITY.not_before, VALIDITY.not_before + timedelta(days=1)))],
        [_authority("Above", ROOT, days=5).certificate],
        [_authority("Above", STRANGER, days=5).certificate],
        [ROOT.certificate, STRANGER.certificate, _authority("Above", ROOT, days=5).certificate],
    ],
    ids=["another root", "a server", "an older one above", "a cross certificate above", "all kinds"],
)
def test_the_chain_to_a_declared_root_is_found_among_others(others: list[x509.Certificate]) -> None:
    """As a PKCS#7 answer of a corporate authority has them; in any order, and what lasts longest is taken."""
    chain = [OURS.certificate, ABOVE.certificate]
    for text in (chain_pem([*chain, *others]), chain_pem([*others, *reversed(chain)])):
        assert read_answer(text, what="answer", roots=[ROOT.certificate]) == chain


def test_of_two_answers_the_one_for_the_key_is_taken() -> None:
    """A signer may put both slots into one file; without the key it is not clear, and stays as it stands."""
    second = _authority("Ours 2", ABOVE)
    both = [second.certificate, OURS.certificate, ABOVE.certificate]
    key = OURS.certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    found = read_answer(chain_pem(both), what="answer", roots=[ROOT.certificate], public_key=key)
    assert found == [OURS.certificate, ABOVE.certificate]
    assert read_answer(chain_pem(both), what="answer", roots=[ROOT.certificate]) == both
    assert read_answer(chain_pem(both), what="answer", roots=[STRANGER.certificate], public_key=key) == both
