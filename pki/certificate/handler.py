"""The resource `Certificate`: one certificate of any profile, with its key and its schedule."""

from dataclasses import replace
from typing import ClassVar, Final

from cryptography import x509

from pki.certificate.carrying import carried_for
from pki.certificate.decision import decide_schedule, distrusted_inputs, hold_certificate
from pki.certificate.issuance import (
    Generation,
    describe_issued,
    is_same_certificate,
    is_same_key,
    sign_generation,
    without_root,
)
from pki.certificate.records import CertificateArgs, CertificateInputs, CertificateState
from pki.certificate.requested import refuse_revoked_key
from pki.certificate.takeover import issued_of_takeover, takeover_of
from pki.declared import declaration_of, policy_of
from pki.extensions import name_text
from pki.fingerprint import certificate_fingerprint_sha256 as fingerprint
from pki.generations import AcceptedGeneration, RevokedGeneration
from pki.key_material import issuer_chain, known_issuer_chain
from pki.model import FIRST_SLOT, Profile, Validity
from pki.records import IssuedCertificate
from pki.schedule import adopted
from pki.schedule_words import steps_between
from pki.verification import chain_pem, load_certificate, load_chain
from postseal_core.instants import format_instant
from postseal_core.plugin.diff import Change, member_of
from postseal_core.plugin.handler import Changes, CheckRequest, Context, HandlerBase
from postseal_core.values import UNKNOWN, is_unknown, known

__all__ = ["CertificateHandler"]

_DATA: Final = ("accepted_generations", "cause", "issuer_slot", "revoked_generations", "revoked_through")
"""Inputs of which a line for readers tells the same change."""

_WORDS: Final = frozenset({"carried", "accepted", "revoked"})
"""Inputs that follow from others: alone they are only other words of a newer plugin."""

_SCHEDULE: Final = frozenset(
    {
        *("generation", "key_generation", "not_before", "not_after", "renew_at", "cause", "reason", "issuer_slot"),
        *("accepted", "accepted_generations", "revoked", "revoked_generations", "revoked_through", "is_outdated"),
    }
)
"""Inputs that one line tells, where the schedule of an existing certificate changes."""


_CONSEQUENCES: Final = {
    Profile.INTERMEDIATE: "whoever checks lists refuses what it has signed; hosts know clients by their fingerprints "
    "and admit those until their overlap ends, or until they are revoked themselves",
    Profile.SERVER: "hosts go on serving it until another one is there: set issue_again, or give them another server",
    Profile.SERVER_AND_CLIENT: "hosts admit it no more, and go on serving it until another one is there: set "
    "issue_again, or give them another server",
}
"""What follows from a revocation beside the entry in a list; of a client its row goes, which every preview shows."""


class CertificateHandler(HandlerBase[CertificateArgs, CertificateInputs, CertificateState]):
    """Decides in Check which generation is due; Create and Update issue exactly that one."""

    type_tokens: ClassVar[tuple[str, ...]] = (
        "postseal:index:Certificate",
        "postseal:index:ClientCertificate",
        "postseal:index:ServerCertificate",
    )
    has_history: ClassVar[bool] = True
    args = CertificateArgs
    inputs = CertificateInputs
    state = CertificateState

    def check(self, request: CheckRequest[CertificateArgs, CertificateInputs], context: Context) -> CertificateInputs:
        """Validate, decide the schedule, and keep keys in memory; the inputs hold only their digests."""
        args = request.new
        if args.is_distrusted:
            return _with_lines(distrusted_inputs(args, request.old, context), request.old)
        held = hold_certificate(args, context, request.old)
        schedule = decide_schedule(args, held, request.old, context)
        crossed = {*args.cross_signers, *(request.old.cross_signers if request.old else ())}
        inputs = CertificateInputs(
            name=args.name,
            profile=args.profile,
            declared=held.basis.declared,
            subject=held.subject,
            issuer=held.basis.issuer,
            schedule=schedule,
            slot=args.slot,
            issuer_key=held.basis.issuer_key,
            private_key=held.basis.private_key,
            is_key_elsewhere=held.is_key_elsewhere,
            adopted_certificate=held.adopted_certificate,
            carries_on=held.carries_on,
            carries_on_number=args.carries_on.number if args.carries_on else FIRST_SLOT,
            change=held.change,
            carried=held.carried,
            taken_over=held.taken_over,
            is_interim=args.is_interim,
            cross_signers=tuple(sorted(crossed)),
        )
        return _with_lines(inputs, request.old)

    def diff(
        self, old: CertificateInputs, state: CertificateState, new: CertificateInputs, changes: Changes
    ) -> Changes:
        """Show each change once: fields are left out where a line for readers tells the same."""
        del old, state
        told = {path: change for path, change in changes.items() if path not in ("taken_over", "generations")}
        if _WORDS.issuperset(map(member_of, told)):
            return {}
        if new.generations and _SCHEDULE.intersection(map(member_of, told)):
            others = {path: change for path, change in told.items() if member_of(path) not in _SCHEDULE}
            return {**others, "generations": Change.ADD}
        shown = {path: change for path, change in told.items() if not path.startswith(_DATA)}
        return shown or told

    def id_of(self, inputs: CertificateInputs) -> str:
        """Return the certificate's name."""
        return inputs.name

    def create(self, inputs: CertificateInputs, context: Context, *, is_preview: bool) -> CertificateState:
        """Issue generation 1, or store the adopted or handed-over certificate."""
        if inputs.taken_over:
            return self.update(_before_takeover(inputs, context), inputs, context, is_preview=is_preview)
        if inputs.adopted_certificate:
            return self.update(_before_adoption(inputs, context), inputs, context, is_preview=is_preview)
        return _planned(inputs, None) if is_preview else _issued(inputs, None, context)

    def update(
        self, old: CertificateState, inputs: CertificateInputs, context: Context, *, is_preview: bool
    ) -> CertificateState:
        """Issue the generation that Check decided, or only store the new schedule."""
        _report(inputs, old.issued, context, is_preview=is_preview)
        if is_same_certificate(inputs.schedule, old.issued):
            return _kept(inputs, old, context, is_preview=is_preview)
        refuse_revoked_key(inputs, old.issued)
        return _planned(inputs, old) if is_preview else _issued(inputs, old, context)


def _with_lines(inputs: CertificateInputs, old: CertificateInputs | None) -> CertificateInputs:
    """Add the lines for readers about accepted and revoked generations, and about what changes."""
    schedule, is_accepted = inputs.schedule, inputs.profile is not Profile.SERVER
    steps = steps_between(old.schedule, schedule, is_accepted=is_accepted) if old else []
    accepted = schedule.accepted if is_accepted else ()
    return replace(
        inputs,
        generations="; ".join(steps),
        accepted_lines={f"generation {each.generation}": _accepted_line(each) for each in accepted},
        revoked_lines={f"generation {each.generation}": _revoked_line(each) for each in schedule.revoked},
    )


def _described(
    inputs: CertificateInputs, old: CertificateState | None, certificate: x509.Certificate | None = None
) -> IssuedCertificate:
    return describe_issued(
        subject=inputs.subject,
        issuer=inputs.issuer,
        schedule=inputs.schedule,
        old=old.issued if old else None,
        certificate=certificate,
    )


def _issued(inputs: CertificateInputs, old: CertificateState | None, context: Context) -> CertificateState:
    """Sign the certificate that Check decided; a key that was handed in is not stored a second time."""
    is_key_kept = old is not None and is_same_key(inputs.schedule, old.issued)
    generation = Generation(
        declaration=declaration_of(inputs.declared, inputs.profile),
        key_algorithm=inputs.declared.key_algorithm,
        schedule=inputs.schedule,
        issuer_label=inputs.issuer,
        issuer_key=inputs.issuer_key,
        handed_in_key=known(inputs.private_key),
        is_key_elsewhere=inputs.is_key_elsewhere,
        kept_key_pem=known(old.private_key_pem) if old and is_key_kept else "",
        carried=carried_for(inputs, old, context),
    )
    certificate, key_pem = sign_generation(generation, context)
    issued = _described(inputs, old, certificate)
    return CertificateState(
        issued=issued,
        chain_pem=_chain(issued, inputs, context),
        private_key_pem="" if generation.handed_in_key else key_pem,
        trusted_pem=_trusted(issued, inputs, old),
        is_interim=inputs.is_interim,
    )


def _planned(inputs: CertificateInputs, old: CertificateState | None) -> CertificateState:
    """Return the outputs of a preview for a certificate that only `up` will sign."""
    is_key_kept = old is not None and is_same_key(inputs.schedule, old.issued)
    own_key = old.private_key_pem if old and is_key_kept else UNKNOWN
    is_handed_in = is_unknown(inputs.private_key) or bool(inputs.private_key)
    return CertificateState(
        issued=_described(inputs, old),
        private_key_pem="" if is_handed_in else own_key,
        trusted_pem=UNKNOWN if _stays_trusted(inputs) else "",
        is_interim=inputs.is_interim,
    )


def _kept(inputs: CertificateInputs, old: CertificateState, context: Context, *, is_preview: bool) -> CertificateState:
    """Return the existing certificate with its current schedule and issuing chain."""
    issued, chain = _described(inputs, old), old.chain_pem
    if inputs.issuer != old.issued.issuer:
        chain = UNKNOWN if is_preview else _chain(issued, inputs, context)
    trusted = _trusted(issued, inputs, old)
    return replace(old, issued=issued, chain_pem=chain, trusted_pem=trusted, is_interim=inputs.is_interim)


def _stays_trusted(inputs: CertificateInputs) -> bool:
    """Return whether an earlier generation is trusted beside the current one: of roots that were made elsewhere."""
    return bool(inputs.adopted_certificate) and inputs.profile is Profile.ROOT and not inputs.is_distrusted


def _trusted(issued: IssuedCertificate, inputs: CertificateInputs, old: CertificateState | None) -> str:
    """Return the current certificate of an adopted root, followed by the earlier ones that have not expired."""
    if not _stays_trusted(inputs):
        return ""
    wanted = {each.identity.fingerprint_sha256 for each in issued.previous}
    before = f"{known(old.issued.certificate_pem)}{known(old.trusted_pem)}" if old else ""
    earlier = [each for each in load_chain(before, what="trusted") if fingerprint(each) in wanted] if before else []
    current = load_certificate(known(issued.certificate_pem), what="certificate")
    return chain_pem(list(dict.fromkeys([current, *earlier])))


def _before_adoption(inputs: CertificateInputs, context: Context) -> CertificateState:
    """Return the state of a certificate that was made elsewhere as if it had been issued here."""
    certificate = load_certificate(context.material.get(inputs.adopted_certificate), what="adopted certificate")
    validity = Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    first = adopted(validity, policy_of(inputs.declared, inputs.profile), inputs.schedule.issuer)
    issued = describe_issued(
        subject=name_text(certificate.subject), issuer=inputs.issuer, schedule=first, old=None, certificate=certificate
    )
    is_chain_known = inputs.schedule.issuer is None or bool(known_issuer_chain(inputs.issuer, context))
    return CertificateState(
        issued=issued,
        chain_pem=_chain(issued, inputs, context) if is_chain_known else UNKNOWN,
        trusted_pem=chain_pem([certificate]) if _stays_trusted(inputs) else "",
        is_interim=inputs.is_interim,
    )


def _before_takeover(inputs: CertificateInputs, context: Context) -> CertificateState:
    """Return the state of a handed-over certificate as if it had been issued here."""
    takeover = takeover_of(inputs.taken_over, context)
    issued = issued_of_takeover(takeover, inputs.issuer)
    is_chain_known = inputs.schedule.issuer is None or bool(known_issuer_chain(inputs.issuer, context))
    return CertificateState(
        issued=issued,
        chain_pem=_chain(issued, inputs, context) if is_chain_known else UNKNOWN,
        private_key_pem=takeover.handover.private_key_pem,
    )


def _chain(issued: IssuedCertificate, inputs: CertificateInputs, context: Context) -> str:
    """Return a certificate in PEM, followed by its issuer's current chain."""
    certificate = load_certificate(known(issued.certificate_pem), what="certificate")
    above = issuer_chain(inputs.issuer, context) if inputs.schedule.issuer else []
    return chain_pem([certificate, *without_root(above)])


def _accepted_line(entry: AcceptedGeneration) -> str:
    issued_by = f"; issued by {entry.issuer.name}" if entry.issuer else ""
    return f"until {format_instant(entry.retire_at)}{issued_by}; not_after {format_instant(entry.not_after)}"


def _revoked_line(entry: RevokedGeneration) -> str:
    return f"{entry.reason} on {format_instant(entry.revoked_at)}; not_after {format_instant(entry.not_after)}"


def _report(inputs: CertificateInputs, old: IssuedCertificate, context: Context, *, is_preview: bool) -> None:
    """Report what is issued, revoked or retired in lines of an `up`, and what follows from it in each preview, too."""
    name, schedule = inputs.name, inputs.schedule
    is_revoked_now = schedule.is_revoked and old.revoked_at is None and not inputs.is_distrusted
    if is_revoked_now and inputs.profile in _CONSEQUENCES:
        context.report(f"{name}: {_CONSEQUENCES[inputs.profile]}")
    if is_preview and not (inputs.taken_over or inputs.adopted_certificate or inputs.profile.is_authority):
        # `generations` and the lines of the hosts say the same there; a line for each leaf would bury the rest.
        return
    if schedule.generation != old.generation:
        context.report(f"{name}: generation {old.generation} -> {schedule.generation}, {schedule.reason}")
    elif schedule.reason != old.reason:
        context.report(f"{name}: {schedule.reason}")
    accepted = {entry.generation for entry in schedule.accepted}
    for entry in old.previous:
        if entry.schedule.generation not in accepted:
            context.report(f"{name}: generation {entry.schedule.generation} is no longer accepted")
