"""One client of a roster, unpacked from the roster's outputs when a program asks for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

import pulumi

from pki.certificate.handover import Handover, handover_text
from pki.components.authority import CertificateAuthority
from pki.components.signing import issuer_args
from pki.demand import below_issuer
from pki.fields import ArchiveWord, DeclaredCertificate
from pki.roster.records import ArchiveRow, IssuedRow, KeyRow
from pki.roster.rows import archive_word, lines_by_client
from postseal_core.instants import format_instant
from postseal_core.packing import records_of_lines
from postseal_core.values import Maybe, is_unknown

__all__ = ["PackedOutputs", "RosterClient", "roster_client"]

R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RosterClient:
    """One client's certificate, key and archive from a roster; a preview lacks only newly issued ones.

    `ClientRoster.client` returns it.

    Attributes:
        name: The client's name.
        authority: Who signed its certificate.
        archive_profile: The profile of its PKCS#12 archive; empty where it has none.
        certificate_pem: Its certificate in PEM.
        chain_pem: The certificate and those above it up to the root, which is left out, in PEM.
        private_key_pem: Its key in PEM; a secret.
        fingerprint_sha256: SHA-256 of the certificate: 32 upper-case hex pairs with colons.
        generation: How often its certificate was issued: 1, 2, 3 and so on.
        not_after: Valid until this instant, inclusive, as `2027-11-26T02:00:00Z` (RFC 3339).
        renew_at: The first `pulumi up` from this instant on renews it, as `not_after`.
        archive_p12_base64: Its archive in base64; a secret, empty where it has none.
        passphrase: What opens the archive; a secret, empty where it has none.
        handover: What another roster or a `ClientCertificate` needs to take its certificate over; a secret.
    """

    name: str
    authority: CertificateAuthority
    archive_profile: ArchiveWord
    certificate_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str] = field(repr=False)
    fingerprint_sha256: pulumi.Output[str]
    generation: pulumi.Output[int]
    not_after: pulumi.Output[str]
    renew_at: pulumi.Output[str]
    archive_p12_base64: pulumi.Output[str] = field(repr=False)
    passphrase: pulumi.Output[str] = field(repr=False)
    handover: pulumi.Output[str] = field(repr=False)

    @property
    def has_key(self) -> bool:
        """Whether its private key is in the state: always, for a roster's client."""
        return True


@dataclass(frozen=True, slots=True)
class PackedOutputs:
    """The outputs of a roster, see `pki.roster.records.RosterState`."""

    issued: pulumi.Output[str]
    intermediates_pem: pulumi.Output[str]
    private_keys: pulumi.Output[str] = field(repr=False)
    archives: pulumi.Output[str] = field(repr=False)


def roster_client(
    name: str, declared: DeclaredCertificate, authority: CertificateAuthority, packed: PackedOutputs
) -> RosterClient:
    """Return one client of a roster; `declared` includes the roster's defaults."""
    issued, keys = _row_of(IssuedRow, packed.issued, name), _row_of(KeyRow, packed.private_keys, name)
    archive, none = archive_word(declared), pulumi.Output.from_input("")
    certificate_pem = _member(issued, lambda row: row.issued.certificate_pem)
    handed_over = pulumi.Output.all(issued, keys, certificate_pem)
    declared_here = below_issuer(declared, issuer_args(authority))
    return RosterClient(
        name=name,
        authority=authority,
        archive_profile=archive,
        certificate_pem=certificate_pem,
        chain_pem=pulumi.Output.concat(certificate_pem, packed.intermediates_pem),
        private_key_pem=_member(keys, lambda row: row.private_key_pem),
        fingerprint_sha256=_member(issued, lambda row: row.issued.identity.fingerprint_sha256),
        generation=_member(issued, lambda row: row.issued.generation),
        not_after=_member(issued, lambda row: format_instant(row.issued.validity.not_after)),
        renew_at=_member(issued, lambda row: format_instant(row.issued.renew_at)),
        archive_p12_base64=_archive_of(packed, name) if archive else none,
        passphrase=_member(keys, lambda row: row.passphrase) if archive else none,
        handover=pulumi.Output.secret(handed_over.apply(lambda rows: _handover_text(declared_here, *rows))),
    )


def _archive_of(packed: PackedOutputs, name: str) -> pulumi.Output[str]:
    return _member(_row_of(ArchiveRow, packed.archives, name), lambda row: row.archive_p12_base64)


def _handover_text(declared: DeclaredCertificate, row: IssuedRow, keys: KeyRow, certificate_pem: str) -> str:
    issued = row.issued
    return handover_text(
        Handover(
            declared=declared,
            generation=issued.generation,
            key_generation=issued.key_generation,
            previous=issued.previous,
            revoked=issued.revoked,
            certificate_pem=certificate_pem,
            private_key_pem=keys.private_key_pem,
        )
    )


def _row_of(kind: type[R], packed: pulumi.Output[str], name: str) -> pulumi.Output[R]:
    """Return the row of one client; unknown where a preview has none because it is still to be issued."""

    def row(text: str) -> pulumi.Input[R]:
        lines = _lines_by_client(text).get(name) if text else None  # nothing yet while the roster waits
        return next(records_of_lines(kind, lines)) if lines else _unknown()

    return packed.apply(row)


_lines_by_client = lru_cache(maxsize=3)(lines_by_client)
"""The lines of the three texts that a roster has, unpacked once for all clients that are asked for."""


def _member(row: pulumi.Output[R], member: Callable[[R], Maybe[T]]) -> pulumi.Output[T]:
    """Return one value of a row; an empty one is still to be issued, and so unknown."""

    def found(of_row: R) -> pulumi.Input[T]:
        value = member(of_row)
        return _unknown() if is_unknown(value) or value == "" else value

    return row.apply(found)


def _unknown() -> pulumi.Output[Any]:
    """Return an output that a preview shows as unknown."""
    return pulumi.Output(set(), _future(None), _future(False))  # noqa: FBT003 - whether it is known


def _future(value: Any) -> "asyncio.Future[Any]":
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future
