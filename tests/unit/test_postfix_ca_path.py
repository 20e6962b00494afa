"""Names hash to what openssl looks up; the vectors were printed by `openssl x509 -subject_hash` of OpenSSL 3.0.19."""

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from postfix.ca_path import subject_hash

Attribute = x509.NameAttribute


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(
            x509.Name(
                [
                    Attribute(NameOID.COUNTRY_NAME, "DE"),
                    Attribute(NameOID.ORGANIZATION_NAME, "Example  GmbH "),
                    Attribute(NameOID.COMMON_NAME, "Example Mail CA"),
                ]
            ),
            "0488a52d",
            id="letter case and blanks",
        ),
        pytest.param(x509.Name([]), "eea339da", id="empty name"),
        pytest.param(x509.Name([Attribute(NameOID.ORGANIZATION_NAME, "x" * 200)]), "ba65015c", id="long value"),
        pytest.param(
            x509.Name([Attribute(NameOID.ORGANIZATION_NAME, "Müller ÄG", _ASN1Type.BMPString)]),
            "cec7f3c1",
            id="other string type",
        ),
        pytest.param(
            x509.Name(
                [
                    x509.RelativeDistinguishedName(
                        [Attribute(NameOID.COMMON_NAME, "b"), Attribute(NameOID.ORGANIZATION_NAME, "A")]
                    )
                ]
            ),
            "40a68d2b",
            id="two attributes in one RDN",
        ),
        pytest.param(
            x509.Name([Attribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x00Ab", _ASN1Type.BitString)]),
            "ba28e47c",
            id="no string at all",
        ),
    ],
)
def test_a_name_hashes_as_in_openssl(name: x509.Name, expected: str) -> None:
    """The file name under which OpenSSL looks for an authority comes out of its subject."""
    assert subject_hash(name) == expected
