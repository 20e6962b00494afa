"""The Check step of a certificate: take the keys, find problems, decide the schedule."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cryptography import x509

from pki.adoption import CONSEQUENCES
from pki.certificate.carrying import carried_lines, hold_model, problems_of_adoption, subject_of
from pki.certificate.records import CertificateArgs, CertificateInputs
from pki.certificate.renaming import is_renamed, problems_of_renaming
from pki.certificate.requested import hold_request, impossible_request
from pki.certificate.takeover import (
    differences_of_takeover,
    hold_handover,
    problems_of_moving_from_distrusted,
    schedule_of_takeover,
    takeover_of,
)
from pki.constraints import limits_of_certificate
from pki.declared import policy_of
from pki.declared_checks import problems_of_declared
from pki.demand import SAME, Basis, Differences, below_issuer, demand_of, differences_of
from pki.generations import Cause, Demand, Schedule
from pki.key_material import hold_issuer, hold_key, issuer_window, known_issuer_chain
from pki.model import AuthorityChange, Profile, SlotId, Validity
from pki.schedule import adopted, decide
from pki.verification import load_certificate
from postseal_core.errors import CertificateError, ConfigError, Problem, ScheduleError, refuse
from postseal_core.plugin.handler import Context
from postseal_core.values import is_unknown

__all__ = ["Held", "decide_schedule", "distrusted_inputs", "hold_certificate"]

_ADOPTED = "adopt_certificate_pem"


@dataclass(frozen=True, slots=True)
class Held:
    """Results of Check that Create and Update of the same run need.

    `chain`: of the issuer, issuer first, empty where a preview does not know it. `adopted_certificate`, `taken_over`:
    references of a certificate made elsewhere and of one that another resource hands over, empty for none.
    `carries_on`: the reference of an authority's certificate that this one carries on; `change`: what it has otherwise
    than the one that is adopted or carried on, and `carried` for readers what it has as that one. `subject`: the
    distinguished name, as readers see it.
    """

    basis: Basis
    chain: Sequence[x509.Certificate]
    adopted_certificate: str
    taken_over: str
    subject: str
    carries_on: str = ""
    change: tuple[AuthorityChange, ...] = ()
    is_key_elsewhere: bool = False
    carried: Mapping[str, str] = field(default_factory=dict)


def hold_certificate(args: CertificateArgs, context: Context, old: CertificateInputs | None) -> Held:
    """Put key material into memory and validate everything that is declared; `old`: what is there already.

    Raises:
        ConfigError: everything that is wrong with it.
        CertificateError: a key or certificate that was handed in cannot be read.
    """
    refuse([*_adoption_without_key(args), *_impossible_handover(args), *impossible_request(args)])
    issuer, private_key = hold_issuer(args.issuer, context), hold_key(args.private_key_pem, context)
    chain = known_issuer_chain(issuer.label, context)
    model = hold_model(args, context)
    declared = model.declared
    problems = [
        *model.problems,
        *problems_of_declared(model.judged, args.profile, [limits_of_certificate(each) for each in chain]),
        *problems_of_renaming(args, declared, old),
    ]
    if args.request_pem:
        private_key, declared = hold_request(args, context, problems)
    basis = Basis(below_issuer(declared, args.issuer), args.profile, issuer.label, issuer.key, private_key)
    taken_over = "" if old else _receive(args, context, problems)
    # In a preview in which the key is still to be made known, nothing can be compared with it.
    is_adopted = args.adopt_certificate_pem and not is_unknown(private_key)
    adopted_certificate = context.material.put(args.adopt_certificate_pem) if is_adopted else ""
    if adopted_certificate and not problems:
        problems += problems_of_adoption(args, basis, chain, context, is_new=old is None)
    refuse(problems)
    return Held(
        basis,
        chain,
        adopted_certificate,
        taken_over,
        subject_of(args, basis, model),
        carries_on=model.carries_on,
        change=model.change,
        is_key_elsewhere=bool(args.request_pem),
        carried=carried_lines(model, basis),
    )


def decide_schedule(args: CertificateArgs, held: Held, old: CertificateInputs | None, context: Context) -> Schedule:
    """Decide the schedule from now on, and report the reason to the reviewer.

    Raises:
        ConfigError: the next step must not happen now.
    """
    window, distrusted = issuer_window(args.issuer), args.issuer.distrusted if args.issuer else ()
    before, differences = _what_there_is(held, old, window.slot if window else None, context)
    if old is None and before and distrusted:
        refuse(problems_of_moving_from_distrusted(differences, distrusted, is_chain_known=bool(held.chain)))
    demand = demand_of(
        held.basis.declared,
        args.profile,
        window,
        differences,
        is_key_handed_in=held.basis.private_key != "",
        is_key_elsewhere=held.is_key_elsewhere,
        distrusted=distrusted,
    )
    if held.adopted_certificate:
        # What was signed before may name the old root by its serial number: it stays trusted for as long as it lasts.
        demand = replace(demand, confirm=demand.confirm or window is None)
        before = before or _adopted(held, demand, context)
        demand = replace(demand, changes=demand.changes or _changes_at_adoption(held, old))
    try:
        decision = decide(before, demand, context.now)
    except ScheduleError as error:
        raise ConfigError([Problem("", str(error))]) from None
    if decision.note:
        context.report(f"{args.name}: {decision.note}")
    if decision.is_issued and demand.changes:
        is_renamed_again = args.profile.is_authority and is_renamed(held.basis.declared, old)
        told = {*held.change, *([AuthorityChange.SUBJECT] if is_renamed_again else [])}
        for change in (each for each in AuthorityChange if each in told):
            context.report(f"{args.name}: {CONSEQUENCES[change]}")
    return decision.schedule


def _changes_at_adoption(held: Held, old: CertificateInputs | None) -> tuple[str, ...]:
    return tuple(held.change) if old is None else ()


def distrusted_inputs(args: CertificateArgs, old: CertificateInputs | None, context: Context) -> CertificateInputs:
    """Return the inputs of a distrusted slot: everything as it was, but revoked.

    Raises:
        ConfigError: there is no such slot, or those that certified it stay trusted.
    """
    before = old.schedule if old else None
    try:
        schedule = decide(
            before, demand_of(args.declared, args.profile, None, is_distrusted=True), context.now
        ).schedule
    except ScheduleError as error:
        raise ConfigError([Problem("", str(error))]) from None
    if old is None or before is None:
        raise ConfigError([Problem("", "has no certificate to distrust; leave the slot out")])
    refuse(_problems_of_vouching(old, args))
    return replace(old, schedule=schedule, is_distrusted=True)


def _problems_of_vouching(old: CertificateInputs, args: CertificateArgs) -> Iterator[Problem]:
    """Report each slot that has certified a distrusted one and stays trusted: what it has signed stays good."""
    before = old.schedule
    if before.cause is Cause.DISTRUSTED:
        return
    issuers = (before.issuer, *(each.issuer for each in before.accepted)) if args.issuer else ()
    above = {issuer for issuer in issuers if issuer} - {*(args.issuer.distrusted if args.issuer else ())}
    for slot in sorted(above | {*old.cross_signers} & {*args.trusted_slots}):
        yield Problem(
            "",
            f"is distrusted, but {slot.name}, which certified it, is not: whoever trusts that root would go on "
            "believing what the stolen key signs, since Postfix reads no revocation lists. Distrust "
            f"{slot.name} in the same change, below `slots` of {slot.authority}",
        )


def _adoption_without_key(args: CertificateArgs) -> Iterator[Problem]:
    if args.adopt_certificate_pem and args.private_key_pem is None:
        yield Problem(_ADOPTED, "cannot be adopted without its key: hand in private_key_pem as well")


def _impossible_handover(args: CertificateArgs) -> Iterator[Problem]:
    if args.handover == "":
        return
    if args.profile is not Profile.CLIENT:
        yield Problem("handover", "only a client's certificate can be taken over from another resource")
    if args.private_key_pem is not None:
        yield Problem("handover", "brings its own key along: leave out private_key_pem")


def _receive(args: CertificateArgs, context: Context, problems: list[Problem]) -> str:
    """Keep a handed-over certificate in memory and return its reference; empty if there is none. Adds to `problems`."""
    if args.handover == "":
        return ""
    try:
        return hold_handover(args.name, args.handover, context)
    except CertificateError as error:
        problems.append(Problem("handover", str(error)))
        return ""


def _made_elsewhere(held: Held, context: Context) -> x509.Certificate:
    return load_certificate(context.material.get(held.adopted_certificate), what=_ADOPTED)


def _adopted(held: Held, demand: Demand, context: Context) -> Schedule:
    certificate = _made_elsewhere(held, context)
    validity = Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return adopted(validity, demand.policy, demand.issuer.slot if demand.issuer else None)


def _what_there_is(
    held: Held, old: CertificateInputs | None, slot: SlotId | None, context: Context
) -> tuple[Schedule | None, Differences]:
    """Return the previous schedule, from here or from the previous owner, and the differences to the declaration."""
    basis = held.basis
    if old:
        before = Basis(old.declared, old.profile, old.issuer, old.issuer_key, old.private_key)
        return old.schedule, differences_of(basis, before)
    if not held.taken_over:
        return None, SAME
    takeover = takeover_of(held.taken_over, context)
    policy = policy_of(basis.declared, basis.profile)
    return schedule_of_takeover(takeover, policy, slot), differences_of_takeover(takeover, basis.declared, held.chain)
