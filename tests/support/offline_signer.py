"""An offline root that signs requests as whoever holds one would: with what is asked for, or with something else."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.keys import PublicKey

__all__ = ["OfflineSigner", "as_requested", "common_name", "pem"]

_LONG = timedelta(days=3650)


def common_name(text: str, *more: x509.NameAttribute[Any]) -> x509.Name:
    """Return a subject of a common name, with further parts in front."""
    return x509.Name([*more, x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(*certificates: x509.Certificate) -> str:
    """Return certificates as one PEM text."""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)


def as_requested(request: x509.CertificateSigningRequest) -> list[x509.Extension[Any]]:
    """Return the extensions that a request asks for."""
    return [*request.extensions]


@dataclass(slots=True)
class OfflineSigner:
    """A root made by hand, whose key only it has; `at`: when it signs, `path_length`: its own."""

    at: datetime
    path_length: int | None = None
    name: str = "Example Root"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()), repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        """The root's own certificate, the same at each call but for its signature."""
        extensions = [
            x509.Extension(x509.BasicConstraints.oid, True, x509.BasicConstraints(True, self.path_length)),  # noqa: FBT003
            x509.Extension(x509.KeyUsage.oid, True, _signing_usage()),  # noqa: FBT003
            _identifier(self.key.public_key()),
        ]
        builder = _builder(common_name(self.name), self.key.public_key(), self.at, _LONG, 1, extensions)
        return builder.issuer_name(common_name(self.name)).sign(self.key, hashes.SHA384(), ecdsa_deterministic=True)

    def sign(  # noqa: PLR0913 - each is one thing that a signer may do otherwise
        self,
        request_pem: str,
        *,
        extensions: Sequence[x509.Extension[Any]] | None = None,
        subject: x509.Name | None = None,
        public_key: PublicKey | None = None,
        at: datetime | None = None,
        days: int = 1825,
        serial_number: int = 2,
        algorithm: hashes.HashAlgorithm | None = None,
        is_issuer_named: bool = True,
    ) -> x509.Certificate:
        """Sign a request as it asks, or with anything else in its place; with its own key identifier or without."""
        request = x509.load_pem_x509_csr(request_pem.encode())
        key: Any = public_key or request.public_key()
        wanted = [*(as_requested(request) if extensions is None else extensions)]
        wanted += [_of_issuer(self.key.public_key())] if is_issuer_named else []
        builder = _builder(
            subject or request.subject, key, at or self.at, timedelta(days=days), serial_number, wanted
        ).issuer_name(common_name(self.name))
        return builder.sign(self.key, algorithm or hashes.SHA384())  # type: ignore[arg-type]


def _signing_usage() -> x509.KeyUsage:
    bits = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **bits)


def _identifier(key: ec.EllipticCurvePublicKey) -> x509.Extension[Any]:
    value = x509.SubjectKeyIdentifier.from_public_key(key)
    return x509.Extension(value.oid, False, value)  # noqa: FBT003


def _of_issuer(key: ec.EllipticCurvePublicKey) -> x509.Extension[Any]:
    value = x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    return x509.Extension(value.oid, False, value)  # noqa: FBT003


def _builder(
    subject: x509.Name, key: Any, at: datetime, lifetime: timedelta, serial: int, extensions: Sequence[Any]
) -> x509.CertificateBuilder:
    begin = at.replace(microsecond=0)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key).serial_number(serial)
    builder = builder.not_valid_before(begin - timedelta(hours=1)).not_valid_after(begin + lifetime)
    for each in extensions:
        builder = builder.add_extension(each.value, critical=each.critical)
    return builder
