"""Clients with a certificate of another authority, which a host knows by the certificate or by its fingerprint."""

from pki.fingerprint_text import parse_fingerprint_sha256
from postfix.tables import ClientRow
from postseal_core.errors import CertificateError

__all__ = ["foreign_client"]

_BEGINS_PEM = "-----BEGIN"


def foreign_client(name: str, text: str) -> ClientRow:
    """Return the row of a client from its certificate in PEM, or from its SHA-256 fingerprint in any form.

    Raises:
        CertificateError: it is neither.
    """
    if _BEGINS_PEM in text:
        return _client_of(name, text)
    try:
        return ClientRow(parse_fingerprint_sha256(text), name)
    except ValueError as error:
        raise CertificateError(str(error)) from None


def _client_of(name: str, pem: str) -> ClientRow:
    from pki.fingerprint import certificate_fingerprint_sha256  # noqa: PLC0415 - few programs need to load cryptography
    from pki.verification import load_certificate  # noqa: PLC0415 - as above

    certificate = load_certificate(pem, what=name)
    fingerprint = certificate_fingerprint_sha256(certificate)
    return ClientRow(fingerprint, name, not_after=certificate.not_valid_after_utc, certificate_pem=pem)
