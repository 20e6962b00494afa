"""Revocation lists: what an authority has issued and no longer vouches for."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, cast

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.roster import ClientRoster
from pki.components.wiring import child_options, present, signer_properties
from pki.resources import Certificate, ListedCertificate, RevocationListArgs
from pki.resources import RevocationList as RevocationListResource
from postseal_core.errors import ConfigError, Problem

__all__ = ["RevocableCertificate", "RevocationList"]


class RevocableCertificate(Protocol):
    """What a list needs of a certificate: `ClientCertificate` and `ServerCertificate` have it."""

    name: str
    certificate: Certificate

    @property
    def authority(self) -> CertificateAuthority | None:
        """Who signed it; None for a self-signed certificate."""


class RevocationList(pulumi.ComponentResource):
    """The certificate revocation list of an authority (RFC 5280 section 5), signed anew at `up` when that is due.

    `certificates` and `rosters`: all that the authority has issued; what is revoked of it is listed, in the same `up`.
    An entry stays until its certificate has expired, also when the client is no longer declared; only certificateHold
    can be taken back. A client that is removed without having been revoked is not listed. `lifetime_hours`: for how
    long a list may be used (7 days by default); `renew_before_hours`: how long before its end the next `up` signs
    another (half of the lifetime by default). Whoever checks lists refuses everybody once the list has expired: run
    `up` more often than that. `first_crl_number`: where the numbers begin, if lists were signed elsewhere before.

    Not done here: publishing the files that `HandOut(revocation_lists=...)` writes.

    Raises:
        ConfigError: a certificate of another authority.
    """

    crl_pem: pulumi.Output[str]
    crl_number: pulumi.Output[int]
    this_update: pulumi.Output[str]
    next_update: pulumi.Output[str]
    renew_at: pulumi.Output[str]
    revoked: pulumi.Output[list[dict[str, str]]]

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority,
        certificates: Sequence[RevocableCertificate] = (),
        rosters: Sequence[ClientRoster] = (),
        lifetime_hours: int = 168,
        renew_before_hours: int | None = None,
        first_crl_number: int = 1,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        problems = list(_foreign(authority, certificates))
        if problems:
            raise ConfigError(problem.below(f"revocation_lists.{name}") for problem in problems)
        super().__init__("postseal:index:AuthorityRevocationList", name, {}, opts)
        self.name, self.authority = name, authority
        properties: dict[str, Any] = {
            "name": name,
            "authority": authority.name,
            "certificates": [_listed(each) for each in certificates],
            "lifetime_hours": lifetime_hours,
            "first_crl_number": first_crl_number,
            **present(rosters={each.name: each.ledger for each in rosters}, renew_before_hours=renew_before_hours),
            **signer_properties(authority),
        }
        self.resource = RevocationListResource(name, cast("RevocationListArgs", properties), child_options(self))
        self.crl_pem = self.resource.crl_pem
        self.crl_number = self.resource.crl_number
        self.this_update = self.resource.this_update
        self.next_update = self.resource.next_update
        self.renew_at = self.resource.renew_at
        self.revoked = self.resource.revoked
        self.register_outputs({"crl_number": self.crl_number})


def _foreign(authority: CertificateAuthority, certificates: Sequence[RevocableCertificate]) -> Iterator[Problem]:
    for each in certificates:
        if each.authority is not authority:
            signer = each.authority.name if each.authority else "itself"
            yield Problem(
                f"certificates.{each.name}",
                f"was signed by {signer}, and this is the list of {authority.name}: put it on the list of its signer",
            )


def _listed(each: RevocableCertificate) -> ListedCertificate:
    return {
        "name": each.name,
        "serial_number": each.certificate.serial_number,
        "previous": each.certificate.previous,
        "revoked": each.certificate.revoked,
    }
