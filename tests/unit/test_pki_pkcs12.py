"""PKCS#12 archives: content, refusals and passphrases."""

from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given
from hypothesis import strategies as st

from pki.issuing import Issuer
from pki.model import KeyAlgorithm, Pkcs12Profile, Profile
from pki.pkcs12 import build_archive, generate_passphrase
from postseal_core.errors import CertificateError
from tests.support.specimens import issue_leaf, key_of, make_authority

P256 = KeyAlgorithm.ECDSA_P256


@cache
def root() -> Issuer:
    """Return a root."""
    return make_authority()


@cache
def middle() -> Issuer:
    """Return an authority below it."""
    return make_authority(root())


@cache
def leaf() -> x509.Certificate:
    """Return a certificate below that."""
    return issue_leaf(middle(), Profile.CLIENT)


@cache
def parts() -> dict[str, Any]:
    """Return what an archive is made of."""
    return {
        "name": "alice @ example.org",
        "certificate": leaf(),
        "ca_chain": [middle().certificate, root().certificate],
        "profile": Pkcs12Profile.MODERN,
        "private_key": key_of(P256),
        "passphrase": "correct horse",
    }


@pytest.mark.parametrize("profile", Pkcs12Profile)
@pytest.mark.parametrize("name", ["alice", "Zoë Müller"])
def test_an_archive_gives_back_name_key_certificate_and_chain(profile: Pkcs12Profile, name: str) -> None:
    """Whoever imports it has all that is needed, under a name a person can read."""
    archive = build_archive(**{**parts(), "profile": profile, "name": name})
    opened = pkcs12.load_pkcs12(archive, b"correct horse")
    assert opened.cert is not None
    assert (opened.cert.friendly_name, opened.cert.certificate) == (name.encode(), leaf())
    assert [each.certificate for each in opened.additional_certs] == parts()["ca_chain"]
    assert opened.key is not None
    assert opened.key.public_key() == leaf().public_key()


@pytest.mark.parametrize("profile", Pkcs12Profile)
def test_an_archive_opens_with_its_own_passphrase_only(profile: Pkcs12Profile) -> None:
    """A wrong passphrase is found out."""
    archive = build_archive(**{**parts(), "profile": profile})
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(archive, b"wrong horse")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"private_key": key_of(P256, "another")}, "does not belong to the certificate"),
        ({"passphrase": ""}, "must not be empty"),
        ({"name": ""}, "must not be empty"),
    ],
    ids=["other key", "no passphrase", "no name"],
)
def test_an_archive_that_nobody_could_use_is_refused(change: dict[str, Any], said: str) -> None:
    """Key and certificate belong together, and both name and passphrase are set; no secret is in the message."""
    with pytest.raises(CertificateError, match=said) as caught:
        build_archive(**{**parts(), **change})
    assert "correct horse" not in str(caught.value)


def test_two_archives_of_the_same_content_differ() -> None:
    """Their salts do, so that one that is there must be kept and not be built again."""
    assert build_archive(**parts()) != build_archive(**parts())


@given(entropy=st.binary(min_size=17, max_size=40))
def test_a_passphrase_is_seven_groups_of_four_plain_characters(entropy: bytes) -> None:
    """It can be read out and typed: small letters and digits, none that look alike."""
    groups = generate_passphrase(entropy).split("-")
    assert [len(group) for group in groups] == [4] * 7
    assert not set("".join(groups)) & set("01ilo")
    assert "".join(groups).isalnum()
    assert "".join(groups).islower() or "".join(groups).isdigit()


@given(first=st.binary(min_size=17, max_size=17), second=st.binary(min_size=17, max_size=17))
def test_different_entropy_gives_different_passphrases(first: bytes, second: bytes) -> None:
    """All 136 bits are in the passphrase."""
    assert (generate_passphrase(first) == generate_passphrase(second)) == (first == second)


def test_too_little_entropy_gives_no_passphrase() -> None:
    """Fewer than 17 bytes are refused rather than stretched."""
    with pytest.raises(ValueError, match="got 16 bytes, expected at least 17"):
        generate_passphrase(bytes(16))
