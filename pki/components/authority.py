"""Certificate authorities: a protected key and a certificate of its own, root or intermediate."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_tls as tls

from pki.components.wiring import (
    certificate_args,
    child_options,
    issuer_properties,
    lifetime_properties,
    name_constraints_properties,
    present,
    subject_properties,
)
from pki.keys import tls_private_key_arguments
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, NameConstraints, Profile, Subject
from pki.resources import Certificate

__all__ = ["AdoptedAuthority", "CertificateAuthority", "IntermediateAuthority"]


@dataclass(frozen=True, slots=True)
class AdoptedAuthority:
    """An authority that was made elsewhere (with openssl, easy-rsa) and is taken over with its key and certificate.

    Both PEM; the key unencrypted and secret. The subject must be declared exactly as the certificate has it. The
    certificate stays as it is until its renewal is due.
    """

    certificate_pem: str
    private_key_pem: pulumi.Input[str] = field(repr=False)


class CertificateAuthority(pulumi.ComponentResource):
    """A root of trust with its own key: signs what names it as `authority`.

    Protected unless `opts` says `protect=False`: losing its key means a new certificate for everybody.
    `path_length` 0 forbids authorities below it, None sets no limit. `key_algorithm` ECDSA-P256 by default. Validity
    10 years, renewed with the same key after two thirds of it, unless `lifetime` says otherwise.
    Its certificate is checked by the plugin before anything is made; a wrong name or limit fails the preview.
    """

    certificate_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        common_name: str,
        organization: str = "",
        organizational_unit: str = "",
        locality: str = "",
        state_or_province: str = "",
        country: str = "",
        key_algorithm: KeyAlgorithm | str = KeyAlgorithm.ECDSA_P256,
        path_length: int | None = None,
        name_constraints: NameConstraints | None = None,
        crl_urls: Sequence[str] = (),
        lifetime: LifetimePolicy | None = None,
        adopt: AdoptedAuthority | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self.name = name
        subject = Subject(common_name, organization, organizational_unit, locality, state_or_province, country)
        content = subject_properties(subject) | present(path_length=path_length, crl_urls=crl_urls)
        content |= name_constraints_properties(name_constraints or NameConstraints()) | lifetime_properties(lifetime)
        self._declare(content, KeyAlgorithm(key_algorithm), adopt, None, opts)

    def _declare(
        self,
        content: dict[str, Any],
        key_algorithm: KeyAlgorithm,
        adopt: AdoptedAuthority | None,
        issuer: "CertificateAuthority | None",
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Register the component, its key and its certificate."""
        options = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(protect=True), opts)
        kind = "IntermediateAuthority" if issuer else "CertificateAuthority"
        super().__init__(f"postseal:index:{kind}", self.name, {}, options)
        self.private_key_pem = _key(self.name, key_algorithm, adopt, self)
        args = certificate_args(
            self.name,
            Profile.INTERMEDIATE if issuer else Profile.ROOT,
            {"key_algorithm": key_algorithm.value, "private_key_pem": self.private_key_pem},
            content,
            issuer_properties(issuer) if issuer else {},
            {"adopt_certificate_pem": adopt.certificate_pem} if adopt else {},
        )
        self.certificate = Certificate(self.name, args, child_options(self))
        self.certificate_pem = self.certificate.certificate_pem
        self.fingerprint_sha256 = self.certificate.fingerprint_sha256
        self.root: CertificateAuthority = issuer.root if issuer else self
        self.issuing_chain_pem: pulumi.Output[str] = (
            pulumi.Output.concat(self.certificate_pem, issuer.issuing_chain_pem) if issuer else self.certificate_pem
        )
        self.register_outputs({"fingerprint_sha256": self.fingerprint_sha256})


class IntermediateAuthority(CertificateAuthority):
    """An authority that another one vouches for; to any depth that the path lengths above it allow.

    Validity 5 years, renewed with the same key after two thirds of it, unless `lifetime` says otherwise.
    """

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        common_name: str,
        organization: str = "",
        organizational_unit: str = "",
        locality: str = "",
        state_or_province: str = "",
        country: str = "",
        key_algorithm: KeyAlgorithm | str = KeyAlgorithm.ECDSA_P256,
        path_length: int | None = 0,
        name_constraints: NameConstraints | None = None,
        crl_urls: Sequence[str] = (),
        lifetime: LifetimePolicy | None = None,
        adopt: AdoptedAuthority | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self.name = name
        subject = Subject(common_name, organization, organizational_unit, locality, state_or_province, country)
        content = subject_properties(subject) | present(path_length=path_length, crl_urls=crl_urls)
        content |= name_constraints_properties(name_constraints or NameConstraints()) | lifetime_properties(lifetime)
        self._declare(content, KeyAlgorithm(key_algorithm), adopt, authority, opts)


def _key(
    name: str, key_algorithm: KeyAlgorithm, adopt: AdoptedAuthority | None, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Return the key that is adopted, or the one that the engine keeps for this authority."""
    if adopt:
        return pulumi.Output.secret(adopt.private_key_pem)
    arguments = tls_private_key_arguments(key_algorithm)
    key = tls.PrivateKey(
        f"{name}-key",
        algorithm=arguments.algorithm,
        ecdsa_curve=arguments.ecdsa_curve,
        rsa_bits=arguments.rsa_bits,
        opts=child_options(parent),
    )
    return key.private_key_pem
