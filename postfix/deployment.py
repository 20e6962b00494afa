"""A host with everything that comes from certificates, as far as it is known: what a reviewer reads, what is written.

In a preview some certificates are not made yet. Their rows and files are then shown by name, and their content is
unknown; `up` knows everything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pki.verification import load_chain
from postfix.ca_path import chroot_entries
from postfix.content import ChainContent, HostContent, render_content_files
from postfix.deploy.host_files import HostFiles, Table
from postfix.host import HostDeclaration, Ownership
from postfix.master_cf import BASE_SERVICES
from postfix.preflight import problems_of_deployment
from postfix.rendering import (
    CA_DIRECTORY,
    render_configuration_files,
    render_parameters,
    render_services_of,
    setting_tables,
    table_names,
)
from postfix.tables import ClientRow, parse_source
from postseal_core.errors import ConfigError
from postseal_core.files.tree import Entry, FileEntry
from postseal_core.instants import parse_instant

__all__ = [
    "PreparedHost",
    "accepted_clients",
    "host_files",
    "parse_accepted_rows",
    "prepare",
    "shown_parts",
]


@dataclass(frozen=True, slots=True)
class PreparedHost:
    """A host and all files for it: below its configuration directory, and copies below queue_directory."""

    host: HostDeclaration
    entries: tuple[Entry, ...]
    chroot: tuple[Entry, ...]


def shown_parts(host: HostDeclaration) -> dict[str, Any]:
    """Return what a reviewer reads of a host before any certificate is known; Postfix's usual services are left out."""
    return {
        "main_cf": render_parameters(host),
        "master_cf": {
            f"{each.name}/{each.type}": _service_line(each.command, each.options)
            for each in render_services_of(host)
            if each not in BASE_SERVICES
        },
        "tables": {name: {row.key: row.value for row in rows} for name, rows in setting_tables(host).items()},
    }


def _service_line(command: str, options: tuple[tuple[str, str], ...]) -> str:
    return " ".join([command, *(f"-o {{ {name} = {value} }}" for name, value in options)])


def accepted_clients(name: str, identity: Mapping[str, Any]) -> Iterator[ClientRow]:
    """Yield what is accepted of one client: nothing once it is revoked, else its current and earlier generations."""
    if identity.get("revoked_at"):
        return
    fingerprint = "public_key_fingerprint_sha256" if identity["match"] == "public_key" else "fingerprint_sha256"
    for each in (identity, *identity.get("previous", ())):
        yield ClientRow(each[fingerprint], name, each["generation"], parse_instant(each["not_after"]))


def parse_accepted_rows(text: str) -> list[ClientRow]:
    """Return the clients of ready rows, as a roster gives them."""
    return [_client_row(row.key, row.value) for row in parse_source(text)]


def _client_row(fingerprint: str, value: str) -> ClientRow:
    name, *fields = value.split()
    known = dict(field.split("=", 1) for field in fields)
    return ClientRow(
        fingerprint,
        name,
        int(known["generation"]) if "generation" in known else None,
        parse_instant(f"{known['not_after']}T00:00:00Z") if "not_after" in known else None,
    )


def host_files(prepared: PreparedHost) -> HostFiles:
    """Return the files of a host as a deployment plans them: tables apart, and main.cf as a whole or in parts."""
    tables = table_names(prepared.host)
    is_merged = prepared.host.ownership is Ownership.MERGE
    return HostFiles(
        files=tuple(entry for entry in prepared.entries if entry.path not in tables),
        tables=tuple(
            Table(entry, prepared.host.table_type)
            for entry in prepared.entries
            if isinstance(entry, FileEntry) and entry.path in tables
        ),
        parameters=render_parameters(prepared.host) if is_merged else {},
        services=render_services_of(prepared.host) if is_merged else (),
        chroot=prepared.chroot,
    )


def prepare(
    host: HostDeclaration,
    *,
    chains: Mapping[str, Mapping[str, str]],
    roots: Mapping[str, str],
    clients: tuple[ClientRow, ...],
    config_directory: str,
    now: datetime,
) -> PreparedHost:
    """Render every file of a host and check it before anything is touched.

    `chains`: `private_key_pem` and `chain_pem` by certificate name; `roots`: PEM by name.

    Raises:
        ConfigError: everything that is wrong with the host, its files or its rows.
        CertificateError: a key or certificate cannot be read.
    """
    content = HostContent(
        chains={
            name: ChainContent(chain["private_key_pem"], tuple(load_chain(chain["chain_pem"], what=f"chain of {name}")))
            for name, chain in chains.items()
        },
        roots=tuple(each for name, pem in roots.items() for each in load_chain(pem, what=f"root {name}")),
        relay_clients=clients,
    )
    entries = (*render_configuration_files(host), *render_content_files(host, content))
    problems = problems_of_deployment(host, entries, now=now)
    if problems:
        raise ConfigError(problems)
    in_directory = [entry for entry in entries if entry.path.startswith(f"{CA_DIRECTORY}/")]
    return PreparedHost(host, entries, chroot_entries(in_directory, config_directory=config_directory))
