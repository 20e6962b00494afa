"""What Check, Create and Update do with a certificate that another resource hands over."""

from typing import Any

from pki.handlers.certificate_issuance import identity_outputs
from pki.roster.takeover import Takeover, parse_takeover
from postseal_core.errors import CertificateError
from postseal_core.instants import format_instant
from postseal_core.plugin.handler import Context
from postseal_core.values import is_unknown

__all__ = ["hold_handover", "outputs_of_takeover", "takeover_of"]


def hold_handover(client: str, text: Any, context: Context) -> str:
    """Put what is handed over for a client into memory and return its reference.

    Raises:
        CertificateError: it is not known yet, it is no hand-over, or the key does not belong to the certificate.
    """
    if is_unknown(text):
        raise CertificateError("is issued or renewed in this very run: run `pulumi up` for it first")
    reference = context.material.put(text)
    context.parsed[reference] = parse_takeover(text, what=f"certificate of {client}")
    return reference


def takeover_of(reference: str, context: Context) -> Takeover:
    """Return what was handed over during this run; raise PostsealError if nothing was."""
    context.material.get(reference)
    takeover: Takeover = context.parsed[reference]
    return takeover


def outputs_of_takeover(takeover: Takeover) -> dict[str, Any]:
    """Return what a resource would have among its outputs if it had issued the certificate; its key is one of them."""
    certificate = takeover.certificate
    return {
        **takeover.outputs,
        **identity_outputs(certificate),
        "subject": certificate.subject.rfc4514_string(),
        "not_before": format_instant(certificate.not_valid_before_utc),
        "not_after": format_instant(certificate.not_valid_after_utc),
    }
