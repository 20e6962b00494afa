"""The resource of an authority's slot that somebody else signs, as programs register it."""

import pulumi

from pki.requested_authority.records import RequestedAuthorityArgs, RequestedAuthorityState
from postseal_core.program import RecordResource

__all__ = ["RequestedAuthority"]


class RequestedAuthority(RecordResource):
    """One key of a `ThirdPartyAuthority`: its request, and its certificate once that was signed.

    Args:
        name: Name of the resource.
        args: The record of the slot, which `ThirdPartyAuthority` makes.
        opts: Options of Pulumi. Default: none.

    Attributes:
        name: Name of the resource.
        subject: The distinguished name, as `CN=Example Issuing CA` (RFC 4514).
        awaited: What is to be done, in a sentence: have the request signed, declare the answer; empty for nothing.
        cert_request_pem: The certificate request in PEM (PKCS#10, RFC 2986), to send to the signer.
        issuer: The distinguished name of who signed; empty while nothing is.
        generation: How many different certificates there were until now; 0 while the first is awaited.
        not_before: Valid from this instant on, as `2026-11-26T02:00:00Z` (RFC 3339); empty while nothing is signed.
        not_after: Valid until this instant, inclusive, as `not_before`.
        renew_at: From when on the next certificate is asked for, as `not_before`.
        certificate_pem: The certificate in PEM; empty while nothing is signed.
        chain_pem: The certificate and those above it up to the root, which is left out, in PEM.
        roots_pem: The roots, for trust alone, in PEM.
        fingerprint_sha256: SHA-256 of the certificate: 32 upper-case hex pairs with colons.
        public_key_fingerprint_sha256: SHA-256 of its public key, in the same form.
        serial_number: The serial number in lower-case hexadecimal (RFC 5280 section 4.1.2.2).
    """

    resource_type = "RequestedAuthority"
    state = RequestedAuthorityState

    name: str
    subject: pulumi.Output[str]
    awaited: pulumi.Output[str]
    cert_request_pem: pulumi.Output[str]
    issuer: pulumi.Output[str]
    generation: pulumi.Output[int]
    not_before: pulumi.Output[str]
    not_after: pulumi.Output[str]
    renew_at: pulumi.Output[str]
    certificate_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    roots_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    public_key_fingerprint_sha256: pulumi.Output[str]
    serial_number: pulumi.Output[str]

    def __init__(self, name: str, args: RequestedAuthorityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self.name = name
