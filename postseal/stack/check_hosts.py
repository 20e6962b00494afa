"""Check each host, alone and against the rest of the stack; paths are those of the stack file."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from pki.extensions import is_authority
from pki.verification import load_chain
from postfix.ssh_access import problems_of_ssh
from postfix.target import TargetKind, problems_of_target
from postseal.stack.check_served import has_domain, problems_of_names, problems_of_presented, problems_of_served
from postseal.stack.host_sections import NO_CERTIFICATE, HostSection, TargetSection
from postseal.stack.host_settings import problems_of_settings
from postseal.stack.model import Host, StackConfig
from postseal.stack.reading import Declared, DeclaredStack
from postseal.stack.references import unknown_name
from postseal_core.errors import Problem

__all__ = ["problems_of_hosts"]


def problems_of_hosts(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Find everything that is wrong with each host; where its files go, `check_places` judges."""
    for declared in stack.hosts.values():
        host = config.hosts[declared.name]
        for check in _CHECKS:
            yield from (problem.below(declared.path) for problem in check(declared, host, config))


def _trust(declared: Declared[HostSection], host: Host, config: StackConfig) -> Iterator[Problem]:
    trust = declared.section.trust
    for index, name in enumerate((trust and trust.authorities) or ()):
        path = f"trust.authorities[{index}]"
        authority = config.authorities.get(name)
        if not authority:
            yield unknown_name(path, "authority", name, config.authorities)
        elif authority.issuer:
            yield Problem(path, f"{name} is an intermediate, and OpenSSL trusts roots only; name its root")
    for index, pem in enumerate((trust and trust.roots_pem) or ()):
        strays = [each.subject.rfc4514_string() for each in load_chain(pem, what="root") if not is_authority(each)]
        for stray in strays:
            fault = f"{stray} is no authority: trust its issuer, or list its fingerprint under extra_relay_clients"
            yield Problem(f"trust.roots_pem[{index}]", fault)
    if trust and trust.ca_path and not (host.trusted_authorities or host.trusted_roots_pem):
        yield Problem("trust.ca_path", "there is no root to put there; declare one, or leave this out")


def _without_server(declared: Declared[HostSection], host: Host, _config: StackConfig) -> Iterator[Problem]:
    """Check that a host which serves no certificate says nothing about serving."""
    if host.declaration.server:
        return
    section = declared.section
    words = [
        word
        for word in ("relay_clients", "relay_rosters", "extra_relay_clients", "relay", "submission", "submissions")
        if getattr(section, word)
    ]
    words += [f"settings.{name}" for name in section.settings if name.startswith("smtpd_tls_")]
    yield from (
        Problem(
            word, f"certificate is {NO_CERTIFICATE}, so this host serves no TLS; name a server there, or remove this"
        )
        for word in words
    )


def _target(declared: Declared[HostSection], _host: Host, _config: StackConfig) -> Iterator[Problem]:
    section = declared.section.target or TargetSection()
    kinds = list(section.said)
    for kind in kinds[1:]:
        yield Problem(f"target.{kind}", f"declared beside {kinds[0]}; give one of the two")
    if section.ssh:
        yield from (each.below("target.ssh") for each in problems_of_ssh(section.ssh.target.access))
    for kind, path in section.said.items():
        yield from (each.below("target") for each in _problems_of_target(kind, path, section))
    if not kinds and (section.said_ownership or section.kept_generations):
        yield from (each.below("target") for each in _problems_of_target(TargetKind.DIRECTORY, "", section))


def _problems_of_target(kind: TargetKind, path: str, section: TargetSection) -> Iterator[Problem]:
    return problems_of_target(kind, path, section.said_ownership, section.kept_generations)


def _settings(declared: Declared[HostSection], host: Host, _config: StackConfig) -> Iterator[Problem]:
    """Check types and names of settings, then let Postfix's own rules judge the whole host."""
    section = declared.section
    found = [problem.below("settings") for problem in problems_of_settings(section.settings)]
    found += _declared_twice(section)
    told = {problem.path for problem in found}
    yield from found
    for problem in host.checked.problems:
        path = _place(problem.path, section)
        if path not in told and not (path == "myhostname" and not has_domain(section.myhostname)):
            yield Problem(path, problem.message)


_RELAY_THROUGH: Final = ("smtp_tls_security_level", "smtp_tls_fingerprint_cert_match", "smtp_tls_wrappermode")


def _declared_twice(section: HostSection) -> list[Problem]:
    """Report settings that `relay_through` already decides."""
    names = _RELAY_THROUGH if section.relay_through else ()
    return [
        Problem(f"settings.{name}", "relay_through decides it; leave it out here and declare it there")
        for name in names
        if name in section.settings
    ]


# Where a part of postfix.host.HostDeclaration stands in the stack file; the first pattern that fits wins.
_PLACES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), place)
    for pattern, place in (
        (r"(server\.)?certificates.*", "certificate"),
        (r"server\.(public_names.*)", r"\1"),
        (r"server\.on_host(.*)", r"certificate.on_host\1"),
        (r"server\.ca_(file|path)", "trust"),
        (r"server\.(relay\..*)", r"\1"),
        (r"server\.submission\.(.*)", r"\1"),
        (r"server\.mynetworks|mynetworks", "relay.networks"),
        # One declared value is written to both parameters.
        (r"(?:server|client)\.(smtpd?)_tls_mandatory_protocols", r"settings.\1_tls_protocols"),
        (r"client\.(certificates|present_server_certificate)", "relay_through.certificate"),
        (r"client\.ca_file", "trust"),
        (r"client\.((policies|transports).*)", r"\1"),
        (r"transport\.(.*)", r"transports"),
        (r"tls_policy\.(.*)", r"policies"),
        (r"(?:server|client|parameters)\.(.*)", r"settings.\1"),
    )
)
_OF_RELAY_THROUGH = frozenset(f"settings.{name}" for name in ("relayhost", *_RELAY_THROUGH))


def _place(path: str, section: HostSection) -> str:
    place = next((match.expand(place) for pattern, place in _PLACES if (match := pattern.fullmatch(path))), path)
    if place.startswith("certificate.on_host") and section.certificate and section.certificate.keep:
        return "certificate.keep"
    if (place in _OF_RELAY_THROUGH or place == "relayhost") and section.relay_through:
        return f"relay_through.{place.removeprefix('settings.')}"
    return place


_Check = Callable[[Declared[HostSection], Host, StackConfig], Iterator[Problem]]
_CHECKS: Final[tuple[_Check, ...]] = (
    problems_of_names,
    problems_of_served,
    problems_of_presented,
    _trust,
    _without_server,
    _target,
    _settings,
)
