"""The digest of who may relay through a host, the same in the outputs of a stack and in `postseal who`; pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from postfix.host_resource.records import HostInputs, HostRow
from postfix.host_resource.ways_in import relay_restrictions, relaying_networks
from postseal_core.values import UNKNOWN, Maybe, Unknown

__all__ = ["ledger_digest"]

_SMTPD: Final = "smtpd"
_VERSION: Final = 1
"""Raised when the lines change; the digest of each host is then another one."""


def ledger_digest(inputs: HostInputs, rows: Iterable[HostRow]) -> Maybe[str]:
    """Return the SHA-256 of a host's ledger, 64 hexadecimal digits; unknown while a fingerprint is.

    `rows`: all that are let in by certificate, in any order. Equal digests stand for the same rows, networks, lists of
    restrictions, services that receive mail, and unchecked places. Dates and the host's name are left out: a clock
    changes no digest, and two hosts that let the same in have the same.
    """
    listed = [_row(each) for each in rows]
    if any(isinstance(fingerprint, Unknown) for _, _, fingerprint, *_ in listed):
        return UNKNOWN
    # One JSON text a line, so that no name can look like two lines.
    lines = sorted(json.dumps(each) for each in (*listed, *_without_certificate(inputs)))
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode("ascii")).hexdigest()


def _row(row: HostRow) -> tuple[str, str, Any, str, int | None]:
    accepted = row.accepted
    return "certificate", row.service, accepted.fingerprint_sha256, accepted.client, accepted.generation


def _without_certificate(inputs: HostInputs) -> Iterator[tuple[Any, ...]]:
    yield "version", _VERSION
    yield "networks", relaying_networks(inputs.main_cf)
    yield from (("restrictions", name, items) for name, items in relay_restrictions(inputs.main_cf).items())
    # A service for mail programs has lists and logins of its own.
    yield from (("service", name, line) for name, line in inputs.master_cf.items() if line.split()[:1] == [_SMTPD])
    # What nobody has checked may let anybody in.
    yield from (("unchecked", name, value) for name, value in inputs.unchecked.items())
    yield from (("unknown table", place, table) for place, table in inputs.unknown_tables.items())
