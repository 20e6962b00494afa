"""Take over an existing client certificate from a single resource or a roster, without re-issuing it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from pki.certificate.handover import Handover
from pki.certificate.issuance import identity_of
from pki.declared import moved_differences
from pki.demand import Differences
from pki.fields import FIELDS, DeclaredCertificate
from pki.generations import Cause, Schedule
from pki.key_material import load_key
from pki.keys import PrivateKey
from pki.lifetime import LifetimePolicy
from pki.model import SlotId, Validity
from pki.records import IssuedCertificate
from pki.verification import chain_pem, is_issued_by, load_certificate
from postseal_core.errors import CertificateError, ConfigError, Problem
from postseal_core.plugin.handler import Context
from postseal_core.records import decode
from postseal_core.values import Maybe, is_unknown

__all__ = [
    "Takeover",
    "differences_of_takeover",
    "hold_handover",
    "issued_of_takeover",
    "parse_handover",
    "problems_of_moving_from_distrusted",
    "schedule_of_takeover",
    "takeover_of",
]


@dataclass(frozen=True, slots=True)
class Takeover:
    """A certificate that was handed over, read and checked."""

    handover: Handover
    certificate: x509.Certificate
    private_key: PrivateKey = field(repr=False)

    @property
    def validity(self) -> Validity:
        """When the certificate is valid."""
        return Validity(self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc)


def parse_handover(text: str, *, what: str, context: Context) -> Takeover:
    """Read what `handover_text` made; `what` names the client in messages.

    Raises:
        CertificateError: the text is none of that kind, or the key does not belong to the certificate.
    """
    handover = _decoded(text, what)
    certificate = load_certificate(handover.certificate_pem, what=what)
    private_key = load_key(handover.private_key_pem, what=what, context=context)
    if private_key.public_key() != certificate.public_key():
        raise CertificateError(f"{what}: the key handed over does not belong to the certificate")
    return Takeover(handover, certificate, private_key)


def _decoded(text: str, what: str) -> Handover:
    try:
        # Every number in it is whole, also where a program's runtime knows numbers with a fraction only.
        plain = json.loads(text, parse_float=lambda number: int(float(number)))
        return decode(Handover, plain)
    except ConfigError as error:
        wrong = ", ".join(dict.fromkeys(problem.path for problem in error.problems if problem.path))
        sentence = f"{wrong} is missing or unreadable" if wrong else "it is no hand-over"
    except (ValueError, OverflowError):
        sentence = "it is no hand-over"
    raise CertificateError(f"{what}: nothing to take over, {sentence}; pass the `handover` of a client")


def hold_handover(client: str, text: Maybe[str], context: Context) -> str:
    """Put what is handed over for a client into memory and return its reference.

    Raises:
        CertificateError: it is not known yet, it is no hand-over, or the key does not belong to the certificate.
    """
    if is_unknown(text):
        raise CertificateError("is issued or renewed in this very run: run `pulumi up` for it first")
    reference = context.material.put(text)
    context.memory.put(Takeover, reference, parse_handover(text, what=f"certificate of {client}", context=context))
    return reference


def takeover_of(reference: str, context: Context) -> Takeover:
    """Return the handed-over certificate; raise PostsealError if this run received none."""
    text = context.material.get(reference)
    return context.memory.made_once(
        Takeover, reference, lambda: parse_handover(text, what="certificate", context=context)
    )


def schedule_of_takeover(takeover: Takeover, policy: LifetimePolicy, issuer: SlotId | None) -> Schedule:
    """Return the schedule of a handed-over certificate, with accepted and revoked generations."""
    handover, validity = takeover.handover, takeover.validity
    revoked = tuple(each.schedule for each in handover.revoked)
    is_revocation_declared = bool(handover.declared.revoke)
    return Schedule(
        generation=handover.generation,
        key_generation=handover.key_generation,
        validity=validity,
        renew_at=policy.renew_at(validity),
        cause=Cause.TAKEN_OVER,
        reason="taken over as it is",
        issuer=issuer,
        accepted=tuple(each.schedule for each in handover.previous),
        revoked=revoked,
        revoked_through=max((each.generation for each in revoked), default=0) if is_revocation_declared else 0,
    )


def differences_of_takeover(
    takeover: Takeover, declared: DeclaredCertificate, issuer_chain: Sequence[x509.Certificate]
) -> Differences:
    """Return the differences between handed-over certificate and declaration; any difference causes a new issue.

    `declared`: as `pki.demand.below_issuer` returns it. `issuer_chain`: issuer first; empty where it is not known yet,
    then the issuer is not compared.
    """
    there = takeover.handover.declared
    is_issuer_changed = bool(issuer_chain) and not is_issued_by(takeover.certificate, issuer_chain[0])
    changed = [name for name in moved_differences(declared, there) if FIELDS[name].is_content]
    changes = (*changed, *(["issuer"] if is_issuer_changed else []))
    return Differences(changes, declared.key_algorithm is not there.key_algorithm, is_issuer_changed)


def problems_of_moving_from_distrusted(
    differences: Differences, distrusted: Sequence[SlotId], *, is_chain_known: bool
) -> Iterator[Problem]:
    """Report a move in the run that distrusts a slot: a hand-over does not say which slot signed the certificate."""
    if differences.is_issuer_changed or not is_chain_known:
        names = ", ".join(slot.name for slot in distrusted)
        yield Problem(
            "handover", f"cannot be taken over while {names} is distrusted: run `pulumi up` first, then move it"
        )


def issued_of_takeover(takeover: Takeover, issuer: str) -> IssuedCertificate:
    """Describe a handed-over certificate as if it had been issued here by `issuer` (a label)."""
    handover, certificate, validity = takeover.handover, takeover.certificate, takeover.validity
    return IssuedCertificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=issuer,
        generation=handover.generation,
        key_generation=handover.key_generation,
        validity=validity,
        renew_at=validity.not_after,
        cause=Cause.TAKEN_OVER,
        reason="",
        certificate_pem=chain_pem([certificate]),
        identity=identity_of(certificate),
        previous=handover.previous,
        revoked=handover.revoked,
    )
