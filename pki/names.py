"""Say what is wrong with a declared certificate, everything at once, before a key or an issuer is touched.

Paths of problems are names of declared fields: `common_name`, `email`, `dns_names[0]`, `permitted_email[1]`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from ipaddress import ip_address

from pki.common_names import problems_of_foreign_names
from pki.constrained_names import fault_of_network
from pki.model import SUBJECT_PARTS, CertificateDeclaration, NameConstraints, Subject, SubjectAltNames
from pki.name_syntax import (
    fault_of_alternative_host,
    fault_of_email,
    fault_of_host,
    fault_of_ip_address,
    fault_of_text,
    fault_of_uri,
    path_of_name,
    word_of_names,
)
from pki.profiles import PROFILES
from postseal_core.bounds import LARGEST_COUNT
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "problems_of_alt_names",
    "problems_of_crl_urls",
    "problems_of_declaration",
    "problems_of_name_constraints",
    "problems_of_subject",
]

_Fault = Callable[[str], str | None]

_LIMITS = {each.name: SUBJECT_PARTS[each.name].most for each in fields(Subject) if each.name != "country"}
_COUNTRY = re.compile("[A-Z]{2}")
_CONSTRAINT_FIELDS = tuple(each.name for each in fields(NameConstraints))


def problems_of_declaration(declaration: CertificateDeclaration) -> list[Problem]:
    """Return everything that is wrong with a declared certificate by itself; empty when it can be issued.

    Covers each name and what the profile asks for and forbids. Not checked: whether names exist, whether the country
    code is assigned, and what the issuer allows; see `pki.constraints.problems_under_limits`.
    """
    rules = PROFILES[declaration.profile]
    of_subject = problems_of_subject(declaration.subject)
    is_judged = not of_subject and not declaration.profile.is_authority
    return [
        *of_subject,
        *(problems_of_foreign_names(declaration.subject, declaration.alt_names) if is_judged else ()),
        *problems_of_alt_names(declaration.alt_names, has_wildcards=rules.has_wildcards),
        *problems_of_name_constraints(declaration.name_constraints),
        *problems_of_crl_urls(declaration.crl_urls),
        *_profile_problems(declaration),
    ]


def problems_of_subject(subject: Subject) -> list[Problem]:
    """Return what is wrong with a distinguished name; `common_name` is the only part that must be there."""
    problems = []
    if not subject.common_name:
        problems.append(Problem("common_name", "is empty, expected a name of 1 to 64 characters"))
    for attribute, limit in _LIMITS.items():
        text = getattr(subject, attribute)
        if len(text) > limit:
            problems.append(Problem(attribute, f"got {len(text)} characters, expected at most {limit}: shorten it"))
        elif text and (fault := fault_of_text(text)):
            problems.append(Problem(attribute, fault))
    if subject.country and not _COUNTRY.fullmatch(subject.country):
        got = repr(subject.country[: max(_LIMITS.values())])
        problems.append(Problem("country", f"got {got}, expected two capital letters of ISO 3166, as 'DE'"))
    return problems


def problems_of_alt_names(alt_names: SubjectAltNames, *, has_wildcards: bool = False) -> list[Problem]:
    """Return what is wrong with subject alternative names, repetitions included.

    `has_wildcards`: whether DNS names such as `*.example.org` are allowed.
    """
    host_fault = partial(fault_of_alternative_host, has_wildcards=has_wildcards)
    return [
        *_list_problems("dns_names", alt_names.dns_names, host_fault, str.lower),
        *_list_problems("email_addresses", alt_names.email_addresses, fault_of_email, _comparable_mailbox),
        *_list_problems("ip_addresses", alt_names.ip_addresses, fault_of_ip_address, _comparable_address),
        *_list_problems("uris", alt_names.uris, fault_of_uri, str),
    ]


def problems_of_name_constraints(name_constraints: NameConstraints) -> list[Problem]:
    """Return what is wrong with name constraints: malformed, repeated, or permitted and excluded at the same time."""
    problems: list[Problem] = []
    if not name_constraints:
        return problems
    for field, fault_of in _PERMITTED_ONLY.items():
        problems += _list_problems(field, getattr(name_constraints, field), fault_of, str.lower)
    for kind, fault_of in (("dns", _fault_of_dns_constraint), ("email", _fault_of_email_constraint)):
        permitted, excluded = (getattr(name_constraints, f"{side}_{kind}") for side in ("permitted", "excluded"))
        problems += _list_problems(f"permitted_{kind}", permitted, fault_of, str.lower)
        problems += _list_problems(f"excluded_{kind}", excluded, fault_of, str.lower)
        problems += [
            Problem(
                f"excluded_{kind}[{index}]",
                f"got {shown(base)}, which is permitted too: remove it from one of the lists",
            )
            for index, base in enumerate(excluded)
            if base.lower() in map(str.lower, permitted)
        ]
    return problems


def problems_of_crl_urls(crl_urls: Sequence[str]) -> list[Problem]:
    """Return what is wrong with CRL distribution points; only `http://` addresses are accepted."""
    return list(_list_problems("crl_urls", crl_urls, _fault_of_crl_url, str))


def _list_problems(
    field: str, names: Iterable[str], fault_of: _Fault, comparable: Callable[[str], str]
) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        path = path_of_name(field, index)
        if fault := fault_of(name):
            yield Problem(path, fault)
        elif (first := seen.setdefault(comparable(name), index)) != index:
            yield Problem(path, f"got {shown(name)}, which is {path_of_name(field, first)} once more: remove it")


def _comparable_mailbox(address: str) -> str:
    """Return a mailbox for comparison: only its host ignores case (RFC 5280 section 7.5)."""
    local, _, host = address.partition("@")
    return f"{local}@{host.lower()}"


def _comparable_address(address: str) -> str:
    return str(ip_address(address))


def _fault_of_dns_constraint(base: str) -> str | None:
    if base.startswith("."):
        return f"got {shown(base)}, expected {shown(base[1:])}: it covers the host itself and everything below"
    return fault_of_host(base)


def _fault_of_email_constraint(base: str) -> str | None:
    return fault_of_email(base) if "@" in base else fault_of_host(base.removeprefix("."))


def _fault_of_uri_constraint(base: str) -> str | None:
    return fault_of_host(base.removeprefix("."))


_PERMITTED_ONLY: Mapping[str, _Fault] = {
    "permitted_ip": fault_of_network,
    "permitted_uri": _fault_of_uri_constraint,
}


def _fault_of_crl_url(url: str) -> str | None:
    if not url.lower().startswith("http://"):
        return (
            f"got {shown(url)}, expected an address that begins with http://: fetching a CRL over TLS would need the"
            " CRL (RFC 5280 section 8); a CRL is signed and needs no TLS"
        )
    return fault_of_uri(url)


def _profile_problems(declaration: CertificateDeclaration) -> Iterator[Problem]:
    profile, path_length = declaration.profile, declaration.path_length
    required = PROFILES[profile].required_alt_names
    if required and not any(getattr(declaration.alt_names, field) for field in required):
        words = [word_of_names(field) for field in required]
        yield Problem(words[0], f"is empty, profile {profile} needs a name in {' or '.join(words)}: add one")
    if path_length is not None and not profile.is_authority:
        yield Problem("path_length", f"got {path_length}, but only authorities have one: remove it")
    if path_length is not None and path_length < 0:
        yield Problem(
            "path_length", f"got {path_length}, expected 0 (no authority below) or more, or nothing (no limit)"
        )
    if path_length is not None and path_length > LARGEST_COUNT:
        got = shown(path_length)
        yield Problem("path_length", f"got {got}, expected at most {LARGEST_COUNT}, or nothing (no limit)")
    for field in _CONSTRAINT_FIELDS:
        if getattr(declaration.name_constraints, field) and not profile.is_authority:
            yield Problem(field, "only authorities have name constraints: remove it, or declare it at the issuer")
