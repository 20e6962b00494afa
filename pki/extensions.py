"""Read a certificate: its names and its extensions, such as whether it is an authority."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

__all__ = ["extension_of", "is_authority", "is_self_issued", "long_names", "name_in_words", "parse_whole"]

Kind = TypeVar("Kind", bound=x509.ExtensionType)
_LONGEST_NAME = 200


@contextmanager
def long_names() -> Iterator[None]:
    """Read and write common names of 64 characters without a warning.

    RFC 5280 (appendix A.1) bounds them in characters; the library counts octets and warns of each that has more.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning)
        yield


def parse_whole(certificate: x509.Certificate) -> x509.Certificate:
    """Parse all lazily parsed fields at once and return the certificate: broken ones are reported while reading."""
    with long_names():
        for name in ("extensions", "subject", "issuer", "not_valid_before_utc", "not_valid_after_utc", "serial_number"):
            getattr(certificate, name)
    with suppress(UnsupportedAlgorithm):  # of somebody else's; whoever needs the key says which are accepted
        certificate.public_key()
    return certificate


def extension_of(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    """Return the extension of this kind, or None where the certificate has none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def is_authority(certificate: x509.Certificate, *, signs: str = "key_cert_sign") -> bool:
    """Whether a certificate may sign others, or with `signs="crl_sign"` CRLs (RFC 5280 section 6.1.4 steps k and n).

    A missing key usage forbids nothing. Dates are not checked.
    """
    constraints = extension_of(certificate, x509.BasicConstraints)
    usage = extension_of(certificate, x509.KeyUsage)
    return constraints is not None and constraints.ca and (usage is None or bool(getattr(usage, signs)))


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Whether subject and issuer are the same name (RFC 5280 section 3.2)."""
    return certificate.subject == certificate.issuer


def name_in_words(name: x509.Name) -> str:
    """Return a distinguished name for messages: control characters escaped, cut to a bounded length."""
    text = name.rfc4514_string()
    written = text if text.isprintable() else ascii(text)[1:-1]
    return written if len(written) <= _LONGEST_NAME else f"{written[:_LONGEST_NAME]}..."
