"""Ask for an authority's certificate: as it is declared, or as the one that is in use or carried on has it."""

import json
from collections.abc import Sequence

from cryptography import x509

from pki.authority_request import authority_request_pem
from pki.carried import Carried, numbered_name
from pki.certificate.records import CarriedArgs
from pki.declared import declaration_of
from pki.key_material import held_key
from pki.model import Profile
from pki.requested_authority.records import RequestedAuthorityArgs, RequestedAuthorityInputs
from pki.verification import load_certificate
from postseal_core.packing import json_line
from postseal_core.plugin.handler import Context
from postseal_core.records import decode, encode
from postseal_core.values import UNKNOWN, Maybe, is_unknown

__all__ = ["carried_on", "hold_carried", "request_of"]


def carried_on(args: RequestedAuthorityArgs) -> Carried | None:
    """Return the adopted certificate of which this is another key, with the name of this slot; None for none."""
    return _carried(args.carries_on) if args.carries_on else None


def hold_carried(args: RequestedAuthorityArgs, context: Context) -> str:
    """Keep the adopted certificate in memory for `request_of`, and return its reference; empty for none."""
    return context.material.put(json_line(encode(args.carries_on))) if args.carries_on else ""


def request_of(inputs: RequestedAuthorityInputs, chain: Sequence[x509.Certificate], context: Context) -> Maybe[str]:
    """Return the request in PEM; unknown where the key is still to be made.

    `chain`: what was signed, so that it is renewed as it is: a signer may have written more into its name.
    """
    if is_unknown(inputs.private_key):
        return UNKNOWN
    stored = context.material.get(inputs.carries_on) if inputs.carries_on else ""
    carried = _carried(decode(CarriedArgs, json.loads(stored))) if stored else None
    model = Carried(chain[0], chain[0].subject) if chain else carried
    declaration = declaration_of(inputs.declared, Profile.INTERMEDIATE)
    return authority_request_pem(declaration, held_key(inputs.private_key, context), inputs.purposes, model)


def _carried(args: CarriedArgs) -> Carried:
    certificate = load_certificate(args.certificate_pem, what="carries_on.certificate_pem")
    return Carried(certificate, numbered_name(certificate.subject, args.number))
