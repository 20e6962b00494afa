"""The clients that a host lists by fingerprint, as entries of `extra_relay_clients`; pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import new
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.verification import load_chain
from postfix.audit.host_view import HostView
from postfix.effective.own_answers import DIGEST_DIGITS
from postfix.effective.visitors import Kind
from postfix.list_items import split_list
from postfix.rendering import CLIENT_TABLE
from postfix.restriction_walk import Verdict
from postfix.tables import TABLE_TYPES, Row, parse_source
from postseal_core.errors import CertificateError
from postseal_core.wording import shown

__all__ = ["ListedClients", "listed_clients"]

_PAIRS: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*", re.ASCII)
_SHA256: Final = "sha256"
_NO_NAME: Final = re.compile(r"[^a-z0-9-]+", re.ASCII)
_LONGEST_NAME: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedClients:
    """What becomes of the rows of a host.

    `entries`: one for each client. `table_type`: that of the host's own table. `is_at_our_place`: it lies where ours
    will. `remarks`: what is left out, and why. `obstacles`: what cannot be reproduced.
    """

    entries: tuple[Mapping[str, str], ...] = ()
    table_type: str = ""
    is_at_our_place: bool = False
    remarks: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()


def listed_clients(view: HostView) -> ListedClients:
    """Return the clients of relay_clientcerts of main.cf; none where they let nobody in."""
    tables = split_list(view.main[CLIENT_TABLE])
    if not tables:
        return ListedClients()
    verdicts = [each.verdict for each in view.judgements if each.visitor is Kind.LISTED]
    if all(each is Verdict.REFUSE for each in verdicts):
        remark = f"the rows of {', '.join(tables)}: they let nobody in now; postseal audit says why"
        return ListedClients(remarks=(remark,))
    strange = [each for each in tables if each.partition(":")[0] not in TABLE_TYPES]
    seen = {each: view.table(each) for each in tables if each not in strange}
    unread = [name for name, table in seen.items() if table is None or not table.has_source]
    obstacles = [f"{each}: this type of table holds rows that cannot be listed; make it a texthash" for each in strange]
    obstacles += [f"{each}: the rows cannot be read; run it on the host, as root" for each in unread]
    if obstacles:
        return ListedClients(obstacles=tuple(obstacles))
    rows = [row for table in seen.values() if table for row in parse_source(table.source)]
    return _of_rows(view, rows, tables)


def _of_rows(view: HostView, rows: list[Row], tables: list[str]) -> ListedClients:
    digest = view.main["smtpd_tls_fingerprint_digest"].lower()
    known = dict(_prints(view.record.certificates, digest)) if digest != _SHA256 else {}
    entries: dict[str, dict[str, str]] = {}
    remarks, obstacles = [], []
    names: set[str] = set()
    for row in rows:
        if not _is_print(row.key, digest):
            remarks.append(f"the row of {shown(row.value)}: it is no {digest} fingerprint, and never matches")
            continue
        fingerprint = row.key.upper() if digest == _SHA256 else known.get(row.key.upper(), "")
        if not fingerprint:
            fix = "put its certificate (PEM) below the directory, or ask for its SHA-256 fingerprint"
            obstacles.append(f"the row of {shown(row.value)} is a {digest} fingerprint: {fix}")
        elif fingerprint not in entries:
            name = _name(row.value, names)
            entries[fingerprint] = {"name": name, "fingerprint_sha256": fingerprint}
    paths = {table.partition(":")[2] for table in tables}
    return ListedClients(
        entries=tuple(entries.values()),
        table_type=tables[0].partition(":")[0],
        is_at_our_place=f"{view.record.root}/{CLIENT_TABLE}" in paths,
        remarks=tuple(remarks),
        obstacles=tuple(obstacles),
    )


def _is_print(key: str, digest: str) -> bool:
    length = DIGEST_DIGITS.get(digest, 0) // 2 * 3 - 1
    return _PAIRS.fullmatch(key) is not None and len(key) == length


def _name(value: str, taken: set[str]) -> str:
    """Return a name that a stack file takes, from what stands beside a fingerprint; each once."""
    word = _NO_NAME.sub("-", value.split(maxsplit=1)[0].lower()).strip("-")[:_LONGEST_NAME].strip("-")
    base = word if word and not word.isdecimal() and word not in _LOST else f"client-{word}".rstrip("-")
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


_LOST: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none", "server", "y", "n"})
"""Words of YAML, and of the stack file itself."""


def _prints(certificates: Mapping[str, str], digest: str) -> Iterator[tuple[str, str]]:
    """Yield the SHA-256 fingerprint of each certificate and key that is known, by the one in another digest."""
    for path, pem in certificates.items():
        for certificate in _certificates(path, pem) if digest in DIGEST_DIGITS else ():
            der = certificate.public_bytes(Encoding.DER)
            key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            yield _digest(digest, der), certificate_fingerprint_sha256(certificate)
            yield _digest(digest, key), public_key_fingerprint_sha256(certificate)


def _digest(name: str, der: bytes) -> str:
    return new(name, der, usedforsecurity=False).digest().hex(":").upper()


def _certificates(path: str, pem: str) -> list[x509.Certificate]:
    try:
        return load_chain(pem, what=path)
    except CertificateError:
        return []
