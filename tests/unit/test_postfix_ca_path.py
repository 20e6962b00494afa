"""Names hash to what openssl looks up; the vectors were printed by `openssl x509 -subject_hash` of OpenSSL 3.0.19."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from postfix.ca_path import ca_path_entries, chroot_entries, subject_hash
from postseal_core.files.tree import Entry, FileEntry, Symlink
from tests.support.test_authority import ThrowAwayAuthority

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


def _root(common_name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(ThrowAwayAuthority(common_name).certificate_pem.encode())


def test_authorities_of_one_name_are_numbered_and_each_link_leads_to_one_of_them() -> None:
    """OpenSSL tries `.0`, `.1` and so on until there is no next one; one that is named twice has one file."""
    same, other = [_root("Example Mail CA") for _ in range(3)], _root("Another CA")
    entries = ca_path_entries([*same, other, same[1]], directory="tls/ca")
    files = {entry.path: entry for entry in entries if isinstance(entry, FileEntry)}
    links = {entry.path: entry.target for entry in entries if isinstance(entry, Symlink)}
    name, of_other = subject_hash(same[0].subject), subject_hash(other.subject)
    assert sorted(links) == sorted([*(f"tls/ca/{name}.{number}" for number in range(3)), f"tls/ca/{of_other}.0"])
    assert sorted(f"tls/ca/{target}" for target in links.values()) == sorted(files)
    assert {entry.content for entry in files.values()} == {each.public_bytes(Encoding.PEM) for each in (*same, other)}
    assert {entry.mode for entry in files.values()} == {0o644}
    by_fingerprint = sorted(hashlib.sha256(each.public_bytes(Encoding.DER)).hexdigest() for each in same)
    targets = [links[f"tls/ca/{name}.{number}"] for number in range(3)]
    assert [digest[:16] for digest in by_fingerprint] == [target.removesuffix(".pem") for target in targets]
    assert [entry.path for entry in entries] == sorted([*files, *links])
    assert ca_path_entries([*reversed(same), other], directory="tls/ca") == entries


@pytest.mark.parametrize("directory", ["/etc/postfix", "/etc/postfix/", "etc/postfix"])
def test_in_the_jail_the_same_entries_lie_below_the_path_of_the_directory(directory: str) -> None:
    """Files keep content and mode, links their target, which is relative."""
    entries: list[Entry] = [FileEntry("ca/a.pem", b"roots", 0o640), Symlink("ca/1234abcd.0", "a.pem")]
    assert chroot_entries(entries, config_directory=directory) == (
        FileEntry("etc/postfix/ca/a.pem", b"roots", 0o640),
        Symlink("etc/postfix/ca/1234abcd.0", "a.pem"),
    )
