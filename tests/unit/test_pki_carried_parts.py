"""What becomes of each extension and each part of a name when an authority is carried on with another key or issuer."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from pki.carried import Carried, carried_extensions, numbered_name
from pki.issuing import Issuer
from pki.model import KeyAlgorithm
from tests.support.specimens import key_of, make_authority, sign_by_hand

CA = x509.BasicConstraints(ca=True, path_length=None)


def list_at(url: str) -> x509.CRLDistributionPoints:
    """Return the extension that names one address of a list."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.CRLDistributionPoints([point])


OLD_LIST, NEW_LIST = list_at("http://old.example.org/ca.crl"), list_at("http://new.example.org/ca.crl")
OLD_KEY, NEW_KEY, ISSUER_KEY = b"o" * 20, b"n" * 20, b"i" * 20
SERIAL = [x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "by hand")]))]


def by_key(digest: bytes) -> x509.AuthorityKeyIdentifier:
    """Return the extension that names an issuer by its key alone."""
    return x509.AuthorityKeyIdentifier(digest, None, None)


def carried(
    *old: x509.ExtensionType, is_same_key: bool, has_issuer: bool, issuer: Issuer | None = None
) -> list[x509.ExtensionType]:
    """Return the extensions of the next certificate behind basicConstraints, in their order."""
    certificate = sign_by_hand(CA, *old, issuer=issuer)
    news: list[Any] = [CA, x509.SubjectKeyIdentifier(NEW_KEY)]
    news += [NEW_LIST, by_key(ISSUER_KEY)] if has_issuer else []
    declared = [x509.Extension(each.oid, False, each) for each in news]  # noqa: FBT003
    new = carried_extensions(
        Carried(certificate, certificate.subject), declared, is_same_key=is_same_key, has_issuer=has_issuer
    )
    assert new[0].value == CA
    return [each.value for each in new[1:]]


NEW, OLD = x509.SubjectKeyIdentifier(NEW_KEY), x509.SubjectKeyIdentifier(OLD_KEY)


@pytest.mark.parametrize(
    ("old", "is_same_key", "new"),
    [
        ([OLD], True, [OLD]),
        ([OLD], False, [NEW]),
        ([], True, []),
        ([], False, [NEW]),
        ([by_key(OLD_KEY)], True, [by_key(OLD_KEY)]),
        ([by_key(OLD_KEY), OLD], False, [by_key(NEW_KEY), NEW]),
        ([x509.AuthorityKeyIdentifier(OLD_KEY, SERIAL, 300), OLD], True, [by_key(OLD_KEY), OLD]),
        ([x509.AuthorityKeyIdentifier(None, SERIAL, 300), OLD], True, [OLD]),
        ([x509.AuthorityKeyIdentifier(None, SERIAL, 300), OLD], False, [by_key(NEW_KEY), NEW]),
        ([OLD_LIST], True, [OLD_LIST]),
    ],
    ids=[
        "the identifier of the same key stays",
        "the identifier of another key is new",
        "the same key needs no identifier that was not there",
        "another key has one from then on",
        "a root that names its own key keeps that",
        "a root with another key names the new one",
        "the serial number goes, the key stays named",
        "nothing but a serial number goes as a whole",
        "a serial number gives way to the new key",
        "a root's own list stays",
    ],
)
def test_a_root_is_carried_on_with_the_identifiers_of_its_key(
    old: list[x509.ExtensionType],
    is_same_key: bool,  # noqa: FBT001
    new: list[x509.ExtensionType],
) -> None:
    """Its next certificate is signed by itself."""
    assert carried(*old, is_same_key=is_same_key, has_issuer=False) == new


@pytest.mark.parametrize(
    ("old", "was_root", "new"),
    [
        ([], True, [NEW_LIST, by_key(ISSUER_KEY)]),
        ([by_key(OLD_KEY), OLD_LIST], True, [by_key(ISSUER_KEY), NEW_LIST]),
        ([], False, [NEW_LIST]),
        ([by_key(ISSUER_KEY), OLD_LIST], False, [by_key(ISSUER_KEY), NEW_LIST]),
        ([OLD_LIST, x509.AuthorityKeyIdentifier(None, SERIAL, 300)], False, [NEW_LIST, by_key(ISSUER_KEY)]),
    ],
    ids=[
        "a root that named nothing names issuer and list",
        "a root that named itself names its issuer",
        "an intermediate that named no issuer need not",
        "an intermediate keeps its issuer and its order",
        "a serial number of the issuer gives way to its key",
    ],
)
def test_below_an_issuer_an_authority_names_that_issuer_and_its_list(
    old: list[x509.ExtensionType],
    was_root: bool,  # noqa: FBT001
    new: list[x509.ExtensionType],
) -> None:
    """The issuer says where its list is, whatever the old certificate said."""
    issuer = None if was_root else make_authority()
    assert carried(*old, is_same_key=True, has_issuer=True, issuer=issuer) == new


def attribute(oid: x509.ObjectIdentifier, text: str, string_type: _ASN1Type | None = None) -> x509.NameAttribute[str]:
    """Return one attribute; of 64 characters at most, and more octets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        return x509.NameAttribute(oid, text, _type=string_type, _validate=False)


def test_a_multi_valued_name_changes_in_its_common_name_only() -> None:
    """Every other value of the same set stays, with its string type."""
    country = attribute(NameOID.COUNTRY_NAME, "DE")
    unit = attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Mail", _ASN1Type.BMPString)
    common = attribute(NameOID.COMMON_NAME, "Example CA", _ASN1Type.PrintableString)

    def named(last: x509.NameAttribute[str]) -> x509.Name:
        return x509.Name([x509.RelativeDistinguishedName([country]), x509.RelativeDistinguishedName([last, unit])])

    numbered = attribute(NameOID.COMMON_NAME, "Example CA 2", _ASN1Type.PrintableString)
    assert numbered_name(named(common), 2).public_bytes() == named(numbered).public_bytes()
    assert numbered_name(named(common), 1) == named(common)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([(NameOID.COMMON_NAME, "ü" * 40)], "ü" * 40 + " 2"),
        ([(NameOID.COMMON_NAME, "ü" * 64)], "ü" * 62 + " 2"),
        ([(NameOID.ORGANIZATION_NAME, "ü" * 64)], "ü" * 62 + " 2"),
        ([(NameOID.ORGANIZATION_NAME, "Example")], "Example 2"),
        ([], "2"),
    ],
    ids=["fits", "cut", "from the organization", "short", "empty"],
)
def test_a_name_of_umlauts_gets_a_number_as_every_other(old: list[tuple[x509.ObjectIdentifier, str]], new: str) -> None:
    """64 characters are the limit (RFC 5280 appendix A.1), however many octets they are."""
    name = numbered_name(x509.Name([attribute(*each) for each in old]), 2)
    assert [each.value for each in name.get_attributes_for_oid(NameOID.COMMON_NAME)] == [new]


def test_the_specimens_are_of_one_key() -> None:
    """The control of the tables: only what is said to change differs between the certificates."""
    one, other = sign_by_hand(CA), sign_by_hand(CA, issuer=make_authority())
    assert one.public_key() == other.public_key() == key_of(KeyAlgorithm.ECDSA_P256, "by hand").public_key()
