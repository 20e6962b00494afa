"""Server certificates: issued by an own authority, self-signed, or signed by a third party."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_tls as tls

from pki.components.authority import CertificateAuthority
from pki.components.wiring import (
    certificate_args,
    child_options,
    issuer_properties,
    lifetime_properties,
    present,
    subject_properties,
)
from pki.keys import tls_private_key_arguments
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, Profile, Subject
from pki.resources import Certificate, ImportedCertificate, ImportedCertificateArgs

__all__ = ["ServerCertificate", "ThirdPartyServerCertificate"]


class ServerCertificate(pulumi.ComponentResource):
    """A certificate that a host serves; its key is unencrypted, since Postfix must start unattended.

    Signed by `authority`, or by itself with `self_signed=True` (exactly one of the two). `dns_names`: the first is the
    common name unless one is given. Valid 365 days by default. `also_client=True` lets the host use it as a client
    certificate as well; without it that is refused.
    """

    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        dns_names: Sequence[str],
        authority: CertificateAuthority | None = None,
        self_signed: bool = False,
        ip_addresses: Sequence[str] = (),
        common_name: str = "",
        organization: str = "",
        also_client: bool = False,
        key_algorithm: KeyAlgorithm | str = KeyAlgorithm.ECDSA_P256,
        lifetime: LifetimePolicy | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if (authority is None) != self_signed:
            raise pulumi.RunError(f"server certificate {name}: give either an authority or self_signed=True")
        _refuse_nameless(name, dns_names)
        super().__init__("postseal:index:ServerCertificate", name, {}, opts)
        self.name = name
        self.dns_names = tuple(dns_names)
        self.authority = authority
        self.is_client = also_client
        self.match = "certificate"
        content = {
            **subject_properties(Subject(common_name or self.dns_names[0], organization)),
            **present(dns_names=dns_names, ip_addresses=ip_addresses, key_algorithm=KeyAlgorithm(key_algorithm).value),
            **lifetime_properties(lifetime),
            **(issuer_properties(authority) if authority else {}),
        }
        profile = Profile.SERVER_AND_CLIENT if also_client else Profile.SERVER
        args = certificate_args(name, profile, content)
        self.certificate = Certificate(name, args, child_options(self))
        self.certificate_pem = self.certificate.certificate_pem
        self.chain_pem = self.certificate.chain_pem
        self.private_key_pem = self.certificate.private_key_pem
        self.fingerprint_sha256 = self.certificate.fingerprint_sha256
        self.register_outputs({"fingerprint_sha256": self.fingerprint_sha256})


class ThirdPartyServerCertificate(pulumi.ComponentResource):
    """A server certificate for a key of ours that somebody else signs, in two steps.

    First: `up` without `signed_chain_pem` makes the key and `cert_request_pem` to send to the signer, and serves a
    self-signed certificate of the same key until the answer is there. Second: `up` with `signed_chain_pem` (leaf first,
    then intermediates) checks it against the key, the names and the clock, and serves it.
    """

    cert_request_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        dns_names: Sequence[str],
        signed_chain_pem: str | None = None,
        common_name: str = "",
        organization: str = "",
        key_algorithm: KeyAlgorithm | str = KeyAlgorithm.ECDSA_P256,
        lifetime: LifetimePolicy | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        _refuse_nameless(name, dns_names)
        super().__init__("postseal:index:ThirdPartyServerCertificate", name, {}, opts)
        self.name = name
        self.dns_names = tuple(dns_names)
        self.is_client = False
        subject = Subject(common_name or self.dns_names[0], organization)
        arguments = tls_private_key_arguments(KeyAlgorithm(key_algorithm))
        key = tls.PrivateKey(
            f"{name}-key",
            algorithm=arguments.algorithm,
            ecdsa_curve=arguments.ecdsa_curve,
            rsa_bits=arguments.rsa_bits,
            opts=child_options(self),
        )
        self.private_key_pem = key.private_key_pem
        self.cert_request_pem = self._request(key, subject)
        self.certificate: Certificate | ImportedCertificate = (
            self._imported(signed_chain_pem) if signed_chain_pem else self._interim(subject, key_algorithm, lifetime)
        )
        self.certificate_pem = self.certificate.certificate_pem
        self.chain_pem = self.certificate.chain_pem
        self.fingerprint_sha256 = self.certificate.fingerprint_sha256
        self.register_outputs({"cert_request_pem": self.cert_request_pem})

    def _request(self, key: tls.PrivateKey, subject: Subject) -> pulumi.Output[str]:
        request = tls.CertRequest(
            f"{self.name}-request",
            private_key_pem=key.private_key_pem,
            dns_names=list(self.dns_names),
            subject=tls.CertRequestSubjectArgs(
                common_name=subject.common_name, organization=subject.organization or None
            ),
            opts=child_options(self),
        )
        return request.cert_request_pem

    def _imported(self, signed_chain_pem: str) -> ImportedCertificate:
        args = ImportedCertificateArgs(
            name=self.name,
            dns_names=list(self.dns_names),
            chain_pem=signed_chain_pem,
            private_key_pem=self.private_key_pem,
        )
        return ImportedCertificate(self.name, args, child_options(self))

    def _interim(
        self, subject: Subject, key_algorithm: KeyAlgorithm | str, lifetime: LifetimePolicy | None
    ) -> Certificate:
        content: dict[str, Any] = subject_properties(subject) | lifetime_properties(lifetime)
        args = certificate_args(
            self.name,
            Profile.SERVER,
            {"dns_names": list(self.dns_names), "private_key_pem": self.private_key_pem},
            {"key_algorithm": KeyAlgorithm(key_algorithm).value},
            content,
        )
        return Certificate(self.name, args, child_options(self))


def _refuse_nameless(name: str, dns_names: Sequence[str]) -> None:
    if not dns_names:
        raise pulumi.RunError(
            f"server certificate {name}: dns_names is empty, expected the names that clients connect to"
        )
