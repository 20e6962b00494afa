"""The profile table, stated a second time bit by bit: a change of a row must be a change here."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.model import KeyAlgorithm, Profile
from pki.profile_extensions import CRITICAL, extended_key_usage, key_usage
from pki.profiles import PROFILES

SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
SIGN = {"digital_signature"}
SIGN_AND_ENCIPHER = {"digital_signature", "key_encipherment"}
AUTHORITY = {"key_cert_sign", "crl_sign"}
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize(
    ("profile", "usages", "rsa_usages"),
    [
        (Profile.ROOT, AUTHORITY, AUTHORITY),
        (Profile.INTERMEDIATE, AUTHORITY, AUTHORITY),
        (Profile.SERVER, SIGN, SIGN_AND_ENCIPHER),
        (Profile.CLIENT, SIGN, SIGN),
        (Profile.SERVER_AND_CLIENT, SIGN, SIGN_AND_ENCIPHER),
    ],
)
def test_key_usage_has_exactly_the_bits_that_profile_and_key_need(
    profile: Profile, usages: set[str], rsa_usages: set[str], algorithm: KeyAlgorithm
) -> None:
    """Leaves sign, only RSA keys of servers decipher as well, and authorities only sign certificates and CRLs."""
    extension = key_usage(profile, algorithm)
    expected = rsa_usages if algorithm.startswith("RSA") else usages
    assert {usage for usage in USAGES if getattr(extension, usage)} == expected


@pytest.mark.parametrize(
    ("profile", "purposes"),
    [
        (Profile.ROOT, None),
        (Profile.INTERMEDIATE, None),
        (Profile.SERVER, {SERVER_AUTH}),
        (Profile.CLIENT, {CLIENT_AUTH}),
        (Profile.SERVER_AND_CLIENT, {SERVER_AUTH, CLIENT_AUTH}),
    ],
)
def test_extended_key_usage_is_what_the_profile_says_and_no_more(
    profile: Profile, purposes: set[x509.ObjectIdentifier] | None
) -> None:
    """A client certificate serves nobody, a server certificate is no client, and authorities carry none."""
    extension = extended_key_usage(profile)
    assert (set(extension) if extension else None) == purposes


@pytest.mark.parametrize(
    ("profile", "default_hours", "max_hours"),
    [
        (Profile.ROOT, 87_600, 262_800),
        (Profile.INTERMEDIATE, 43_800, 262_800),
        (Profile.SERVER, 8_760, 19_800),
        (Profile.CLIENT, 8_760, 19_800),
        (Profile.SERVER_AND_CLIENT, 8_760, 19_800),
    ],
)
def test_lifetimes_have_a_default_and_a_limit(profile: Profile, default_hours: int, max_hours: int) -> None:
    """Leaves live a year and at most 825 days; roots ten years, intermediates five, both at most thirty."""
    assert PROFILES[profile].default_validity_hours == default_hours
    assert PROFILES[profile].max_validity_hours == max_hours


@pytest.mark.parametrize("profile", Profile)
def test_every_row_names_its_rfc_section(profile: Profile) -> None:
    """A reader of the table can look each row up."""
    assert PROFILES[profile].section.startswith("RFC 5280 sections ")


def test_the_extensions_that_limit_a_certificate_are_critical_and_the_others_are_not() -> None:
    """A verifier that cannot read a limit must refuse; one that cannot read a hint must not."""
    critical = {kind for kind, is_critical in CRITICAL.items() if is_critical}
    assert critical == {x509.BasicConstraints, x509.KeyUsage, x509.NameConstraints}
