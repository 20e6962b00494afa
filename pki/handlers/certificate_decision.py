"""What Check does for a certificate: hold key material, find problems, decide the schedule."""

from datetime import UTC, datetime, timedelta

from pki.declared import DeclaredCertificate
from pki.demand import SAME, Differences, demand_of, differences_of
from pki.fingerprint import public_key_fingerprint_sha256
from pki.handlers.handover import hold_handover, takeover_of
from pki.handlers.key_material import known_issuer_chain
from pki.model import Validity
from pki.names import problems_under_issuer
from pki.roster.takeover import differences_of_takeover, schedule_of_takeover
from pki.schedule import Decision, Demand, IssuerWindow, Schedule, adopted, decide
from pki.schedule_codec import decode_schedule
from pki.verification import is_issued_by, load_certificate
from postseal_core.errors import CertificateError, ConfigError, Problem, ScheduleError
from postseal_core.instants import parse_instant
from postseal_core.plugin.handler import CheckRequest, Context
from postseal_core.values import Properties, is_unknown

__all__ = ["adoption_problems", "decide_schedule", "issuer_problems", "issuer_window", "receive_handover"]

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_FAR = datetime(9999, 12, 31, tzinfo=UTC)


def issuer_problems(declared: DeclaredCertificate, inputs: Properties, context: Context) -> list[Problem]:
    """Return what the issuing chain forbids; in a preview of a new authority it is not known yet, and `up` checks."""
    chain = known_issuer_chain(inputs, context)
    return problems_under_issuer(declared.declaration, chain) if chain else []


def adoption_problems(inputs: Properties, context: Context) -> list[Problem]:
    """Return why a certificate that was made elsewhere cannot be taken over as what is declared."""
    if "adopted_certificate" not in inputs:
        return []
    certificate = load_certificate(context.material.get(inputs["adopted_certificate"]), what="adopt_certificate_pem")
    problems = []
    if certificate.subject.rfc4514_string() != inputs["subject"]:
        problems.append(
            f"its subject is {certificate.subject.rfc4514_string()}, declared is {inputs['subject']}: declare the "
            "subject exactly as it is, or the first renewal would change the authority's name"
        )
    key = context.parsed[inputs["private_key"]]
    if public_key_fingerprint_sha256(key.public_key()) != public_key_fingerprint_sha256(certificate):
        problems.append("it does not belong to private_key_pem: hand in the key it was made for")
    chain = known_issuer_chain(inputs, context)
    if chain and not is_issued_by(certificate, chain[0]):
        problems.append(f"it was not signed by {inputs['issuer']}: declare the authority that signed it")
    return [Problem("adopt_certificate_pem", sentence) for sentence in problems]


def receive_handover(request: CheckRequest, context: Context) -> tuple[dict[str, str], list[Problem]]:
    """Hold what is handed over to a resource that has no certificate yet; its reference, and what is wrong with it."""
    if "handover" not in request.new or (request.old and "generation" in request.old):
        return {}, []
    try:
        return {"taken_over": hold_handover(request.new["name"], request.new["handover"], context)}, []
    except CertificateError as error:
        return {}, [Problem("handover", str(error))]


def decide_schedule(
    declared: DeclaredCertificate, new: Properties, inputs: Properties, old: Properties | None, context: Context
) -> Schedule:
    """Return the schedule that holds from now on, and show what is worth a line; raise ConfigError where none can."""
    previous, differences = _what_there_is(declared, inputs, old, context)
    demand = demand_of(declared, issuer_window(new), differences)
    try:
        decision = _adopt_or_decide(previous, demand, inputs, context)
    except ScheduleError as error:
        raise ConfigError([Problem("", str(error))]) from None
    if decision.note:
        context.report(decision.note)
    return decision.schedule


def _what_there_is(
    declared: DeclaredCertificate, inputs: Properties, old: Properties | None, context: Context
) -> tuple[Schedule | None, Differences]:
    """Return the schedule until now, here or where the certificate is taken over from, and how it differs."""
    previous = decode_schedule(old) if old else None
    if old and previous:
        return previous, differences_of(inputs, old)
    if "taken_over" not in inputs:
        return None, SAME
    takeover, chain = takeover_of(inputs["taken_over"], context), known_issuer_chain(inputs, context)
    schedule = schedule_of_takeover(takeover, declared.policy, inputs.get("issuer_id", ""))
    return schedule, differences_of_takeover(takeover, declared, chain)


def _adopt_or_decide(previous: Schedule | None, demand: Demand, inputs: Properties, context: Context) -> Decision:
    if previous is not None or "adopted_certificate" not in inputs:
        return decide(previous, demand, context.now)
    certificate = load_certificate(context.material.get(inputs["adopted_certificate"]), what="adopt_certificate_pem")
    validity = Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    issuer_id = demand.issuer.issuer_id if demand.issuer else ""
    return Decision(adopted(validity, demand.policy, issuer_id), is_issued=False)


def issuer_window(new: Properties) -> IssuerWindow | None:
    """Return when the issuer is valid; an authority that does not exist yet is taken to be valid for ever."""
    if "issuer_name" not in new:
        return None
    validity = Validity(
        _LONG_AGO if is_unknown(new["issuer_not_before"]) else parse_instant(new["issuer_not_before"]),
        _FAR if is_unknown(new["issuer_not_after"]) else parse_instant(new["issuer_not_after"]),
    )
    standby_hours = new.get("issuer_standby_hours")
    usable_from = validity.not_before + timedelta(hours=standby_hours) if standby_hours else None
    return IssuerWindow(new.get("issuer_id", new["issuer_name"]), validity, usable_from)
