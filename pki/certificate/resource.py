"""The resource of one certificate, as programs register it."""

from typing import Any

import pulumi

from pki.certificate.records import CertificateArgs, CertificateState
from postseal_core.program import RecordResource
from postseal_core.waiting import Awaiting

__all__ = ["Certificate"]


class Certificate(RecordResource):
    """A certificate with its key and its schedule; every change is made in place.

    `ClientCertificate` and `ServerCertificate` are the ones that programs declare; this class is what they have in
    common, and what authorities and interim certificates are.

    Args:
        name: Name of the resource.
        args: The record of the certificate, which the classes that programs use make; or what it waits for.
        opts: Options of Pulumi. Default: none.

    Attributes:
        name: Name of the resource.
        subject: The distinguished name, as `CN=alice@example.org,O=Example` (RFC 4514).
        issuer: Who signed it, for readers: `mail-ca generation 1`; empty where it signed itself.
        issuer_slot: The same as data: `mail-ca/1`, the authority and the number of its key.
        generation: How often it was issued: 1, 2, 3 and so on.
        key_generation: The generation that its key comes from.
        not_before: Valid from this instant on, as `2026-11-26T02:00:00Z` (RFC 3339).
        not_after: Valid until this instant, inclusive, as `not_before`.
        renew_at: The first `pulumi up` from this instant on renews it, as `not_before`.
        reason: Why this generation was issued, in a sentence.
        certificate_pem: The certificate in PEM.
        chain_pem: The certificate and those above it up to the root, which is left out, in PEM.
        trusted_pem: Of an adopted root, the certificate and the one it was renewed from until that expires; else empty.
        private_key_pem: The key in PEM, unencrypted (PKCS#8, RFC 5958); a secret. Empty where it was handed in.
        fingerprint_sha256: SHA-256 of the certificate: 32 upper-case hex pairs with colons, as Postfix looks it up.
        public_key_fingerprint_sha256: SHA-256 of its public key, in the same form.
        serial_number: The serial number in lower-case hexadecimal (RFC 5280 section 4.1.2.2).
        previous: Earlier generations that are still accepted; each a mapping with `generation`, `not_after`,
            `retire_at`, `fingerprint_sha256` and more.
        revoked: Generations that were revoked and have not expired; each a mapping with `generation`, `revoked_at`,
            `reason`, `serial_number` and more.
        revoked_at: When the current generation was revoked, as `not_before`; empty where it is valid.
        revocation_reason: Why it was revoked, in the words of RFC 5280 section 5.3.1; empty where it is valid.
    """

    resource_type = "Certificate"
    state = CertificateState

    name: str
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
    trusted_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    public_key_fingerprint_sha256: pulumi.Output[str]
    serial_number: pulumi.Output[str]
    previous: pulumi.Output[list[Any]]
    revoked: pulumi.Output[list[Any]]
    revoked_at: pulumi.Output[str]
    revocation_reason: pulumi.Output[str]

    def __init__(self, name: str, args: CertificateArgs | Awaiting, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args, opts)
        self.name = name
