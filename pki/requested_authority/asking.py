"""Ask for an authority's certificate: as it is declared, or as the one that is in use or carried on has it."""

import json
from collections.abc import Sequence

from cryptography import x509

from pki.authority_request import authority_request_pem
from pki.carried import Carried, numbered_name
from pki.carried_words import carried_in_words
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

__all__ = ["carried_on", "hold_carried", "request_of", "what_is_otherwise"]


def carried_on(args: RequestedAuthorityArgs) -> Carried | None:
    """Return the adopted certificate of which this is another key, with the name of this slot; None for none."""
    return _carried(args.carries_on) if args.carries_on else None


def hold_carried(args: RequestedAuthorityArgs, context: Context) -> str:
    """Keep the adopted certificate in memory for `request_of`, and return its reference; empty for none."""
    return context.material.put(json_line(encode(args.carries_on))) if args.carries_on else ""


def request_of(inputs: RequestedAuthorityInputs, chain: Sequence[x509.Certificate], context: Context) -> Maybe[str]:
    """Return the request in PEM; unknown where the key is still to be made, or is not at hand.

    `chain`: what was signed, so that it is renewed as it is: a signer may have written more into its name.
    """
    if is_unknown(inputs.private_key) or context.is_review:
        return UNKNOWN
    stored = context.material.get(inputs.carries_on) if inputs.carries_on else ""
    carried = _carried(decode(CarriedArgs, json.loads(stored))) if stored else None
    model = Carried(chain[0], chain[0].subject) if chain else carried
    declaration = declaration_of(inputs.declared, Profile.INTERMEDIATE)
    return authority_request_pem(declaration, held_key(inputs.private_key, context), inputs.purposes, model)


def what_is_otherwise(before_pem: str, chain: Sequence[x509.Certificate]) -> str:
    """Return in words which extensions a renewal has otherwise than the certificate before, for whoever reviews it.

    Empty where there is none of the two, and where they agree. Identifiers of keys are judged with the answer.
    """
    if not before_pem or not chain:
        return ""
    before, now = (
        carried_in_words(each, (), has_crl_urls=False)
        for each in (load_certificate(before_pem, what="certificate before"), chain[0])
    )
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return "; ".join(f"{name} was {_said(before.get(name))} and is {_said(now.get(name))}" for name in names)


def _said(words: str | None) -> str:
    return "not there" if words is None else f"({words})"


def _carried(args: CarriedArgs) -> Carried:
    certificate = load_certificate(args.certificate_pem, what="carries_on.certificate_pem")
    return Carried(certificate, numbered_name(certificate.subject, args.number))
