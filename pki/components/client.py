"""Client certificates: what a person or a host proves itself with."""

from collections.abc import Sequence

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.handover import MovingClient, handover_of
from pki.components.wiring import (
    certificate_args,
    child_options,
    issuer_properties,
    lifetime_properties,
    present,
    subject_properties,
)
from pki.lifetime import LifetimePolicy
from pki.model import KeyAlgorithm, Profile, Subject
from pki.resources import Certificate
from pki.roster.client_properties import client_names

__all__ = ["ClientCertificate"]


class ClientCertificate(pulumi.ComponentResource):
    """A certificate for client authentication only, with a key of its own that is renewed with it.

    For a person give `email` (an rfc822Name), for a host `dns_names`; `common_name` is the first of them by default.
    `match`: relays accept it by the fingerprint of the `certificate` (default) or of its `public_key`; the latter
    needs a lifetime that keeps the key. `confirm`: earlier generations stay accepted, until they expire, until
    `confirmed_generation` says that the new one is in use. `revoke`: an RFC 5280 reason; relays drop it in the same
    `up`. `issue_again`: a new certificate with a new key after the revocation. `take_over`: who keeps this client's
    certificate until now, as `staff.client("alice")` of a roster: key, generation and what is still accepted go on
    here, and nothing is issued; it says nothing more once the certificate is here.
    """

    certificate_pem: pulumi.Output[str]
    chain_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str]
    fingerprint_sha256: pulumi.Output[str]
    public_key_fingerprint_sha256: pulumi.Output[str]
    not_after: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        email: str = "",
        dns_names: Sequence[str] = (),
        common_name: str = "",
        organization: str = "",
        organizational_unit: str = "",
        locality: str = "",
        state_or_province: str = "",
        country: str = "",
        key_algorithm: KeyAlgorithm | str = KeyAlgorithm.ECDSA_P256,
        lifetime: LifetimePolicy | None = None,
        match: str = "certificate",
        confirm: bool = False,
        confirmed_generation: int = 0,
        revoke: str = "",
        issue_again: bool = False,
        take_over: MovingClient | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("postseal:index:ClientCertificate", name, {}, opts)
        self.name = name
        self.match = match
        self.authority = authority
        names = client_names(email, list(dns_names), common_name)
        subject = Subject(
            names.pop("common_name"), organization, organizational_unit, locality, state_or_province, country
        )
        args = certificate_args(
            name,
            Profile.CLIENT,
            subject_properties(subject),
            present(
                **names,
                key_algorithm=KeyAlgorithm(key_algorithm).value,
                match=match if match != "certificate" else "",
                confirm=confirm,
                confirmed_generation=confirmed_generation or None,
                revoke=revoke,
                issue_again=issue_again,
                handover=take_over.handover if take_over else "",
            ),
            lifetime_properties(lifetime),
            issuer_properties(authority),
        )
        self.certificate = Certificate(name, args, child_options(self))
        self.certificate_pem = self.certificate.certificate_pem
        self.chain_pem = self.certificate.chain_pem
        self.private_key_pem = self.certificate.private_key_pem
        self.fingerprint_sha256 = self.certificate.fingerprint_sha256
        self.public_key_fingerprint_sha256 = self.certificate.public_key_fingerprint_sha256
        self.not_after = self.certificate.not_after
        self.register_outputs({"fingerprint_sha256": self.fingerprint_sha256})

    @property
    def handover(self) -> pulumi.Output[str]:
        """What a roster or another `ClientCertificate` needs to take this certificate over; a secret."""
        return handover_of(self.certificate)
