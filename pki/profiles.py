"""One table of certificate profiles: extensions, maximum and default validity.

The rows follow RFC 5280; sections are named in each row. Programs read this table, too: it needs no `cryptography`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pki.model import Profile

__all__ = ["PROFILES", "ProfileRules", "Purpose"]

_HOURS_PER_DAY = 24
_HOURS_PER_YEAR = 365 * _HOURS_PER_DAY


class Purpose(StrEnum):
    """Extended key usages of leaf certificates, by object identifier (RFC 5280 section 4.2.1.12)."""

    SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """One row of the table: the rules for certificates of a profile.

    `key_usages` are bits for every key, `rsa_key_usages` further bits for RSA keys; names as in `x509.KeyUsage`.
    `required_alt_names`: fields of `SubjectAltNames` of which at least one must be filled.
    `default_validity_hours` is used where nothing is declared, `max_validity_hours` is never exceeded.
    """

    section: str
    key_usages: frozenset[str]
    default_validity_hours: int
    max_validity_hours: int
    rsa_key_usages: frozenset[str] = frozenset()
    extended_key_usages: tuple[Purpose, ...] = ()
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
        extended_key_usages=(Purpose.SERVER_AUTH,),
        required_alt_names=("dns_names",),
        default_validity_hours=_LEAF_DEFAULT_HOURS,
        max_validity_hours=_LEAF_MAX_HOURS,
        has_wildcards=True,
    ),
    Profile.CLIENT: ProfileRules(
        section="RFC 5280 sections 4.2.1.3, 4.2.1.6 and 4.2.1.12",
        key_usages=_LEAF_USAGES,
        extended_key_usages=(Purpose.CLIENT_AUTH,),
        required_alt_names=("email_addresses", "dns_names"),
        default_validity_hours=_LEAF_DEFAULT_HOURS,
        max_validity_hours=_LEAF_MAX_HOURS,
    ),
    Profile.SERVER_AND_CLIENT: ProfileRules(
        section="RFC 5280 sections 4.2.1.3, 4.2.1.6 and 4.2.1.12; RFC 9525 section 6.3",
        key_usages=_LEAF_USAGES,
        rsa_key_usages=_RSA_SERVER_USAGES,
        extended_key_usages=(Purpose.SERVER_AUTH, Purpose.CLIENT_AUTH),
        required_alt_names=("dns_names",),
        default_validity_hours=_LEAF_DEFAULT_HOURS,
        max_validity_hours=_LEAF_MAX_HOURS,
    ),
}
"""The rules of every profile."""
