"""One Postfix host as it is declared, and everything that is wrong with the declaration."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pki.name_syntax import fault_of_host
from postfix.parameters import PostfixVersion
from postfix.receiving import Domains, Maps, Restrictions
from postfix.settings import ClientSettings, ServerSettings, Transport
from postfix.settings_checks import problems_of_client, problems_of_server
from postfix.tables import TABLE_TYPES, TableType
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "ClientSide",
    "HostDeclaration",
    "Ownership",
    "ServerSide",
    "certificate_names",
    "problems_of_declaration",
]

_CERTIFICATE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_LEVEL = re.compile(r"[0-9]+(\.[0-9]+){0,2}", re.ASCII)
_OLDEST_LEVEL = "3.6"


class Ownership(StrEnum):
    """How much of a host's main.cf and master.cf is ours.

    Attributes:
        WHOLE: The whole files; whatever else stands in them is lost.
        MERGE: Only what is declared; everything else in them stays as it is.
    """

    WHOLE = "whole"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class ServerSide:
    """The receiving side of a host, smtpd(8).

    Args:
        settings: TLS, and who may relay.
        certificates: Names of the certificates that are served, at least one, and one for each key algorithm.
    """

    settings: ServerSettings
    certificates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientSide:
    """The sending side of a host, smtp(8).

    Args:
        settings: TLS, and where mail goes.
        certificates: Names of the certificates that are presented. Default: none, the host proves itself to nobody.
    """

    settings: ClientSettings
    certificates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostDeclaration:
    """One Postfix host: what is rendered for it, without any certificate.

    `MailServer` and `RelayClient` make one of their arguments; `PostfixHost` is given it. `checked_host` says what is
    wrong with one, without Pulumi.

    Args:
        name: What the host is called here.
        myhostname: Its full host name (myhostname of postconf(5)); a certificate that it serves must hold it.
        server: The receiving side. Default: none is rendered; where only what is declared is ours, what the host has
            stays as it is.
        client: The sending side. Default: as of `server`.
        domains: For which domains it receives mail. Default: as the host has them.
        maps: What it looks up about addresses. Default: as the host has them.
        restrictions: Restriction lists beside who may relay. Default: as the host has them.
        parameters: Further parameters of main.cf by name, as text. One that is unknown, obsolete or contradicts the
            settings is refused, and so is one that decides who relays, what is run or whose files are used. Default:
            none.
        unchecked: Names in `parameters` that are taken all the same, with any value; previews list them. Default: none.
        ownership: Whether main.cf and master.cf are ours as a whole, or only what is declared; the same as of the
            target. Default: as a whole.
        table_type: Type of the lookup tables: `texthash` works everywhere and needs a reload after a change; `hash`,
            `lmdb`, `cdb` and `btree` are compiled with postmap(1). Default: `texthash`.
        postfix_version: Release of Postfix on the host, to refuse parameters that it does not know. Default: unknown.
        compatibility_level: As in postconf(5), `3.6` or newer. Default: the release, else 3.6.
    """

    name: str
    myhostname: str
    server: ServerSide | None = None
    client: ClientSide | None = None
    domains: Domains = field(default_factory=Domains)
    maps: Maps = field(default_factory=Maps)
    restrictions: Restrictions = field(default_factory=Restrictions)
    parameters: Mapping[str, str] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    ownership: Ownership = Ownership.WHOLE
    table_type: TableType = "texthash"
    postfix_version: PostfixVersion | None = None
    compatibility_level: str = ""

    @property
    def effective_compatibility_level(self) -> str:
        """The declared level; else the newest the host knows, or one that fixes the digest to sha256 (postconf(5))."""
        version = self.postfix_version
        return self.compatibility_level or (str(version) if version else _OLDEST_LEVEL)

    @property
    def client_certificates(self) -> tuple[str, ...]:
        """Names of the certificates that smtp(8) presents by default."""
        if self.client and self.client.settings.present_server_certificate and self.server:
            return self.server.certificates
        return self.client.certificates if self.client else ()

    @property
    def transports(self) -> tuple[Transport, ...]:
        """Ways of sending of their own; none of a host without a sending side."""
        return self.client.settings.transports if self.client else ()

    @property
    def trusts_roots_in_file(self) -> bool:
        """Whether a file with the declaration's roots is needed."""
        server = self.server.settings if self.server else None
        client = self.client.settings if self.client else None
        by_server = bool(server and server.ca_file and not server.ca_path)
        return by_server or bool(client and client.ca_file and not client.smtp_tls_CAfile)

    @property
    def trusts_roots_in_directory(self) -> bool:
        """Whether a hashed directory with the declaration's roots is needed."""
        return bool(self.server and self.server.settings.ca_path)


def certificate_names(host: HostDeclaration) -> tuple[str, ...]:
    """Return the names of all certificates whose chain files the host needs, each once."""
    names = (
        *(host.server.certificates if host.server else ()),
        *host.client_certificates,
        *(transport.certificate for transport in host.transports if transport.certificate),
    )
    return tuple(dict.fromkeys(names))


def _problems_of_server_side(side: ServerSide) -> Iterator[Problem]:
    if not side.certificates:
        yield Problem("server.certificates", "a server needs a certificate, or TLS is off; name at least one")
    yield from (Problem("server.certificates", f"{name} is named twice") for name in _repeated(side.certificates))
    yield from (problem.below("server") for problem in problems_of_server(side.settings))


def _problems_of_client_side(host: HostDeclaration, side: ClientSide) -> Iterator[Problem]:
    settings = side.settings
    if settings.present_server_certificate and (side.certificates or not host.server):
        reason = "the client has a certificate of its own" if side.certificates else "there is no server"
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
    elif host.compatibility_level and _numbers(host.compatibility_level) < _numbers(_OLDEST_LEVEL):
        yield Problem(
            "compatibility_level",
            f"got {host.compatibility_level}, expected {_OLDEST_LEVEL} or newer: below, Postfix has other defaults "
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
    problems += _problems_of_server_side(host.server) if host.server else ()
    problems += _problems_of_client_side(host, host.client) if host.client else ()
    return problems
