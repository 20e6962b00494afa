"""Keys, declarations and certificates that tests deviate from; made with the product's code at one fixed instant."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from pki.constraints import limits_of_certificate, problems_under_limits
from pki.issuing import Issuer, issue
from pki.keys import PrivateKey, generate_private_key
from pki.model import CertificateDeclaration, KeyAlgorithm, Profile, Subject, SubjectAltNames, Validity
from postseal_core.errors import Problem
from tests.support.large_key import large_rsa_key

__all__ = [
    "NOW",
    "VALIDITY",
    "declare",
    "issue_leaf",
    "key_of",
    "make_authority",
    "problems_under_issuer",
    "sign_by_hand",
]

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VALIDITY = Validity(NOW - timedelta(days=1), NOW + timedelta(days=365))
AUTHORITY_VALIDITY = Validity(NOW - timedelta(days=30), NOW + timedelta(days=3000))

_ALT_NAMES: Mapping[Profile, SubjectAltNames] = {
    Profile.ROOT: SubjectAltNames(),
    Profile.INTERMEDIATE: SubjectAltNames(),
    Profile.SERVER: SubjectAltNames(dns_names=("mx1.example.org",)),
    Profile.CLIENT: SubjectAltNames(email_addresses=("alice@example.org",)),
    Profile.SERVER_AND_CLIENT: SubjectAltNames(dns_names=("relay.example.org",)),
}


@lru_cache
def key_of(algorithm: KeyAlgorithm, owner: str = "leaf") -> PrivateKey:
    """Return the one key that `owner` has of this algorithm during a run: large RSA keys take seconds to make.

    The largest takes a minute; that one is always the same, whoever owns it.
    """
    if algorithm is KeyAlgorithm.RSA_8192:
        return large_rsa_key()
    return generate_private_key(algorithm)


def declare(profile: Profile, **changes: Any) -> CertificateDeclaration:
    """Return a declaration that can be issued, with these fields changed."""
    good = CertificateDeclaration(profile, Subject(f"{profile} specimen", "Example"), _ALT_NAMES[profile])
    return replace(good, **changes)


def make_authority(
    above: Issuer | None = None,
    *,
    algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256,
    validity: Validity = AUTHORITY_VALIDITY,
    **changes: Any,
) -> Issuer:
    """Return a root, or an intermediate below `above`, together with its key."""
    profile = Profile.INTERMEDIATE if above else Profile.ROOT
    key = key_of(algorithm, profile)
    certificate = issue(
        declare(profile, **changes),
        public_key=key.public_key(),
        validity=validity,
        serial_number=100,
        issuer=above,
        signing_key=None if above else key,
    )
    return Issuer(certificate, key)


def issue_leaf(
    issuer: Issuer,
    profile: Profile = Profile.SERVER,
    *,
    algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256,
    validity: Validity = VALIDITY,
    serial_number: int = 200,
    **changes: Any,
) -> x509.Certificate:
    """Return a leaf certificate for the key that "leaf" has of this algorithm."""
    public_key = key_of(algorithm).public_key()
    declaration = declare(profile, **changes)
    return issue(declaration, public_key=public_key, validity=validity, serial_number=serial_number, issuer=issuer)


def sign_by_hand(
    *extensions: x509.ExtensionType, common_name: str = "by hand", issuer: Issuer | None = None
) -> x509.Certificate:
    """Return what this project would never issue: a certificate with exactly these extensions, none critical."""
    key = key_of(KeyAlgorithm.ECDSA_P256, common_name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(300)
        .not_valid_before(VALIDITY.not_before)
        .not_valid_after(VALIDITY.not_after)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer.private_key if issuer else key, hashes.SHA256())


def problems_under_issuer(declaration: CertificateDeclaration, chain: Sequence[x509.Certificate]) -> list[Problem]:
    """Return what is told of a declaration below the certificates of a chain, which starts with the issuer."""
    return problems_under_limits(declaration, [limits_of_certificate(each) for each in chain])
