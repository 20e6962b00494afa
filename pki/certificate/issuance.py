"""Sign the generation that was decided and describe the result, for single certificates and rosters."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509

from pki.carried import Carried
from pki.extensions import serial_number_of
from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.generations import Schedule
from pki.issuing import issue, serial_number_from
from pki.key_material import held_key, issuer_of, load_key
from pki.keys import PrivateKey, PublicKey, generate_private_key, private_key_pem
from pki.model import CertificateDeclaration, KeyAlgorithm, RevocationReason, SerialNumber
from pki.records import NOT_ISSUED, Identity, IssuedCertificate, IssuedGeneration, RevokedIssue
from pki.request import load_request
from pki.verification import chain_pem
from postseal_core.errors import PostsealError
from postseal_core.plugin.handler import Context
from postseal_core.values import UNKNOWN, Maybe

__all__ = [
    "Generation",
    "describe_issued",
    "identity_of",
    "is_same_certificate",
    "is_same_key",
    "sign_generation",
    "without_root",
]

_SERIAL_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class Generation:
    """The content, dates and key of one generation to be signed.

    `issuer_label`, `issuer_key`: see `pki.key_material.HeldIssuer`. `handed_in_key`: reference of a key made elsewhere,
    empty for none; `is_key_elsewhere`: it is that of a request. `carried`: an authority's certificate that this one
    carries on. `kept_key_pem`: the key that the schedule keeps; empty:
    make a new one.
    """

    declaration: CertificateDeclaration
    key_algorithm: KeyAlgorithm
    schedule: Schedule
    issuer_label: str
    issuer_key: Maybe[str]
    handed_in_key: str = ""
    carried: Carried | None = None
    is_key_elsewhere: bool = False
    kept_key_pem: str = field(default="", repr=False)


def sign_generation(generation: Generation, context: Context) -> tuple[x509.Certificate, str]:
    """Sign one generation and return it with its key in PEM, which is empty if the key is elsewhere."""
    key, key_pem = (None, "") if generation.is_key_elsewhere else _key(generation, context)
    public_key = key.public_key() if key else _requested_key(generation, context)
    issuer, _ = issuer_of(generation.issuer_label, generation.issuer_key, context)
    certificate = issue(
        generation.declaration,
        public_key=public_key,
        validity=generation.schedule.validity,
        serial_number=serial_number_from(context.entropy(_SERIAL_BYTES)),
        issuer=issuer,
        signing_key=None if issuer else key,
        carried=generation.carried,
    )
    return certificate, key_pem


def _requested_key(generation: Generation, context: Context) -> PublicKey:
    return load_request(context.material.get(generation.handed_in_key), what="request").public_key


def _key(generation: Generation, context: Context) -> tuple[PrivateKey, str]:
    """Return the key of a generation and its PEM: handed in, kept from before, or new."""
    if generation.handed_in_key:
        return held_key(generation.handed_in_key, context), context.material.get(generation.handed_in_key)
    if generation.kept_key_pem:
        return load_key(generation.kept_key_pem, what="private key", context=context), generation.kept_key_pem
    key = generate_private_key(generation.key_algorithm)
    return key, private_key_pem(key)


def identity_of(certificate: x509.Certificate) -> Identity:
    """Return serial number and fingerprints of a certificate."""
    return Identity(
        fingerprint_sha256=certificate_fingerprint_sha256(certificate),
        public_key_fingerprint_sha256=public_key_fingerprint_sha256(certificate),
        serial_number=SerialNumber(serial_number_of(certificate)),
    )


def without_root(chain: list[x509.Certificate]) -> list[x509.Certificate]:
    """Leave out a self-signed root, which verifiers must have already (RFC 8446 section 4.4.2)."""
    return [certificate for certificate in chain if certificate.subject != certificate.issuer]


def is_same_certificate(schedule: Schedule, issued: IssuedCertificate) -> bool:
    """Return whether the generation that was decided is the one that exists."""
    return (schedule.generation, schedule.validity) == (issued.generation, issued.validity)


def is_same_key(schedule: Schedule, issued: IssuedCertificate) -> bool:
    """Return whether the generation that was decided has the key of the one that exists."""
    return schedule.key_generation == issued.key_generation


def describe_issued(
    *,
    subject: str,
    issuer: str,
    schedule: Schedule,
    old: IssuedCertificate | None,
    certificate: x509.Certificate | None = None,
) -> IssuedCertificate:
    """Return the public description of a certificate: schedule, identities, accepted and revoked generations.

    `issuer`: label for readers. `old`: what there was until now. `certificate`: the one that was signed for this
    schedule; None if the old one stays, or if a preview does not know it yet.
    """
    known = dict(_identities(old))
    decided = {each.generation for each in schedule.revoked} | {each.generation for each in schedule.accepted}
    if strange := sorted(decided - known.keys()):
        raise PostsealError(
            f"the state has no generation {', '.join(map(str, strange))} of {subject}, which its inputs name: "
            "put the state back as this plugin wrote it"
        )
    revoked = tuple(RevokedIssue(schedule=each, identity=known[each.generation]) for each in schedule.revoked)
    current = next((each.schedule for each in revoked if each.schedule.generation == schedule.generation), None)
    pem, identity = _public(schedule, old, certificate)
    return IssuedCertificate(
        subject=subject,
        issuer=issuer,
        issuer_slot=schedule.issuer,
        generation=schedule.generation,
        key_generation=schedule.key_generation,
        validity=schedule.validity,
        renew_at=schedule.renew_at,
        cause=schedule.cause,
        reason=schedule.reason,
        certificate_pem=pem,
        identity=identity,
        previous=tuple(IssuedGeneration(schedule=each, identity=known[each.generation]) for each in schedule.accepted),
        revoked=revoked,
        revoked_at=current.revoked_at if current else None,
        revocation_reason=current.reason if current else RevocationReason.NOT_REVOKED,
    )


def _identities(old: IssuedCertificate | None) -> Iterator[tuple[int, Identity]]:
    """Yield each known generation with its identity, the current one first."""
    if old is None:
        return
    yield from ((each.schedule.generation, each.identity) for each in old.revoked)
    yield from ((each.schedule.generation, each.identity) for each in old.previous)
    yield old.generation, old.identity


def _public(
    schedule: Schedule, old: IssuedCertificate | None, certificate: x509.Certificate | None
) -> tuple[Maybe[str], Identity]:
    """Return the current certificate in PEM and its identity; in a preview, a key that is kept is known already."""
    if certificate:
        return chain_pem([certificate]), identity_of(certificate)
    if old is None:
        return UNKNOWN, NOT_ISSUED
    if is_same_certificate(schedule, old):
        return old.certificate_pem, old.identity
    fingerprint = old.identity.public_key_fingerprint_sha256 if is_same_key(schedule, old) else UNKNOWN
    return UNKNOWN, Identity(public_key_fingerprint_sha256=fingerprint)
