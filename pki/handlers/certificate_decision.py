"""What Check does for a certificate: hold key material, find problems, decide the schedule."""

from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from pki.errors import ConfigError, Problem, ScheduleError
from pki.fingerprint import public_key_fingerprint_sha256
from pki.handlers.certificate_inputs import CONTENT_PROPERTIES, DeclaredCertificate
from pki.handlers.schedule_codec import decode_schedule
from pki.keys import load_private_key
from pki.model import Validity, parse_instant
from pki.names import problems_under_issuer
from pki.plugin.handler import Context
from pki.plugin.values import UNKNOWN, Properties, contains_unknown, is_unknown
from pki.schedule import Decision, Demand, IssuerWindow, Schedule, adopted, decide
from pki.verification import load_certificate, load_chain

__all__ = ["adoption_problems", "decide_schedule", "hold_issuer", "hold_key", "issuer_chain", "issuer_problems"]

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_FAR = datetime(9999, 12, 31, tzinfo=UTC)


def hold_key(new: Properties, context: Context) -> dict[str, Any]:
    """Put a key that was handed in into memory; the inputs keep the digest of its public half."""
    pem = new.get("private_key_pem")
    if pem is None:
        return {}
    if is_unknown(pem):
        return {"private_key": UNKNOWN}
    reference = _key_reference(pem, "private_key_pem", context)
    held = {"private_key": reference}
    if "adopt_certificate_pem" in new:
        held["adopted_certificate"] = context.material.put(new["adopt_certificate_pem"])
    return held


def hold_issuer(new: Properties, context: Context) -> dict[str, Any]:
    """Put the issuer's key and chain into memory; the inputs keep its name, generation and the key's digest."""
    if "issuer_name" not in new:
        return {"issuer": "itself"}
    issuer = f"{new['issuer_name']} generation {new['issuer_generation']}"
    if contains_unknown([new["issuer_private_key_pem"], new["issuer_chain_pem"]]):
        return {"issuer": issuer, "issuer_key": UNKNOWN}
    reference = _key_reference(new["issuer_private_key_pem"], "issuer_private_key_pem", context)
    context.material.keep(f"chain of {issuer}", new["issuer_chain_pem"])
    return {"issuer": issuer, "issuer_key": reference}


def _key_reference(pem: str, what: str, context: Context) -> str:
    """Return the digest of a key's public half: it stays the same when only the PEM is written differently."""
    memo = f"reference {context.material.put(pem)}"
    if memo not in context.parsed:
        key = load_private_key(pem, what=what)
        reference = "sha256:" + public_key_fingerprint_sha256(key.public_key()).replace(":", "").lower()
        context.parsed[memo], context.parsed[reference] = reference, key
        context.material.keep(reference, pem)
    return str(context.parsed[memo])


def issuer_problems(declared: DeclaredCertificate, inputs: Properties, context: Context) -> list[Problem]:
    """Return what the issuing chain forbids; in a preview of a new authority it is not known yet, and `up` checks."""
    if is_unknown(inputs.get("issuer_key", UNKNOWN)):
        return []
    return problems_under_issuer(declared.declaration, issuer_chain(inputs, context))


def adoption_problems(declared: DeclaredCertificate, inputs: Properties, context: Context) -> list[Problem]:
    if "adopted_certificate" not in inputs:
        return []
    certificate = load_certificate(context.material.get(inputs["adopted_certificate"]), what="adopt_certificate_pem")
    problems = []
    if certificate.subject.rfc4514_string() != inputs["subject"]:
        problems.append(
            Problem(
                "adopt_certificate_pem",
                f"its subject is {certificate.subject.rfc4514_string()}, declared is {inputs['subject']}: declare the "
                "subject exactly as it is, or the first renewal would change the authority's name",
            )
        )
    key = context.parsed[inputs["private_key"]]
    if public_key_fingerprint_sha256(key.public_key()) != public_key_fingerprint_sha256(certificate):
        problems.append(
            Problem("adopt_certificate_pem", "it does not belong to private_key_pem: hand in the key it was made for")
        )
    del declared
    return problems


def decide_schedule(
    declared: DeclaredCertificate, new: Properties, inputs: Properties, old: Properties | None, context: Context
) -> Schedule:
    previous = decode_schedule(old) if old else None
    demand = Demand(
        policy=declared.policy,
        issuer=_issuer_window(new),
        changes=_changes(inputs, old) if old and previous else (),
        is_key_changed=_is_key_changed(inputs, old) if old and previous else False,
        confirm=declared.confirm,
        confirmed_generation=declared.confirmed_generation,
        revoke_reason=declared.revoke,
        issue_again=declared.issue_again,
        fail_beyond_issuer=declared.fail_beyond_issuer,
    )
    try:
        decision = _adopt_or_decide(previous, demand, inputs, context)
    except ScheduleError as error:
        raise ConfigError([Problem("", str(error))]) from None
    if decision.note:
        context.report(decision.note)
    return decision.schedule


def _adopt_or_decide(previous: Schedule | None, demand: Demand, inputs: Properties, context: Context) -> Decision:
    if previous is not None or "adopted_certificate" not in inputs:
        return decide(previous, demand, context.now)
    certificate = load_certificate(context.material.get(inputs["adopted_certificate"]), what="adopt_certificate_pem")
    validity = Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    issuer_id = demand.issuer.issuer_id if demand.issuer else ""
    return Decision(adopted(validity, demand.policy, issuer_id), is_issued=False)


def _issuer_window(new: Properties) -> IssuerWindow | None:
    if "issuer_name" not in new:
        return None
    not_before, not_after = new["issuer_not_before"], new["issuer_not_after"]
    return IssuerWindow(
        issuer_id=new.get("issuer_id", new["issuer_name"]),
        validity=Validity(
            _LONG_AGO if is_unknown(not_before) else parse_instant(not_before),
            _FAR if is_unknown(not_after) else parse_instant(not_after),
        ),
    )


def _changes(inputs: Properties, old: Properties) -> tuple[str, ...]:
    """Return the words for what a new certificate is needed for; an unknown issuer key is one that will change."""
    changed = [name for name in CONTENT_PROPERTIES if (inputs.get(name) or None) != (old.get(name) or None)]
    if inputs.get("path_length") != old.get("path_length") and "path_length" not in changed:
        changed.append("path_length")
    if inputs.get("issuer_id") != old.get("issuer_id") or inputs.get("issuer_key") != old.get("issuer_key"):
        changed.append(f"issuer is now {inputs['issuer']}")
    return tuple(changed)


def _is_key_changed(inputs: Properties, old: Properties) -> bool:
    is_other_algorithm = inputs.get("key_algorithm") != old.get("key_algorithm")
    return is_other_algorithm or inputs.get("private_key") != old.get("private_key")
