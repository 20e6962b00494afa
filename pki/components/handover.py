"""Clients that can hand their certificate over to where they are declared from now on."""

from typing import Protocol

import pulumi

from pki.resources import Certificate
from pki.roster.takeover import takeover_text

__all__ = ["MovingClient", "handover_of"]

_HANDED_OVER = ("certificate_pem", "private_key_pem", "generation", "key_generation", "previous", "revoked")


class MovingClient(Protocol):
    """What `take_over` takes: a `ClientCertificate`, or the `client` of a `ClientRoster`."""

    @property
    def handover(self) -> pulumi.Output[str]:
        """The certificate with its key and its generations; a secret."""


def handover_of(issued: Certificate) -> pulumi.Output[str]:
    """Return what hands a certificate over; the text holds its key."""
    outputs = pulumi.Output.all(**{name: getattr(issued, name) for name in _HANDED_OVER})
    return pulumi.Output.secret(outputs.apply(takeover_text))
