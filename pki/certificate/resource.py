"""The resource of one certificate, as programs register it."""

from typing import Any

import pulumi

from pki.certificate.records import CertificateArgs, CertificateState
from postseal_core.program import RecordResource

__all__ = ["Certificate"]


class Certificate(RecordResource):
    """A certificate, its key and its schedule; every change is made in place.

    Instants are RFC 3339 texts. `previous` and `revoked` are earlier generations, as plain values of
    `pki.records.IssuedGeneration` and `RevokedIssue`. `revoked_at`: empty where the current generation is not revoked.
    """

    resource_type = "Certificate"
    state = CertificateState

    subject: pulumi.Output[str]
    issuer: pulumi.Output[str]
    issuer_slot: pulumi.Output[str]
    generation: pulumi.Output[int]
    key_generation: pulumi.Output[int]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]
    renew_at: pulumi.Output[str]
    reason: pulumi.Output[str]
    certificate_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    public_key_fingerprint_sha256: pulumi.Output[str]
    serial_number: pulumi.Output[str]
    previous: pulumi.Output[list[Any]]
    revoked: pulumi.Output[list[Any]]
    revoked_at: pulumi.Output[str]
    revocation_reason: pulumi.Output[str]

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self.name = name
