"""The files of a host whose content comes from certificates: chains with their keys, trusted roots, who may relay."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509

from pki.verification import chain_pem
from postfix.ca_path import ca_path_entries
from postfix.host import HostDeclaration, certificate_names
from postfix.rendering import CA_DIRECTORY, CA_FILE, CLIENT_TABLE, PUBLIC_FILE, chain_file, table_names
from postfix.tables import ClientRow, client_rows, render_source
from postseal_core.errors import ConfigError, Problem
from postseal_core.files.tree import Entry, FileEntry

__all__ = ["ChainContent", "HostContent", "problems_of_completeness", "render_content_files"]

_KEY_FILE = 0o400


@dataclass(frozen=True, slots=True)
class ChainContent:
    """What one chain file holds: an unencrypted private key in PEM, the leaf, and its intermediates, nearest first."""

    private_key_pem: str = field(repr=False)
    certificates: tuple[x509.Certificate, ...]

    @property
    def pem(self) -> bytes:
        """Key first, then the certificates: in any other order Postfix turns TLS off."""
        return f"{self.private_key_pem.strip()}\n{chain_pem(self.certificates)}".encode()


@dataclass(frozen=True, slots=True)
class HostContent:
    """What is known once certificates are: chains by certificate name, trusted roots, and who may relay."""

    chains: Mapping[str, ChainContent]
    roots: tuple[x509.Certificate, ...] = ()
    relay_clients: tuple[ClientRow, ...] = ()


def problems_of_completeness(host: HostDeclaration, content: HostContent) -> list[Problem]:
    """Return what the declaration needs and the content lacks: chains, and roots, without which Postfix drops TLS."""
    problems = [
        Problem(f"certificates.{name}", "the host is declared with this certificate, but none is given")
        for name in certificate_names(host)
        if name not in content.chains
    ]
    if not content.roots and (host.trusts_roots_in_file or host.trusts_roots_in_directory):
        problems.append(Problem("roots", "no root is given, and Postfix turns TLS off over an empty file; add one"))
    return problems


def _root_entries(host: HostDeclaration, content: HostContent) -> tuple[Entry, ...]:
    ordered = sorted(set(content.roots), key=lambda root: (root.subject.rfc4514_string(), root.serial_number))
    in_file = [FileEntry(CA_FILE, chain_pem(ordered).encode(), PUBLIC_FILE)] if host.trusts_roots_in_file else []
    in_directory = ca_path_entries(ordered, directory=CA_DIRECTORY) if host.trusts_roots_in_directory else ()
    return (*in_file, *in_directory)


def render_content_files(host: HostDeclaration, content: HostContent) -> tuple[Entry, ...]:
    """Return chain files (mode 0400), roots and `relay_clientcerts` (0644), with paths below the configuration.

    Roots are ordered by name, rows by client and generation, so the same content gives the same bytes.
    Not checked: whether keys, chains and dates are right; see `postfix.preflight`.

    Raises:
        ConfigError: a certificate or the roots are missing, or a client cannot stand in the table.
    """
    problems = problems_of_completeness(host, content)
    if problems:
        raise ConfigError(problems)
    chains = [FileEntry(chain_file(name), content.chains[name].pem, _KEY_FILE) for name in certificate_names(host)]
    table = render_source(client_rows(content.relay_clients)).encode()
    clients = [FileEntry(CLIENT_TABLE, table, PUBLIC_FILE)] if CLIENT_TABLE in table_names(host) else []
    return tuple(sorted((*chains, *_root_entries(host, content), *clients), key=lambda entry: entry.path))
