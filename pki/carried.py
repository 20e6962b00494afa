"""Carry an authority on: a new certificate with the name's bytes and the extensions of one that exists.

RFC 5280 section 4.1.2.4 wants the issuer of a certificate byte by byte as the subject of its authority. GnuTLS, NSS and
Go compare bytes, so a name in another string type (PrintableString, UTF8String) is another authority to them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.extensions import is_self_issued, long_names
from pki.model import FIRST_SLOT, SUBJECT_PARTS, AuthorityChange

__all__ = ["Carried", "carried_extensions", "numbered_name"]

Extensions = Mapping[type[x509.ExtensionType], x509.Extension[Any]]

_LONGEST_COMMON_NAME: Final = SUBJECT_PARTS["common_name"].most


@dataclass(frozen=True, slots=True)
class Carried:
    """A certificate that a new one carries on.

    `subject`: that of the new one. `changes`: what the new one has from its declaration, and not from `certificate`.
    """

    certificate: x509.Certificate
    subject: x509.Name
    changes: frozenset[AuthorityChange] = frozenset()


def numbered_name(name: x509.Name, number: int) -> x509.Name:
    """Return the name of an authority's slot: from the second on, the common name ends with the number.

    Everything else keeps its bytes. A name without a common name gets one: its last value and the number.
    """
    if number == FIRST_SLOT:
        return name
    rdns, suffix = list(name.rdns), f" {number}"
    for index in reversed(range(len(rdns))):
        if any(each.oid == NameOID.COMMON_NAME for each in rdns[index]):
            rdns[index] = x509.RelativeDistinguishedName([_numbered(each, suffix) for each in rdns[index]])
            return x509.Name(rdns)
    last = str(next(iter(rdns[-1])).value).strip() if rdns else ""
    return x509.Name([*rdns, x509.RelativeDistinguishedName([_common_name(last, suffix if last else str(number))])])


def _numbered(attribute: x509.NameAttribute[Any], suffix: str) -> x509.NameAttribute[Any]:
    if attribute.oid != NameOID.COMMON_NAME:
        return attribute
    # The string type has no public name in the library; without it the text would become a UTF8String.
    return _common_name(str(attribute.value), suffix, attribute._type)  # noqa: SLF001


def _common_name(text: str, suffix: str, string_type: Any = None) -> x509.NameAttribute[Any]:
    """Build a common name of at most 64 characters; the library would refuse those that are more octets."""
    numbered = f"{text[: _LONGEST_COMMON_NAME - len(suffix)]}{suffix}"
    with long_names():
        return x509.NameAttribute(NameOID.COMMON_NAME, numbered, _type=string_type, _validate=False)


def carried_extensions(
    carried: Carried, declared: Sequence[x509.Extension[Any]], *, is_same_key: bool, has_issuer: bool
) -> list[x509.Extension[Any]]:
    """Return the extensions of the certificate that carries another one on, in that one's order.

    `declared`: those of a certificate made from the declaration alone; used are what must change with key and issuer,
    and what is to change. `is_same_key`: whether the key is that of the certificate that is carried on. `has_issuer`:
    whether another authority signs.
    """
    news = {type(each.value): each for each in declared}
    kept = [
        extension
        for each in carried.certificate.extensions
        if (extension := _carried(each, carried, news, is_same_key=is_same_key, has_issuer=has_issuer))
    ]
    there = {type(each.value) for each in kept}
    added = _added(carried, is_same_key=is_same_key, has_issuer=has_issuer)
    return [*kept, *(news[kind] for kind in added if kind in news and kind not in there)]


def _added(carried: Carried, *, is_same_key: bool, has_issuer: bool) -> Iterator[type[x509.ExtensionType]]:
    """Yield what the new certificate needs even where the other one has none."""
    if AuthorityChange.NAME_CONSTRAINTS in carried.changes:
        yield x509.NameConstraints
    if not is_same_key:
        yield x509.SubjectKeyIdentifier
    if has_issuer:
        yield x509.CRLDistributionPoints
        if is_self_issued(carried.certificate):
            yield x509.AuthorityKeyIdentifier


def _carried(
    old: x509.Extension[Any], carried: Carried, news: Extensions, *, is_same_key: bool, has_issuer: bool
) -> x509.Extension[Any] | None:
    """Return what becomes of one extension; None: it goes."""
    value: x509.ExtensionType = old.value
    match value:
        case x509.BasicConstraints() if AuthorityChange.PATH_LENGTH in carried.changes:
            return news[x509.BasicConstraints]
        case x509.NameConstraints() if AuthorityChange.NAME_CONSTRAINTS in carried.changes:
            return news.get(x509.NameConstraints)
        case x509.SubjectKeyIdentifier() if not is_same_key:
            return news[x509.SubjectKeyIdentifier]
        case x509.CRLDistributionPoints() if has_issuer and x509.CRLDistributionPoints in news:
            return news[x509.CRLDistributionPoints]  # the issuer says where its list is
        case x509.AuthorityKeyIdentifier():
            return _authority_key_identifier(old, carried, news, is_same_key=is_same_key, has_issuer=has_issuer)
        case _:
            return old


def _authority_key_identifier(
    old: x509.Extension[Any], carried: Carried, news: Extensions, *, is_same_key: bool, has_issuer: bool
) -> x509.Extension[Any] | None:
    """Return the extension without the issuer's serial number: the next certificate of that issuer has another one."""
    if has_issuer:
        new: x509.Extension[Any] = news[x509.AuthorityKeyIdentifier]
        is_same = old.value == new.value and not is_self_issued(carried.certificate)
        return old if is_same else new
    if is_same_key and old.value.authority_cert_serial_number is None:
        return old
    identifier = old.value.key_identifier if is_same_key else news[x509.SubjectKeyIdentifier].value.digest
    if identifier is None:
        return None
    return x509.Extension(old.oid, old.critical, x509.AuthorityKeyIdentifier(identifier, None, None))
