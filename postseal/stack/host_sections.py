"""The keys of a Postfix host in the stack file."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StrictStr

from pki.fingerprint_text import parse_fingerprint_sha256
from pki.other_words import OTHER_WORDS
from postfix.host import Ownership
from postfix.settings import SubmissionName
from postfix.ssh_access import CONNECT_SECONDS, PROGRAM_PATH, SSH_PORT, WAIT_SECONDS, Sudo
from postfix.tables import TABLE_TYPES
from postfix.target import DEPLOY_USER, ETC_POSTFIX, Ssh, TargetKind
from postseal.stack.receiving_sections import DomainsSection, MapsSection, RestrictionsSection
from postseal.stack.words import Flag, NameText, PathText, PemText, Text, Texts, expanded
from postseal_core.reading import Section
from postseal_core.wording import found, shown

__all__ = [
    "NO_CERTIFICATE",
    "CertificateSection",
    "ExtraRelayClientSection",
    "HostSection",
    "OnHostSection",
    "PolicySection",
    "RelaySection",
    "RelayThroughSection",
    "SshSection",
    "TargetSection",
    "TransportSection",
    "TrustSection",
]


def _is_item(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _setting(value: Any) -> Any:
    """Return lists as Postfix writes them; yes and no are what YAML may already have made true and false of."""
    if isinstance(value, list | tuple) and all(_is_item(item) for item in value):
        return ", ".join(map(str, value))
    if not isinstance(value, str | int):
        raise ValueError("expected text, a number, true or false, or a list of texts and numbers, as main.cf can hold")  # noqa: TRY004  # pydantic collects ValueError only
    return value


def _table_type(value: str) -> str:
    if value not in TABLE_TYPES:
        raise ValueError(f"got {shown(value)}, expected one of {', '.join(TABLE_TYPES)}; texthash works everywhere")
    return value


def _postfix_version(value: str) -> str:
    if not re.fullmatch(r"3\.[0-9]{1,2}", value, re.ASCII):
        raise ValueError(f"got {shown(value)}, expected a release of Postfix in quotes, as '3.7'")
    return value


NO_CERTIFICATE: Final = "none"
"""What a host's `certificate` says when it receives no mail over TLS; so no server may be called that."""

Fingerprint = Annotated[StrictStr, AfterValidator(parse_fingerprint_sha256)]
Setting = Annotated[StrictBool | StrictInt | StrictStr, BeforeValidator(_setting)]


class ExtraRelayClientSection(Section):
    """A client with a certificate of another authority, known by its fingerprint or by the certificate itself."""

    name: NameText
    fingerprint_sha256: Fingerprint | None = None
    certificate_pem: PemText | None = None


class TrustSection(Section):
    """Roots that the host trusts: authorities of this stack, and others as PEM."""

    authorities: Texts | None = None
    roots_pem: tuple[PemText, ...] = ()
    ca_path: Flag = False


class RelaySection(Section):
    """Who else may relay; `RelayPolicy` in postfix/settings.py."""

    sasl: Flag = False
    networks: Texts | None = None
    wide_networks: Texts = ()
    restrict_recipients: Flag = False


class SubmissionSection(Section):
    """A service for mail programs, and who may submit there; `Submission` in postfix/settings.py."""

    relay_clients: Texts = ()
    relay_rosters: Texts = ()
    extra_relay_clients: tuple[ExtraRelayClientSection, ...] = ()
    sasl: Flag = False
    needs_both: Flag = False


class PolicySection(Section):
    """How mail to one destination is protected; `DestinationPolicy` in postfix/settings.py."""

    level: Text
    match: Texts = ()
    protocols: Text = ""
    ciphers: Text = ""
    exclude: Texts = ()
    servername: Text = ""
    connection_reuse: Flag | None = None
    tafile: Texts = ()


class RelayThroughSection(Section):
    """The relay for all mail of the host, and the certificate it presents there."""

    relayhost: Text
    certificate: Text | None = None
    smtp_tls_security_level: Text | None = None
    smtp_tls_fingerprint_cert_match: tuple[Fingerprint, ...] = ()
    smtp_tls_wrappermode: Flag | None = None


class TransportSection(Section):
    """How mail to some destinations is sent; `Transport` in postfix/settings.py."""

    destinations: Texts
    next_hop: Text = ""
    certificate: Text | None = None
    smtp_tls_security_level: Text = "secure"
    match: Texts = ()
    smtp_tls_wrappermode: Flag | None = None


def _lines(value: Any) -> Any:
    """Return one text of several lines, or a single one, as a list of them."""
    return tuple(line for line in value.splitlines() if line.strip()) if isinstance(value, str) else value


class SshSection(Section):
    """A host that is reached by SSH; `Ssh` in postfix/target.py."""

    host: Text
    host_key: Annotated[Texts, BeforeValidator(_lines)] = ()
    user: Text = DEPLOY_USER
    port: StrictInt = SSH_PORT
    identity_file: Text = ""
    config_file: Text = ""
    sudo: Literal["program", "shell", "none"] | None = None
    program: Text = PROGRAM_PATH
    connect_seconds: StrictInt = CONNECT_SECONDS
    wait_seconds: StrictInt = WAIT_SECONDS
    config_directory: PathText = ETC_POSTFIX

    @property
    def target(self) -> Ssh:
        """The host as a program would declare it."""
        return Ssh(
            self.host,
            host_key="\n".join(self.host_key),
            user=self.user,
            port=self.port,
            identity_file=self.identity_file,
            config_file=self.config_file,
            sudo=Sudo(self.sudo) if self.sudo else None,
            program=self.program,
            connect_seconds=self.connect_seconds,
            wait_seconds=self.wait_seconds,
            path=self.config_directory,
        )


class TargetSection(Section):
    """Where the files go: a directory beside the program, or the Postfix of this machine or of another one.

    `take_over`: files there that are not ours and that ours replace. `drift`: what to do where somebody else has
    changed what was deployed. `kept_generations`: how many earlier states stay on the host.
    """

    directory: PathText | None = None
    local: PathText | None = None
    ssh: SshSection | None = None
    ownership: Literal["merge", "whole"] | None = None
    take_over: tuple[PathText, ...] = ()
    drift: Literal["repair", "stop"] = "repair"
    kept_generations: StrictInt | None = None

    @property
    def said(self) -> dict[TargetKind, str]:
        """The kinds of target that are named, with their paths; there should be one at the most."""
        paths = {TargetKind.DIRECTORY: self.directory, TargetKind.LOCAL: self.local}
        paths[TargetKind.SSH] = self.ssh.config_directory if self.ssh else None
        return {kind: path for kind, path in paths.items() if path}

    @property
    def said_ownership(self) -> Ownership | None:
        """The ownership that is named, or None."""
        return Ownership(self.ownership) if self.ownership else None


def _served(value: Any) -> Any:
    """Return the section of the short forms: one server, or a list of them."""
    if value is None or isinstance(value, Mapping):
        return value
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
        expected = "expected a server, a list of servers, {keep: true} or {on_host: {chain_files: [key, chain]}}"
        raise ValueError(f"got {found(value)}, {expected}")
    return {"servers": tuple(names)}


class OnHostSection(Section):
    """Files on the host that somebody else renews; `OnHost` in postfix/host.py."""

    chain_files: tuple[PathText, ...] = ()


class CertificateSection(Section):
    """What a host serves: servers of this stack, files that are on the host, or what it serves already (`keep`)."""

    servers: Texts = ()
    on_host: OnHostSection | None = None
    keep: Flag = False

    @property
    def is_on_host(self) -> bool:
        """Whether the host's own certificate is served."""
        return self.keep or self.on_host is not None


_OTHER_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name", "myhostname"),
    "cn": ("myhostname",),
    "server": ("certificate",),
    "servers": ("servers", "certificate"),
    "tls": ("certificate",),
    "clients": ("relay_clients",),
    "allowed_clients": ("relay_clients",),
    "rosters": ("relay_rosters",),
    "fingerprints": ("smtp_tls_fingerprint_cert_match", "extra_relay_clients"),
    "ca": ("authorities", "trust.authorities"),
    "networks": ("networks", "relay.networks"),
    "mynetworks": ("networks", "relay.networks"),
    "sasl": ("sasl", "relay.sasl"),
    "relayhost": ("relayhost", "relay_through.relayhost"),
    "smarthost": ("relayhost", "relay_through.relayhost"),
    "parameters": ("settings",),
    "main_cf": ("settings",),
    "directory": ("directory", "target.directory"),
    "path": ("directory", "target.directory"),
    "mydestination": ("mydestination", "domains.mydestination"),
    "relay_domains": ("relay_domains", "domains.relay_domains"),
    "version": ("postfix_version",),
}


class HostSection(Section):
    """A Postfix host: its certificate, who may relay through it, whom it trusts, and how it sends."""

    OTHER_WORDS = MappingProxyType({**OTHER_WORDS, **_OTHER_WORDS})

    myhostname: Text | None = None
    public_names: Texts = ()
    certificate: Annotated[CertificateSection | None, BeforeValidator(_served)] = None
    relay_clients: Texts = ()
    relay_rosters: Texts = ()
    extra_relay_clients: tuple[ExtraRelayClientSection, ...] = ()
    relay: RelaySection | None = None
    submission: SubmissionSection | None = None
    submissions: SubmissionSection | None = None
    trust: TrustSection | None = None
    domains: DomainsSection | None = None
    maps: MapsSection | None = None
    restrictions: RestrictionsSection | None = None
    settings: Mapping[str, Setting] = Field(default_factory=dict)
    unchecked: Texts = ()
    relay_through: RelayThroughSection | None = None
    policies: Mapping[str, PolicySection] = Field(default_factory=dict)
    transports: Mapping[str, TransportSection] = Field(default_factory=dict)
    table_type: Annotated[Text, AfterValidator(_table_type)] = "texthash"
    postfix_version: Annotated[Text, AfterValidator(_postfix_version)] | None = None
    compatibility_level: Text = ""
    accept: Mapping[Text, Texts] = Field(default_factory=dict)
    target: Annotated[TargetSection, expanded("directory")] | None = None

    @property
    def services(self) -> Mapping[SubmissionName, SubmissionSection]:
        """The services for mail programs, by name."""
        said: dict[SubmissionName, SubmissionSection | None] = {
            "submission": self.submission,
            "submissions": self.submissions,
        }
        return {name: each for name, each in said.items() if each}

    def served(self, name: str) -> tuple[str, ...]:
        """Return the servers whose certificates the host of this name serves; none where it has none of them."""
        if self.certificate is None:
            return (name,)
        return () if self.certificate.servers == (NO_CERTIFICATE,) else self.certificate.servers

    @property
    def is_on_host(self) -> bool:
        """Whether the host serves a certificate that it has already."""
        return self.certificate is not None and self.certificate.is_on_host
