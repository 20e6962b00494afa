"""Server certificates that a host serves, issued by an own authority or self-signed."""

from typing import Final, Unpack

import pulumi
from pydantic import StrictBool

from pki.arguments import ServerFields
from pki.certificate.records import CertificateArgs
from pki.certificate.resource import Certificate
from pki.components.authority import CertificateAuthority
from pki.components.reading import AN_AUTHORITY, is_missing, read_fields
from pki.components.signing import issuer_args
from pki.fields import SaidBy
from pki.lifetime import LifetimePolicy
from pki.model import Profile
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.reading import Section

__all__ = ["NAMELESS", "ServerCertificate"]

NAMELESS: Final = Problem("dns_names", "is empty, expected the names that clients connect to")


class _OwnArguments(Section):
    """Plain arguments that are no fields of the certificate."""

    self_signed: StrictBool = False
    also_client: StrictBool = False


class ServerCertificate(Certificate):
    """A certificate that a host serves; its key is unencrypted, since Postfix must start unattended.

        mx1 = pki.ServerCertificate("mx1", authority=ca, dns_names=["mx1.example.org"])

    `dns_names`: the first is the common name unless one is given. All further fields: `pki.arguments.ServerFields`.

    `authority`: who signs it; or `self_signed=True`, exactly one of the two.
    `also_client`: the host may use it as a client certificate as well; without it that is refused.
    `lifetime`: valid 365 days by default, renewed after two thirds of it with a new key.

    Attributes: `name`, `authority`, `dns_names`, `is_client`, `match` and the outputs of
    `pki.certificate.resource.Certificate`.

    Raises:
        ConfigError: everything that is wrong with the arguments, before anything is registered.
    """

    resource_type = "ServerCertificate"

    def __init__(
        self,
        name: str,
        *,
        authority: CertificateAuthority | None = None,
        self_signed: bool = False,
        also_client: bool = False,
        lifetime: LifetimePolicy | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **fields: Unpack[ServerFields],
    ) -> None:
        arguments = Arguments("servers", name, opts)
        own = arguments.section({"self_signed": self_signed, "also_client": also_client}, _OwnArguments)
        arguments.expect("authority", authority, (CertificateAuthority, type(None)), AN_AUTHORITY)
        if (authority is None) is not own.self_signed:
            arguments.add([Problem("", "give either an authority or self_signed=True")])
        declared = read_fields(arguments, SaidBy.SERVER, fields, lifetime)
        if is_missing(fields, "dns_names"):
            arguments.add([NAMELESS])
        arguments.refuse()
        args = CertificateArgs(
            name=name,
            profile=Profile.SERVER_AND_CLIENT if own.also_client else Profile.SERVER,
            declared=declared,
            issuer=issuer_args(authority) if authority else None,
        )
        super().__init__(name, args, opts)
        self.authority, self.dns_names = authority, declared.dns_names
        self.is_client, self.match = own.also_client, declared.match
