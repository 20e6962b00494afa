"""The resource `Certificate`: one certificate, its key, its schedule."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pki.declared import decode_declared, problems_of_declared
from pki.generations import describe_generations
from pki.handlers.certificate_decision import (
    adoption_problems,
    decide_schedule,
    issuer_problems,
    receive_handover,
)
from pki.handlers.certificate_inputs import PASSED_THROUGH, problems_of_inputs
from pki.handlers.certificate_issuance import chain_of, issue_generation, issued_outputs, keep_known_key
from pki.handlers.handover import outputs_of_takeover, takeover_of
from pki.handlers.key_material import hold_issuer, hold_key, issuer_of, known_issuer_chain
from pki.issuing import subject_name
from pki.schedule import Schedule
from pki.schedule_codec import decode_schedule, encode_schedule
from pki.verification import load_certificate
from postseal_core.errors import PostsealError
from postseal_core.plugin.diff import Change, compare
from postseal_core.plugin.handler import Checked, CheckRequest, Context, Created, HandlerBase
from postseal_core.values import UNKNOWN, Properties

__all__ = ["CertificateHandler"]

_ISSUED = (
    "certificate_pem",
    "chain_pem",
    "private_key_pem",
    "serial_number",
    "fingerprint_sha256",
    "public_key_fingerprint_sha256",
)
_DESCRIBED = ("subject", "issuer", "generation", "key_generation", "not_before", "not_after", "renew_at", "reason")


class CertificateHandler(HandlerBase):
    """Decides in Check what generation is due, and issues exactly that in Create and Update."""

    type_token: ClassVar[str] = "postseal:index:Certificate"
    secret_inputs: ClassVar[frozenset[str]] = frozenset()
    secret_outputs: ClassVar[frozenset[str]] = frozenset({"private_key_pem"})

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Validate, decide the schedule, put key material into memory and its digest into the inputs."""
        new = request.new
        problems = problems_of_inputs(new)
        if problems:
            return Checked({}, tuple(problems))
        declared = decode_declared(new)
        problems = problems_of_declared(declared)
        inputs = {name: new[name] for name in PASSED_THROUGH if name in new}
        inputs |= hold_key(new, context) | hold_issuer(new, context)
        inputs["subject"] = subject_name(declared.declaration.subject).rfc4514_string()
        taken_over, found = receive_handover(request, context)
        problems += issuer_problems(declared, inputs, context) + adoption_problems(inputs, context) + found
        if problems:
            return Checked({}, tuple(problems))
        inputs |= taken_over
        return Checked(inputs | encode_schedule(decide_schedule(declared, new, inputs, request.old, context)))

    def diff(self, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Mapping[str, Change]:
        """Compare the inputs; where a certificate was taken over from is told once, when it comes."""
        del old_outputs
        return compare({name: value for name, value in old_inputs.items() if name != "taken_over"}, new_inputs)

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Issue generation 1, or take the certificate that is adopted or handed over."""
        if "taken_over" in inputs:
            old = _before_takeover(inputs, context, is_preview=is_preview)
            return Created(inputs["name"], self.update(inputs["name"], old, inputs, context, is_preview=is_preview))
        outputs = _described(inputs, {})
        if is_preview:
            outputs |= _planned(inputs)
        elif "adopted_certificate" in inputs:
            certificate = load_certificate(
                context.material.get(inputs["adopted_certificate"]), what="adopted certificate"
            )
            outputs |= issued_outputs(certificate, issuer_of(inputs, context)[1])
        else:
            outputs |= issue_generation(inputs, {}, context)
        return Created(id=inputs["name"], outputs=outputs)

    def update(
        self,
        id: str,
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Issue the generation that Check decided, or only move the schedule; what is accepted stays as it was."""
        del id
        outputs = _described(inputs, old_outputs)
        if _is_same_certificate(inputs, old_outputs):
            outputs |= {name: old_outputs[name] for name in _ISSUED if name in old_outputs}
            if inputs["issuer"] != old_outputs["issuer"]:
                outputs["chain_pem"] = (
                    UNKNOWN if is_preview else chain_of(old_outputs["certificate_pem"], inputs, context)
                )
        elif is_preview:
            outputs |= _planned(inputs)
            keep_known_key(outputs, inputs, old_outputs)
        else:
            outputs |= issue_generation(inputs, old_outputs, context)
        _report(inputs, old_outputs, context)
        return outputs


def _described(inputs: Properties, old_outputs: Properties) -> dict[str, Any]:
    """Return the outputs that follow from the inputs, known in every preview; what is merely declared stays there."""
    described = {name: inputs[name] for name in _DESCRIBED} | {"revoked_at": ""}
    return described | describe_generations(_schedule(inputs), old_outputs)


def _before_takeover(inputs: Properties, context: Context, *, is_preview: bool) -> dict[str, Any]:
    """Return a certificate that is taken over as the outputs it would have here if it had been issued here."""
    outputs = outputs_of_takeover(takeover_of(inputs["taken_over"], context))
    is_pending = is_preview and not known_issuer_chain(inputs, context)
    chain = UNKNOWN if is_pending else chain_of(outputs["certificate_pem"], inputs, context)
    return {"issuer": inputs["issuer"], "reason": "", "chain_pem": chain} | outputs


def _schedule(inputs: Properties) -> Schedule:
    schedule = decode_schedule(inputs)
    if schedule is None:
        raise PostsealError("no schedule was decided for this certificate: its inputs did not pass through Check")
    return schedule


def _is_same_certificate(inputs: Properties, old_outputs: Properties) -> bool:
    return all(inputs[name] == old_outputs[name] for name in ("generation", "not_before", "not_after"))


def _planned(inputs: Properties) -> dict[str, Any]:
    """Return the outputs that only issuing makes known; a key that was handed in is not stored a second time."""
    return {name: UNKNOWN for name in _ISSUED if name != "private_key_pem" or "private_key" not in inputs}


def _report(inputs: Properties, old_outputs: Properties, context: Context) -> None:
    """Show one line for what a reviewer must not miss, also in a plain preview."""
    if inputs["generation"] != old_outputs["generation"]:
        context.report(
            f"{inputs['name']}: generation {old_outputs['generation']} -> {inputs['generation']}, {inputs['reason']}"
        )
    elif inputs["reason"] != old_outputs["reason"]:
        context.report(f"{inputs['name']}: {inputs['reason']}")
    accepted = {entry.generation for entry in _schedule(inputs).accepted}
    for entry in old_outputs["previous"]:
        if entry["generation"] not in accepted:
            context.report(f"{inputs['name']}: generation {entry['generation']} is no longer accepted")
