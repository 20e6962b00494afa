"""Certificate revocation lists: what stands in them, what is left out and what is refused."""

from datetime import timedelta
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.issuing import Issuer
from pki.model import KeyAlgorithm, RevocationReason
from pki.revocation import REVOCATION_REASONS, RevokedCertificate, build_crl
from postseal_core.errors import CertificateError
from tests.support.specimens import NOW, key_of, make_authority, sign_by_hand

DAY = timedelta(days=1)
LIST: dict[str, Any] = {
    "entries": [RevokedCertificate(7, NOW - DAY, RevocationReason.KEY_COMPROMISE)],
    "crl_number": 3,
    "this_update": NOW,
    "next_update": NOW + 7 * DAY,
}


def _build(**changes: Any) -> x509.CertificateRevocationList:
    return build_crl(**{"issuer": make_authority(), **LIST, **changes})


def _serial_numbers(crl: x509.CertificateRevocationList) -> list[int]:
    return [entry.serial_number for entry in crl]


def test_a_crl_carries_number_dates_and_the_identifier_of_its_issuers_key() -> None:
    """Both extensions that RFC 5280 asks of every CRL are there, not critical, and the signature verifies."""
    issuer = make_authority()
    crl = build_crl(issuer=issuer, **LIST)
    assert {type(each.value): each.critical for each in crl.extensions} == {
        x509.AuthorityKeyIdentifier: False,
        x509.CRLNumber: False,
    }
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3
    assert (crl.last_update_utc, crl.next_update_utc) == (NOW, NOW + 7 * DAY)
    assert crl.issuer == issuer.certificate.subject
    assert crl.is_signature_valid(key_of(KeyAlgorithm.ECDSA_P256, "root").public_key())


@pytest.mark.parametrize("reason", REVOCATION_REASONS)
def test_every_reason_is_written_as_rfc_5280_spells_it(reason: RevocationReason) -> None:
    """`unspecified` is the absence of a reason, as the RFC recommends."""
    (entry,) = _build(entries=[RevokedCertificate(7, NOW - DAY, reason)])
    found = [each.value.reason.value for each in entry.extensions if isinstance(each.value, x509.CRLReason)]
    assert found == ([] if reason == "unspecified" else [reason])
    assert (entry.serial_number, entry.revocation_date_utc) == (7, NOW - DAY)


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_2048, KeyAlgorithm.ED25519])
def test_the_same_arguments_give_the_same_crl(algorithm: KeyAlgorithm) -> None:
    """No clock and no entropy is involved."""
    first, second = (_build(issuer=make_authority(algorithm=algorithm)).public_bytes(Encoding.DER) for _ in range(2))
    assert first == second


def test_an_empty_list_is_a_list() -> None:
    """A verifier that checks CRLs needs one also while nothing is revoked."""
    assert _serial_numbers(_build(entries=[])) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"next_update": NOW}, "expected an instant after this_update"),
        ({"crl_number": -1}, "got crl_number -1"),
        ({"crl_number": 2**159}, "at most 20 octets"),
        ({"entries": [RevokedCertificate(7, NOW + DAY)]}, "serial number 7: got revoked_at .* no later than"),
        ({"entries": [RevokedCertificate(0, NOW)]}, "serial number 0: expected a positive number"),
        ({"entries": [RevokedCertificate(255, NOW)] * 2}, "serial number ff: is listed twice"),
        (
            {"entries": [RevokedCertificate(7, NOW, cast("RevocationReason", "removeFromCRL"))]},
            "got reason 'removeFromCRL', expected one of unsp",
        ),
        (
            {"entries": [RevokedCertificate(7, NOW, cast("RevocationReason", "keycompromise"))]},
            "got reason 'keycompromise', expected one of uns",
        ),
        ({"entries": [RevokedCertificate(7, NOW, RevocationReason.NOT_REVOKED)]}, "got reason '', expected one of uns"),
    ],
)
def test_a_list_that_would_mislead_is_refused(changes: dict[str, Any], said: str) -> None:
    """A list is never born expired, and each entry is unique, dated in the past and has a known reason."""
    with pytest.raises(CertificateError, match=said):
        _build(**changes)


def test_an_authority_without_crl_sign_cannot_issue_a_list() -> None:
    """Verifiers would refuse the list."""
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = sign_by_hand(x509.BasicConstraints(ca=True, path_length=None), usage)
    with pytest.raises(CertificateError, match="CN=by hand may not sign CRLs"):
        _build(issuer=Issuer(certificate, key_of(KeyAlgorithm.ECDSA_P256, "by hand")))


def test_all_refusals_of_a_list_stand_in_one_message() -> None:
    """Each has its own line."""
    with pytest.raises(CertificateError) as caught:
        _build(
            crl_number=-1,
            next_update=NOW - DAY,
            entries=[RevokedCertificate(-1, NOW + DAY, cast("RevocationReason", "why"))],
        )
    lines = str(caught.value).splitlines()
    subjects = [*["CRL of CN=root specimen,O=Example"] * 2, *["serial number -1"] * 3]
    assert [line.partition(":")[0] for line in lines] == subjects


def test_the_largest_number_of_a_list_has_twenty_octets() -> None:
    """RFC 5280 section 5.2.3; the first bit says the sign."""
    number = _build(crl_number=2**159 - 1).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    assert number == 2**159 - 1
