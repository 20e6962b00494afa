"""What a field is declared to be holds for the certificate and for the request that are really made."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import pki
from pki.arguments import RequestFields
from pki.declared import declaration_of
from pki.fields import FIELDS, DeclaredCertificate
from pki.issuing import Issuer, issue
from pki.model import SUBJECT_PARTS, KeyAlgorithm, Profile, Subject
from pki.names import problems_of_subject
from tests.support.mocks import run_program
from tests.support.specimens import VALIDITY, key_of, make_authority


@cache
def authority() -> Issuer:
    """Return the authority that signs all of them."""
    return make_authority()


EXAMPLES: dict[str, Any] = {
    "country": "DE",
    "email": "a@example.org",
    "ip_addresses": ("192.0.2.1",),
    "permitted_ip": ("192.0.2.0/24",),
    "path_length": 1,
    "crl_urls": ("http://example.org/a.crl",),
}


def example(name: str) -> Any:
    """Return a value that somebody may write for a field."""
    if name in EXAMPLES:
        return EXAMPLES[name]
    return ("a.example.org",) if isinstance(getattr(DeclaredCertificate(), name), tuple) else "Some text"


def signed(declared: DeclaredCertificate) -> bytes:
    """Return what is signed of a certificate that is declared so, its signature left out."""
    key = key_of(KeyAlgorithm.ECDSA_P256)
    certificate = issue(
        declaration_of(declared, Profile.INTERMEDIATE),
        public_key=key.public_key(),
        validity=VALIDITY,
        serial_number=7,
        issuer=authority(),
    )
    return certificate.tbs_certificate_bytes


@pytest.mark.parametrize("name", [name for name, each in FIELDS.items() if each.is_content])
def test_a_field_of_the_certificate_stands_in_it(name: str) -> None:
    """Said or not makes two certificates."""
    plain = DeclaredCertificate(common_name="somebody")
    assert signed(plain) != signed(replace(plain, **{name: example(name)}))


@pytest.mark.parametrize("name", SUBJECT_PARTS)
def test_a_text_without_end_is_refused(name: str) -> None:
    """Each part of the subject has an upper bound (RFC 5280 appendix A.1)."""
    (problem,) = problems_of_subject(replace(Subject("somebody"), **{name: "x" * 1000}))
    assert problem.path == name


@pytest.mark.parametrize("name", [name for name in RequestFields.__annotations__ if name in SUBJECT_PARTS])
def test_a_part_of_the_subject_stands_in_the_request(name: str) -> None:
    """What others sign says it too."""
    fields: Any = {"common_name": "somebody", name: example(name)}
    program = run_program(lambda: pki.ThirdPartyServerCertificate("web", dns_names=["web.example.org"], **fields))
    (request,) = [each for each in program.registrations if each.type.endswith("CertRequest")]
    assert example(name) in str(request.properties["subject"])
