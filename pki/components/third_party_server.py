"""Server certificates that somebody else signs for a key of ours."""

from typing import Final, Unpack

import pulumi
import pulumi_tls as tls
from pydantic import StrictBool, StrictStr

from pki.arguments import RequestFields
from pki.certificate.records import CertificateArgs
from pki.certificate.resource import Certificate
from pki.components.field_texts import describes_fields
from pki.components.reading import is_missing, read_fields
from pki.components.server import NAMELESS
from pki.components.slots import new_private_key
from pki.declared import named
from pki.fields import DeclaredCertificate, SaidBy, fields_said_by
from pki.imported_certificate.records import ImportedCertificateArgs
from pki.imported_certificate.resource import ImportedCertificate
from pki.lifetime import LifetimePolicy
from pki.model import Profile
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import later
from postseal_core.reading import Section

__all__ = ["ThirdPartyServerCertificate"]

_OF_REQUESTS: Final = frozenset(RequestFields.__annotations__)
_NOT_OURS: Final = frozenset(fields_said_by(SaidBy.SERVER)) - _OF_REQUESTS
"""Fields that only have a meaning for what we sign ourselves."""


class _OwnArguments(Section):
    """Plain arguments that are no fields of the certificate."""

    signed_chain_pem: StrictStr = ""
    also_client: StrictBool = False


@describes_fields(RequestFields)
class ThirdPartyServerCertificate(pulumi.ComponentResource):
    """A server certificate for a key of ours that somebody else signs, in two steps.

        mx1 = pki.ThirdPartyServerCertificate("mx1", dns_names=["mx1.example.org"])

    First: `pulumi up` without `signed_chain_pem` makes the key and `cert_request_pem` to send to the signer, and serves
    a self-signed certificate of the same key until the answer is here. Second: `pulumi up` with `signed_chain_pem`
    checks it against the key, the names and the clock, and serves it.

    Args:
        name: Name of the resource and of its file on hosts.
        signed_chain_pem: What the signer sent: the certificate and its intermediates, in PEM or PKCS#7, in any order.
            Default: none, the interim certificate is served.
        also_client: The host presents it as its client certificate, too: what the signer sends must allow that, which
            public authorities no longer do since 2026. Default: false.
        lifetime: Of the interim certificate. Default: 365 days.
        opts: Options of Pulumi. Default: none.
        **fields: The fields of the request; `RequestFields` says what each means.

    Attributes:
        name: Name of the resource.
        dns_names: The host names in it.
        key_algorithm: The algorithm of its key.
        is_client: Whether a host may present it as a client's, too.
        awaits: Empty: while the answer is awaited, its interim certificate is served.
        certificate: The certificate that is served, the interim or the signed one.
        generation: Of an interim certificate; None of a signed one.
        cert_request_pem: The certificate request in PEM (PKCS#10, RFC 2986), to send to the signer.
        certificate_pem: The certificate that is served, in PEM.
        chain_pem: It and those above it, in PEM.
        private_key_pem: Its key in PEM; a secret.
        fingerprint_sha256: SHA-256 of the certificate: 32 upper-case hex pairs with colons.
        not_after: Valid until this instant, inclusive, as `2027-11-26T02:00:00Z` (RFC 3339).

    Raises:
        ConfigError: everything that is wrong with the arguments, before anything is registered.
    """

    cert_request_pem: pulumi.Output[str]
    certificate_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    not_after: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        signed_chain_pem: str | None = None,
        also_client: bool = False,
        lifetime: LifetimePolicy | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **fields: Unpack[RequestFields],
    ) -> None:
        arguments = Arguments("servers", name, opts)
        own = arguments.section({"signed_chain_pem": signed_chain_pem, "also_client": also_client}, _OwnArguments)
        arguments.add(
            Problem(each, "not for a certificate that others sign; leave it out") for each in _NOT_OURS & {*fields}
        )
        declared = named(read_fields(arguments, SaidBy.SERVER, fields, lifetime))
        if is_missing(fields, "dns_names"):
            arguments.add([NAMELESS])
        arguments.refuse()
        super().__init__("postseal:index:ThirdPartyServerCertificate", name, {}, opts)
        self.name, self.dns_names, self.is_client, self.awaits = name, declared.dns_names, own.also_client, ""
        self._profile = Profile.SERVER_AND_CLIENT if own.also_client else Profile.SERVER
        self.key_algorithm = declared.key_algorithm
        key = new_private_key(name, declared.key_algorithm, pulumi.ResourceOptions(parent=self))
        self.private_key_pem = key.private_key_pem
        self.cert_request_pem = self._request(declared)
        self.generation: pulumi.Output[int] | None = None
        self.certificate = self._imported(own.signed_chain_pem) if own.signed_chain_pem else self._interim(declared)
        self.certificate_pem, self.chain_pem = self.certificate.certificate_pem, self.certificate.chain_pem
        self.fingerprint_sha256, self.not_after = self.certificate.fingerprint_sha256, self.certificate.not_after
        self.register_outputs({"cert_request_pem": self.cert_request_pem})

    def _request(self, declared: DeclaredCertificate) -> pulumi.Output[str]:
        subject = tls.CertRequestSubjectArgs(
            common_name=declared.common_name,
            organization=declared.organization or None,
            organizational_unit=declared.organizational_unit or None,
            locality=declared.locality or None,
            province=declared.state_or_province or None,
            country=declared.country or None,
        )
        request = tls.CertRequest(
            f"{self.name}-request",
            private_key_pem=self.private_key_pem,
            dns_names=list(self.dns_names),
            subject=subject,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return request.cert_request_pem

    def _imported(self, signed_chain_pem: str) -> Certificate | ImportedCertificate:
        args = ImportedCertificateArgs(
            name=self.name,
            dns_names=self.dns_names,
            chain_pem=signed_chain_pem,
            private_key_pem=later(self.private_key_pem),
            profile=self._profile,
        )
        return ImportedCertificate(self.name, args, pulumi.ResourceOptions(parent=self))

    def _interim(self, declared: DeclaredCertificate) -> Certificate | ImportedCertificate:
        args = CertificateArgs(
            name=self.name,
            profile=self._profile,
            declared=declared,
            private_key_pem=later(self.private_key_pem),
            is_interim=True,
        )
        interim = Certificate(self.name, args, pulumi.ResourceOptions(parent=self))
        self.generation = interim.generation
        return interim
