"""What somebody who has an authority's key can sign: certificates that nobody here has issued."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.test_authority import Credential

__all__ = ["forged"]


def forged(authority_pem: str, authority_key_pem: str, name: str, *, is_server: bool = False) -> Credential:
    """Return a certificate for a host or an account `name`, signed with a stolen key and good from yesterday on."""
    authority = x509.load_pem_x509_certificate(authority_pem.encode())
    stolen, key = load_pem_private_key(authority_key_pem.encode(), None), ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC).replace(microsecond=0)
    usage = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    names: x509.GeneralName = x509.DNSName(name) if is_server else x509.RFC822Name(name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - timedelta(days=1), authority.not_valid_before_utc))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_known_issuer(authority), critical=False)
        .sign(stolen, SHA256())  # type: ignore[arg-type]  # the keys of authorities here are P-384 or P-256
    )
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Credential(certificate.public_bytes(Encoding.PEM).decode(), key_pem, authority_pem)


def _known_issuer(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
