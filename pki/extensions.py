"""Read a certificate: its names and its extensions, such as whether it is an authority."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

__all__ = [
    "extension_of",
    "is_authority",
    "is_same_name",
    "is_self_issued",
    "lenient_reading",
    "long_names",
    "name_in_words",
    "name_text",
    "parse_whole",
    "serial_number_of",
]

Kind = TypeVar("Kind", bound=x509.ExtensionType)
_LONGEST_NAME = 200
_WORDS: Final[Mapping[x509.ObjectIdentifier, str]] = {
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.SERIAL_NUMBER: "serialNumber",
}


@contextmanager
def long_names() -> Iterator[None]:
    """Read and write common names of 64 characters without a warning.

    RFC 5280 (appendix A.1) bounds them in characters; the library counts octets and warns of each that has more.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning)
        yield


@contextmanager
def lenient_reading() -> Iterator[None]:
    """Read certificates of others without warnings: serial numbers of zero and below (RFC 5280 section 4.1.2.2).

    Old authorities have them, and whoever reads our messages can do nothing about a sentence of the library.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Parsed a serial number which wasn't positive", UserWarning)
        yield


def parse_whole(certificate: x509.Certificate) -> x509.Certificate:
    """Parse all lazily parsed fields at once and return the certificate: broken ones are reported while reading."""
    with long_names(), lenient_reading():
        for name in ("extensions", "subject", "issuer", "not_valid_before_utc", "not_valid_after_utc", "serial_number"):
            getattr(certificate, name)
    with suppress(UnsupportedAlgorithm):  # of somebody else's; whoever needs the key says which are accepted
        certificate.public_key()
    return certificate


def serial_number_of(certificate: x509.Certificate) -> int:
    """Return the serial number, also one that nobody should have given (zero, negative)."""
    with lenient_reading():
        return certificate.serial_number


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


def is_same_name(one: x509.Name, other: x509.Name) -> bool:
    """Whether verifiers may take two names for one: case, spaces and string types do not count (RFC 5280 section 7.1).

    Some compare byte by byte, which finds fewer; here the careful answer is yes.
    """
    return _comparable(one) == _comparable(other)


def _comparable(name: x509.Name) -> list[frozenset[tuple[str, str]]]:
    return [
        frozenset((each.oid.dotted_string, " ".join(str(each.value).casefold().split())) for each in rdn)
        for rdn in name.rdns
    ]


def name_text(name: x509.Name) -> str:
    """Return a distinguished name as text (RFC 4514), with words for the attributes that authorities often have."""
    return name.rfc4514_string(_WORDS)


def name_in_words(name: x509.Name) -> str:
    """Return a distinguished name for messages: control characters escaped, cut to a bounded length."""
    text = name_text(name) or "an empty name"
    written = text if text.isprintable() else ascii(text)[1:-1]
    return written if len(written) <= _LONGEST_NAME else f"{written[:_LONGEST_NAME]}..."
