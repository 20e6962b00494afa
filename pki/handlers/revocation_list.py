"""The resource `RevocationList`: the certificate revocation list of one authority, numbered and signed when due."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from cryptography.hazmat.primitives.serialization import Encoding

from pki.crl_schedule import CrlDemand, CrlEntry, CrlPolicy, CrlSchedule, decide_crl
from pki.crl_schedule_codec import decode_crl_schedule, encode_crl_schedule
from pki.extensions import is_authority
from pki.handlers.key_material import hold_issuer, issuer_of, known_issuer_chain
from pki.revocation import RevokedCertificate, build_crl
from postseal_core.errors import PostsealError, Problem
from postseal_core.instants import format_instant, parse_instant
from postseal_core.packing import unpack_records
from postseal_core.plugin.handler import Checked, CheckRequest, Context, Created, HandlerBase
from postseal_core.values import UNKNOWN, Properties, contains_unknown, is_unknown

__all__ = ["RevocationListHandler"]

_PLAIN = ("name", "authority", "lifetime_hours", "renew_before_hours", "first_crl_number")
_DATES = ("this_update", "next_update", "renew_at")


class RevocationListHandler(HandlerBase):
    """Decides in Check what is listed and when a list is signed; Create and Update sign exactly that."""

    type_token: ClassVar[str] = "postseal:index:RevocationList"

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Validate, decide number, dates and entries; entries of certificates that are no longer declared stay."""
        new = request.new
        problems = [*_unknown_problems(new)] or [*_policy(new).problems(), *_number_problems(new)]
        if problems:
            return Checked({}, tuple(problems))
        inputs = {name: new[name] for name in _PLAIN if name in new}
        inputs |= hold_issuer(new, context)
        problems = [*_issuer_problems(inputs, context)]
        if problems:
            return Checked({}, tuple(problems))
        decision = decide_crl(
            decode_crl_schedule(request.old) if request.old else None, _demand(new, inputs, request.old), context.now
        )
        if decision.note:
            context.report(decision.note)
        return Checked(inputs | encode_crl_schedule(decision.schedule))

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Sign the first list."""
        return Created(inputs["name"], _described(inputs) | _signed(inputs, context, is_preview=is_preview))

    def update(
        self,
        id: str,
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Sign the list that was decided, or keep the one there is."""
        if inputs["crl_number"] == old_outputs["crl_number"]:
            return _described(inputs) | {"crl_pem": old_outputs["crl_pem"]}
        numbers = f"{old_outputs['crl_number']} -> {inputs['crl_number']}"
        context.report(f"{inputs['authority']}: list {numbers}, {inputs['reason']}")
        return _described(inputs) | _signed(inputs, context, is_preview=is_preview)


def _unknown_problems(new: Properties) -> Iterator[Problem]:
    for name in _PLAIN:
        if is_unknown(new.get(name)):
            yield Problem(name, "must be known before `pulumi up`, not the output of another resource")
    unknown = [
        f"certificates.{each['name']}"
        for each in new["certificates"]
        if contains_unknown([each["revoked"], each["previous"]])
    ]
    unknown += [f"rosters.{name}" for name, ledger in new.get("rosters", {}).items() if is_unknown(ledger)]
    for path in unknown:
        yield Problem(path, "what is revoked of it is not known yet: run `pulumi up` for it first")


def _number_problems(new: Properties) -> Iterator[Problem]:
    if new.get("first_crl_number", 1) < 1:
        yield Problem("first_crl_number", f"got {new['first_crl_number']}, expected a number from 1 up")


def _issuer_problems(inputs: Properties, context: Context) -> Iterator[Problem]:
    """Yield what keeps the authority from signing lists; one that is still to be made can."""
    for certificate in known_issuer_chain(inputs, context)[:1]:
        if not is_authority(certificate, signs="crl_sign"):
            yield Problem(
                "authority",
                f"{certificate.subject.rfc4514_string()} may not sign revocation lists: its keyUsage lacks cRLSign "
                "(RFC 5280 section 4.2.1.3); an adopted authority gets it with its next renewal",
            )


def _policy(properties: Properties) -> CrlPolicy:
    given = {name: properties[name] for name in ("lifetime_hours", "renew_before_hours") if name in properties}
    return CrlPolicy(**given)


def _demand(new: Properties, inputs: Properties, old: Properties | None) -> CrlDemand:
    certificates = [*new["certificates"]]
    certificates += [each for ledger in new.get("rosters", {}).values() for each in unpack_records(ledger)]
    is_key_changed = old is not None and old["issuer_key"] != inputs["issuer_key"]
    return CrlDemand(
        policy=_policy(new),
        revoked=tuple(_entry(each["name"], generation) for each in certificates for generation in each["revoked"]),
        in_use=frozenset(number for each in certificates for number in _serial_numbers(each)),
        new_issuer_key=inputs["issuer"] if is_key_changed else "",
        first_crl_number=new.get("first_crl_number", 1),
    )


def _entry(name: str, generation: Mapping[str, Any]) -> CrlEntry:
    return CrlEntry(
        name=name,
        generation=generation["generation"],
        serial_number=int(generation["serial_number"], 16),
        not_after=parse_instant(generation["not_after"]),
        revoked_at=parse_instant(generation["revoked_at"]),
        reason=generation["reason"],
    )


def _serial_numbers(certificate: Mapping[str, Any]) -> Iterator[int]:
    """Yield the serial numbers that a certificate uses; one that is still to be issued was never revoked."""
    for generation in (certificate, *certificate["previous"]):
        serial_number = generation.get("serial_number", UNKNOWN)
        if not is_unknown(serial_number):
            yield int(serial_number, 16)


def _schedule(inputs: Properties) -> CrlSchedule:
    schedule = decode_crl_schedule(inputs)
    if schedule is None:
        raise PostsealError("nothing was decided for this revocation list: its inputs did not pass through Check")
    return schedule


def _described(inputs: Properties) -> dict[str, Any]:
    """Return the outputs that follow from the inputs, known in every preview."""
    return {name: inputs[name] for name in ("name", "authority", "crl_number", *_DATES)} | {
        "revoked": [
            {
                "name": entry.name,
                "serial_number": f"{entry.serial_number:x}",
                "revoked_at": format_instant(entry.revoked_at),
                "reason": entry.reason,
            }
            for entry in _schedule(inputs).entries
        ]
    }


def _signed(inputs: Properties, context: Context, *, is_preview: bool) -> dict[str, Any]:
    if is_preview:
        return {"crl_pem": UNKNOWN}
    issuer, _ = issuer_of(inputs, context)
    if issuer is None:
        raise PostsealError("no authority was handed in to sign this revocation list")
    schedule = _schedule(inputs)
    crl = build_crl(
        issuer=issuer,
        entries=[
            RevokedCertificate(entry.serial_number, entry.revoked_at, entry.reason, entry.not_after)
            for entry in schedule.entries
        ],
        crl_number=schedule.crl_number,
        this_update=schedule.this_update,
        next_update=schedule.next_update,
    )
    return {"crl_pem": crl.public_bytes(Encoding.PEM).decode("ascii")}
