"""Names of certificates as messages write them, and what a certificate may sign."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.extensions import is_authority, name_in_words
from tests.support.specimens import sign_by_hand


@pytest.mark.parametrize(("length", "is_cut"), [(200, False), (201, True), (5000, True)])
def test_a_long_name_is_cut(length: int, *, is_cut: bool) -> None:
    """Somebody else made it."""
    qualifier = x509.NameAttribute(NameOID.DN_QUALIFIER, "x" * (length - len("2.5.4.46=")))
    whole = x509.Name([qualifier]).rfc4514_string()
    assert len(whole) == length
    assert name_in_words(x509.Name([qualifier])) == (f"{whole[:200]}..." if is_cut else whole)


def test_control_characters_of_a_name_are_escaped() -> None:
    """A terminal obeys them."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a\x1b[2Jb")])
    assert name_in_words(name) == "CN=a\\x1b[2Jb"


def usage(**bits: bool) -> x509.KeyUsage:
    """Return a key usage with these bits."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    every = dict.fromkeys((*names, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**(every | bits))


CA = x509.BasicConstraints(ca=True, path_length=None)
NO_CA = x509.BasicConstraints(ca=False, path_length=None)
SIGNERS: dict[str, tuple[list[x509.ExtensionType], bool, bool]] = {
    "no constraints": ([usage(key_cert_sign=True, crl_sign=True)], False, False),
    "no authority": ([NO_CA, usage(key_cert_sign=True, crl_sign=True)], False, False),
    "no usage": ([CA], True, True),
    "certificates only": ([CA, usage(key_cert_sign=True)], True, False),
    "lists only": ([CA, usage(crl_sign=True)], False, True),
}


@pytest.mark.parametrize("case", SIGNERS)
def test_an_authority_signs_what_its_usage_says(case: str) -> None:
    """Certificates, lists, or both where nothing is said (RFC 5280 section 6.1.4)."""
    extensions, certificates, lists = SIGNERS[case]
    certificate = sign_by_hand(*extensions)
    assert (is_authority(certificate), is_authority(certificate, signs="crl_sign")) == (certificates, lists)
