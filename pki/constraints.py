"""Say, before anything is issued, whether an issuing chain lets a declaration through (RFC 5280 section 6.1)."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509

from pki.extensions import extension_of, is_authority, is_self_issued
from pki.issuing import subject_name
from pki.model import CertificateDeclaration, NameConstraints, Profile
from pki.name_syntax import host_of_uri, path_of_name
from postseal_core.errors import Problem

__all__ = [
    "IssuerLimits",
    "limits_of_certificate",
    "limits_of_declaration",
    "problems_under_limits",
]

_CONSTRAINED = x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier | x509.IPAddress

# What OpenSSL takes for a host name when it stands in a common name (3.0: `cn2dnsid`).
_LOOKS_LIKE_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of name is compared with a constraint; both are text, in lower case.

    `is_within`: all that the name stands for lies in the constraint. `touches`: some of it does.
    """

    field: str
    general_name: type[_CONSTRAINED]
    is_within: Callable[[str, str], bool]
    touches: Callable[[str, str], bool]


def _is_host_within(host: str, base: str) -> bool:
    return not base or (host.endswith(base) if base.startswith(".") else f".{host}".endswith(f".{base}"))


def _touches_host(host: str, base: str) -> bool:
    return _is_host_within(host, base) or (host.startswith("*.") and base.partition(".")[2] == host[2:])


def _is_mailbox_within(mailbox: str, base: str) -> bool:
    host = mailbox.partition("@")[2]
    return not base or (host.endswith(base) if base.startswith(".") else base in (mailbox, host))


def _is_uri_within(uri: str, base: str) -> bool:
    host = host_of_uri(uri) or ""
    return host.endswith(base) if base.startswith(".") else host == base


def _is_address_within(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


_KINDS = (
    _Kind("dns_names", x509.DNSName, _is_host_within, _touches_host),
    _Kind("email_addresses", x509.RFC822Name, _is_mailbox_within, _is_mailbox_within),
    _Kind("ip_addresses", x509.IPAddress, _is_address_within, _is_address_within),
    _Kind("uris", x509.UniformResourceIdentifier, _is_uri_within, _is_uri_within),
)


@dataclass(frozen=True, slots=True)
class IssuerLimits:
    """What an authority allows below it, whether its certificate exists or is only declared.

    `name`: what messages call it. `permitted` and `excluded`: by the field of `SubjectAltNames`, constraints in lower
    case. `is_self_issued`: it takes no place in the path lengths above it, unless it is what is being judged.
    """

    name: str
    path_length: int | None
    permitted: Mapping[str, Sequence[str]]
    excluded: Mapping[str, Sequence[str]]
    permitted_directories: Sequence[x509.Name] = ()
    excluded_directories: Sequence[x509.Name] = ()
    is_authority: bool = True
    is_self_issued: bool = False


def limits_of_certificate(certificate: x509.Certificate) -> IssuerLimits:
    """Return what the certificate of an issuer allows; messages call it by its subject."""
    basic = extension_of(certificate, x509.BasicConstraints)
    names = extension_of(certificate, x509.NameConstraints)
    permitted = (names and names.permitted_subtrees) or ()
    excluded = (names and names.excluded_subtrees) or ()
    return IssuerLimits(
        name=certificate.subject.rfc4514_string(),
        path_length=basic.path_length if basic else None,
        permitted=_bases(permitted),
        excluded=_bases(excluded),
        permitted_directories=_directories(permitted),
        excluded_directories=_directories(excluded),
        is_authority=is_authority(certificate),
        is_self_issued=is_self_issued(certificate),
    )


def limits_of_declaration(name: str, declaration: CertificateDeclaration) -> IssuerLimits:
    """Return what a declared authority will allow; messages call it `name`."""
    constraints = declaration.name_constraints
    return IssuerLimits(
        name=name,
        path_length=declaration.path_length,
        permitted=_declared_bases(constraints, "permitted"),
        excluded=_declared_bases(constraints, "excluded"),
        is_self_issued=declaration.profile is Profile.ROOT,
    )


def problems_under_limits(declaration: CertificateDeclaration, issuers: Sequence[IssuerLimits]) -> list[Problem]:
    """Return why verifiers would refuse this declaration below these issuers; empty when they would not.

    `issuers` starts with the issuer and goes up, with or without the root. Checked are CA and key usage,
    path length and name constraints of each (RFC 5280 section 6.1.4), the common name of a leaf included, because
    OpenSSL reads one that looks like a host. The root's own constraints count: OpenSSL obeys them too. Not checked:
    dates, signatures, policies, and constraints on other kinds of names than DNS, e-mail, IP, URI and directory.
    Call `problems_of_declaration` first: names are taken to be well-formed.
    """
    return [
        problem
        for depth, issuer in enumerate(issuers)
        for problem in (
            *_authority_problems(issuer),
            *_path_length_problems(declaration, issuer, issuers[:depth]),
            *_name_problems(declaration, issuer),
        )
    ]


def _authority_problems(issuer: IssuerLimits) -> Iterator[Problem]:
    if not issuer.is_authority:
        yield Problem("", f"{issuer.name} is no authority and cannot sign: choose an authority as the issuer")


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
    for kind in _KINDS:
        permitted, excluded = issuer.permitted.get(kind.field, ()), issuer.excluded.get(kind.field, ())
        for path, name in _names(kind, declaration) if permitted or excluded else ():
            yield from _one_name_problems(kind, path, name, permitted, excluded, issuer.name)
    yield from _directory_problems(declaration, issuer)


def _bases(subtrees: Sequence[x509.GeneralName]) -> dict[str, list[str]]:
    return {
        kind.field: [str(subtree.value).lower() for subtree in subtrees if isinstance(subtree, kind.general_name)]
        for kind in _KINDS
    }


def _declared_bases(constraints: NameConstraints, side: str) -> dict[str, list[str]]:
    words = {"dns_names": f"{side}_dns", "email_addresses": f"{side}_email"}
    return {field: [base.lower() for base in getattr(constraints, word)] for field, word in words.items()}


def _names(kind: _Kind, declaration: CertificateDeclaration) -> Iterator[tuple[str, str]]:
    names = getattr(declaration.alt_names, kind.field)
    yield from ((path_of_name(kind.field, index), name) for index, name in enumerate(names))
    common_name = declaration.subject.common_name
    is_leaf_without_host = not (declaration.profile.is_authority or declaration.alt_names.dns_names)
    if kind.general_name is x509.DNSName and is_leaf_without_host and _LOOKS_LIKE_HOST.fullmatch(common_name):
        yield "common_name", common_name


def _one_name_problems(
    kind: _Kind, path: str, name: str, permitted: Sequence[str], excluded: Sequence[str], issuer: str
) -> Iterator[Problem]:
    comparable = name.lower()
    if permitted and not any(kind.is_within(comparable, base) for base in permitted):
        yield Problem(
            path, f"got {name!r}, expected a name within {', '.join(permitted)}, all that {issuer} may certify"
        )
    for base in excluded:
        if kind.touches(comparable, base):
            yield Problem(path, f"got {name!r}, which lies within {base!r}, excluded for {issuer}: use another name")


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
