"""Tables of fingerprints: their digest, rows that never match, and rows of certificates that have ended."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import new
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.verification import load_chain
from postfix.audit.findings import Finding, Place
from postfix.audit.host_view import HostView
from postfix.audit.kinds import Kind
from postfix.effective.listeners import Listener
from postfix.effective.own_answers import DIGEST_DIGITS
from postfix.tables import Row, parse_source
from postseal_core.errors import CertificateError
from postseal_core.instants import format_instant

__all__ = ["check_digest", "check_rows"]

_DIGEST: Final = "smtpd_tls_fingerprint_digest"
_BY_CERTIFICATE: Final = "check_ccert_access"
_WEAK: Final = frozenset({"md5", "sha1"})
_PAIRS: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*", re.ASCII)
_ENDS: Final = re.compile(r"\bnot_after=(\d{4}-\d{2}-\d{2})\b", re.ASCII)
_SHOWN: Final = 3


def check_digest(view: HostView) -> Iterator[Finding]:
    """Find weak digests, where fingerprints decide anything."""
    found: dict[str, tuple[Listener, Place]] = {}
    for listener in view.listeners:
        is_asked = (view.admits_listed(listener) and listener.rows) or view.has_step(listener, _BY_CERTIFICATE)
        if is_asked and listener.digest in _WEAK:
            is_own = _DIGEST in listener.service.options
            place = view.lines.service(listener.service.key, _DIGEST) if is_own else view.lines.main(_DIGEST)
            found.setdefault(listener.digest, (listener, place))
    for digest, (_, place) in found.items():
        level = view.main["compatibility_level"] or "0"
        is_default = _DIGEST not in view.configuration.written and not place.service
        origin = f"the default at compatibility_level {level}" if is_default else "as it is written"
        yield Finding(
            kind=Kind.WEAK_DIGEST,
            place=place,
            what=f"fingerprints of clients are compared in {digest}, {origin}",
            fix=f"write {_DIGEST} = sha256, and list each client by its SHA-256 fingerprint at the same time",
        )


def check_rows(view: HostView, now: datetime) -> Iterator[Finding]:
    """Judge the rows of each table of clients that is asked, by the digest in which it is."""
    asked: dict[tuple[str, str], list[str]] = {}
    for listener in view.listeners:
        for name in listener.rows if view.admits_listed(listener) else ():
            asked.setdefault((name, listener.digest), []).append(listener.name)
    for (name, digest), listeners in asked.items():
        table = view.table(name) if _is_read_here(name) else None
        if table and table.has_source:
            rows = parse_source(table.source)
            place = Place(name.partition(":")[2], 0, ", ".join(listeners), "relay_clientcerts")
            yield from _of_form(rows, digest, place)
            yield from _of_dates(view, rows, digest, replace(place, service=""), now)


def _is_read_here(name: str) -> bool:
    kind, _, path = name.partition(":")
    return kind in ("hash", "btree", "lmdb", "cdb", "texthash", "dbm", "sdbm") and path.startswith("/")


def _of_form(rows: list[Row], digest: str, place: Place) -> Iterator[Finding]:
    digits = DIGEST_DIGITS.get(digest)
    if digits is None or not rows:
        return
    length = digits // 2 * 3 - 1
    wrong = [row for row in rows if not (_PAIRS.fullmatch(row.key) and len(row.key) == length)]
    if wrong:
        are_all = len(wrong) == len(rows)
        told = ", ".join(_described(row) for row in wrong[:_SHOWN])
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        yield Finding(
            kind=Kind.ROWS_NEVER_MATCH if are_all else Kind.SOME_ROWS_NEVER_MATCH,
            place=place,
            what=f"{len(wrong)} of {len(rows)} rows have no {digest} print of {digits // 2} hex pairs: {told}{more}",
            fix=f"write what `openssl x509 -noout -fingerprint -{digest}` prints behind =",
        )


def _described(row: Row) -> str:
    """Return how a row is told: by its client, since a key may be anything."""
    return f"that of {row.value[:40]!r} has {len(row.key)} characters"


def _of_dates(view: HostView, rows: list[Row], digest: str, place: Place, now: datetime) -> Iterator[Finding]:
    known = dict(_ends_by_print(view.record.certificates, digest))
    for row in rows:
        end = known.get(row.key.upper()) or _end_in(row.value)
        if end and end < now:
            yield Finding(
                kind=Kind.EXPIRED_ROW,
                place=place,
                what=f"the certificate of {row.value[:40]!r} ended at {format_instant(end)}, and its row lets it relay",
                fix="take the row out, or list the certificate that the client has now",
            )


def _end_in(value: str) -> datetime | None:
    """Return the end of the day that our own tables write beside a client."""
    match = _ENDS.search(value)
    try:
        return datetime.fromisoformat(f"{match[1]}T23:59:59+00:00").astimezone(UTC) if match else None
    except ValueError:
        return None


def _ends_by_print(certificates: Mapping[str, str], digest: str) -> Iterator[tuple[str, datetime]]:
    """Yield the end of each known certificate by its fingerprint; not by its key's, which others may have."""
    if digest not in DIGEST_DIGITS:
        return
    for path, pem in certificates.items():
        for certificate in _certificates(path, pem):
            der = certificate.public_bytes(Encoding.DER)
            yield new(digest, der, usedforsecurity=False).digest().hex(":").upper(), certificate.not_valid_after_utc


def _certificates(path: str, pem: str) -> list[x509.Certificate]:
    try:
        return load_chain(pem, what=path)
    except CertificateError:
        return []
