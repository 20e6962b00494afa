"""Render and check all files of a host, as far as its certificates are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from pki.fingerprint import certificate_fingerprint_sha256
from pki.keys import load_private_key
from pki.verification import load_chain
from postfix.ca_path import chroot_entries
from postfix.content import ChainContent, HostContent, pending_files, render_content_files
from postfix.content_checks import KeyReader, problems_of_content
from postfix.deploy.foreseen import Expectation
from postfix.deploy.host_files import MAIN_CF, MASTER_CF, HostFiles, Table
from postfix.host import HostDeclaration, Ownership
from postfix.host_resource.access import ServiceAccess, rows_of_host
from postfix.host_resource.records import ChainArgs, HostArgs, HostRow
from postfix.master_cf import BASE_SERVICES, Service
from postfix.receiving_rendering import table_types
from postfix.rendering import (
    CA_DIRECTORY,
    client_tables,
    render_configuration_files,
    render_parameters,
    render_services_of,
    setting_tables,
    table_names,
)
from postfix.target import Target
from postseal_core.errors import refuse
from postseal_core.files.tree import Entry, FileEntry, manifest
from postseal_core.values import UNKNOWN, Maybe, Unknown

__all__ = [
    "PreparedHost",
    "added_services",
    "expectation_of",
    "host_files",
    "indexes_of",
    "known_rows",
    "paths_of",
    "prepare",
    "rows_of_tables",
    "taken_over_in",
]

# The mode of a table does not matter to the name of its index.
_PUBLIC_TABLE = 0o644


@dataclass(frozen=True, slots=True)
class PreparedHost:
    """A host and all files for it: below its configuration directory, and copies below queue_directory.

    `pending`: paths of files that a preview does not know yet. `rows`: of its tables of clients, since this run.
    `served`: SHA-256 fingerprints of the certificates of its servers, of which each has to serve one. `listing`: by
    table of clients, whether it lists any. `unknown_tables`: tables of clients with rows that a preview does not know.
    """

    host: HostDeclaration
    entries: tuple[Entry, ...]
    chroot: tuple[Entry, ...] = ()
    pending: tuple[str, ...] = ()
    rows: tuple[HostRow, ...] = ()
    served: tuple[str, ...] = ()
    listing: Mapping[str, bool] = field(default_factory=dict)
    unknown_tables: frozenset[str] = frozenset()

    @property
    def digests(self) -> dict[str, Maybe[str]]:
        """The digest of each file by its path."""
        return {**manifest((*self.entries, *self.chroot)), **dict.fromkeys(self.pending, UNKNOWN)}


def added_services(host: HostDeclaration) -> dict[str, str]:
    """Return the services of a host as a reviewer reads them, without Postfix's usual ones."""
    return {
        f"{each.name}/{each.type}": _service_line(each)
        for each in render_services_of(host)
        if each not in BASE_SERVICES
    }


def rows_of_tables(host: HostDeclaration) -> dict[str, dict[str, str]]:
    """Return the tables rendered from settings, as values by key."""
    return {name: {row.key: row.value for row in rows} for name, rows in setting_tables(host).items()}


def paths_of(prepared: PreparedHost, target: Target) -> tuple[str, ...]:
    """Return all paths of a host below the configuration directory, with those of unknown content."""
    indexes = indexes_of(prepared).values() if target.kind.is_host else ()
    jail = target.config_directory.strip("/") + "/"
    pending = [path for path in prepared.pending if not path.startswith(jail)]
    return (*(entry.path for entry in prepared.entries), *pending, *indexes)


def indexes_of(prepared: PreparedHost) -> dict[str, str]:
    """Return the index of each table of a host by the table's path, where its type has one."""
    sources = (FileEntry(path, b"", _PUBLIC_TABLE) for path in table_names(prepared.host))
    tables = [_table(prepared.host, source) for source in sources]
    return {table.source.path: table.index_path for table in tables if table.index_path}


def _table(host: HostDeclaration, source: FileEntry) -> Table:
    """Return a table with its own type, or that of the host."""
    kind = table_types(host).get(source.path, host.table_type)
    return Table(source, kind, lists_clients=source.path in client_tables(host).values())


def taken_over_in(target: Target, prepared: PreparedHost) -> tuple[str, ...]:
    """Return the files of others that a target takes over; ownership WHOLE includes main.cf and master.cf."""
    is_said = target.kind.is_host and target.ownership is Ownership.WHOLE
    take_over = (*target.take_over, *((MAIN_CF, MASTER_CF) if is_said else ()))
    # A table without its index, or with another one, would answer with other rows.
    return (*take_over, *(index for table, index in indexes_of(prepared).items() if table in take_over))


def host_files(prepared: PreparedHost, take_over: tuple[str, ...] = ()) -> HostFiles:
    """Return the files of a host as a deployment plans them: tables apart, and main.cf as a whole or in parts."""
    tables = table_names(prepared.host)
    is_merged = prepared.host.ownership is Ownership.MERGE
    return HostFiles(
        files=tuple(entry for entry in prepared.entries if entry.path not in tables),
        tables=tuple(
            _table(prepared.host, entry)
            for entry in prepared.entries
            if isinstance(entry, FileEntry) and entry.path in tables
        ),
        parameters=render_parameters(prepared.host) if is_merged else {},
        services=render_services_of(prepared.host) if is_merged else (),
        chroot=prepared.chroot,
        take_over=take_over,
    )


def expectation_of(prepared: PreparedHost) -> Expectation:
    """Return what a host's declaration expects of its deployment."""
    return Expectation(client_tables=prepared.listing, pending=prepared.pending, accept=prepared.host.accept)


def known_rows(prepared: PreparedHost) -> dict[str, bytes]:
    """Return the sources of all tables of which every row that stands on the host already is known."""
    tables = table_names(prepared.host)
    known = {each.path: each.content for each in prepared.entries if isinstance(each, FileEntry)}
    clients: dict[str, list[str]] = {path: [] for path in prepared.listing if path not in prepared.unknown_tables}
    for row in prepared.rows:
        path = client_tables(prepared.host).get(row.service, "")
        fingerprint = row.accepted.fingerprint_sha256
        if path in clients and not isinstance(fingerprint, Unknown):
            clients[path].append(fingerprint)
    sources = {path: "".join(f"{each} client\n" for each in some).encode() for path, some in clients.items()}
    return {**sources, **{path: content for path, content in known.items() if path in tables}}


def prepare(
    args: HostArgs,
    services: Mapping[str, ServiceAccess],
    *,
    now: datetime,
    load_key: KeyReader = load_private_key,
) -> PreparedHost:
    """Render every file of a host that is known, and check it before anything is touched.

    `load_key`: reads the keys in it.

    Raises:
        ConfigError: everything that is wrong with the files or the rows.
        CertificateError: a key or certificate cannot be read.
    """
    host = args.declaration
    content = HostContent(
        chains={name: _chain(name, chain) for name, chain in args.chains.items()},
        roots=tuple(each for name, pem in args.roots.items() for each in _roots(name, pem)),
        clients={service: access.clients for service, access in services.items()},
    )
    entries = (*render_configuration_files(host), *render_content_files(host, content))
    pending = pending_files(host, content)
    refuse(problems_of_content(host, entries, pending=pending, now=now, load_key=load_key))
    jail = args.target.config_directory
    in_directory = [entry for entry in entries if _is_in_directory(entry.path)]
    return PreparedHost(
        host=host,
        entries=entries,
        chroot=chroot_entries(in_directory, config_directory=jail),
        pending=(*pending, *(f"{jail.strip('/')}/{path}" for path in pending if _is_in_directory(path))),
        rows=rows_of_host(host, services, now),
        served=_served(host, content),
        listing={
            table: bool(services[service].rows) or services[service].has_unknown_roster
            for service, table in client_tables(host).items()
        },
        unknown_tables=frozenset(
            table for service, table in client_tables(host).items() if services[service].has_unknown_roster
        ),
    )


def _served(host: HostDeclaration, content: HostContent) -> tuple[str, ...]:
    """Return what the SMTP servers serve; nothing where the host keeps certificates of its own."""
    names = host.server.certificates if host.server else ()
    chains = [content.chains[name] for name in names if name in content.chains]
    known = [chain for chain in chains if not isinstance(chain, Unknown)]
    return tuple(certificate_fingerprint_sha256(chain.certificates[0]) for chain in known)


def _is_in_directory(path: str) -> bool:
    return path.startswith(f"{CA_DIRECTORY}/")


def _service_line(service: Service) -> str:
    return " ".join([service.command, *(f"-o {{ {name} = {value} }}" for name, value in service.options)])


def _chain(name: str, chain: ChainArgs) -> Maybe[ChainContent]:
    key_pem, chain_pem = chain.private_key_pem, chain.chain_pem
    if isinstance(key_pem, Unknown) or isinstance(chain_pem, Unknown):
        return UNKNOWN
    return ChainContent(key_pem, tuple(load_chain(chain_pem, what=f"chain of {name}")))


def _roots(name: str, pem: Maybe[str]) -> list[Maybe[x509.Certificate]]:
    return [UNKNOWN] if isinstance(pem, Unknown) else [*load_chain(pem, what=f"root {name}")]
