"""Check a host's certificate files before they are deployed.

`postfix check` accepts nearly all of it; Postfix then turns TLS off or denies everybody, often without a word. What is
left, only a boot of the rendered directory shows.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.certification_path import problems_of_path
from pki.extensions import extension_of, name_in_words
from pki.keys import PrivateKey, PublicKey, kind_of_key, load_private_key
from pki.verification import load_chain, order_chain, problems_of_ca_file, problems_of_imported_chain
from postfix.host import HostDeclaration, certificate_names, sentence_of_one_kind
from postfix.rendering import (
    CA_DIRECTORY,
    CA_FILE,
    chain_file,
    client_tables,
)
from postfix.tables import FINGERPRINT, parse_source, problems_of_rows
from postseal_core.errors import CertificateError, Problem
from postseal_core.files.tree import Entry, FileEntry
from postseal_core.wording import shown

__all__ = ["KeyReader", "problems_of_chain_file", "problems_of_content"]

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


class KeyReader(Protocol):
    """Reads a private key from its PEM; `what` names it in messages."""

    def __call__(self, pem: str, *, what: str) -> PrivateKey:
        """Return the key."""


@dataclass(frozen=True, slots=True)
class _ChainFile:
    """The parts of a chain file, in the order Postfix wants them."""

    public_key: PublicKey
    certificates: list[x509.Certificate]


def _read_chain_file(pem: str, load_key: KeyReader) -> _ChainFile:
    labels = _BEGIN.findall(pem)
    if not labels or not labels[0].endswith("PRIVATE KEY"):
        raise CertificateError("the private key must stand first, then its certificate; else Postfix turns TLS off")
    key_pem, _, rest = pem.partition(_CERTIFICATE)
    key = load_key(key_pem, what="private key")
    return _ChainFile(key.public_key(), load_chain(_CERTIFICATE + rest if rest else "", what="certificates"))


def _client_problems(chain: Sequence[x509.Certificate], public_key: PublicKey, now: datetime) -> Iterator[Problem]:
    leaf = chain[0]
    usage = extension_of(leaf, x509.ExtendedKeyUsage)
    if leaf.public_key() != public_key:
        yield Problem("chain[0]", "the certificate does not belong to the private key; put the right one first")
    if usage is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        yield Problem("chain[0]", "extendedKeyUsage lacks clientAuth: use a certificate for a TLS client")
    for index, certificate in enumerate(chain):
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            yield Problem(f"chain[{index}]", f"{name_in_words(certificate.subject)} is not valid now; renew it")
    if order_chain(chain) != list(chain):
        yield Problem("chain", "the certificates are not in order; put the leaf first, then each one's issuer")
    else:
        yield from problems_of_path(chain)


def problems_of_chain_file(
    pem: str,
    *,
    now: datetime,
    server_names: Sequence[str] | None = None,
    is_client: bool = False,
    load_key: KeyReader = load_private_key,
) -> list[Problem]:
    """Return why Postfix could not use, or peers would refuse, a file of `smtpd_tls_chain_files` or its client twin.

    Checked: the key stands first, fits the leaf and is not encrypted; order, signatures and dates of the chain, and
    what its certificates demand of each other; with `server_names` that the leaf is for TLS servers of those names,
    with `is_client` that it is for TLS clients.
    Not checked: revocation, and whether anybody trusts the last certificate; it may be the server's own.
    """
    try:
        found = _read_chain_file(pem, load_key)
        problems = list(_client_problems(found.certificates, found.public_key, now)) if is_client else []
    except CertificateError as error:
        return [Problem("", str(error))]
    if server_names is None:
        return problems
    return problems + problems_of_imported_chain(
        found.certificates,
        public_key=found.public_key,
        dns_names=server_names,
        now=now,
        may_sign_itself=True,
    )


def _problems_of_chains(
    host: HostDeclaration, texts: Mapping[str, str], pending: Collection[str], now: datetime, load_key: KeyReader
) -> Iterator[Problem]:
    by_server = host.server.certificates if host.server else ()
    for name in certificate_names(host):
        path = chain_file(name)
        if path in pending:
            continue
        if path not in texts:
            yield Problem(path, "main.cf names this file, but it is not there; Postfix would turn TLS off")
            continue
        found = problems_of_chain_file(
            texts[path],
            now=now,
            server_names=host.public_names if name in by_server else None,
            is_client=name in host.client_certificates or name not in by_server,
            load_key=load_key,
        )
        yield from (problem.below(path) for problem in dict.fromkeys(found))


def _problems_of_kinds(host: HostDeclaration, texts: Mapping[str, str], load_key: KeyReader) -> Iterator[Problem]:
    """Report served certificates whose keys are of one kind: Postfix would serve the last of them only."""
    first: dict[str, str] = {}
    for name in host.server.certificates if host.server else ():
        with suppress(CertificateError):
            kind = kind_of_key(_read_chain_file(texts.get(chain_file(name), ""), load_key).public_key)
            other = first.setdefault(kind, name)
            if other != name:
                yield Problem(chain_file(name), sentence_of_one_kind(name, other, kind))


def _problems_of_roots(
    host: HostDeclaration, texts: Mapping[str, str], pending: Collection[str], now: datetime
) -> Iterator[Problem]:
    if host.trusts_roots_in_file and CA_FILE not in {*texts, *pending}:
        yield Problem(CA_FILE, "main.cf names this file, but it is not there; Postfix would turn TLS off")
    files = [path for path in texts if path == CA_FILE or path.startswith(f"{CA_DIRECTORY}/")]
    is_empty = files in ([], [CA_FILE]) and f"{CA_DIRECTORY}/" not in pending
    if host.trusts_roots_in_directory and is_empty:
        yield Problem(CA_DIRECTORY, "main.cf names this directory, but it holds no root; nobody would be trusted")
    yield from (problem.below(path) for path in files for problem in problems_of_ca_file(texts[path], now=now))


def _problems_of_clients(
    host: HostDeclaration, texts: Mapping[str, str], pending: Collection[str]
) -> Iterator[Problem]:
    for table in client_tables(host).values():
        if table not in {*texts, *pending}:
            yield Problem(table, "main.cf names this table, but it is not there; every client would get 451")
        rows = parse_source(texts.get(table, ""))
        yield from (problem.below(table) for problem in problems_of_rows(rows))
        for row in rows:
            if not FINGERPRINT.fullmatch(row.key):
                yield Problem(
                    table, f"{shown(row.key)} is no SHA-256 fingerprint AA:BB:...; Postfix would never match it"
                )


def problems_of_content(
    host: HostDeclaration,
    entries: Sequence[Entry],
    *,
    pending: Collection[str] = (),
    now: datetime,
    load_key: KeyReader = load_private_key,
) -> list[Problem]:
    """Return what is wrong with the files rendered for a host, at an aware instant `now`.

    Checked: every chain file, the roots (authorities only, none expired), the tables of clients, and whether all files
    are there that main.cf names. `pending`: paths of files that a preview cannot render yet. `load_key`: reads the keys
    in chain files. Not checked: the declaration, see `problems_of_host`, and what only a running Postfix shows.
    """
    texts = {entry.path: entry.content.decode() for entry in entries if isinstance(entry, FileEntry)}
    return [
        *_problems_of_chains(host, texts, pending, now, load_key),
        *_problems_of_kinds(host, texts, load_key),
        *_problems_of_roots(host, texts, pending, now),
        *_problems_of_clients(host, texts, pending),
    ]
