"""Passing an existing client certificate to a new owner: the message from program to plugin."""

import json
from dataclasses import dataclass, field
from typing import Annotated

from pki.fields import DeclaredCertificate
from pki.records import IssuedGeneration, RevokedIssue
from postseal_core.records import INLINE, SECRET, encode

__all__ = ["Handover", "handover_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The certificate, key and schedule that the new owner needs.

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
    """Return the hand-over message; it contains the private key."""
    return json.dumps(encode(handover), sort_keys=True)
