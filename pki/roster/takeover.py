"""Take a certificate over from where it is kept now, a single resource or a roster, without issuing it anew."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from pki.declared import DeclaredCertificate
from pki.demand import Differences
from pki.extensions import extension_of
from pki.issuing import subject_name
from pki.keys import PrivateKey, algorithm_of, load_private_key
from pki.lifetime import LifetimePolicy
from pki.model import Validity
from pki.schedule import AcceptedGeneration, RevokedGeneration, Schedule
from pki.verification import is_issued_by, load_certificate
from postseal_core.errors import CertificateError
from postseal_core.instants import parse_instant

__all__ = ["Takeover", "differences_of_takeover", "parse_takeover", "schedule_of_takeover", "takeover_text"]

_STATE = ("generation", "key_generation", "previous", "revoked", "certificate_pem", "private_key_pem")


@dataclass(frozen=True, slots=True)
class Takeover:
    """A certificate that is handed over, with its key and what is known of its earlier generations."""

    certificate: x509.Certificate
    private_key: PrivateKey = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)


def takeover_text(outputs: Mapping[str, Any]) -> str:
    """Return what hands a certificate over, from the outputs of its resource; the text is a secret."""
    return json.dumps({name: outputs[name] for name in _STATE if name in outputs}, sort_keys=True)


def parse_takeover(text: str, *, what: str) -> Takeover:
    """Read what `takeover_text` made; `what` names the client in messages.

    Raises:
        CertificateError: the text is none of that kind, or the key does not belong to the certificate.
    """
    try:
        # Every number in it is whole, also where a program's runtime knows numbers with a fraction only.
        outputs = json.loads(text, parse_float=lambda number: int(float(number)))
        missing = sorted({*_STATE} - {*outputs})
    except (TypeError, ValueError):
        missing = list(_STATE)
    if missing:
        raise CertificateError(
            f"{what}: nothing to take over, {', '.join(missing)} is missing; pass the `handover` of a client"
        )
    certificate = load_certificate(outputs["certificate_pem"], what=what)
    private_key = load_private_key(outputs["private_key_pem"], what=what)
    if private_key.public_key() != certificate.public_key():
        raise CertificateError(f"{what}: the key handed over does not belong to the certificate")
    return Takeover(certificate, private_key, outputs)


def schedule_of_takeover(takeover: Takeover, policy: LifetimePolicy, issuer_id: str) -> Schedule:
    """Return the schedule that a certificate brings along: its generation, and what of it is accepted or revoked."""
    outputs, certificate = takeover.outputs, takeover.certificate
    validity = Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return Schedule(
        generation=outputs["generation"],
        key_generation=outputs["key_generation"],
        validity=validity,
        renew_at=policy.renew_at(validity),
        reason="taken over as it is",
        issuer_id=issuer_id,
        accepted=tuple(map(_accepted, outputs["previous"])),
        revoked=tuple(map(_revoked, outputs["revoked"])),
    )


def differences_of_takeover(
    takeover: Takeover, declared: DeclaredCertificate, issuer_chain: Sequence[x509.Certificate]
) -> Differences:
    """Return how the certificate is not the one that is declared; where it is not, it is replaced at once.

    `issuer_chain`: issuer first; empty where it is not known yet, then the issuer is not compared.
    """
    is_issuer_changed = bool(issuer_chain) and not is_issued_by(takeover.certificate, issuer_chain[0])
    changes = (*_changed_content(takeover.certificate, declared), *(["issuer"] if is_issuer_changed else []))
    is_key_changed = algorithm_of(takeover.private_key) is not declared.key_algorithm
    return Differences(changes, is_key_changed, is_issuer_changed)


def _changed_content(certificate: x509.Certificate, declared: DeclaredCertificate) -> Iterator[str]:
    if certificate.subject != subject_name(declared.declaration.subject):
        yield "subject"
    if _alt_names(certificate) != _declared_alt_names(declared):
        yield "alternative names"
    if _crl_urls(certificate) != {*declared.declaration.crl_urls}:
        yield "crl_urls"


def _alt_names(certificate: x509.Certificate) -> set[tuple[str, str]]:
    extension = extension_of(certificate, x509.SubjectAlternativeName)
    return {(type(name).__name__, str(name.value)) for name in extension or ()}


def _declared_alt_names(declared: DeclaredCertificate) -> set[tuple[str, str]]:
    alt_names = declared.declaration.alt_names
    return {("DNSName", name) for name in alt_names.dns_names} | {
        ("RFC822Name", name) for name in alt_names.email_addresses
    }


def _crl_urls(certificate: x509.Certificate) -> set[str]:
    points = extension_of(certificate, x509.CRLDistributionPoints)
    return {str(name.value) for point in points or () for name in point.full_name or ()}


def _accepted(entry: Mapping[str, Any]) -> AcceptedGeneration:
    not_after, retire_at = parse_instant(entry["not_after"]), parse_instant(entry["retire_at"])
    return AcceptedGeneration(entry["generation"], not_after, retire_at, entry["issuer_id"])


def _revoked(entry: Mapping[str, Any]) -> RevokedGeneration:
    not_after, revoked_at = parse_instant(entry["not_after"]), parse_instant(entry["revoked_at"])
    return RevokedGeneration(entry["generation"], not_after, revoked_at, entry["reason"])
