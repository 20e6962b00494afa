"""The checked content of a stack file, with all defaults filled in and references resolved.

Order of mappings is the order of the file, except that an authority stands behind the one that signs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from pki.crl_schedule import CrlPolicy
from pki.declared import declaration_of, policy_of
from pki.fields import DeclaredCertificate
from pki.lifetime import LifetimePolicy
from pki.model import AuthorityChange, CertificateDeclaration, Pkcs12Profile, Profile
from pki.rollover import Slots
from pki.roster.rows import RosterRow, archive_word, said_by_roster
from pki.third_party import ThirdParty
from postfix.host import HostDeclaration
from postfix.preflight import CheckedHost
from postfix.settings import SubmissionName
from postfix.tables import ClientRow
from postfix.target import HostTarget

__all__ = [
    "OWN_SERVER",
    "Adoption",
    "Authority",
    "CertificateKind",
    "CertificateReference",
    "Client",
    "Crl",
    "Host",
    "Pkcs12",
    "Roster",
    "Server",
    "ServerSigner",
    "StackConfig",
    "ThirdPartyClient",
]

OWN_SERVER: Final = "server"
"""What a host says to present its own server's certificate; so no client may be called that."""


class ServerSigner(StrEnum):
    """Who signs a server's certificate."""

    AUTHORITY = "authority"
    SELF = "self_signed"
    THIRD_PARTY = "third_party"


class CertificateKind(StrEnum):
    """Under which section of the stack file a certificate is declared."""

    SERVER = "servers"
    CLIENT = "clients"


@dataclass(frozen=True, slots=True)
class _Certified:
    """Something with a certificate of its own; its lifetime is among the fields of `declared`."""

    name: str
    declared: DeclaredCertificate

    @property
    def profile(self) -> Profile:
        """The profile of the certificate."""
        return Profile.CLIENT

    @property
    def declaration(self) -> CertificateDeclaration:
        """The content of the certificate."""
        return declaration_of(self.declared, self.profile)

    @property
    def lifetime(self) -> LifetimePolicy:
        """Its lifetime policy, with every default filled in."""
        return policy_of(self.declared, self.profile)


@dataclass(frozen=True, slots=True)
class Adoption:
    """An authority that exists already: its certificate, and the configuration keys that hold its private key.

    `private_key_secret` is empty once the slot of that key is withdrawn; `private_key_passphrase_secret` where the key
    is not encrypted. `change`: what is declared otherwise than in the certificate.
    """

    certificate_pem: str
    private_key_secret: str = ""
    private_key_passphrase_secret: str = ""
    change: tuple[AuthorityChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Crl:
    """A revocation list of an authority; `first_crl_number` is above that of any list signed elsewhere."""

    policy: CrlPolicy
    first_crl_number: int = 1


@dataclass(frozen=True, slots=True)
class Authority(_Certified):
    """An authority; `issuer` is the name of the one that signs it, None for a root; `crl` is None without a list.

    `crl_urls`: where its list can be fetched; they stand in the certificates that it issues. `third_party`: somebody
    outside of this stack signs it, None otherwise.
    """

    issuer: str | None = None
    crl_urls: tuple[str, ...] = ()
    is_protected: bool = True
    adopt: Adoption | None = None
    third_party: ThirdParty | None = None
    slots: Slots = field(default_factory=Slots)
    crl: Crl | None = None

    @property
    def profile(self) -> Profile:
        """The profile of the certificate."""
        return Profile.ROOT if self.is_root else Profile.INTERMEDIATE

    @property
    def is_root(self) -> bool:
        """Whether it signs itself."""
        return self.issuer is None and self.third_party is None

    @property
    def has_trusted_roots(self) -> bool:
        """Whether a host can be given a root by which it is trusted: its own, or that of the third party."""
        return self.is_root or bool(self.third_party and self.third_party.roots_pem)


@dataclass(frozen=True, slots=True)
class Server(_Certified):
    """A server's certificate; `authority` is a name exactly where `signer` is AUTHORITY.

    `is_client`: it may be presented as a client's too. `signed_chain_pem` (THIRD_PARTY), leaf first: None while the
    request is still out. `is_handed_out`: its files are written for another service.
    """

    signer: ServerSigner = ServerSigner.AUTHORITY
    authority: str | None = None
    is_client: bool = False
    signed_chain_pem: str | None = None
    is_handed_out: bool = False

    @property
    def profile(self) -> Profile:
        """The profile of the certificate."""
        return Profile.SERVER_AND_CLIENT if self.is_client else Profile.SERVER


@dataclass(frozen=True, slots=True)
class Pkcs12:
    """An archive for a client; `passphrase_secret` is a configuration key, None where a passphrase is generated."""

    profile: Pkcs12Profile
    passphrase_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Client(_Certified):
    """A client's certificate; `take_over_from` names the roster that keeps it until now, and is empty for none.

    `request_pem`: a request for a key that is elsewhere; empty where the key is made here.
    """

    authority: str = ""
    request_pem: str = ""
    pkcs12: Pkcs12 | None = None
    take_over_from: str = ""


@dataclass(frozen=True, slots=True)
class ThirdPartyClient:
    """A certificate that hosts present and somebody else signed; `private_key_secret` is a configuration key."""

    name: str
    signed_chain_pem: str
    private_key_secret: str


@dataclass(frozen=True)
class Roster(_Certified):
    """Many clients of one authority; `declared` holds for each of them that does not say otherwise.

    `rows`: the clients in the order of their names. `handed_out`: names of those whose files are written. `take_over`:
    names of those whose certificate is kept by a client of that name until now. `replaced_files`: files in its
    directory that are not ours and that ours replace.
    """

    authority: str = ""
    rows: tuple[RosterRow, ...] = ()
    handed_out: tuple[str, ...] = ()
    take_over: tuple[str, ...] = ()
    replaced_files: tuple[str, ...] = ()

    @cached_property
    def clients(self) -> Mapping[str, DeclaredCertificate]:
        """The declaration of each client, with the roster's defaults; all checks ask for it."""
        shared = said_by_roster(self.declared)
        return {row.name: row.said.over(shared).values for row in self.rows}

    @property
    def archives(self) -> Mapping[str, Pkcs12Profile]:
        """The profile of each client's archive, clients without one left out."""
        words = {name: archive_word(declared) for name, declared in self.clients.items()}
        return {name: Pkcs12Profile(word) for name, word in words.items() if word}


@dataclass(frozen=True, slots=True)
class CertificateReference:
    """A certificate of this stack by section and name; a server and a client may have the same name."""

    kind: CertificateKind
    name: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who is let in by certificate through one service of a host.

    `clients`: clients, and servers that are clients too. `rosters`: their names. `extra`: certificates from elsewhere.
    """

    clients: tuple[CertificateReference, ...] = ()
    rosters: tuple[str, ...] = ()
    extra: tuple[ClientRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Host:
    """A Postfix host: its declaration and its certificates.

    `checked`: the declaration, and what Postfix's own rules find in it.
    `certificates`: for each certificate name in the declaration, which certificate of this stack it is.
    `relaying`: who may relay at port 25. `submitting`: who may submit, by service for mail programs.
    `trusted_authorities`: names of roots.
    """

    name: str
    checked: CheckedHost
    target: HostTarget
    certificates: Mapping[str, CertificateReference]
    relaying: Admitted = Admitted()
    submitting: Mapping[SubmissionName, Admitted] = field(default_factory=dict)
    trusted_authorities: tuple[str, ...] = ()
    trusted_roots_pem: tuple[str, ...] = ()

    @property
    def declaration(self) -> HostDeclaration:
        """The host's declaration without its certificates."""
        return self.checked.declaration

    @property
    def serves_its_own(self) -> bool:
        """Whether it serves a certificate that it has already."""
        return self.declaration.server is not None and self.declaration.server.on_host is not None


@dataclass(frozen=True, slots=True)
class StackConfig:
    """A whole stack: `out` is the directory of hand-outs; all else by name, authorities behind their issuers.

    `out_take_over`: files in `out` that are not ours and that ours replace. `has_mail_texts`: whether a text for its
    holder lies beside each archive.
    Server certificates that hosts get without declaring them are among `servers`. `third_party_clients`: those of the
    section `clients` that somebody else signed.
    """

    out: str
    authorities: Mapping[str, Authority]
    servers: Mapping[str, Server]
    clients: Mapping[str, Client]
    rosters: Mapping[str, Roster]
    hosts: Mapping[str, Host]
    out_take_over: tuple[str, ...] = ()
    has_mail_texts: bool = True
    third_party_clients: Mapping[str, ThirdPartyClient] = field(default_factory=dict)

    def named(self, word: str) -> CertificateReference | None:
        """Return the client of that name, or else the server."""
        kinds = ((CertificateKind.CLIENT, self.clients), (CertificateKind.SERVER, self.servers))
        return next((CertificateReference(kind, word) for kind, known in kinds if word in known), None)

    def presentable(self, word: str, own_servers: Sequence[str]) -> tuple[CertificateReference, ...]:
        """Return what a sending host presents: `server` for all it serves, else a client or server by name; or none."""
        if word == OWN_SERVER:
            return tuple(CertificateReference(CertificateKind.SERVER, name) for name in own_servers)
        if word in self.third_party_clients:
            return (CertificateReference(CertificateKind.CLIENT, word),)
        named = self.named(word)
        return (named,) if named else ()
