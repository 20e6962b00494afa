"""Build certificate revocation lists: the same entries, number, dates and issuer always give the same bytes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from pki.extensions import is_authority
from pki.issuing import Issuer
from pki.keys import is_deterministic
from pki.model import RevocationReason
from postseal_core.errors import CertificateError
from postseal_core.instants import format_instant

__all__ = ["REVOCATION_REASONS", "RevokedCertificate", "build_crl"]

_MAX_CRL_NUMBER = 2**159 - 1  # RFC 5280 section 5.2.3: at most 20 octets, and positive

REVOCATION_REASONS: Final = tuple(reason for reason in RevocationReason if reason)
"""Every reason that can stand on a list."""


@dataclass(frozen=True, slots=True)
class RevokedCertificate:
    """One entry of a CRL; `reason` is one of `REVOCATION_REASONS`, `revoked_at` an aware datetime of whole seconds."""

    serial_number: int
    revoked_at: datetime
    reason: RevocationReason = RevocationReason.UNSPECIFIED


def build_crl(
    *,
    issuer: Issuer,
    entries: Sequence[RevokedCertificate],
    crl_number: int,
    this_update: datetime,
    next_update: datetime,
) -> x509.CertificateRevocationList:
    """Return a signed complete CRL (RFC 5280 section 5) that verifiers may use until `next_update`.

    `crl_number` must grow from list to list. Not checked: whether this issuer has issued the serial numbers.

    Raises:
        CertificateError: the issuer may not sign CRLs, dates that make no sense, an unknown reason, a serial number
            that is listed twice or is not positive, or a number out of range. The message has one line for each.
    """
    refusals = [
        *_list_refusals(issuer, crl_number, this_update, next_update),
        *_entry_refusals(entries, this_update),
    ]
    if refusals:
        raise CertificateError("\n".join(refusals))
    builder = (
        # The list is handed over as a whole: adding entries one by one copies it each time.
        x509.CertificateRevocationListBuilder(revoked_certificates=[_encode(entry) for entry in entries])
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(issuer.authority_key_identifier, critical=False)
        .add_extension(x509.CRLNumber(crl_number), critical=False)
    )
    key = issuer.private_key
    return builder.sign(key, issuer.signature_hash, ecdsa_deterministic=is_deterministic(key))


def _list_refusals(issuer: Issuer, crl_number: int, this_update: datetime, next_update: datetime) -> Iterator[str]:
    name = issuer.certificate.subject.rfc4514_string()
    if not is_authority(issuer.certificate, signs="crl_sign"):
        yield f"{name} may not sign CRLs: it needs cRLSign in keyUsage (RFC 5280 section 4.2.1.3)"
    if next_update <= this_update:
        yield (
            f"CRL of {name}: got next_update {format_instant(next_update)}, expected an instant after this_update"
            f" {format_instant(this_update)}"
        )
    if not 0 <= crl_number <= _MAX_CRL_NUMBER:
        yield f"CRL of {name}: got crl_number {crl_number}, expected a number of at most 20 octets, not below 0"


def _entry_refusals(entries: Sequence[RevokedCertificate], this_update: datetime) -> Iterator[str]:
    seen: set[int] = set()
    for entry in entries:
        serial = f"serial number {entry.serial_number:x}"
        if entry.serial_number < 1:
            yield f"{serial}: expected a positive number"
        if entry.serial_number in seen:
            yield f"{serial}: is listed twice, expected one entry for each certificate"
        if entry.reason not in REVOCATION_REASONS:
            yield f"{serial}: got reason '{entry.reason}', expected one of {', '.join(REVOCATION_REASONS)}"
        if entry.revoked_at > this_update:
            yield f"{serial}: got revoked_at {format_instant(entry.revoked_at)}, expected no later than this_update"
        seen.add(entry.serial_number)


def _encode(entry: RevokedCertificate) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(entry.serial_number).revocation_date(entry.revoked_at)
    if entry.reason != RevocationReason.UNSPECIFIED:  # RFC 5280 section 5.3.1: then the extension should be absent
        builder = builder.add_extension(x509.CRLReason(x509.ReasonFlags(entry.reason)), critical=False)
    return builder.build()
