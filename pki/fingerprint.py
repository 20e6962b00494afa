"""Compute and read SHA-256 fingerprints in the one form that Postfix tables match: `AA:BB:...`.

Postfix looks for hex pairs joined by colons; a fingerprint written otherwise never matches, and nothing says so.
"""

from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.keys import PrivateKey, PublicKey

__all__ = ["certificate_fingerprint_sha256", "key_reference", "public_key_fingerprint_sha256"]


def certificate_fingerprint_sha256(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the DER certificate, as `openssl x509 -noout -fingerprint -sha256` prints after `=`."""
    return _colon_form(certificate.public_bytes(Encoding.DER))


def public_key_fingerprint_sha256(holder: x509.Certificate | PrivateKey | PublicKey) -> str:
    """Return the SHA-256 of the DER SubjectPublicKeyInfo of a certificate, a public key or a private key.

    It stays the same when a certificate is renewed with the same key (postconf(5), `smtpd_tls_fingerprint_digest`).
    """
    key = holder if isinstance(holder, PublicKey) else holder.public_key()
    return _colon_form(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def key_reference(public_key_fingerprint: str) -> str:
    """Return the SHA-256 fingerprint of a public key in the form in which inputs name a key made elsewhere."""
    return f"sha256:{public_key_fingerprint.replace(':', '').lower()}"


def _colon_form(encoded: bytes) -> str:
    return sha256(encoded).digest().hex(":").upper()
