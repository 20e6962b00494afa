"""Check a declaration against its issuers' constraints before anything is issued (RFC 5280 section 6.1)."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography import x509

from pki.constrained_names import ALL_ADDRESSES, NO_HOST, name_constraints
from pki.declared_issuer import ComparableSubject, comparable_parts, comparable_subject, problem_of_same_subject
from pki.extensions import extension_of, is_authority, is_self_issued, name_in_words
from pki.issuing import subject_name
from pki.model import AuthorityChange, CertificateDeclaration, Profile
from pki.name_kinds import NAME_KINDS, NameKind
from pki.name_syntax import path_of_name
from pki.names import problems_of_name_constraints
from pki.profiles import PROFILES, Purpose
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "IssuerLimits",
    "limits_of_adopted",
    "limits_of_certificate",
    "limits_of_declaration",
    "problems_under_limits",
]

# What OpenSSL takes for a host name when it stands in a common name (3.0: `cn2dnsid`).
_PURPOSE_WORDS = {Purpose.SERVER_AUTH: "serverAuth", Purpose.CLIENT_AUTH: "clientAuth"}
_LOOKS_LIKE_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class IssuerLimits:
    """The constraints an authority puts on certificates below it, from its certificate or its declaration.

    `name`: what messages call it. `permitted` and `excluded`: by the field of `SubjectAltNames`, constraints in lower
    case. `closed`: fields of which it certifies no name at all. `is_self_issued`: it takes no place in the path lengths
    above it, unless it is what is being judged. `purposes`: the extended key usages below it, None: any. `subjects`:
    what it is called, in each of its slots that are known.
    """

    name: str
    path_length: int | None
    permitted: Mapping[str, Sequence[str]]
    excluded: Mapping[str, Sequence[str]]
    closed: frozenset[str] = frozenset()
    permitted_directories: Sequence[x509.Name] = ()
    excluded_directories: Sequence[x509.Name] = ()
    is_authority: bool = True
    is_self_issued: bool = False
    purposes: frozenset[str] | None = None
    subjects: tuple[ComparableSubject, ...] = ()


def limits_of_certificate(certificate: x509.Certificate) -> IssuerLimits:
    """Return the limits that an issuer's certificate sets; messages call it by its subject."""
    basic = extension_of(certificate, x509.BasicConstraints)
    names, usages = extension_of(certificate, x509.NameConstraints), extension_of(certificate, x509.ExtendedKeyUsage)
    return replace(
        _limits_of_names(names),
        name=name_in_words(certificate.subject),
        path_length=basic.path_length if basic else None,
        is_authority=is_authority(certificate),
        is_self_issued=is_self_issued(certificate),
        purposes=frozenset(each.dotted_string for each in usages) if usages is not None else None,
        subjects=(comparable_parts((each.oid.dotted_string, str(each.value)) for each in certificate.subject),),
    )


def limits_of_declaration(name: str, declaration: CertificateDeclaration) -> IssuerLimits:
    """Return the limits that a declared authority will set; messages call it `name`."""
    constraints = declaration.name_constraints
    is_readable = constraints and not problems_of_name_constraints(constraints)
    return replace(
        _limits_of_names(name_constraints(constraints) if is_readable else None),
        name=name,
        path_length=declaration.path_length,
        is_self_issued=declaration.profile is Profile.ROOT,
        subjects=(comparable_subject(declaration.subject),),
    )


def limits_of_adopted(
    certificate: x509.Certificate, declaration: CertificateDeclaration, changes: Collection[AuthorityChange]
) -> IssuerLimits:
    """Return what an authority that was made elsewhere allows: its certificate says it, but for what is changed."""
    now = limits_of_certificate(certificate)
    changed = limits_of_declaration(now.name, declaration)
    if AuthorityChange.NAME_CONSTRAINTS in changes:
        own = {name: getattr(now, name) for name in ("path_length", "is_self_issued", "purposes", "subjects")}
        now = replace(changed, **own)
    return replace(now, path_length=changed.path_length) if AuthorityChange.PATH_LENGTH in changes else now


def _limits_of_names(names: x509.NameConstraints | None) -> IssuerLimits:
    """Convert an authority's name constraints to limits."""
    permitted = (names and names.permitted_subtrees) or ()
    excluded = (names and names.excluded_subtrees) or ()
    allowed, forbidden = _bases(permitted), _bases(excluded)
    closed = frozenset(_closed(allowed, forbidden))
    # All of one version of IP is excluded where networks of the other one are permitted: it lies outside of these, too.
    some = [] if "ip_addresses" in closed else [each for each in forbidden["ip_addresses"] if each not in ALL_ADDRESSES]
    is_split = bool(allowed["ip_addresses"]) or "ip_addresses" in closed
    return IssuerLimits(
        name="",
        path_length=None,
        permitted=allowed,
        excluded=forbidden | ({"ip_addresses": some} if is_split else {}),
        closed=closed,
        permitted_directories=_directories(permitted),
        excluded_directories=_directories(excluded),
    )


def _closed(allowed: Mapping[str, Sequence[str]], forbidden: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the kinds of names that the authority may not certify at all.

    A certificate that limits hosts and mailboxes and says nothing of addresses leaves those open, as verifiers do.
    """
    for field in ("ip_addresses", "uris"):
        is_shut = not allowed[field] and {*ALL_ADDRESSES} <= {*forbidden[field]}
        if is_shut or [*allowed[field]] == [NO_HOST]:
            yield field


def problems_under_limits(declaration: CertificateDeclaration, issuers: Sequence[IssuerLimits]) -> list[Problem]:
    """Return why verifiers would refuse this declaration below these issuers; empty when they would not.

    `issuers` starts with the issuer and goes up, with or without the root. Checked are its subject, CA and key usage,
    path length and name constraints of each (RFC 5280 section 6.1.4), the common name of a leaf included, because
    OpenSSL reads one that looks like a host. The root's own constraints count: OpenSSL obeys them too. Not checked:
    dates, signatures, policies, and constraints on other kinds of names than DNS, e-mail, IP, URI and directory.
    Call `problems_of_declaration` first: names are taken to be well-formed.
    """
    return [
        *_subject_problems(declaration, issuers[:1]),
        *(
            problem
            for depth, issuer in enumerate(issuers)
            for problem in (
                *_authority_problems(issuer),
                *_purpose_problems(declaration, issuer),
                *_path_length_problems(declaration, issuer, issuers[:depth]),
                *_name_problems(declaration, issuer),
            )
        ),
    ]


def _subject_problems(declaration: CertificateDeclaration, issuers: Sequence[IssuerLimits]) -> Iterator[Problem]:
    """Report the subject of the one that signs; an authority above that may be called alike."""
    for issuer in issuers:
        if comparable_subject(declaration.subject) in issuer.subjects:
            yield problem_of_same_subject(declaration.subject.common_name, issuer.name)


def _authority_problems(issuer: IssuerLimits) -> Iterator[Problem]:
    if not issuer.is_authority:
        yield Problem("", f"{issuer.name} is no authority and cannot sign: choose an authority as the issuer")


def _purpose_problems(declaration: CertificateDeclaration, issuer: IssuerLimits) -> Iterator[Problem]:
    """Report a purpose that an authority above shuts out; verifiers nest them (RFC 5280 section 4.2.1.12)."""
    if issuer.purposes is None:
        return
    for purpose in PROFILES[declaration.profile].extended_key_usages:
        if purpose.value not in issuer.purposes:
            word = _PURPOSE_WORDS[purpose]
            yield Problem(
                "authority",
                f"{issuer.name} may not certify this: its extendedKeyUsage lacks {word}; choose another authority",
            )


def _path_length_problems(
    declaration: CertificateDeclaration, issuer: IssuerLimits, below: Sequence[IssuerLimits]
) -> Iterator[Problem]:
    limit = issuer.path_length
    if limit is None:
        return
    authorities = sum(not each.is_self_issued for each in below) + declaration.profile.is_authority
    left, number = limit - authorities, "an authority" if authorities == 1 else f"{authorities} authorities"
    if left < 0:
        yield Problem(
            "profile",
            f"{issuer.name} has path_length {limit} and would stand above {number}: set path_length of {issuer.name} to"
            f" {authorities} or more, choose a higher issuer, or declare a leaf",
        )
    elif declaration.path_length is not None and declaration.path_length > left:
        yield Problem(
            "path_length",
            f"got {declaration.path_length}, expected at most {left}, which is what path_length {limit} of"
            f" {issuer.name} leaves: declare less, or nothing",
        )


def _name_problems(declaration: CertificateDeclaration, issuer: IssuerLimits) -> Iterator[Problem]:
    for kind in NAME_KINDS:
        permitted, excluded = issuer.permitted.get(kind.field, ()), issuer.excluded.get(kind.field, ())
        for path, name in _names(kind, declaration) if permitted or excluded or kind.field in issuer.closed else ():
            if kind.field in issuer.closed:
                yield Problem(path, _closed_sentence(kind, name, issuer.name))
            else:
                yield from _one_name_problems(kind, path, name, permitted, excluded, issuer.name)
    yield from _directory_problems(declaration, issuer)


def _bases(subtrees: Sequence[x509.GeneralName]) -> dict[str, list[str]]:
    return {
        kind.field: [str(subtree.value).lower() for subtree in subtrees if isinstance(subtree, kind.general_name)]
        for kind in NAME_KINDS
    }


def _names(kind: NameKind, declaration: CertificateDeclaration) -> Iterator[tuple[str, str]]:
    names = getattr(declaration.alt_names, kind.field)
    yield from ((path_of_name(kind.field, index), name) for index, name in enumerate(names))
    common_name = declaration.subject.common_name
    is_leaf_without_host = not (declaration.profile.is_authority or declaration.alt_names.dns_names)
    if kind.general_name is x509.DNSName and is_leaf_without_host and _LOOKS_LIKE_HOST.fullmatch(common_name):
        yield "common_name", common_name


def _closed_sentence(kind: NameKind, name: str, issuer: str) -> str:
    word = {"ip_addresses": "permitted_ip", "uris": "permitted_uri"}[kind.field]
    what = kind.field.replace("_", " ").replace("ip", "IP").replace("uris", "URIs")
    return (
        f"got {shown(name)}, but {issuer} is limited to other kinds of names and may certify no {what}: leave this out,"
        f" or permit it in {word} of {issuer}"
    )


def _one_name_problems(
    kind: NameKind, path: str, name: str, permitted: Sequence[str], excluded: Sequence[str], issuer: str
) -> Iterator[Problem]:
    comparable = name.lower()
    if permitted and not any(kind.is_within(comparable, base) for base in permitted):
        yield Problem(
            path, f"got {shown(name)}, expected a name within {', '.join(permitted)}, all that {issuer} may certify"
        )
    for base in excluded:
        if kind.touches(comparable, base):
            yield Problem(
                path, f"got {shown(name)}, which lies within {shown(base)}, excluded for {issuer}: use another name"
            )


def _directory_problems(declaration: CertificateDeclaration, issuer: IssuerLimits) -> Iterator[Problem]:
    permitted, excluded = issuer.permitted_directories, issuer.excluded_directories
    subject = list(subject_name(declaration.subject).rdns) if permitted or excluded else []
    if permitted and not any(subject[: len(base.rdns)] == list(base.rdns) for base in permitted):
        wanted = " or ".join(base.rfc4514_string() for base in permitted)
        yield Problem("common_name", f"expected a subject within {wanted}, all that {issuer.name} may certify")
    for base in excluded:
        if subject[: len(base.rdns)] == list(base.rdns):
            yield Problem(
                "common_name", f"expected a subject outside of {base.rfc4514_string()}, excluded for {issuer.name}"
            )


def _directories(subtrees: Sequence[x509.GeneralName]) -> list[x509.Name]:
    return [subtree.value for subtree in subtrees if isinstance(subtree, x509.DirectoryName)]
