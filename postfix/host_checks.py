"""Everything that is wrong with the declaration of one Postfix host, before it is rendered."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, get_args

from pki.name_syntax import fault_of_alternative_host, fault_of_host
from postfix.host import OLDEST_LEVEL, ClientSide, HostDeclaration, Ownership, ServerSide, certificate_names
from postfix.settings import SubmissionName
from postfix.settings_checks import problems_of_client, problems_of_server
from postfix.tables import TABLE_TYPES
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["problems_of_declaration"]

_CERTIFICATE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
# What would be another thing to Postfix: the separators of its lists, and what it expands.
_ABSOLUTE_FILE = re.compile(r"/[^\s,\"'\\$\x00-\x1f\x7f{}]*[^\s,\"'\\$\x00-\x1f\x7f{}/]")
_LEVEL = re.compile(r"[0-9]+(\.[0-9]+){0,2}", re.ASCII)


def _problems_of_server_side(host: HostDeclaration, side: ServerSide) -> Iterator[Problem]:
    if not side.certificates and not side.on_host:
        yield Problem("server.certificates", "a server needs a certificate, or TLS is off; name at least one")
    if side.certificates and side.on_host:
        yield Problem("server.on_host", "the host would serve certificates of ours as well; leave one of the two out")
    yield from (Problem("server.certificates", f"{name} is named twice") for name in _repeated(side.certificates))
    yield from (Problem("server.public_names", f"{name} is named twice") for name in _repeated(side.public_names))
    for index, name in enumerate(side.public_names):
        if fault := fault_of_alternative_host(name, has_wildcards=True):
            yield Problem(f"server.public_names[{index}]", fault)
    if side.on_host:
        yield from (problem.below("server.on_host") for problem in _problems_of_files(host, side.on_host.chain_files))
    yield from (problem.below("server") for problem in problems_of_server(side.settings))


def _problems_of_files(host: HostDeclaration, chain_files: tuple[str, ...]) -> Iterator[Problem]:
    if not chain_files and host.ownership is Ownership.WHOLE:
        yield Problem(
            "chain_files",
            "main.cf will be ours as a whole, so what it says now would be lost; name the files in chain_files, or "
            "merge into it (ownership: merge of a local target)",
        )
    for index, path in enumerate(chain_files):
        if not _ABSOLUTE_FILE.fullmatch(path) or "/../" in f"{path}/":
            fault = f"got {shown(path)}, expected an absolute path without blanks, commas, quotes, $ and dots for names"
            yield Problem(f"chain_files[{index}]", fault)
    yield from (Problem("chain_files", f"{shown(path)} is named twice") for path in _repeated(chain_files))


_SUBMISSION_NAMES: Final = tuple(get_args(SubmissionName))


def _problems_of_submission(host: HostDeclaration, side: ServerSide) -> Iterator[Problem]:
    for name, service in side.submission.items():
        place = f"server.submission.{name}"
        if name not in _SUBMISSION_NAMES:
            yield Problem(place, f"{shown(name)} is no such service; write {' or '.join(_SUBMISSION_NAMES)}")
        if not service.sasl and not service.client_certificates:
            yield Problem(place, "nobody could submit here: let clients in by certificate, or users log in (sasl)")
        if service.needs_both and not (service.sasl and service.client_certificates):
            yield Problem(place, "needs_both asks for a certificate and a login, and one of them is not let in here")
        if service.sasl and _is_outside_of_jail(host):
            yield Problem(
                place,
                "smtpd(8) runs in the chroot jail of queue_directory, where an absolute smtpd_sasl_path leads nowhere, "
                "and then nobody can submit; write it relative to queue_directory, as private/auth",
            )


def _is_outside_of_jail(host: HostDeclaration) -> bool:
    path = host.parameters.get("smtpd_sasl_path", "")
    is_dovecot = host.parameters.get("smtpd_sasl_type") == "dovecot"
    return is_dovecot and path.startswith("/")


def _problems_of_client_side(host: HostDeclaration, side: ClientSide) -> Iterator[Problem]:
    settings = side.settings
    has_served = bool(host.server and host.server.certificates)
    if settings.present_server_certificate and (side.certificates or not has_served):
        reason = "the client has a certificate of its own" if side.certificates else "no server certificate is declared"
        yield Problem("client.present_server_certificate", f"{reason}; leave one of the two out")
    if settings.smtp_tls_security_level == "none" and (side.certificates or settings.present_server_certificate):
        yield Problem("client.smtp_tls_security_level", "at level none no certificate is ever presented; write may")
    yield from (Problem("client.certificates", f"{name} is named twice") for name in _repeated(side.certificates))
    yield from (problem.below("client") for problem in problems_of_client(settings))


def _repeated(names: tuple[str, ...]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _numbers(level: str) -> tuple[int, ...]:
    return tuple(map(int, level.split(".")))


def _problems_of_names(host: HostDeclaration) -> Iterator[Problem]:
    fault = fault_of_host(host.myhostname)
    if fault:
        yield Problem("myhostname", fault)
    if host.table_type not in TABLE_TYPES:
        yield Problem("table_type", f"{shown(host.table_type)} is not one of {', '.join(TABLE_TYPES)}")
    if not _LEVEL.fullmatch(host.effective_compatibility_level):
        yield Problem("compatibility_level", f"{shown(host.compatibility_level)} is no level; write it as 3.6")
    elif host.compatibility_level and _numbers(host.compatibility_level) < _numbers(OLDEST_LEVEL):
        yield Problem(
            "compatibility_level",
            f"got {host.compatibility_level}, expected {OLDEST_LEVEL} or newer: below, Postfix has other defaults "
            "for who may relay and for the digest of fingerprints",
        )
    for name in certificate_names(host):
        if not _CERTIFICATE_NAME.fullmatch(name) or name == "ca":
            yield Problem(
                "certificates",
                f"{shown(name)} cannot name a file; use letters, digits, dots and hyphens, but not ca, the roots' file",
            )


def problems_of_declaration(host: HostDeclaration) -> list[Problem]:
    """Report problems of names and typed settings; `problems_of_host` checks the rendered parameters."""
    problems = list(_problems_of_names(host))
    problems += _problems_of_server_side(host, host.server) if host.server else ()
    problems += _problems_of_submission(host, host.server) if host.server else ()
    problems += _problems_of_client_side(host, host.client) if host.client else ()
    return problems
