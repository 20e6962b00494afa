"""The files of a host whose content comes from certificates: chains with their keys, trusted roots, who may relay.

In a preview some certificates are not made yet. Each file is then rendered as soon as all is known that it is made of;
`pending_files` names the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from pki.verification import chain_pem
from postfix.ca_path import ca_path_entries
from postfix.host import HostDeclaration, Ownership, certificate_names
from postfix.rendering import CA_DIRECTORY, CA_FILE, PUBLIC_FILE, chain_file, client_tables, table_names
from postfix.tables import ClientRow, client_rows, render_source
from postseal_core.errors import Problem, refuse
from postseal_core.files.tree import Entry, FileEntry, Symlink
from postseal_core.values import Maybe, Unknown, is_unknown

__all__ = ["ChainContent", "HostContent", "files_of_declaration", "pending_files", "render_content_files"]

_KEY_FILE = 0o400


@dataclass(frozen=True, slots=True)
class ChainContent:
    """The content of one chain file: an unencrypted private key in PEM, the leaf, its intermediates, nearest first."""

    private_key_pem: str = field(repr=False)
    certificates: tuple[x509.Certificate, ...]

    @property
    def pem(self) -> bytes:
        """Key first, then the certificates: in any other order Postfix turns TLS off."""
        return f"{self.private_key_pem.strip()}\n{chain_pem(self.certificates)}".encode()


@dataclass(frozen=True, slots=True)
class HostContent:
    """The content of a host's certificate files: chains by certificate name, roots, and relay clients by service."""

    chains: Mapping[str, Maybe[ChainContent]]
    roots: tuple[Maybe[x509.Certificate], ...] = ()
    clients: Mapping[str, Maybe[tuple[ClientRow, ...]]] = field(default_factory=dict)

    @property
    def known_roots(self) -> list[x509.Certificate]:
        """The roots that are known, each once, in the order of their names."""
        known = {root for root in self.roots if not isinstance(root, Unknown)}
        return sorted(known, key=lambda root: (root.subject.rfc4514_string(), root.serial_number))

    @property
    def has_all_roots(self) -> bool:
        """Whether every root is known."""
        return not any(is_unknown(root) for root in self.roots)

    def clients_of(self, service: str) -> Maybe[tuple[ClientRow, ...]]:
        """Return who may relay through a service; nobody, where nothing is said of it."""
        return self.clients.get(service, ())


def _problems_of_completeness(host: HostDeclaration, content: HostContent) -> list[Problem]:
    """Report missing chains and roots, without which Postfix drops TLS."""
    problems = [
        Problem(f"certificates.{name}", "the host is declared with this certificate, but none is given")
        for name in certificate_names(host)
        if name not in content.chains
    ]
    if not content.roots and (host.trusts_roots_in_file or host.trusts_roots_in_directory):
        problems.append(Problem("roots", "no root is given, and Postfix turns TLS off over an empty file; add one"))
    return problems


def render_content_files(host: HostDeclaration, content: HostContent) -> tuple[Entry, ...]:
    """Return chain files (mode 0400), roots and tables of clients (0644), with paths below the configuration.

    Roots are ordered by name, rows by client and generation, so the same content gives the same bytes.
    Not checked: whether keys, chains and dates are right; see `postfix.preflight`.

    Raises:
        ConfigError: a certificate or the roots are missing, or a client cannot stand in the table.
    """
    refuse(_problems_of_completeness(host, content))
    entries = (*_chain_entries(host, content), *_root_entries(host, content), *_client_entries(host, content))
    return tuple(sorted(entries, key=lambda entry: entry.path))


def files_of_declaration(host: HostDeclaration) -> tuple[str, ...]:
    """Return the paths of all files that a declaration leads to, whatever their content will be.

    `ca/` stands for those that are named after certificates.
    """
    whole = ("main.cf", "master.cf") if host.ownership is Ownership.WHOLE else ()
    return (*whole, *table_names(host), *_files_of_certificates(host))


def _files_of_certificates(host: HostDeclaration) -> Iterator[str]:
    yield from map(chain_file, certificate_names(host))
    if host.trusts_roots_in_file:
        yield CA_FILE
    if host.trusts_roots_in_directory:
        yield f"{CA_DIRECTORY}/"


def pending_files(host: HostDeclaration, content: HostContent) -> tuple[str, ...]:
    """Return the paths of the files that cannot be rendered yet, sorted.

    With a root that is unknown, `ca/` is among them: its files are named after its certificate.
    """
    return tuple(
        sorted((*_pending_chains(host, content), *_pending_roots(host, content), *_pending_tables(host, content)))
    )


def _chain_entries(host: HostDeclaration, content: HostContent) -> Iterator[Entry]:
    for name in certificate_names(host):
        chain = content.chains[name]
        if not isinstance(chain, Unknown):
            yield FileEntry(chain_file(name), chain.pem, _KEY_FILE)


def _pending_chains(host: HostDeclaration, content: HostContent) -> Iterator[str]:
    return (chain_file(name) for name in certificate_names(host) if is_unknown(content.chains[name]))


def _root_entries(host: HostDeclaration, content: HostContent) -> Iterator[Entry]:
    if host.trusts_roots_in_file and content.has_all_roots:
        yield FileEntry(CA_FILE, chain_pem(content.known_roots).encode(), PUBLIC_FILE)
    # A link is numbered among all roots of one name, so it is known when all of them are.
    yield from (
        entry for entry in _directory_entries(host, content) if content.has_all_roots or isinstance(entry, FileEntry)
    )


def _pending_roots(host: HostDeclaration, content: HostContent) -> Iterator[str]:
    if content.has_all_roots:
        return
    if host.trusts_roots_in_file:
        yield CA_FILE
    if host.trusts_roots_in_directory:
        yield f"{CA_DIRECTORY}/"
    yield from (entry.path for entry in _directory_entries(host, content) if isinstance(entry, Symlink))


def _directory_entries(host: HostDeclaration, content: HostContent) -> Sequence[Entry]:
    return ca_path_entries(content.known_roots, directory=CA_DIRECTORY) if host.trusts_roots_in_directory else ()


def _client_entries(host: HostDeclaration, content: HostContent) -> Iterator[Entry]:
    for service, table in client_tables(host).items():
        clients = content.clients_of(service)
        if not isinstance(clients, Unknown):
            yield FileEntry(table, render_source(client_rows(clients)).encode(), PUBLIC_FILE)


def _pending_tables(host: HostDeclaration, content: HostContent) -> Iterator[str]:
    return (table for service, table in client_tables(host).items() if is_unknown(content.clients_of(service)))
