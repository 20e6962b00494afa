"""What is wrong with a host before anything is touched: its declaration, and the files that are about to be deployed.

`postfix check` accepts nearly all of it; Postfix then dies, turns TLS off or denies everybody, often without a word.
What is left, only a boot of the rendered directory shows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.extensions import extension_of
from pki.keys import PublicKey, load_private_key
from pki.verification import load_chain, order_chain, problems_of_ca_file, problems_of_imported_chain
from postfix.host import TABLE_TYPES, HostDeclaration, certificate_names, problems_of_declaration
from postfix.master_cf import problems_of_services
from postfix.parameters import problems_of_parameters
from postfix.rendering import (
    CA_DIRECTORY,
    CA_FILE,
    CLIENT_TABLE,
    chain_file,
    render_parameters,
    render_services_of,
    setting_tables,
    table_names,
    typed_parameters,
)
from postfix.tables import FINGERPRINT, parse_source, problems_of_rows
from postfix.values import split_list
from postseal_core.errors import CertificateError, Problem
from postseal_core.files.tree import Entry, FileEntry

__all__ = ["problems_of_chain_file", "problems_of_deployment", "problems_of_host"]

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_SIDES = MappingProxyType({"smtpd": "server", "smtp": "client", "relayhost": "client"})
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def _agrees(name: str, typed: str, free: str) -> bool:
    """Return whether a free-form value keeps what the typed one says; a list of tables may name further ones.

    In `relay_clientcerts` only tables that list fingerprints: `static:x` or a pattern would let anybody relay who has
    any certificate at all.
    """
    tables = split_list(free)
    if name == CLIENT_TABLE and not all(table.partition(":")[0] in TABLE_TYPES for table in tables):
        return False
    if name.endswith("_maps") or name == CLIENT_TABLE:
        return set(split_list(typed)) <= set(tables)
    return typed.split() == free.split()


def _contradictions(host: HostDeclaration) -> list[Problem]:
    typed = typed_parameters(host)
    return [
        Problem(
            f"parameters.{name}",
            f"{value!r} contradicts {typed[name]!r}, which other settings of this host make; leave it out here",
        )
        for name, value in host.parameters.items()
        if name in typed and not _agrees(name, typed[name], value)
    ]


def _place(host: HostDeclaration, parameter: str) -> str:
    """Return where in the declaration a parameter's value comes from."""
    if parameter in host.parameters:
        return f"parameters.{parameter}"
    side = _SIDES.get(parameter.partition("_")[0])
    return f"{side}.{parameter}" if side else parameter


def _problems_of_rendered(host: HostDeclaration) -> list[Problem]:
    version = host.postfix_version
    parameters = [
        Problem(_place(host, problem.path), problem.message)
        for problem in problems_of_parameters(render_parameters(host), postfix_version=version)
    ]
    services = render_services_of(host)
    options = [
        problem.below(service.name)
        for service in services
        for problem in problems_of_parameters(dict(service.options), postfix_version=version)
    ]
    transports = [problem.below("client.transports") for problem in [*problems_of_services(services), *options]]
    rows = [problem.below(name) for name, each in setting_tables(host).items() for problem in problems_of_rows(each)]
    return [*parameters, *transports, *rows]


def problems_of_host(host: HostDeclaration) -> list[Problem]:
    """Return everything that is wrong with a host's declaration, before any certificate is there.

    Checked: names, typed settings, what they render to as Postfix parameters, free-form parameters that contradict
    them, services and tables. Not checked: what certificates hold; see `problems_of_deployment`.
    """
    problems = [*problems_of_declaration(host), *_contradictions(host)]
    told = {problem.path for problem in problems}
    return problems + [problem for problem in _problems_of_rendered(host) if problem.path not in told]


@dataclass(frozen=True, slots=True)
class _ChainFile:
    """The parts of a chain file, in the order Postfix wants them."""

    public_key: PublicKey
    certificates: list[x509.Certificate]


def _read_chain_file(pem: str) -> _ChainFile:
    labels = _BEGIN.findall(pem)
    if not labels or not labels[0].endswith("PRIVATE KEY"):
        raise CertificateError("the private key must stand first, then its certificate; else Postfix turns TLS off")
    key_pem, _, rest = pem.partition(_CERTIFICATE)
    key = load_private_key(key_pem, what="private key")
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
            yield Problem(f"chain[{index}]", f"{certificate.subject.rfc4514_string()} is not valid now; renew it")
    if order_chain(chain) != list(chain):
        yield Problem("chain", "the certificates are not in order; put the leaf first, then each one's issuer")


def problems_of_chain_file(
    pem: str, *, now: datetime, server_name: str | None = None, is_client: bool = False
) -> list[Problem]:
    """Return why Postfix could not use, or peers would refuse, a file of `smtpd_tls_chain_files` or its client twin.

    Checked: the key stands first, fits the leaf and is not encrypted; order, signatures and dates of the chain; with
    `server_name` that the leaf is for TLS servers of that name, with `is_client` that it is for TLS clients.
    Not checked: revocation, and whether anybody trusts the last certificate; it may be the server's own.
    """
    try:
        found = _read_chain_file(pem)
        problems = list(_client_problems(found.certificates, found.public_key, now)) if is_client else []
    except CertificateError as error:
        return [Problem("", str(error))]
    if server_name is None:
        return problems
    return problems + problems_of_imported_chain(
        found.certificates,
        public_key=found.public_key,
        dns_names=(server_name,),
        now=now,
        may_sign_itself=True,
    )


def _problems_of_chains(host: HostDeclaration, texts: Mapping[str, str], now: datetime) -> Iterator[Problem]:
    by_server = host.server.certificates if host.server else ()
    for name in certificate_names(host):
        path = chain_file(name)
        if path not in texts:
            yield Problem(path, "main.cf names this file, but it is not there; Postfix would turn TLS off")
            continue
        found = problems_of_chain_file(
            texts[path],
            now=now,
            server_name=host.myhostname if name in by_server else None,
            is_client=name in host.client_certificates or name not in by_server,
        )
        yield from (problem.below(path) for problem in dict.fromkeys(found))


def _problems_of_roots(host: HostDeclaration, texts: Mapping[str, str], now: datetime) -> Iterator[Problem]:
    if host.trusts_roots_in_file and CA_FILE not in texts:
        yield Problem(CA_FILE, "main.cf names this file, but it is not there; Postfix would turn TLS off")
    files = [path for path in texts if path == CA_FILE or path.startswith(f"{CA_DIRECTORY}/")]
    if host.trusts_roots_in_directory and files in ([], [CA_FILE]):
        yield Problem(CA_DIRECTORY, "main.cf names this directory, but it holds no root; nobody would be trusted")
    yield from (problem.below(path) for path in files for problem in problems_of_ca_file(texts[path], now=now))


def _problems_of_clients(host: HostDeclaration, texts: Mapping[str, str]) -> Iterator[Problem]:
    if CLIENT_TABLE in table_names(host) and CLIENT_TABLE not in texts:
        yield Problem(CLIENT_TABLE, "main.cf names this table, but it is not there; every client would get 451")
    rows = parse_source(texts.get(CLIENT_TABLE, ""))
    yield from (problem.below(CLIENT_TABLE) for problem in problems_of_rows(rows))
    for row in rows:
        if not FINGERPRINT.fullmatch(row.key):
            yield Problem(
                CLIENT_TABLE, f"{row.key!r} is no SHA-256 fingerprint AA:BB:...; Postfix would never match it"
            )


def problems_of_deployment(host: HostDeclaration, entries: Sequence[Entry], *, now: datetime) -> list[Problem]:
    """Return everything that is wrong with a host and the files rendered for it, at an aware instant `now`.

    On top of `problems_of_host`: every chain file, the roots (authorities only, none expired), `relay_clientcerts`,
    and whether all files are there that main.cf names. Not checked: what only a running Postfix shows.
    """
    texts = {entry.path: entry.content.decode() for entry in entries if isinstance(entry, FileEntry)}
    return [
        *problems_of_host(host),
        *_problems_of_chains(host, texts, now),
        *_problems_of_roots(host, texts, now),
        *_problems_of_clients(host, texts),
    ]
