"""What the certificates of a chain demand of each other, beyond what NIST's suite asks (test_pki_path_suite.py)."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from pki.certification_path import problems_of_path
from pki.model import KeyAlgorithm, NameConstraints, SubjectAltNames
from pki.verification import problems_of_imported_chain
from tests.support.specimens import NOW, issue_leaf, key_of, make_authority

P256 = KeyAlgorithm.ECDSA_P256
SOMEWHERE = x509.ObjectIdentifier("1.3.6.1.4.1.32473.1")


def _sign(
    issuer: x509.Certificate | None,
    *extensions: x509.ExtensionType,
    is_critical: bool = False,
    name: str = "specimen",
    attributes: Sequence[x509.NameAttribute[str]] = (),
) -> x509.Certificate:
    """Return a certificate with these extensions that this project would never issue; its key has its name."""
    key = key_of(P256, name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), *attributes])
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer.subject if issuer else subject,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=NOW - timedelta(days=1),
        not_valid_after=NOW + timedelta(days=1),
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=is_critical)
    return builder.sign(key_of(P256, "limited root") if issuer else key, hashes.SHA256())


def _said(chain: Sequence[x509.Certificate], *roots: x509.Certificate) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in problems_of_path(chain, roots)]


def _limited(*permitted: x509.GeneralName, excluded: Sequence[x509.GeneralName] = ()) -> x509.Certificate:
    """Return a root that may certify only these names."""
    limits = x509.NameConstraints(list(permitted) or None, list(excluded) or None)
    return _sign(None, x509.BasicConstraints(ca=True, path_length=None), limits, is_critical=True, name="limited root")


@pytest.mark.parametrize("place", [0, 1], ids=["leaf", "authority"])
def test_a_critical_extension_that_nobody_understands_is_a_problem(place: int) -> None:
    """Wherever it stands: verifiers refuse such a chain. The same extension without the mark is skipped."""
    strange = x509.UnrecognizedExtension(SOMEWHERE, b"\x05\x00")
    for is_critical in (True, False):
        plain, marked = _sign(None), _sign(None, strange, is_critical=is_critical)
        chain = [marked, plain] if place == 0 else [plain, marked]
        places = [path for path, message in _said(chain) if "critical extension 1.3.6.1.4.1.32473.1" in message]
        assert places == ([f"chain[{place}]"] if is_critical else [])


def test_the_chain_checker_asks_the_path() -> None:
    """A chain in the right order is refused for what only the path shows: the root's own constraints count."""
    root = make_authority(name_constraints=NameConstraints(("example.net",)))
    leaf = issue_leaf(root, alt_names=SubjectAltNames(("mx1.example.org",)))
    (problem,) = problems_of_imported_chain(
        [leaf], public_key=key_of(P256).public_key(), dns_names=["mx1.example.org"], now=NOW, roots=[root.certificate]
    )
    assert (problem.path, "'mx1.example.org', which is outside of" in problem.message) == ("chain[0]", True)


def test_one_root_that_lets_the_chain_through_is_enough() -> None:
    """A root that was renewed with other limits has the same key: each verifier needs one of the two."""
    free = _sign(None, x509.BasicConstraints(ca=True, path_length=None), name="limited root")
    narrow = _limited(x509.DNSName("example.net"))
    leaf = _sign(free, x509.SubjectAlternativeName([x509.DNSName("mx1.example.org")]))
    assert len(_said([leaf], narrow)) == 1
    assert _said([leaf], narrow, free) == _said([leaf], free, narrow) == _said([leaf]) == []


def test_a_path_length_of_the_root_counts() -> None:
    """The root is outside of the chain, and its place is named so."""
    root = make_authority(path_length=0)
    middle = make_authority(root)
    ((place, message),) = _said([issue_leaf(middle), middle.certificate], root.certificate)
    assert (place, "may stand above 0 authorities, and there are 1" in message) == ("roots", True)


def _text(name: x509.GeneralName) -> str:
    """Return a name for a test id, the same in each version of the library."""
    return name.value if isinstance(name.value, str) else ""


OTHER_NAME = x509.OtherName(SOMEWHERE, b"\x05\x00")
DIRECTORY = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example  AG")]))
DIRECTORY_AGAIN = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "example ag")]))


@pytest.mark.parametrize(
    ("base", "name", "is_within"),
    [
        (x509.DNSName("Example.org"), x509.DNSName("MX1.example.ORG"), True),
        (x509.DNSName("example.org"), x509.DNSName("badexample.org"), False),
        (x509.RFC822Name("Alice@example.org"), x509.RFC822Name("Alice@EXAMPLE.org"), True),
        (x509.RFC822Name("Alice@example.org"), x509.RFC822Name("alice@example.org"), False),
        (x509.RFC822Name("example.org"), x509.RFC822Name("example.org"), False),
        (x509.UniformResourceIdentifier(".example.org"), x509.UniformResourceIdentifier("http://a.example.org/"), True),
        (x509.UniformResourceIdentifier(".example.org"), x509.UniformResourceIdentifier("urn:example"), False),
        (x509.UniformResourceIdentifier("192.0.2.1"), x509.UniformResourceIdentifier("http://192.0.2.1/"), False),
        (DIRECTORY, DIRECTORY_AGAIN, True),
        (OTHER_NAME, OTHER_NAME, False),
        (x509.RegisteredID(SOMEWHERE), x509.RegisteredID(SOMEWHERE), False),
        (x509.DNSName("example.org"), x509.RFC822Name("alice@example.net"), True),
    ],
    ids=lambda each: each if isinstance(each, bool) else f"{type(each).__name__} {_text(each)}",
)
def test_a_permitted_name_lies_within_and_can_be_compared(
    base: x509.GeneralName,
    name: x509.GeneralName,
    is_within: bool,  # noqa: FBT001
) -> None:
    """In any case of a host, in the exact case of a mailbox; what cannot be compared is outside."""
    # The subject of the leaf is a directory name, too, and has to lie within.
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example AG")
    root, alt_names = _limited(base), x509.SubjectAlternativeName([name])
    leaf = _sign(root, alt_names, attributes=[organization])
    about_names = [message for _, message in _said([leaf], root) if "CN=specimen" not in message]
    assert (about_names == []) is is_within


@pytest.mark.parametrize(
    ("base", "name", "is_outside"),
    [
        (x509.DNSName("example.org"), x509.DNSName("EXAMPLE.org"), False),
        (x509.DNSName("a.example.org"), x509.DNSName("*.example.org"), False),
        (x509.DNSName("example.org"), x509.DNSName("example.net"), True),
        (x509.RFC822Name("Alice@example.org"), x509.RFC822Name("alice@example.org"), False),
        (x509.UniformResourceIdentifier("example.org"), x509.UniformResourceIdentifier("urn:example"), False),
        (DIRECTORY, DIRECTORY_AGAIN, False),
        (OTHER_NAME, OTHER_NAME, False),
        (OTHER_NAME, x509.DNSName("example.org"), True),
    ],
    ids=lambda each: each if isinstance(each, bool) else f"{type(each).__name__} {_text(each)}",
)
def test_an_excluded_name_is_found_however_it_is_written(
    base: x509.GeneralName,
    name: x509.GeneralName,
    is_outside: bool,  # noqa: FBT001
) -> None:
    """Where it can be doubted whether a name is excluded, it is."""
    root = _limited(excluded=[base])
    assert (_said([_sign(root, x509.SubjectAlternativeName([name]))], root) == []) is is_outside


def test_an_address_in_the_subject_is_judged_as_a_mailbox() -> None:
    """Old certificates have it there (RFC 5280 section 4.1.2.6); also one that no mailbox could be."""
    root = _limited(x509.RFC822Name("example.org"))
    for address, number in (("alice@example.org", 0), ("alice@example.net", 1), ("zoë@exämple.org", 1)):
        leaf = _sign(root, attributes=[x509.NameAttribute(NameOID.EMAIL_ADDRESS, address)])
        assert len(_said([leaf], root)) == number


def test_a_certificate_without_a_subject_has_no_directory_name_to_judge() -> None:
    """Its names are the alternative ones alone (RFC 5280 section 4.2.1.10)."""
    root, key = _limited(DIRECTORY), key_of(P256, "limited root")
    nameless = x509.CertificateBuilder(
        subject_name=x509.Name([]),
        issuer_name=root.subject,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=NOW,
        not_valid_after=NOW,
    ).sign(key, hashes.SHA256())
    assert _said([nameless], root) == []
    assert len(_said([_sign(root)], root)) == 1


@pytest.mark.parametrize(
    ("required", "is_refused"), [(None, False), (0, True), (1, False)], ids=["none", "from here", "one below"]
)
def test_a_leaf_may_ask_for_a_policy_itself(required: int | None, is_refused: bool) -> None:  # noqa: FBT001
    """Only 0 means something there (RFC 5280 section 6.1.5 b)."""
    constraints = x509.PolicyConstraints(require_explicit_policy=required, inhibit_policy_mapping=1)
    assert bool(_said([_sign(None, constraints)])) is is_refused


def test_who_names_another_issuer_than_the_one_that_signed_is_told() -> None:
    """OpenSSL would look for the other one: by key identifier, serial number, or the issuer's issuer."""
    root = _sign(None, x509.BasicConstraints(True, None), x509.SubjectKeyIdentifier(b"own"), name="limited root")  # noqa: FBT003
    here, elsewhere = ([x509.DirectoryName(each)] for each in (root.subject, _sign(None).subject))
    said = {
        "own": x509.AuthorityKeyIdentifier(b"own", None, None),
        "own number": x509.AuthorityKeyIdentifier(b"own", here, root.serial_number),
        "another key": x509.AuthorityKeyIdentifier(b"other", None, None),
        "another number": x509.AuthorityKeyIdentifier(b"own", here, root.serial_number + 1),
        "another issuer": x509.AuthorityKeyIdentifier(b"own", elsewhere, root.serial_number),
    }
    problems = {kind: _said([_sign(root, named)], root) for kind, named in said.items()}
    assert {kind for kind, found in problems.items() if found} == {"another key", "another number", "another issuer"}
    assert "authorityKeyIdentifier of CN=specimen is 6f74686572" in problems["another key"][0][1]
    assert _said([_sign(root, said["another key"])]) == [], "without the issuer there is nothing to compare"


def test_a_root_with_a_critical_extension_that_nobody_understands_is_told() -> None:
    """Verifiers hold a root to that, too; another root of the same key is enough."""
    strange = x509.UnrecognizedExtension(SOMEWHERE, b"\x05\x00")
    plain, marked = (_sign(None, strange, is_critical=each, name="limited root") for each in (False, True))
    leaf = _sign(plain)
    assert [path for path, _ in _said([leaf], marked)] == ["roots"]
    assert _said([leaf], marked, plain) == _said([leaf], plain) == []
