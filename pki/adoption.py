"""Compare what is declared of an authority with the certificate that it carries on.

The declaration need not repeat what the certificate says. What it says differently is refused, unless it is listed as a
change; then the certificate is issued anew with it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from cryptography import x509

from pki.carried import Carried, numbered_name
from pki.declared import declaration_of
from pki.extensions import extension_of
from pki.fields import FIELDS, DeclaredCertificate, Group
from pki.issuing import subject_name
from pki.model import FIRST_SLOT, SUBJECT_PARTS, AuthorityChange, Profile
from pki.name_kinds import NAME_KINDS
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["CONSEQUENCES", "carry_on", "changes_made", "judged", "problems_of_differences", "settled"]

CONSEQUENCES: Final[Mapping[AuthorityChange, str]] = MappingProxyType(
    {
        AuthorityChange.SUBJECT: (
            "the authority gets another name: GnuTLS, NSS and Go refuse everything that was signed under the old one, "
            "until it is issued anew"
        ),
        AuthorityChange.PATH_LENGTH: (
            "the authority gets another path length: whoever has only the old certificate goes by the old one"
        ),
        AuthorityChange.NAME_CONSTRAINTS: (
            "the authority gets exactly the name constraints that are declared: whoever has only the old certificate "
            "goes by the old ones, and what lies outside of the new ones is refused by everybody else"
        ),
    }
)
"""What follows from each change, for whoever allows it."""

_CONSTRAINTS: Final = tuple(name for name, each in FIELDS.items() if each.group is Group.NAME_CONSTRAINTS)
_KIND_OF: Final = {"dns": "dns_names", "email": "email_addresses", "ip": "ip_addresses", "uri": "uris"}


def settled(
    declared: DeclaredCertificate, certificate: x509.Certificate, changes: Collection[AuthorityChange] = ()
) -> DeclaredCertificate:
    """Return a declaration in which everything is what the certificate says, but for the changes.

    Of the subject it has the parts that stand there once; name constraints only where they are changed.
    """
    own: dict[str, Any] = {name: _single(certificate, name) for name in SUBJECT_PARTS}
    if AuthorityChange.SUBJECT in changes:
        own = {name: getattr(declared, name) or value for name, value in own.items()}
    if AuthorityChange.NAME_CONSTRAINTS not in changes:
        own |= dict.fromkeys(_CONSTRAINTS, ())
    length = _path_length(certificate)
    if AuthorityChange.PATH_LENGTH in changes and declared.path_length is not None:
        length = declared.path_length
    return replace(declared, path_length=length, **own)


def judged(declared: DeclaredCertificate, changes: Collection[AuthorityChange]) -> DeclaredCertificate:
    """Return a settled declaration for our own rules to judge: a name that exists is not ours to judge."""
    if AuthorityChange.SUBJECT in changes:
        return declared
    nothing: dict[str, Any] = dict.fromkeys(SUBJECT_PARTS, "")
    return replace(declared, **(nothing | {"common_name": "as it is"}))


def problems_of_differences(
    declared: DeclaredCertificate, certificate: x509.Certificate, changes: Collection[AuthorityChange]
) -> Iterator[Problem]:
    """Report each field that says something else than the certificate and is not listed as a change.

    A part of the subject agrees if it is one of those that the certificate has; paths are names of fields.
    """
    for change, field, got, has in _differences(declared, certificate):
        if change not in changes:
            yield Problem(
                field,
                f"got {shown(got)}, and the adopted certificate has {has}: leave this out, or add {change} to "
                f"adopt.change; then {CONSEQUENCES[change]}",
            )


def changes_made(
    declared: DeclaredCertificate, certificate: x509.Certificate, changes: Collection[AuthorityChange]
) -> tuple[AuthorityChange, ...]:
    """Return the listed changes that change something, in the order of `AuthorityChange`."""
    different = {change for change, *_ in _differences(declared, certificate)}
    if extension_of(certificate, x509.NameConstraints) and not any(getattr(declared, name) for name in _CONSTRAINTS):
        different.add(AuthorityChange.NAME_CONSTRAINTS)
    return tuple(change for change in AuthorityChange if change in changes and change in different)


def carry_on(
    certificate: x509.Certificate,
    declared: DeclaredCertificate,
    profile: Profile,
    *,
    changes: Collection[AuthorityChange] = (),
    number: int = FIRST_SLOT,
) -> Carried:
    """Return what the next certificate takes over from this one; `number`: of the slot that it is for.

    `declared`: as `settled` returns it.
    """
    if AuthorityChange.SUBJECT in changes:
        name = subject_name(declaration_of(declared, profile).subject)
    else:
        name = certificate.subject
    return Carried(certificate, numbered_name(name, number), frozenset(changes))


def _differences(
    declared: DeclaredCertificate, certificate: x509.Certificate
) -> Iterator[tuple[AuthorityChange, str, str, str]]:
    """Yield change, field, what is declared and what the certificate has, of everything that is said differently."""
    for name in SUBJECT_PARTS:
        said, there = getattr(declared, name), _values(certificate, name)
        if said and said not in there:
            yield AuthorityChange.SUBJECT, name, said, ", ".join(map(shown, there)) or "none"
    length = _path_length(certificate)
    if declared.path_length is not None and declared.path_length != length:
        yield (
            AuthorityChange.PATH_LENGTH,
            "path_length",
            str(declared.path_length),
            "none" if length is None else str(length),
        )
    for name in _CONSTRAINTS:
        wanted, bases = getattr(declared, name), _constrained(certificate, name)
        if wanted and {each.lower() for each in wanted} != {each.lower() for each in bases}:
            yield AuthorityChange.NAME_CONSTRAINTS, name, ", ".join(wanted), ", ".join(map(shown, bases)) or "none"


def _path_length(certificate: x509.Certificate) -> int | None:
    basic = extension_of(certificate, x509.BasicConstraints)
    return basic.path_length if basic else None


def _values(certificate: x509.Certificate, part: str) -> list[str]:
    oid = x509.ObjectIdentifier(SUBJECT_PARTS[part].oid)
    return [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]


def _single(certificate: x509.Certificate, part: str) -> str:
    values = _values(certificate, part)
    return values[0] if len(values) == 1 else ""


def _constrained(certificate: x509.Certificate, field: str) -> list[str]:
    names: Any = extension_of(certificate, x509.NameConstraints)
    side, _, kind = field.partition("_")
    subtrees = (names and getattr(names, f"{side}_subtrees")) or ()
    general_name = next(each.general_name for each in NAME_KINDS if each.field == _KIND_OF[kind])
    return [str(each.value) for each in subtrees if isinstance(each, general_name)]
