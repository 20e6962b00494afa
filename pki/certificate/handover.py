"""What a certificate is on its way from one resource to another one: made in the program, read in the plugin."""

import json
from dataclasses import dataclass, field
from typing import Annotated

from pki.fields import DeclaredCertificate
from pki.records import IssuedGeneration, RevokedIssue
from postseal_core.records import INLINE, SECRET, encode

__all__ = ["Handover", "handover_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A certificate on its way to where it is declared from now on.

    `declared`: how it is declared where it comes from, with the issuer's `crl_urls` (see `pki.demand.below_issuer`).
    """

    declared: Annotated[DeclaredCertificate, INLINE]
    generation: int
    key_generation: int
    previous: tuple[IssuedGeneration, ...] = ()
    revoked: tuple[RevokedIssue, ...] = ()
    certificate_pem: str
    private_key_pem: Annotated[str, SECRET] = field(repr=False)


def handover_text(handover: Handover) -> str:
    """Return what hands a certificate over; the text holds its key."""
    return json.dumps(encode(handover), sort_keys=True)
