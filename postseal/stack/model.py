"""What a stack file means: every default filled in, every reference checked, so that building it decides nothing.

Order of mappings is the order of the file, except that an authority stands behind the one that signs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pki.crl_schedule import CrlPolicy
from pki.lifetime import LifetimePolicy
from pki.model import CertificateDeclaration, KeyAlgorithm, Profile, Subject
from pki.pkcs12 import Pkcs12Profile
from pki.rollover import Slots
from pki.roster.entries import Entry
from postfix.host import HostDeclaration, Ownership

__all__ = [
    "Adoption",
    "Authority",
    "CertificateKind",
    "CertificateReference",
    "Client",
    "Crl",
    "ExtraRelayClient",
    "Host",
    "Pkcs12",
    "Roster",
    "Server",
    "ServerSigner",
    "StackConfig",
    "Target",
    "TargetKind",
]


class ServerSigner(StrEnum):
    """Who signs a server's certificate."""

    AUTHORITY = "authority"
    SELF = "self_signed"
    THIRD_PARTY = "third_party"


class CertificateKind(StrEnum):
    """Under which section of the stack file a certificate is declared."""

    SERVER = "servers"
    CLIENT = "clients"


class TargetKind(StrEnum):
    """Where a host's files go."""

    DIRECTORY = "directory"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Adoption:
    """An authority that exists already: its certificate, and the configuration key that holds its private key."""

    certificate_pem: str
    private_key_secret: str


@dataclass(frozen=True, slots=True)
class Crl:
    """A revocation list of an authority; `first_crl_number` is above that of any list signed elsewhere."""

    policy: CrlPolicy
    first_crl_number: int = 1


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority; `issuer` is the name of the one that signs it, None for a root; `crl` is None without a list."""

    name: str
    declaration: CertificateDeclaration
    key_algorithm: KeyAlgorithm
    lifetime: LifetimePolicy
    issuer: str | None = None
    is_protected: bool = True
    adopt: Adoption | None = None
    slots: Slots = field(default_factory=Slots)
    crl: Crl | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server's certificate; `authority` is a name exactly where `signer` is AUTHORITY.

    `signed_chain_pem` (THIRD_PARTY), leaf first: None while the request is still out.
    """

    name: str
    declaration: CertificateDeclaration
    key_algorithm: KeyAlgorithm
    lifetime: LifetimePolicy
    signer: ServerSigner = ServerSigner.AUTHORITY
    authority: str | None = None
    signed_chain_pem: str | None = None

    @property
    def is_client(self) -> bool:
        """Whether the certificate may be presented as a client's too."""
        return self.declaration.profile is Profile.SERVER_AND_CLIENT


@dataclass(frozen=True, slots=True)
class Pkcs12:
    """An archive for a client; `passphrase_secret` is a configuration key, None where a passphrase is generated."""

    profile: Pkcs12Profile
    passphrase_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A client's certificate; see `ClientCertificate` in pki/components/client.py. `revoke` is empty or a reason.

    `take_over_from`: name of the roster that keeps the certificate until now; empty for none.
    """

    name: str
    declaration: CertificateDeclaration
    key_algorithm: KeyAlgorithm
    lifetime: LifetimePolicy
    authority: str
    match: str = "certificate"
    confirm: bool = False
    confirmed_generation: int = 0
    revoke: str = ""
    issue_again: bool = False
    pkcs12: Pkcs12 | None = None
    take_over_from: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Many clients of one authority; `entries` in the order of their names, see `pki.roster.fields.FIELDS`.

    `subject` has no common name: it is what the names of all clients have in common. `pkcs12` is None where only the
    entries say who has an archive. `handed_out`: names of the clients whose files are written. `take_over`: names of
    those whose certificate is kept by a client of that name until now.
    """

    name: str
    authority: str
    entries: tuple[Entry, ...]
    subject: Subject
    key_algorithm: KeyAlgorithm
    lifetime: LifetimePolicy
    match: str = "certificate"
    confirm: bool = False
    pkcs12: Pkcs12Profile | None = None
    handed_out: tuple[str, ...] = ()
    take_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateReference:
    """A certificate of this stack by section and name; a server and a client may have the same name."""

    kind: CertificateKind
    name: str


@dataclass(frozen=True, slots=True)
class ExtraRelayClient:
    """A client whose certificate is not of this stack; `not_after` is aware, None where only a fingerprint is known.

    `fingerprint_sha256`: upper-case hex pairs joined by colons.
    """

    name: str
    fingerprint_sha256: str
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a host's files go: `path` is a directory beside the program, or a configuration directory of Postfix."""

    kind: TargetKind
    path: str
    ownership: Ownership


@dataclass(frozen=True, slots=True)
class Host:
    """A Postfix host: what is rendered, and from which certificates.

    `certificates`: for each certificate name in `declaration`, which certificate of this stack it is.
    `relay_clients`: clients, and servers that are clients too. `relay_rosters`: names of rosters.
    `trusted_authorities`: names of roots.
    """

    name: str
    declaration: HostDeclaration
    target: Target
    certificates: Mapping[str, CertificateReference]
    relay_clients: tuple[CertificateReference, ...] = ()
    relay_rosters: tuple[str, ...] = ()
    extra_relay_clients: tuple[ExtraRelayClient, ...] = ()
    trusted_authorities: tuple[str, ...] = ()
    trusted_roots_pem: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StackConfig:
    """A whole stack: `out` is the directory of hand-outs; all else by name, authorities behind their issuers.

    Server certificates that hosts get without declaring them are among `servers`.
    """

    stack_name: str
    out: str
    authorities: Mapping[str, Authority]
    servers: Mapping[str, Server]
    clients: Mapping[str, Client]
    rosters: Mapping[str, Roster]
    hosts: Mapping[str, Host]
