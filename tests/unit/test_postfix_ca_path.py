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


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (_ASN1Type.UTF8String, "Müller ÄG", "cec7f3c1"),
        (_ASN1Type.UniversalString, "Müller ÄG", "cec7f3c1"),
        (_ASN1Type.BMPString, "Müller ÄG", "cec7f3c1"),
        (_ASN1Type.T61String, "Mueller AG", "295f70d7"),
        (_ASN1Type.T61String, "Müller ÄG", "7302a66f"),
        (_ASN1Type.PrintableString, "Example CA", "da97b9e5"),
        (_ASN1Type.IA5String, "Example CA", "da97b9e5"),
        (_ASN1Type.NumericString, "12 34", "fa634c04"),
    ],
    ids=["UTF8String", "UniversalString", "BMPString", "T61String", "Latin-1", "Printable", "IA5String", "Numeric"],
)
def test_every_type_of_string_is_read_as_openssl_reads_it(kind: _ASN1Type, text: str, expected: str) -> None:
    """One that OpenSSL does not fold goes in as it is."""
    name = x509.Name([Attribute(NameOID.ORGANIZATION_NAME, text, kind, _validate=False)])
    assert subject_hash(name) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (111, "58e38193"),
        (112, "4bc1337e"),
        (119, "8a10bf65"),
        (120, "097265ce"),
        (127, "fa7dd6af"),
        (128, "4d810221"),
        (244, "74e14127"),
        (245, "14479ccf"),
        (255, "7e346294"),
        (256, "2956fc1b"),
        (65535, "893bd963"),
        (65536, "84d55140"),
    ],
)
def test_lengths_on_both_sides_of_each_encoding_of_them(size: int, expected: str) -> None:
    """DER writes a length with one, two, three or four octets (X.690 section 8.1.3)."""
    name = x509.Name([Attribute(NameOID.ORGANIZATION_NAME, "x" * size, _validate=False)])
    assert subject_hash(name) == expected
