"""The records of a Postfix host: declaration, preview lines, and deployed state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar

from pki.acceptance import AcceptedRow, Admitted
from pki.records import Withdrawal
from postfix.deploy.host_files import Deployed
from postfix.host import HostDeclaration
from postfix.on_host import CertificateOnHost, Sighting
from postfix.proving import HostEvidence
from postfix.target import Target
from postseal_core.records import INLINE, SECRET
from postseal_core.values import UNKNOWN, Maybe

__all__ = [
    "AccessArgs",
    "ChainArgs",
    "ForeignClient",
    "HostArgs",
    "HostInputs",
    "HostRow",
    "HostState",
    "RosterAccess",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainArgs:
    """A certificate that the host uses, with its key; `description` is the line that a reviewer reads for it."""

    description: Maybe[str]
    private_key_pem: Annotated[Maybe[str], SECRET] = field(repr=False)
    chain_pem: Maybe[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterAccess:
    """The clients of a roster: packed `pki.acceptance.AcceptedRow`, and the line that a reviewer reads for them."""

    description: Maybe[str]
    accepted_rows: Maybe[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignClient:
    """A certificate from elsewhere; where only its fingerprint is known, `not_after` is None and the PEM empty."""

    fingerprint_sha256: str
    not_after: datetime | None = None
    certificate_pem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessArgs:
    """Who may relay through one service of a host: clients, rosters, and clients from elsewhere, each by name."""

    clients: Mapping[str, Admitted] = field(default_factory=dict)
    rosters: Mapping[str, RosterAccess] = field(default_factory=dict)
    extra: Mapping[str, ForeignClient] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostArgs:
    """One host as a program declares it.

    `chains`: by certificate name. `roots`: certificates of trusted authorities in PEM by name. `distrusted`: those of
    slots that nobody may trust any more. `access`: by service, see `postfix.rendering.client_table`.
    """

    declaration: HostDeclaration
    target: Target
    chains: Mapping[str, ChainArgs] = field(default_factory=dict)
    roots: Mapping[str, Maybe[str]] = field(default_factory=dict)
    distrusted: Mapping[str, Maybe[str]] = field(default_factory=dict)
    access: Mapping[str, AccessArgs] = field(default_factory=dict)
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInputs:
    """The preview of a host; its files stay in the run's memory because they hold keys.

    `master_cf`: services beside Postfix's usual ones. `tables`: those that settings make. `client_tables`: by table,
    the fingerprint of each row, and of a roster its description. `content`: digests of files by path, each unknown
    until all that it is made of is known; a directory with a slash at its end stands for files of unknown names.
    `unchecked`: parameters in `main_cf` that nothing has judged, with their values. `wide_networks`: networks of
    mynetworks that are wider than one site has, each with what that means. `unknown_tables`: tables of the host that
    nobody has checked, by their place in the declaration; of a setting by its name. `to_review`: what the declaration
    opens or may close beside what its own words say, by its place. `on_host`: certificates that the host has already
    and serves. `look_again_at`: the first run from this instant on looks at them, even if all else is as it was.
    `accepted`: what a change may do by the way, as places by word. `changes`: for readers, what happens to the clients
    of the stack in its tables, by sentence; it is compared with nothing. `reload`: which Postfix reads its files anew.
    """

    name: str
    target: Target
    main_cf: Mapping[str, str]
    unchecked: Mapping[str, str] = field(default_factory=dict)
    wide_networks: Mapping[str, str] = field(default_factory=dict)
    master_cf: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    certificates: Mapping[str, Maybe[str]] = field(default_factory=dict)
    roots: Mapping[str, str] = field(default_factory=dict)
    client_tables: Mapping[str, Mapping[str, Maybe[str]]] = field(default_factory=dict)
    content: Mapping[str, Maybe[str]] = field(default_factory=dict)
    unknown_tables: Mapping[str, str] = field(default_factory=dict)
    to_review: Mapping[str, str] = field(default_factory=dict)
    on_host: CertificateOnHost | None = None
    look_again_at: datetime | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    reload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRow:
    """One row of a client table, and since when it stands on the host.

    `roster`: which roster the client is in; empty for a client by itself.
    """

    service: str
    accepted: Annotated[AcceptedRow, INLINE]
    roster: str = ""
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """A host that was brought to its declaration.

    `deployed`: what is ours in its target. `rows`: packed `HostRow`, one for each fingerprint that is let in.
    `on_host`: what was seen of the host's own certificates; None where it serves ours. `evidence`: what the last run
    that changed the host proved; None where none did so far. `main_cf`, `master_cf`, `tables`: parameters, services and
    rows of settings as they were deployed, to tell what somebody else has changed. `edited_by_others`: what that was
    when it was looked at last, by `pulumi refresh`, as sentences. `ledger_digest`: of
    who may relay as the last `up` left it, see `postfix.host_resource.ledger_digest`.
    """

    IS_COMPLETE: ClassVar[bool] = True

    name: str
    target: Target
    deployed: Maybe[Deployed] = UNKNOWN
    rows: Maybe[str] = UNKNOWN
    on_host: Maybe[Sighting] | None = None
    evidence: Maybe[HostEvidence] | None = None
    main_cf: Mapping[str, str] = field(default_factory=dict)
    master_cf: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    edited_by_others: tuple[str, ...] = ()
    ledger_digest: Maybe[str] = UNKNOWN
