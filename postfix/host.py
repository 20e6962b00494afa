"""One Postfix host as it is declared; `postfix.host_checks` finds what is wrong with the declaration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pki.name_syntax import is_host_covered
from postfix.parameters import PostfixVersion
from postfix.receiving import Domains, Maps, Restrictions
from postfix.settings import ClientSettings, ServerSettings, Submission, SubmissionName, Transport
from postfix.tables import TableType

__all__ = [
    "OLDEST_LEVEL",
    "ClientSide",
    "HostDeclaration",
    "OnHost",
    "Ownership",
    "ServerSide",
    "certificate_names",
    "public_names_of",
    "sentence_of_one_kind",
]

OLDEST_LEVEL: Final = "3.6"
"""The compatibility level below which Postfix has other defaults for who may relay and for digests."""


class Ownership(StrEnum):
    """How much of a host's main.cf and master.cf is ours.

    Attributes:
        WHOLE: The whole files; whatever else stands in them is lost.
        MERGE: Only what is declared; everything else in them stays as it is.
    """

    WHOLE = "whole"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class OnHost:
    """Server certificates that the host has already and somebody else renews; nothing here ever writes them.

        postfix.OnHost(chain_files=("/etc/ssl/mx1/privkey.pem", "/etc/ssl/mx1/fullchain.pem"))

    Where only what is declared is ours (`Ownership.MERGE`), the host's parameters for its server certificate stay as
    they are, and with `chain_files` they must name these files. Otherwise `chain_files` are written to
    smtpd_tls_chain_files. On the Postfix of this machine the files are looked at: whether they are there and readable,
    whether each key fits its certificate, the names and the dates.

    Args:
        chain_files: Absolute paths without blanks, commas and quotes, as in smtpd_tls_chain_files of postconf(5): a
            private key, then its certificate and intermediates; the next key begins the next chain. Default: those that
            main.cf of the host names already, whatever they are; needs `Ownership.MERGE`.
    """

    chain_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerSide:
    """The receiving side of a host, smtpd(8).

    Args:
        settings: TLS, and who may relay.
        certificates: Names of the certificates that are served, at least one, and one for each kind of key: Postfix
            serves the last one of a kind. Default: none, then `on_host` is needed.
        on_host: Serve what the host has already instead. Default: no.
        public_names: The host names that clients connect to; each certificate that is served must hold all of them.
            Default: `myhostname`.
        submission: Services for mail programs, by name: `submission` listens on port 587, `submissions` on 465. They
            serve the same certificates. Default: none.
    """

    settings: ServerSettings
    certificates: tuple[str, ...] = ()
    on_host: OnHost | None = None
    public_names: tuple[str, ...] = ()
    submission: Mapping[SubmissionName, Submission] = field(default_factory=dict)


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
        myhostname: Its full host name (myhostname of postconf(5)); a certificate that it serves must hold it, unless
            `server.public_names` says by which names clients connect.
        server: The receiving side. Default: none is rendered; where only what is declared is ours, what the host has
            stays as it is.
        client: The sending side. Default: as of `server`.
        domains: For which domains it receives mail. Default: as the host has them.
        maps: What it looks up about addresses. Default: as the host has them.
        restrictions: Restriction lists beside who may relay. Default: as the host has them.
        parameters: Further parameters of main.cf by name, as text. One that is unknown or obsolete, or that another
            field says, is refused, and so is one that decides who relays, what is run or whose files are used. Tables
            that they name are listed in previews under `unknown_tables`. Default: none.
        unchecked: Names in `parameters` that are taken all the same, with any value; previews list them. Default: none.
        ownership: Whether main.cf and master.cf are ours as a whole, or only what is declared; the same as of the
            target. Default: as a whole.
        table_type: Type of the lookup tables: `texthash` works everywhere and needs a reload after a change; `hash`,
            `lmdb`, `cdb` and `btree` are compiled with postmap(1). Default: `texthash`.
        postfix_version: Release of Postfix on the host, to refuse parameters that it does not know. Default: unknown.
        compatibility_level: As in postconf(5), `3.6` or newer. Default: the release, else 3.6.
        accept: What a change may do to a running Postfix beside what is declared, and is refused otherwise: places by
            the words of `postfix.effective.acceptance.ACCEPTED_WORDS`, as `{"value_follows": ("smtp_tls_CAfile",)}`. A
            place is a parameter, else a service of master.cf as `submission`. Default: nothing.
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
    accept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def effective_compatibility_level(self) -> str:
        """The declared level; else the newest the host knows, or one that fixes the digest to sha256 (postconf(5))."""
        version = self.postfix_version
        return self.compatibility_level or (str(version) if version else OLDEST_LEVEL)

    @property
    def client_certificates(self) -> tuple[str, ...]:
        """Names of the certificates that smtp(8) presents by default."""
        if self.client and self.client.settings.present_server_certificate and self.server:
            return self.server.certificates
        return self.client.certificates if self.client else ()

    @property
    def public_names(self) -> tuple[str, ...]:
        """The names that clients connect to, and that each served certificate must hold."""
        return (self.server.public_names if self.server else ()) or (self.myhostname,)

    @property
    def keeps_server_certificate(self) -> bool:
        """Whether the host's own parameters for its server certificate stay as they are."""
        return bool(self.server and self.server.on_host) and self.ownership is Ownership.MERGE

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


def public_names_of(myhostname: str, certificates: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """Return the `public_names` of a host by the host names of each certificate that it serves.

    Empty where all of them hold `myhostname`; else the names that all of them hold, as of a node behind a name that
    several share. None where no name is on all of them.
    """
    if all(is_host_covered(myhostname, names) for names in certificates):
        return ()
    first, *others = certificates
    shared = tuple(name for name in first if all(is_host_covered(name, names) for names in others))
    return tuple(dict.fromkeys(shared)) or None


def sentence_of_one_kind(name: str, other: str, kind: str) -> str:
    """Return the sentence that a second certificate with a key of the same kind would replace the first."""
    return (
        f"{name} and {other} both have {kind} keys, and Postfix would serve one of them only; serve one certificate of "
        "each kind of key"
    )
