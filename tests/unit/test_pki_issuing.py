"""Issuing: what stands in a certificate, what is refused, and that the same arguments give the same bytes."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from pki.extensions import extension_of, is_authority
from pki.issuing import Issuer, issue, serial_number_from, subject_name
from pki.model import CertificateDeclaration, KeyAlgorithm, NameConstraints, Profile, Subject, SubjectAltNames, Validity
from pki.profile_extensions import CRITICAL, extended_key_usage, key_usage
from postseal_core.errors import CertificateError
from tests.support.specimens import NOW, VALIDITY, declare, issue_leaf, key_of, make_authority, sign_by_hand

P256 = KeyAlgorithm.ECDSA_P256
ALL_ADDRESSES = [x509.IPAddress(ip_network(each)) for each in ("0.0.0.0/0", "::/0")]
FULL_NAMES = SubjectAltNames(
    ("mx1.example.org", "xn--mller-kva.example"), ("alice@example.org",), ("192.0.2.1", "2001:db8::1"), ("urn:a:b",)
)


@pytest.mark.parametrize("profile", [Profile.SERVER, Profile.CLIENT, Profile.SERVER_AND_CLIENT])
@pytest.mark.parametrize("algorithm", [P256, KeyAlgorithm.RSA_2048, KeyAlgorithm.ED25519])
def test_a_leaf_carries_exactly_what_its_profile_says(profile: Profile, algorithm: KeyAlgorithm) -> None:
    """Usages, names, identifiers and CRL address are there, nothing else is, each as critical as the table says."""
    issuer = make_authority()
    leaf = issue_leaf(issuer, profile, algorithm=algorithm, crl_urls=("http://a.example/1", "http://b.example/1"))
    assert {type(each.value): each.critical for each in leaf.extensions} == {
        kind: is_critical for kind, is_critical in CRITICAL.items() if kind is not x509.NameConstraints
    }
    assert extension_of(leaf, x509.BasicConstraints) == x509.BasicConstraints(ca=False, path_length=None)
    assert extension_of(leaf, x509.KeyUsage) == key_usage(profile, algorithm)
    assert extension_of(leaf, x509.ExtendedKeyUsage) == extended_key_usage(profile)
    assert extension_of(leaf, x509.SubjectKeyIdentifier) == x509.SubjectKeyIdentifier.from_public_key(leaf.public_key())
    points = extension_of(leaf, x509.CRLDistributionPoints)
    assert points is not None
    assert [[name.value for name in point.full_name or ()] for point in points] == [
        ["http://a.example/1", "http://b.example/1"]
    ]


@pytest.mark.parametrize("path_length", [0, 1, None])
def test_an_authority_carries_its_path_length_and_constraints_and_no_purpose(path_length: int | None) -> None:
    """Path length 0 is written as 0 and not left out, and an authority has no extended key usage."""
    constraints = NameConstraints(("example.org",), (), ("example.org", ".example.org"), ("root@example.org",))
    authority = make_authority(path_length=path_length, name_constraints=constraints).certificate
    assert {type(each.value): each.critical for each in authority.extensions} == {
        x509.BasicConstraints: True,
        x509.KeyUsage: True,
        x509.NameConstraints: True,
        x509.SubjectKeyIdentifier: False,
    }
    assert extension_of(authority, x509.BasicConstraints) == x509.BasicConstraints(ca=True, path_length=path_length)
    assert extension_of(authority, x509.NameConstraints) == x509.NameConstraints(
        [
            x509.DNSName("example.org"),
            x509.RFC822Name("example.org"),
            x509.RFC822Name(".example.org"),
            x509.UniformResourceIdentifier("none.invalid"),
        ],
        [x509.RFC822Name("root@example.org"), *ALL_ADDRESSES, x509.UniformResourceIdentifier("none.invalid")],
    )


def test_name_constraints_of_one_side_leave_the_other_out() -> None:
    """An empty list of subtrees is no valid encoding."""
    networks = ("192.0.2.0/24", "2001:db8::/32")
    permitted = NameConstraints(permitted_dns=("example.net",), permitted_ip=networks, permitted_uri=(".example.net",))
    authority = make_authority(name_constraints=permitted).certificate
    assert extension_of(authority, x509.NameConstraints) == x509.NameConstraints(
        [
            x509.DNSName("example.net"),
            *(x509.IPAddress(ip_network(each)) for each in networks),
            x509.UniformResourceIdentifier(".example.net"),
        ],
        None,
    )


def test_names_serial_number_and_dates_stand_in_the_certificate_as_declared() -> None:
    """Nothing is dropped, added or moved to another field."""
    issuer = make_authority()
    leaf = issue_leaf(issuer, alt_names=FULL_NAMES, serial_number=77)
    alt_names = extension_of(leaf, x509.SubjectAlternativeName)
    assert alt_names is not None
    assert alt_names.get_values_for_type(x509.DNSName) == ["mx1.example.org", "xn--mller-kva.example"]
    assert alt_names.get_values_for_type(x509.RFC822Name) == ["alice@example.org"]
    assert [str(address) for address in alt_names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "2001:db8::1"]
    assert alt_names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:a:b"]
    assert (leaf.serial_number, leaf.issuer) == (77, issuer.certificate.subject)
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (VALIDITY.not_before, VALIDITY.not_after)


def test_only_an_authority_leaves_the_identifier_of_its_own_key_out() -> None:
    """RFC 5280 section 4.2.1.1 lets a root do so; a server that signs itself says which key has signed."""
    key = key_of(P256)
    lone = issue(
        declare(Profile.SERVER),
        public_key=key.public_key(),
        validity=VALIDITY,
        serial_number=9,
        issuer=None,
        signing_key=key,
    )
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    assert extension_of(lone, x509.AuthorityKeyIdentifier) == own
    assert extension_of(make_authority().certificate, x509.AuthorityKeyIdentifier) is None


def test_the_issuer_is_identified_by_its_own_key_identifier_alone() -> None:
    """An authority from elsewhere may compute its identifier in another way; name and serial number are left out."""
    elsewhere = Issuer(
        sign_by_hand(x509.BasicConstraints(ca=True, path_length=None), x509.SubjectKeyIdentifier(b"elsewhere")),
        key_of(P256, "by hand"),
    )
    without = Issuer(sign_by_hand(x509.BasicConstraints(ca=True, path_length=None)), key_of(P256, "by hand"))
    computed = x509.AuthorityKeyIdentifier.from_issuer_public_key(key_of(P256, "by hand").public_key())
    expected = x509.AuthorityKeyIdentifier(b"elsewhere", None, None)
    assert extension_of(issue_leaf(elsewhere), x509.AuthorityKeyIdentifier) == expected
    assert extension_of(issue_leaf(without), x509.AuthorityKeyIdentifier) == computed


def test_the_subject_reads_from_the_country_down_to_the_common_name() -> None:
    """Empty fields are left out, the others stand in the order of X.521."""
    full = Subject("cn", "o", "ou", "l", "st", "DE")
    assert subject_name(full).rfc4514_string() == "CN=cn,OU=ou,O=o,L=l,ST=st,C=DE"
    assert subject_name(Subject("cn")).rfc4514_string() == "CN=cn"


@pytest.mark.parametrize("algorithm", [P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.RSA_2048, KeyAlgorithm.ED25519])
def test_the_same_arguments_give_the_same_bytes(algorithm: KeyAlgorithm) -> None:
    """No clock and no entropy is involved, in the signature neither."""
    issuer = make_authority(algorithm=algorithm)
    first, second = (issue_leaf(issuer).public_bytes(Encoding.DER) for _ in range(2))
    assert first == second
    assert issuer.certificate == make_authority(algorithm=algorithm).certificate


@pytest.mark.parametrize("algorithm", [P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.RSA_2048, KeyAlgorithm.ED25519])
def test_signatures_verify_and_use_the_hash_of_the_issuers_key(algorithm: KeyAlgorithm) -> None:
    """SHA-256 for P-256 and RSA, SHA-384 for P-384, none for Ed25519."""
    issuer = make_authority(algorithm=algorithm)
    leaf = issue_leaf(issuer)
    leaf.verify_directly_issued_by(issuer.certificate)
    names = {P256: "sha256", KeyAlgorithm.ECDSA_P384: "sha384", KeyAlgorithm.RSA_2048: "sha256"}
    assert (leaf.signature_hash_algorithm.name if leaf.signature_hash_algorithm else None) == names.get(algorithm)


@pytest.mark.parametrize(
    ("validity", "said"),
    [
        (Validity(NOW, NOW), "expected an instant after not_before"),
        (Validity(NOW, NOW - timedelta(seconds=1)), "expected an instant after not_before"),
        (
            Validity(NOW, NOW + timedelta(days=825, seconds=1)),
            "got a validity of 19800.00028 hours, expected at most 19800 for profile server",
        ),
        (Validity(NOW + timedelta(days=2700), NOW + timedelta(days=3001)), "renew the issuer first"),
    ],
)
def test_dates_that_cannot_be_kept_are_refused(validity: Validity, said: str) -> None:
    """A leaf has a lifetime, within its profile's limit, and does not outlive its issuer."""
    with pytest.raises(CertificateError, match=said):
        issue_leaf(make_authority(), validity=validity)


def test_a_leaf_may_live_up_to_its_profiles_limit_and_its_issuers_end() -> None:
    """Both limits are inclusive."""
    issuer = make_authority()
    end = issuer.certificate.not_valid_after_utc
    assert issue_leaf(issuer, validity=Validity(end - timedelta(days=825), end)).not_valid_after_utc == end


def test_all_refusals_stand_in_one_message() -> None:
    """Each has its own line."""
    with pytest.raises(CertificateError) as caught:
        issue_leaf(
            make_authority(),
            subject=Subject("root specimen", "Example"),
            validity=Validity(NOW, NOW + timedelta(days=4000)),
        )
    assert [line.partition("expected")[0] for line in str(caught.value).splitlines()] == [
        "root specimen: got the subject of its issuer, which makes it look self-signed; choose another common_name",
        "root specimen: got a validity of 96000 hours, ",
        "root specimen: got not_after 2037-05-14T12:00:00Z, ",
    ]


def _issue_with(declaration: CertificateDeclaration, issuer: Issuer | None, signer: str) -> x509.Certificate:
    signing_key = key_of(P256, signer) if signer else None
    return issue(
        declaration,
        public_key=key_of(P256).public_key(),
        validity=VALIDITY,
        serial_number=1,
        issuer=issuer,
        signing_key=signing_key,
    )


@pytest.mark.parametrize(
    ("profile", "has_issuer", "signer", "said"),
    [
        (Profile.CLIENT, False, "leaf", "got profile client and no issuer; only roots and servers"),
        (Profile.INTERMEDIATE, False, "leaf", "got profile intermediate and no issuer; only roots and servers"),
        (Profile.ROOT, True, "", "got profile root and an issuer; a root has none"),
        (Profile.ROOT, False, "", "expected the private half of its own key"),
        (Profile.ROOT, False, "another", "expected the private half of its own key"),
        (Profile.SERVER, True, "leaf", "leave signing_key out"),
    ],
)
def test_only_roots_and_servers_sign_themselves_and_with_their_own_key(
    profile: Profile,
    has_issuer: bool,  # noqa: FBT001
    signer: str,
    said: str,
) -> None:
    """Everything else has an issuer, and exactly one key signs."""
    declaration = declare(profile, subject=Subject("somebody"))
    with pytest.raises(CertificateError, match=said):
        _issue_with(declaration, make_authority() if has_issuer else None, signer)


@pytest.mark.parametrize("profile", [Profile.SERVER, Profile.SERVER_AND_CLIENT])
def test_a_server_without_an_authority_signs_itself(profile: Profile) -> None:
    """It is its own issuer and no authority, and its signature verifies with its own key."""
    key = key_of(P256)
    declaration = declare(profile)
    issued = issue(
        declaration,
        public_key=key.public_key(),
        validity=VALIDITY,
        serial_number=1,
        issuer=None,
        signing_key=key,
    )
    issued.verify_directly_issued_by(issued)
    assert not is_authority(issued)


def test_a_key_of_no_accepted_algorithm_is_refused() -> None:
    """The subject's key is judged like one that is read."""
    short = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505  # weak on purpose
    with pytest.raises(CertificateError, match="key of server specimen: got an RSA key of 1024 bits"):
        issue(declare(Profile.SERVER), public_key=short, validity=VALIDITY, serial_number=1, issuer=make_authority())


@pytest.mark.parametrize(
    "extensions",
    [
        [],
        [x509.BasicConstraints(ca=False, path_length=None)],
        [x509.BasicConstraints(ca=True, path_length=None), key_usage(Profile.SERVER, P256)],
    ],
    ids=["none", "CA:FALSE", "no keyCertSign"],
)
def test_a_certificate_that_is_no_authority_cannot_become_an_issuer(extensions: list[x509.ExtensionType]) -> None:
    """An issuer needs both CA:TRUE and, where there is a key usage, keyCertSign."""
    with pytest.raises(CertificateError, match=r"^CN=by hand is no authority"):
        Issuer(sign_by_hand(*extensions), key_of(P256, "by hand"))


def test_an_issuer_needs_the_key_of_its_certificate() -> None:
    """Another key would sign what nobody can verify."""
    authority = make_authority()
    with pytest.raises(CertificateError, match="the private key does not belong to issuer CN=root specimen"):
        Issuer(authority.certificate, key_of(P256, "another"))


def test_an_issuer_shows_no_key() -> None:
    """The key is left out of what is printed."""
    assert "key" not in repr(make_authority()).lower()


def test_an_issuer_can_be_replaced_only_as_a_whole() -> None:
    """A changed copy is checked like a new one."""
    with pytest.raises(CertificateError):
        replace(make_authority(), private_key=key_of(P256, "another"))


@given(entropy=st.binary(min_size=9, max_size=40).filter(lambda entropy: any(entropy[:8])))
def test_a_serial_number_is_positive_and_of_at_most_20_octets(entropy: bytes) -> None:
    """Whatever the random bytes are, the encoding has room for the sign bit."""
    assert 0 < serial_number_from(entropy) < 2**159


@given(bits=st.sets(st.integers(1, 2**159 - 1), min_size=2, max_size=2))
def test_different_entropy_gives_different_serial_numbers(bits: set[int]) -> None:
    """Of 160 random bits only one is lost, to the sign."""
    assert len({serial_number_from((number << 1).to_bytes(20)) for number in bits}) == 2


@pytest.mark.parametrize("entropy", [b"", b"\xff" * 8, bytes(20)])
def test_too_little_entropy_is_refused(entropy: bytes) -> None:
    """Fewer than 9 bytes cannot give 64 bits after the sign bit, and zeros are no entropy."""
    with pytest.raises(ValueError, match="expected at least 9 random ones"):
        serial_number_from(entropy)
