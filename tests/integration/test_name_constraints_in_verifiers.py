"""What the key of an authority limited by host and mailbox can certify in wrong hands: four verifiers judge."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki.issuing import Issuer, issue
from pki.model import KeyAlgorithm, NameConstraints, Profile, Validity
from pki.profile_extensions import key_usage
from tests.support.path_judges import VERIFIERS, Chain
from tests.support.specimens import declare, key_of, make_authority

NOW = datetime.now(UTC).replace(microsecond=0)
VALIDITY = Validity(NOW - timedelta(days=1), NOW + timedelta(days=30))
KEY = key_of(KeyAlgorithm.ECDSA_P256)
HOST, MAILBOX = x509.DNSName("mx1.example.org"), x509.RFC822Name("alice@example.org")
LIMITED = NameConstraints(permitted_dns=("example.org",), permitted_email=("example.org",))
OPENED = NameConstraints(
    permitted_dns=("example.org",), permitted_ip=("192.0.2.0/24",), permitted_uri=("www.example.org",)
)

pytestmark = [
    pytest.mark.parametrize(
        "verifier", [pytest.param(name, marks=getattr(pytest.mark, f"needs_{name}")) for name in VERIFIERS]
    )
]


def forged(issuer: Issuer, names: Sequence[x509.GeneralName]) -> x509.Certificate:
    """Return what whoever has the key of an authority may sign, past everything that the project checks."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")]))
        .issuer_name(issuer.certificate.subject)
        .public_key(KEY.public_key())
        .serial_number(400)
        .not_valid_before(VALIDITY.not_before)
        .not_valid_after(VALIDITY.not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(Profile.CLIENT, KeyAlgorithm.ECDSA_P256), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), critical=False)
        .add_extension(issuer.authority_key_identifier, critical=False)
    )
    return builder.sign(issuer.private_key, hashes.SHA256())


def _intermediate(root: Issuer, constraints: NameConstraints) -> Issuer:
    """Return an authority below a root; NSS wants another serial number than the root's own."""
    key = key_of(KeyAlgorithm.ECDSA_P256, "middle")
    declaration = declare(Profile.INTERMEDIATE, name_constraints=constraints)
    certificate = issue(
        declaration, public_key=key.public_key(), validity=VALIDITY, serial_number=101, issuer=root, signing_key=None
    )
    return Issuer(certificate, key)


def judged(verifier: str, constraints: NameConstraints, *names: x509.GeneralName, is_root_limited: bool = True) -> bool:
    """Return whether a verifier takes a leaf with these names below a limited root, or a limited intermediate."""
    root = make_authority(validity=VALIDITY, name_constraints=constraints if is_root_limited else NameConstraints())
    if is_root_limited:
        return VERIFIERS[verifier](Chain(forged(root, names), [], root.certificate)).is_accepted
    middle = _intermediate(root, constraints)
    return VERIFIERS[verifier](Chain(forged(middle, names), [middle.certificate], root.certificate)).is_accepted


@pytest.mark.parametrize("is_root_limited", [True, False], ids=["root", "intermediate"])
def test_names_within_are_taken(verifier: str, is_root_limited: bool) -> None:  # noqa: FBT001
    """The verifier can read the chain at all: a host and a mailbox of ours are believed."""
    assert judged(verifier, LIMITED, HOST, MAILBOX, is_root_limited=is_root_limited)


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("mx1.example.com"),
        x509.RFC822Name("ceo@example.com"),
        x509.IPAddress(ip_address("192.0.2.1")),
        x509.IPAddress(ip_address("2001:db8::1")),
        x509.UniformResourceIdentifier("https://www.example.com/"),
        x509.UniformResourceIdentifier("https://mx1.example.org/"),
        x509.UniformResourceIdentifier("https://192.0.2.1/"),
        x509.UniformResourceIdentifier("https://none.invalid/"),
        x509.UniformResourceIdentifier("urn:example:a"),
    ],
    ids=lambda name: str(name.value),
)
def test_an_authority_limited_by_host_and_mailbox_certifies_nothing_else(verifier: str, name: x509.GeneralName) -> None:
    """Neither a host or mailbox outside, nor any address or URI beside what it may."""
    assert not judged(verifier, LIMITED, HOST, name)


def test_below_a_limited_intermediate_it_is_the_same(verifier: str) -> None:
    """Whichever authority of the chain is limited."""
    assert not judged(verifier, LIMITED, HOST, x509.IPAddress(ip_address("192.0.2.1")), is_root_limited=False)


def test_what_is_permitted_is_taken_and_nothing_beside(verifier: str) -> None:
    """Networks are permitted by version of IP: those of one leave the other closed."""
    address = x509.IPAddress(ip_address("192.0.2.7"))
    assert judged(verifier, OPENED, HOST, address, x509.UniformResourceIdentifier("https://www.example.org/a"))
    for outside in ("198.51.100.7", "2001:db8::1"):
        assert not judged(verifier, OPENED, HOST, x509.IPAddress(ip_address(outside)))


def test_without_limits_everything_is_taken(verifier: str) -> None:
    """The verifiers refuse for the constraints, not for the kind of name."""
    address = x509.IPAddress(ip_address("192.0.2.1"))
    uri = x509.UniformResourceIdentifier("https://www.example.com/")
    assert judged(verifier, NameConstraints(), x509.DNSName("mx1.example.com"), address, uri)
