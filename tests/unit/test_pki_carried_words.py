"""What is carried on from a certificate, as a reviewer reads it."""

from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from pki.carried_words import carried_in_words
from pki.model import AuthorityChange
from tests.support.specimens import sign_by_hand


def uri(text: str) -> x509.UniformResourceIdentifier:
    """Return an address."""
    return x509.UniformResourceIdentifier(text)


def octets(oid: str) -> x509.UnrecognizedExtension:
    """Return an extension that the library does not know."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x05\x00")


POLICY = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), ["http://pki.example.org/cps"])
SPOKEN: dict[str, tuple[x509.ExtensionType, str, str]] = {
    "no path length": (x509.BasicConstraints(True, None), "basicConstraints", "any number of authorities below it"),  # noqa: FBT003
    "a path length": (x509.BasicConstraints(True, 2), "basicConstraints", "path length 2: 2 authorities below it"),  # noqa: FBT003
    "purposes": (
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, x509.ObjectIdentifier("1.2.3.5")]),
        "extendedKeyUsage",
        "certifies for serverAuth, 1.2.3.5 alone",
    ),
    "constraints": (
        x509.NameConstraints([x509.RFC822Name("example.org")], [x509.IPAddress(ip_network("0.0.0.0/0")), uri(".org")]),
        "nameConstraints",
        "permitted mailbox example.org; excluded address 0.0.0.0/0, URI .org",
    ),
    "policies": (x509.CertificatePolicies([POLICY]), "certificatePolicies", "1.2.3.4"),
    "demands for policies": (x509.PolicyConstraints(None, 0), "policyConstraints", "inhibitPolicyMapping 0"),
    "addresses": (
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri("http://ocsp.example.org"))]
        ),
        "authorityInfoAccess",
        "OCSP URI http://ocsp.example.org",
    ),
    "many lists": (
        x509.CRLDistributionPoints(
            [x509.DistributionPoint([uri(f"http://a/{each}")], None, None, None) for each in range(10)]
        ),
        "cRLDistributionPoints",
        ", ".join(f"URI http://a/{each}" for each in range(8)) + " and 2 more",
    ),
    "eight lists": (
        x509.CRLDistributionPoints(
            [x509.DistributionPoint([uri(f"http://a/{each}")], None, None, None) for each in range(8)]
        ),
        "cRLDistributionPoints",
        ", ".join(f"URI http://a/{each}" for each in range(8)),
    ),
    "other names": (
        x509.IssuerAlternativeName([x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))]),
        "issuerAltName",
        "another kind of name (RegisteredID)",
    ),
    "of AD CS": (
        octets("1.3.6.1.4.1.311.21.1"),
        "1.3.6.1.4.1.311.21.1",
        "count of its renewals and keys (AD CS), which stays what it is; 2 octets",
    ),
    "of nobody": (octets("1.2.3.4"), "1.2.3.4", "nobody here knows what it says; 2 octets"),
    "one that the library knows": (x509.OCSPNoCheck(), "OCSPNoCheck", "2 octets"),
    "what would move a cursor": (
        x509.SubjectAlternativeName([uri("http://a/\x1b[2J")]),
        "subjectAltName",
        r"URI http://a/\x1b[2J",
    ),
}


@pytest.mark.parametrize("kind", SPOKEN)
def test_an_extension_is_told_in_words(kind: str) -> None:
    """By its name in RFC 5280, or its identifier; nothing in it reaches a terminal as it is."""
    extension, name, words = SPOKEN[kind]
    assert carried_in_words(sign_by_hand(extension), (), has_crl_urls=False)[name].removesuffix("; critical") == words


@pytest.mark.parametrize(
    ("oid", "what"),
    [
        ("1.3.6.1.4.1.311.20.2", "name of the template"),
        ("1.3.6.1.4.1.311.21.2", "digest of the certificate before"),
        ("1.3.6.1.4.1.311.21.10", "application policies"),
        ("2.16.840.1.113730.1.1", "type of certificate (Netscape)"),
        ("2.16.840.1.113730.1.13", "comment (Netscape)"),
        ("2.5.29.9", "attributes of its subject"),
        ("2.5.29.33", "policyMappings"),
    ],
)
def test_an_extension_that_the_library_gives_as_octets_is_told_by_what_it_is(oid: str, what: str) -> None:
    """Whoever reviews an adoption sees these more often than others."""
    (words,) = carried_in_words(sign_by_hand(octets(oid)), (), has_crl_urls=False).values()
    assert words.startswith(what)


def test_what_comes_from_the_declaration_is_left_out() -> None:
    """Changes are told as changes, and the authority above says where its lists are."""
    extensions = [SPOKEN[kind][0] for kind in ("a path length", "constraints", "many lists", "policies")]
    certificate, changes = sign_by_hand(*extensions), [AuthorityChange.PATH_LENGTH, AuthorityChange.NAME_CONSTRAINTS]
    assert [*carried_in_words(certificate, changes, has_crl_urls=True)] == ["certificatePolicies"]
    assert len(carried_in_words(certificate, (), has_crl_urls=False)) == len(extensions)
