"""Compute and read SHA-256 fingerprints in the one form that Postfix tables match: `AA:BB:...`.

Postfix looks for hex pairs joined by colons; a fingerprint written otherwise never matches, and nothing says so.
"""

import re
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.keys import PrivateKey, PublicKey

__all__ = ["certificate_fingerprint_sha256", "parse_fingerprint_sha256", "public_key_fingerprint_sha256"]

_PREFIX = re.compile(r"\s*sha-?256(?:\s+fingerprint)?\s*[=:]", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9A-F]{64}")
_HOW_TO_GET_ONE = "`openssl x509 -in CERTIFICATE -noout -fingerprint -sha256` prints one"


def certificate_fingerprint_sha256(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the DER certificate, as `openssl x509 -noout -fingerprint -sha256` prints after `=`."""
    return _colon_form(certificate.public_bytes(Encoding.DER))


def public_key_fingerprint_sha256(holder: x509.Certificate | PrivateKey | PublicKey) -> str:
    """Return the SHA-256 of the DER SubjectPublicKeyInfo of a certificate, a public key or a private key.

    It stays the same when a certificate is renewed with the same key (postconf(5), `smtpd_tls_fingerprint_digest`).
    """
    key = holder if isinstance(holder, PublicKey) else holder.public_key()
    return _colon_form(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def parse_fingerprint_sha256(text: str) -> str:
    """Return a SHA-256 fingerprint in colon form, whichever common way it is written.

    Read are upper and lower case, with and without colons, after `sha256:`, `SHA256 Fingerprint=` or nothing, with
    blanks around. Whether any certificate has this fingerprint is not checked.

    Raises:
        ValueError: anything else; the message says how to get a fingerprint.
    """
    prefix = _PREFIX.match(text)
    digits = text[prefix.end() if prefix else 0 :].strip()
    pairs = digits.split(":") if ":" in digits else re.findall("..?", digits)
    digest = "".join(pairs).upper()
    if not _DIGEST.fullmatch(digest) or any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004  # hex digits of a byte
        raise ValueError(
            f"got {text[:120]!r}, expected a SHA-256 fingerprint: 32 pairs of hex digits; {_HOW_TO_GET_ONE}"
        )
    return ":".join(pairs).upper()


def _colon_form(encoded: bytes) -> str:
    return sha256(encoded).digest().hex(":").upper()
