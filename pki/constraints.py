"""Say, before anything is issued, whether an issuing chain lets a declaration through (RFC 5280 section 6.1)."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509

from pki.errors import Problem
from pki.extensions import extension_of, is_authority, is_self_issued
from pki.issuing import subject_name
from pki.model import CertificateDeclaration
from pki.name_syntax import host_of_uri

__all__ = ["problems_under_issuer"]

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


def problems_under_issuer(
    declaration: CertificateDeclaration, issuer_certificates: Sequence[x509.Certificate]
) -> list[Problem]:
    """Return why verifiers would refuse this declaration below this chain; empty when they would not.

    `issuer_certificates` starts with the issuer and goes up, with or without the root. Checked are CA and key usage,
    path length and name constraints of each (RFC 5280 section 6.1.4), the common name of a leaf included, because
    OpenSSL reads one that looks like a host. The root's own constraints count: OpenSSL obeys them too. Not checked:
    dates, signatures, policies, and constraints on other kinds of names than DNS, e-mail, IP, URI and directory.
    Call `problems_of_declaration` first: names are taken to be well-formed.
    """
    return [
        problem
        for depth, issuer in enumerate(issuer_certificates)
        for problem in (
            *_authority_problems(issuer),
            *_path_length_problems(declaration, issuer, issuer_certificates[:depth]),
            *_name_problems(declaration, issuer),
        )
    ]


def _authority_problems(issuer: x509.Certificate) -> Iterator[Problem]:
    if not is_authority(issuer):
        yield Problem("", f"{_name(issuer)} is no authority and cannot sign: choose an authority as the issuer")


def _path_length_problems(
    declaration: CertificateDeclaration, issuer: x509.Certificate, below: Sequence[x509.Certificate]
) -> Iterator[Problem]:
    constraints = extension_of(issuer, x509.BasicConstraints)
    if constraints is None or constraints.path_length is None:
        return
    limit = constraints.path_length
    authorities = sum(not is_self_issued(certificate) for certificate in below) + declaration.profile.is_authority
    left = limit - authorities
    if left < 0:
        yield Problem(
            "profile",
            f"{_name(issuer)} has path_length {limit} and allows {limit} authorities below it, this would need"
            f" {authorities}: declare a leaf, choose a higher issuer, or give that authority a larger path_length",
        )
    elif declaration.path_length is not None and declaration.path_length > left:
        yield Problem(
            "path_length",
            f"got {declaration.path_length}, expected at most {left}, what {_name(issuer)} with path_length {limit}"
            " leaves: declare less, or nothing",
        )


def _name_problems(declaration: CertificateDeclaration, issuer: x509.Certificate) -> Iterator[Problem]:
    constraints = extension_of(issuer, x509.NameConstraints)
    if constraints is None:
        return
    for kind in _KINDS:
        permitted = _bases(kind, constraints.permitted_subtrees)
        excluded = _bases(kind, constraints.excluded_subtrees)
        for path, name in _names(kind, declaration):
            yield from _one_name_problems(kind, path, name, permitted, excluded, _name(issuer))
    yield from _directory_problems(declaration, constraints, _name(issuer))


def _bases(kind: _Kind, subtrees: Sequence[x509.GeneralName] | None) -> list[str]:
    return [str(subtree.value).lower() for subtree in subtrees or () if isinstance(subtree, kind.general_name)]


def _names(kind: _Kind, declaration: CertificateDeclaration) -> Iterator[tuple[str, str]]:
    names = getattr(declaration.alt_names, kind.field)
    yield from ((f"{kind.field}[{index}]", name) for index, name in enumerate(names))
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


def _directory_problems(
    declaration: CertificateDeclaration, constraints: x509.NameConstraints, issuer: str
) -> Iterator[Problem]:
    subject = list(subject_name(declaration.subject).rdns)
    permitted = _directories(constraints.permitted_subtrees)
    excluded = _directories(constraints.excluded_subtrees)
    if permitted and not any(subject[: len(base.rdns)] == list(base.rdns) for base in permitted):
        wanted = " or ".join(base.rfc4514_string() for base in permitted)
        yield Problem("common_name", f"expected a subject within {wanted}, all that {issuer} may certify")
    for base in excluded:
        if subject[: len(base.rdns)] == list(base.rdns):
            yield Problem(
                "common_name", f"expected a subject outside of {base.rfc4514_string()}, excluded for {issuer}"
            )


def _directories(subtrees: Sequence[x509.GeneralName] | None) -> list[x509.Name]:
    return [subtree.value for subtree in subtrees or () if isinstance(subtree, x509.DirectoryName)]


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()
