"""An authority that carries another certificate on: what is declared of it, and what speaks against it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from pki.adoptable import faults_of_authority, faults_of_dates, faults_of_trial
from pki.adoption import carry_on, changes_made, judged, problems_of_differences, settled
from pki.carried import Carried
from pki.carried_words import carried_in_words
from pki.certificate.records import CertificateArgs, CertificateInputs, CertificateState
from pki.declared import declaration_of
from pki.demand import Basis
from pki.extensions import name_text
from pki.fields import DeclaredCertificate
from pki.fingerprint import public_key_fingerprint_sha256
from pki.generations import Cause
from pki.issuing import subject_name
from pki.key_material import held_key
from pki.model import FIRST_SLOT, AuthorityChange
from pki.verification import is_issued_by, load_certificate
from postseal_core.errors import Problem
from postseal_core.plugin.handler import Context
from postseal_core.values import known

__all__ = ["Model", "carried_for", "carried_lines", "hold_model", "problems_of_adoption", "subject_of"]

_ADOPTED: Final = "adopt_certificate_pem"
_CARRIED: Final = "carries_on.certificate_pem"


@dataclass(frozen=True, slots=True)
class Model:
    """The certificate that a declared one carries on, if any, and the declaration that goes with it.

    `judged`: the declaration without what is taken from the certificate as it is, whatever our own rules say of it.
    """

    declared: DeclaredCertificate
    judged: DeclaredCertificate
    problems: tuple[Problem, ...] = ()
    certificate: x509.Certificate | None = None
    carries_on: str = ""
    change: tuple[AuthorityChange, ...] = ()


def hold_model(args: CertificateArgs, context: Context) -> Model:
    """Read the certificate that is adopted or carried on, and settle the declaration by it.

    Raises:
        CertificateError: it cannot be read.
    """
    pem = args.adopt_certificate_pem or (args.carries_on.certificate_pem if args.carries_on else "")
    if not pem:
        return Model(args.declared, args.declared)
    certificate = load_certificate(pem, what=_ADOPTED if args.adopt_certificate_pem else _CARRIED)
    said = args.declared
    change = changes_made(said, certificate, args.change)
    declared = settled(said, certificate, change)
    return Model(
        declared,
        judged(declared, change),
        tuple(problems_of_differences(said, certificate, args.change)),
        certificate,
        context.material.put(pem) if args.carries_on else "",
        change,
    )


def carried_lines(model: Model, basis: Basis) -> dict[str, str]:
    """Return for readers what renewals and later slots carry on; nothing where no certificate is carried on."""
    if model.certificate is None:
        return {}
    return carried_in_words(model.certificate, model.change, has_crl_urls=bool(basis.declared.crl_urls))


def subject_of(args: CertificateArgs, basis: Basis, model: Model) -> str:
    """Return the distinguished name of the next certificate, as readers see it."""
    if model.certificate is None:
        return name_text(subject_name(declaration_of(basis.declared, basis.profile).subject))
    number = args.carries_on.number if args.carries_on else FIRST_SLOT
    carried = carry_on(model.certificate, basis.declared, basis.profile, changes=model.change, number=number)
    return name_text(carried.subject)


def problems_of_adoption(
    args: CertificateArgs, basis: Basis, chain: Sequence[x509.Certificate], context: Context, *, is_new: bool
) -> Iterator[Problem]:
    """Report why a certificate that was made elsewhere cannot be taken over with this key below this issuer.

    `chain`: the issuer and those above it; empty where there is none, or where it is not known yet. Whether it can work
    is judged when it is taken over, not again later: then it is there, and its renewal is what helps.
    """
    certificate = load_certificate(args.adopt_certificate_pem, what=_ADOPTED)
    key = held_key(str(basis.private_key), context)
    if public_key_fingerprint_sha256(key) != public_key_fingerprint_sha256(certificate):
        yield Problem(_ADOPTED, "it does not belong to private_key_pem: hand in the key it was made for")
        return
    if chain and not is_issued_by(certificate, chain[0]):
        yield Problem(_ADOPTED, f"it was not signed by {basis.issuer}: declare the authority that signed it")
        return
    if not is_new:
        return
    faults = [*faults_of_authority(certificate), *faults_of_dates(certificate, context.now)]
    is_tried = not faults and bool(chain or args.issuer is None)
    trial = faults_of_trial(certificate, key, chain, context.now) if is_tried and not context.is_review else ()
    yield from (Problem(_ADOPTED, fault) for fault in (*faults, *trial))


def carried_for(inputs: CertificateInputs, old: CertificateState | None, context: Context) -> Carried | None:
    """Return what the next certificate takes over; None for a leaf, and for an authority's first own certificate.

    A renewal carries the certificate on that it renews. What was changed on purpose is made from the declaration, and
    where an authority was adopted, from its first certificate.
    """
    if not inputs.profile.is_authority:
        return None
    if old is not None and inputs.schedule.cause is not Cause.CHANGED:
        before = load_certificate(known(old.issued.certificate_pem), what="certificate before")
        return Carried(before, before.subject)
    reference = inputs.adopted_certificate or inputs.carries_on
    if not reference:
        return None
    model = load_certificate(context.material.get(reference), what="certificate that is carried on")
    return carry_on(model, inputs.declared, inputs.profile, changes=inputs.change, number=inputs.carries_on_number)
