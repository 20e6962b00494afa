"""The resource of a certificate that somebody else signed, as programs register it."""

import pulumi

from pki.imported_certificate.records import ImportedCertificateArgs, ImportedCertificateState
from postseal_core.program import RecordResource

__all__ = ["ImportedCertificate"]


class ImportedCertificate(RecordResource):
    """A certificate signed elsewhere: checked against its key, its names and the clock; its expiry is watched."""

    resource_type = "ImportedCertificate"
    state = ImportedCertificateState

    subject: pulumi.Output[str]
    issuer: pulumi.Output[str]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]
    renew_at: pulumi.Output[str]
    certificate_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    public_key_fingerprint_sha256: pulumi.Output[str]
    serial_number: pulumi.Output[str]

    def __init__(self, name: str, args: ImportedCertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self.name = name
