"""What each kind of certificate carries and how long it may live, as one table.

The rows follow RFC 5280; sections are named in each row and beside each criticality.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.model import KeyAlgorithm, Profile

__all__ = ["CRITICAL", "PROFILES", "ProfileRules", "extended_key_usage", "key_usage"]

_HOURS_PER_DAY = 24
_HOURS_PER_YEAR = 365 * _HOURS_PER_DAY

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
_RSA = frozenset({KeyAlgorithm.RSA_2048, KeyAlgorithm.RSA_3072, KeyAlgorithm.RSA_4096})


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """One row: what certificates of a profile carry.

    `key_usages` are bits for every key, `rsa_key_usages` further bits for RSA keys; names as in `x509.KeyUsage`.
    `required_alt_names`: fields of `SubjectAltNames` of which at least one must be filled.
    `default_validity_hours` is used where nothing is declared, `max_validity_hours` is never exceeded.
    """

    section: str
    key_usages: frozenset[str]
    default_validity_hours: int
    max_validity_hours: int
    rsa_key_usages: frozenset[str] = frozenset()
    extended_key_usages: tuple[x509.ObjectIdentifier, ...] = ()
    required_alt_names: tuple[str, ...] = ()
    has_wildcards: bool = False


# An authority signs certificates and CRLs and nothing else: no digitalSignature (it terminates no TLS and signs no
# OCSP answers), no EKU (there it would limit the whole subtree, which name constraints and path length do openly).
_AUTHORITY_USAGES = frozenset({"key_cert_sign", "crl_sign"})

# In TLS 1.3 and in every ECDHE suite of TLS 1.2 a leaf key only signs. ECDSA and Ed25519 keys can do nothing else.
_LEAF_USAGES = frozenset({"digital_signature"})

# TLS 1.2 without ECDHE sends the premaster secret encrypted to the *server's* RSA key, and old mail servers still do
# that. Nobody ever encrypts to a client's key, so the client row lacks the bit.
_RSA_SERVER_USAGES = frozenset({"key_encipherment"})

_LEAF_DEFAULT_HOURS = 365 * _HOURS_PER_DAY
_LEAF_MAX_HOURS = 825 * _HOURS_PER_DAY

PROFILES: Mapping[Profile, ProfileRules] = {
    Profile.ROOT: ProfileRules(
        section="RFC 5280 sections 4.2.1.3 and 4.2.1.9",
        key_usages=_AUTHORITY_USAGES,
        default_validity_hours=10 * _HOURS_PER_YEAR,
        max_validity_hours=30 * _HOURS_PER_YEAR,
    ),
    Profile.INTERMEDIATE: ProfileRules(
        section="RFC 5280 sections 4.2.1.3 and 4.2.1.9",
        key_usages=_AUTHORITY_USAGES,
        default_validity_hours=5 * _HOURS_PER_YEAR,
        max_validity_hours=30 * _HOURS_PER_YEAR,
    ),
    Profile.SERVER: ProfileRules(
        section="RFC 5280 sections 4.2.1.3, 4.2.1.6 and 4.2.1.12; RFC 9525 section 6.3",
        key_usages=_LEAF_USAGES,
        rsa_key_usages=_RSA_SERVER_USAGES,
        extended_key_usages=(ExtendedKeyUsageOID.SERVER_AUTH,),
        required_alt_names=("dns_names",),
        default_validity_hours=_LEAF_DEFAULT_HOURS,
        max_validity_hours=_LEAF_MAX_HOURS,
        has_wildcards=True,
    ),
    Profile.CLIENT: ProfileRules(
        section="RFC 5280 sections 4.2.1.3, 4.2.1.6 and 4.2.1.12",
        key_usages=_LEAF_USAGES,
        extended_key_usages=(ExtendedKeyUsageOID.CLIENT_AUTH,),
        required_alt_names=("email_addresses", "dns_names"),
        default_validity_hours=_LEAF_DEFAULT_HOURS,
        max_validity_hours=_LEAF_MAX_HOURS,
    ),
    Profile.SERVER_AND_CLIENT: ProfileRules(
        section="RFC 5280 sections 4.2.1.3, 4.2.1.6 and 4.2.1.12; RFC 9525 section 6.3",
        key_usages=_LEAF_USAGES,
        rsa_key_usages=_RSA_SERVER_USAGES,
        extended_key_usages=(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
        required_alt_names=("dns_names",),
        default_validity_hours=_LEAF_DEFAULT_HOURS,
        max_validity_hours=_LEAF_MAX_HOURS,
    ),
}
"""The rules of every profile."""

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
    purposes = PROFILES[profile].extended_key_usages
    return x509.ExtendedKeyUsage(purposes) if purposes else None
