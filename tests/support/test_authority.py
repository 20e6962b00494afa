"""A throw-away authority for tests, written directly on `cryptography` so that it shares no code with the product."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Credential", "ThrowAwayAuthority", "colon_hex"]

VALID_DAYS = (-1, 30)
EXPIRED_DAYS = (-30, -1)

_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def colon_hex(digest: bytes) -> str:
    """Return a digest as Postfix tables hold it: upper-case pairs joined by colons."""
    return digest.hex(":").upper()


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its private key, both PEM text; `issuer_pem` is the certificate that signed it."""

    certificate_pem: str
    private_key_pem: str = field(repr=False)
    issuer_pem: str = field(repr=False)

    @property
    def chain_pem(self) -> str:
        """Private key first, then the certificate: the order that `smtpd_tls_chain_files` asks for."""
        return self.private_key_pem + self.certificate_pem

    @property
    def fingerprint_sha256(self) -> str:
        """SHA-256 over the DER certificate, as Postfix tables hold it."""
        return colon_hex(sha256(self._certificate().public_bytes(Encoding.DER)).digest())

    @property
    def public_key_fingerprint_sha256(self) -> str:
        """SHA-256 over the DER SubjectPublicKeyInfo, as Postfix tables hold it."""
        public_key = self._certificate().public_key()
        return colon_hex(sha256(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest())

    def write_chain(self, path: Path) -> Path:
        """Write key and certificate to `path`, readable by its owner only, and return the path."""
        path.touch(mode=0o600)
        path.write_text(self.chain_pem)
        return path

    def _certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate_pem.encode())


class ThrowAwayAuthority:
    """A root authority with a fresh P-256 key; everything it issues is good for 30 days unless it says otherwise."""

    def __init__(self, common_name: str = "Throw-away test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = self._builder(self._name, self._key.public_key(), VALID_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._certificate = builder.add_extension(_key_usage(is_authority=True), critical=True).sign(
            self._key, SHA256()
        )

    @property
    def certificate_pem(self) -> str:
        """The root certificate, PEM."""
        return _pem(self._certificate)

    @property
    def private_key_pem(self) -> str:
        """The key of the root, PEM."""
        return _key_pem(self._key)

    def issue_server(self, *names: str, days: tuple[int, int] = VALID_DAYS, has_rsa_key: bool = False) -> Credential:
        """Issue a server certificate for DNS names and IP addresses; the first one is the common name as well."""
        alt_names = x509.SubjectAlternativeName([_general_name(name) for name in names])
        key = rsa.generate_private_key(65537, 2048) if has_rsa_key else None
        return self._issue(names[0], ExtendedKeyUsageOID.SERVER_AUTH, days, [alt_names], key)

    def issue_client(self, common_name: str, *, days: tuple[int, int] = VALID_DAYS) -> Credential:
        """Issue a client certificate; `days` are the offsets of notBefore and notAfter from now."""
        return self._issue(common_name, ExtendedKeyUsageOID.CLIENT_AUTH, days, [])

    def issue_expired_client(self, common_name: str) -> Credential:
        """Issue a client certificate that ended yesterday."""
        return self.issue_client(common_name, days=EXPIRED_DAYS)

    def issue_foreign_client(self, common_name: str) -> Credential:
        """Issue a client certificate of the same name from another authority that nobody knows."""
        return ThrowAwayAuthority("Foreign authority").issue_client(common_name)

    def sign_request(self, request_pem: str, *names: str) -> str:
        """Return a server certificate, PEM, for the key of a request (PKCS#10) and names of one's own choice."""
        request = x509.load_pem_x509_csr(request_pem.encode())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        key: ec.EllipticCurvePublicKey = request.public_key()  # type: ignore[assignment]  # requests here are P-256
        builder = self._builder(subject, key, VALID_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(is_authority=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        alt_names = x509.SubjectAlternativeName([_general_name(name) for name in names])
        return _pem(builder.add_extension(alt_names, critical=False).sign(self._key, SHA256()))

    def _issue(
        self,
        common_name: str,
        usage: x509.ObjectIdentifier,
        days: tuple[int, int],
        extensions: Iterable[x509.ExtensionType],
        own_key: rsa.RSAPrivateKey | None = None,
    ) -> Credential:
        key = own_key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = self._builder(subject, key.public_key(), days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(is_authority=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return Credential(_pem(builder.sign(self._key, SHA256())), _key_pem(key), self.certificate_pem)

    def _builder(self, subject: x509.Name, public_key: _PublicKey, days: tuple[int, int]) -> x509.CertificateBuilder:
        """Return what all have: the identifiers of both keys too, without which Python 3.13 trusts no chain."""
        now = datetime.now(UTC).replace(microsecond=0)
        not_before, not_after = (now + timedelta(days=offset) for offset in days)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return builder.add_extension(own, critical=False).not_valid_before(not_before).not_valid_after(not_after)


def _key_pem(key: _PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
