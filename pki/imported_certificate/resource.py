"""The resource of a certificate that somebody else signed, as programs register it."""

import pulumi

from pki.imported_certificate.records import ImportedCertificateArgs, ImportedCertificateState
from postseal_core.program import RecordResource

__all__ = ["ImportedCertificate"]


class ImportedCertificate(RecordResource):
    """A certificate signed elsewhere: checked against its key, its names and the clock; its expiry is watched.

    A `ThirdPartyServerCertificate` makes one of it once the answer is there.

    Args:
        name: Name of the resource.
        args: The record of the certificate, which `ThirdPartyServerCertificate` makes.
        opts: Options of Pulumi. Default: none.

    Attributes:
        name: Name of the resource.
        subject: The distinguished name, as `CN=mx1.example.org` (RFC 4514).
        issuer: The distinguished name of who signed it.
        not_before: Valid from this instant on, as `2026-11-26T02:00:00Z` (RFC 3339).
        not_after: Valid until this instant, inclusive, as `not_before`.
        renew_at: When the next one is due to be fetched, 30 days before its end, as `not_before`.
        certificate_pem: The certificate in PEM.
        chain_pem: The certificate and those above it, in PEM.
        fingerprint_sha256: SHA-256 of the certificate: 32 upper-case hex pairs with colons.
        public_key_fingerprint_sha256: SHA-256 of its public key, in the same form.
        serial_number: The serial number in lower-case hexadecimal (RFC 5280 section 4.1.2.2).
    """

    resource_type = "ImportedCertificate"
    state = ImportedCertificateState

    name: str
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
