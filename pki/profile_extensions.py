"""Build the extensions of each certificate profile (RFC 5280 section 4.2.1)."""

from collections.abc import Mapping
from functools import lru_cache

from cryptography import x509

from pki.model import KeyAlgorithm, Profile
from pki.profiles import PROFILES

__all__ = ["CRITICAL", "extended_key_usage", "key_usage"]

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_RSA = frozenset({KeyAlgorithm.RSA_2048, KeyAlgorithm.RSA_3072, KeyAlgorithm.RSA_4096, KeyAlgorithm.RSA_8192})


CRITICAL: Mapping[type[x509.ExtensionType], bool] = {
    x509.AuthorityKeyIdentifier: False,  # 4.2.1.1: must not be critical
    x509.SubjectKeyIdentifier: False,  # 4.2.1.2: must not be critical
    x509.KeyUsage: True,  # 4.2.1.3: should be critical
    x509.SubjectAlternativeName: False,  # 4.2.1.6: critical only with an empty subject, and no subject here is empty
    x509.BasicConstraints: True,  # 4.2.1.9: must be critical in authorities, may be in leaves
    x509.NameConstraints: True,  # 4.2.1.10: must be critical
    x509.ExtendedKeyUsage: False,  # 4.2.1.12: either; verifiers that read it obey it anyway
    x509.CRLDistributionPoints: False,  # 4.2.1.13: should not be critical
}
"""Which extensions are critical; RFC 5280 section numbers."""


@lru_cache
def key_usage(profile: Profile, algorithm: KeyAlgorithm) -> x509.KeyUsage:
    """Return the key usage extension for a subject key of this algorithm (RFC 5280 section 4.2.1.3)."""
    rules = PROFILES[profile]
    bits = rules.key_usages | (rules.rsa_key_usages if algorithm in _RSA else frozenset())
    return x509.KeyUsage(**{usage: usage in bits for usage in _USAGES})


@lru_cache
def extended_key_usage(profile: Profile) -> x509.ExtendedKeyUsage | None:
    """Return the extended key usage extension; None for authorities, which carry none (RFC 5280 section 4.2.1.12)."""
    purposes = [x509.ObjectIdentifier(each.value) for each in PROFILES[profile].extended_key_usages]
    return x509.ExtendedKeyUsage(purposes) if purposes else None
