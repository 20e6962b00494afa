"""Every kind of certificate and list that is issued, judged by zlint, whose rules and code are not those of pkilint."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from pki.extensions import is_authority
from pki.issuing import issue
from pki.model import KeyAlgorithm, NameConstraints, Profile, Subject, SubjectAltNames
from pki.revocation import REVOCATION_REASONS, RevokedCertificate, build_crl
from pki.verification import chain_pem
from tests.support.judges import zlint_findings
from tests.support.specimens import NOW, VALIDITY, declare, issue_leaf, key_of, make_authority, sign_by_hand
from tests.support.stored_states import STATES

pytestmark = pytest.mark.needs_zlint

CONSTRAINTS = NameConstraints(("example.org",), ("secret.example.org",), (".example.org",), ("a@example.org",))
CRL_URLS = ("http://crl.example.org/a.crl",)
LEAVES = (Profile.SERVER, Profile.CLIENT, Profile.SERVER_AND_CLIENT)


def _self_signed_server() -> x509.Certificate:
    """Return what a server has until a third party has signed its own certificate."""
    key = key_of(KeyAlgorithm.ECDSA_P256)
    declaration = declare(Profile.SERVER)
    return issue(
        declaration, public_key=key.public_key(), validity=VALIDITY, serial_number=9, issuer=None, signing_key=key
    )


def _specimens(algorithm: KeyAlgorithm) -> Iterator[tuple[str, x509.Certificate]]:
    """Yield every kind of certificate below authorities with this kind of key."""
    root = make_authority(algorithm=algorithm)
    limited = make_authority(algorithm=algorithm, path_length=1, name_constraints=CONSTRAINTS)
    middle = make_authority(limited, algorithm=algorithm, path_length=0, crl_urls=CRL_URLS)
    yield from (("root", root.certificate), ("limited root", limited.certificate), ("intermediate", middle.certificate))
    for profile in LEAVES:
        yield profile, issue_leaf(middle, profile, algorithm=algorithm, crl_urls=CRL_URLS)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_zlint_finds_nothing_in_what_is_issued(algorithm: KeyAlgorithm) -> None:
    """Roots, limited ones too, intermediates, servers, clients, and certificates for both, with each kind of key."""
    found = [(kind, zlint_findings(chain_pem([each]))) for kind, each in _specimens(algorithm)]
    assert found == [(kind, []) for kind in ("root", "limited root", "intermediate", *LEAVES)]


def test_zlint_finds_nothing_in_rarer_certificates() -> None:
    """One that a server signs itself in the meantime, one with every kind of name, and a wildcard."""
    names = SubjectAltNames(
        ("mx1.example.org", "xn--mller-kva.example"),
        ("o'neil+mail@example.org",),
        ("192.0.2.1", "2001:db8::1"),
        ("https://example.org/%C3%A4?b#c",),
    )
    subject = Subject("Zoë's relay", "Größe AG", "Mail", "Köln", "NRW", "DE")
    root = make_authority()
    judged = (
        _self_signed_server(),
        issue_leaf(root, subject=subject, alt_names=names),
        issue_leaf(root, alt_names=SubjectAltNames(("*.example.org",))),
    )
    assert [zlint_findings(chain_pem([each])) for each in judged] == [[], [], []]


def test_zlint_finds_nothing_in_revocation_lists() -> None:
    """An empty list, and one with every reason."""
    root = make_authority()
    entries = [
        RevokedCertificate(16 + index, NOW - timedelta(days=1), reason)
        for index, reason in enumerate(REVOCATION_REASONS)
    ]
    for some in ([], entries):
        crl = build_crl(issuer=root, entries=some, crl_number=1, this_update=NOW, next_update=NOW + timedelta(days=7))
        assert zlint_findings(crl.public_bytes(Encoding.PEM).decode()) == []


def _is_ours(pem: str) -> bool:
    """Whether an authority of the stack has issued a certificate.

    The third party's is no work of ours. One that a server has signed itself may have been stored long ago; as it is
    issued today, it is judged above.
    """
    certificate = x509.load_pem_x509_certificate(pem.encode())
    is_own_leaf = certificate.subject == certificate.issuer and not is_authority(certificate)
    return "Third party" not in certificate.issuer.rfc4514_string() and not is_own_leaf


def test_zlint_finds_nothing_in_what_a_stack_has_issued() -> None:
    """The stored stack has every resource type: what went through the engine is what the functions above make."""
    text = json.dumps(json.loads((STATES / "1/export.json").read_text())).replace("\\n", "\n")
    blocks = set(re.findall(r"-----BEGIN (?:CERTIFICATE|X509 CRL)-----.*?-----END [A-Z0-9 ]+-----", text, re.DOTALL))
    judged = [f"{block}\n" for block in blocks if "X509 CRL" in block or _is_ours(block)]
    assert len(judged) > 8
    assert {block: found for block in judged if (found := zlint_findings(block))} == {}


def test_zlint_finds_what_is_wrong() -> None:
    """A linter that finds nothing here would prove nothing anywhere."""
    wrong = sign_by_hand(
        x509.BasicConstraints(ca=True, path_length=None), x509.NameConstraints([x509.DNSName("a")], None)
    )
    assert [(finding.severity, finding.code) for finding in zlint_findings(chain_pem([wrong]))] == [
        ("ERROR", "e_basic_constraints_not_critical"),
        ("ERROR", "e_ext_name_constraints_not_critical"),
        ("ERROR", "e_ext_subject_key_identifier_missing_ca"),
    ]


def test_zlint_finds_what_is_wrong_in_a_list() -> None:
    """A list without a number, from an authority that does not say which of its keys has signed."""
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(make_authority().certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=7))
        .sign(key_of(KeyAlgorithm.ECDSA_P256), hashes.SHA256())
    )
    codes = [finding.code for finding in zlint_findings(crl.public_bytes(Encoding.PEM).decode())]
    assert codes == ["e_crl_has_authority_key_identifier", "e_crl_missing_crl_number"]
