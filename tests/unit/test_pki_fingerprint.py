"""Fingerprints: one form out, every common form in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.fingerprint_text import parse_fingerprint_sha256
from pki.model import KeyAlgorithm
from tests.support.specimens import issue_leaf, key_of, make_authority

COLON_FORM = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}")
DIGESTS = st.binary(min_size=32, max_size=32)


@given(
    digest=DIGESTS,
    prefix=st.sampled_from(["", "sha256:", "SHA256:", "sha256 Fingerprint=", "SHA256 Fingerprint=", "sha-256: "]),
    separator=st.sampled_from(["", ":"]),
    is_upper=st.booleans(),
    blanks=st.sampled_from(["", " ", "\n"]),
)
def test_every_common_form_of_a_fingerprint_is_read_as_the_one_that_postfix_matches(
    digest: bytes,
    prefix: str,
    separator: str,
    is_upper: bool,  # noqa: FBT001
    blanks: str,
) -> None:
    """However a digest is written, the colon form in capitals comes out, and reading that again changes nothing."""
    digits = digest.hex(separator) if separator else digest.hex()
    read = parse_fingerprint_sha256(f"{blanks}{prefix}{digits.upper() if is_upper else digits}{blanks}")
    assert read == digest.hex(":").upper()
    assert parse_fingerprint_sha256(read) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        "AA:BB",
        "AA" * 20,
        "AA" * 33,
        "GG" * 32,
        ":".join(["AA"] * 31 + ["A"]),
        ":".join(["A", "AAA"] + ["AA"] * 30),
        "sha1:" + "AA" * 32,
        "MD5 Fingerprint=" + ":".join(["AA"] * 16),
        "AA:" * 32,
        ":" + ":".join(["AA"] * 32),
    ],
)
def test_what_is_no_sha256_fingerprint_is_refused_with_how_to_get_one(text: str) -> None:
    """Wrong lengths, other digests and stray characters are refused, and the message says what to run."""
    with pytest.raises(ValueError, match=r"expected a SHA-256 fingerprint.*openssl x509 -in CERTIFICATE"):
        parse_fingerprint_sha256(text)


@given(text=st.text(alphabet="0123456789abcdefABCDEF:", max_size=100))
def test_whatever_is_accepted_has_the_form_that_postfix_matches(text: str) -> None:
    """No input slips through in another form."""
    try:
        read = parse_fingerprint_sha256(text)
    except ValueError:
        return
    assert COLON_FORM.fullmatch(read)
    assert read.replace(":", "") == text.replace(":", "").upper()


def test_the_key_fingerprint_is_the_same_from_certificate_public_and_private_key() -> None:
    """A renewal with the same key keeps it, while the certificate's own fingerprint changes."""
    authority, key = make_authority(), key_of(KeyAlgorithm.ECDSA_P256)
    first, second = (issue_leaf(authority, serial_number=number) for number in (1, 2))
    holders = (first, second, key, key.public_key())
    assert len({public_key_fingerprint_sha256(holder) for holder in holders}) == 1
    assert certificate_fingerprint_sha256(first) != certificate_fingerprint_sha256(second)
    assert COLON_FORM.fullmatch(certificate_fingerprint_sha256(first))
