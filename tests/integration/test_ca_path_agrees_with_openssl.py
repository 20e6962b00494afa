"""openssl is the judge of the names in a CApath directory."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from postfix.ca_path import ca_path_entries, subject_hash
from postseal_core.files.tree import FileEntry, Symlink

pytestmark = pytest.mark.needs_openssl

STRING_TYPES = [_ASN1Type.UTF8String, _ASN1Type.BMPString]
ASCII_TYPES = [*STRING_TYPES, _ASN1Type.PrintableString, _ASN1Type.IA5String, _ASN1Type.T61String]
OIDS = [NameOID.LOCALITY_NAME, NameOID.ORGANIZATION_NAME, NameOID.EMAIL_ADDRESS, NameOID.SURNAME]


def attributes(text: st.SearchStrategy[str], kinds: list[_ASN1Type]) -> st.SearchStrategy[x509.NameAttribute[str]]:
    """Return name attributes of all these string types, without the library's opinion on their length."""
    return st.builds(
        lambda oid, value, kind: x509.NameAttribute(oid, value, kind, _validate=False),
        st.sampled_from(OIDS),
        text,
        st.sampled_from(kinds),
    )


ATTRIBUTES = attributes(st.text(alphabet="aZ9 -.", min_size=1, max_size=200), ASCII_TYPES) | attributes(
    st.text(alphabet="aZ\t ßÉ\u00a0中", min_size=1, max_size=90), STRING_TYPES
)
NAMES = st.lists(st.lists(ATTRIBUTES, min_size=1, max_size=3, unique_by=lambda each: each.oid), max_size=4).map(
    lambda rdns: x509.Name([x509.RelativeDistinguishedName(rdn) for rdn in rdns])
)


def certificate_of(name: x509.Name, serial_number: int = 1) -> x509.Certificate:
    """Return a self-signed authority with this subject and a key of its own for each serial number."""
    key = ec.derive_private_key(serial_number, ec.SECP256R1())
    validity = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial_number, *validity)
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority_key_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(key_id, critical=False).add_extension(authority_key_id, critical=False)
    return builder.sign(key, hashes.SHA256())


def openssl(*arguments: str, stdin: bytes = b"") -> str:
    """Return what an openssl command prints."""
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True).stdout.decode().strip()


@settings(max_examples=80, deadline=None)
@given(NAMES)
def test_the_hash_of_a_name_is_the_one_openssl_looks_up(name: x509.Name) -> None:
    """Letter case, blanks, string types, several attributes in one RDN and long values all hash as in OpenSSL."""
    pem = certificate_of(name).public_bytes(Encoding.PEM)
    assert subject_hash(name) == openssl("x509", "-noout", "-subject_hash", stdin=pem)


def test_openssl_finds_authorities_in_the_rendered_directory(tmp_path: Path) -> None:
    """Two authorities with one name stand side by side, and both verify from the CApath alone."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Mail CA")])
    authorities = [certificate_of(name, 1), certificate_of(name, 2)]
    entries = ca_path_entries([*authorities, authorities[0]], directory="ca")
    (tmp_path / "ca").mkdir()
    for entry in entries:
        path = tmp_path / entry.path
        path.write_bytes(entry.content) if isinstance(entry, FileEntry) else path.symlink_to(entry.target)
    assert [isinstance(entry, Symlink) for entry in entries].count(True) == 2
    for authority in authorities:
        pem = authority.public_bytes(Encoding.PEM)
        assert openssl("verify", "-no-CAfile", "-CApath", str(tmp_path / "ca"), stdin=pem) == "stdin: OK"
