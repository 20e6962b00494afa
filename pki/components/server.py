"""Server certificates that a host serves, issued by an own authority or self-signed."""

from typing import Final, Unpack

import pulumi
from pydantic import StrictBool

from pki.arguments import ServerFields
from pki.certificate.records import CertificateArgs
from pki.certificate.resource import Certificate
from pki.components.authority import CertificateAuthority
from pki.components.field_texts import describes_fields
from pki.components.reading import AN_AUTHORITY, is_missing, read_fields
from pki.components.signing import issuer_args
from pki.components.waiting import unless_waiting
from pki.declared_issuer import problems_below_issuer
from pki.fields import SaidBy
from pki.identities import identities_of
from pki.lifetime import LifetimePolicy
from pki.model import Profile
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.reading import Section
from postseal_core.values import is_deferred

__all__ = ["NAMELESS", "ServerCertificate"]

NAMELESS: Final = Problem("dns_names", "is empty, expected the names that clients connect to")


class _OwnArguments(Section):
    """Plain arguments that are no fields of the certificate."""

    self_signed: StrictBool = False
    also_client: StrictBool = False


@describes_fields(ServerFields)
class ServerCertificate(Certificate):
    """A certificate that a host serves; its key is unencrypted, since Postfix must start unattended.

        mx1 = pki.ServerCertificate("mx1", authority=ca, dns_names=["mx1.example.org"])

    `dns_names` must be said. Its outputs are those of a `Certificate`.

    Args:
        name: Name of the resource and of its file on hosts.
        authority: Who signs it. Default: none; then `self_signed` must be true.
        self_signed: It signs itself, with nobody above; exactly one of this and an authority. Default: false.
        also_client: The host may use it as a client certificate as well; without it that is refused. Default: false.
        lifetime: How long it is valid and when it is renewed. Default: 365 days, renewed after two thirds of it with a
            new key.
        opts: Options of Pulumi. Default: none.
        **fields: The fields of the certificate; `ServerFields` says what each means.

    Attributes:
        authority: Who signs it; None where it signs itself.
        dns_names: The host names in it.
        key_algorithm: The algorithm of its key.
        is_client: Whether it may be used as a client certificate, too.
        match: What relays know it by, where it is a client.
        identities: Its hosts and addresses, as a host compares them with those of others.

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
        is_known = not (is_deferred(authority) or is_deferred(self_signed))
        if is_known and (authority is None) is not own.self_signed:
            arguments.add([Problem("", "give either an authority or self_signed=True")])
        declared = read_fields(arguments, SaidBy.SERVER, fields, lifetime)
        if is_missing(fields, "dns_names"):
            arguments.add([NAMELESS])
        arguments.refuse()
        profile = Profile.SERVER_AND_CLIENT if own.also_client else Profile.SERVER
        if authority:
            arguments.add(problems_below_issuer(declared, profile, authority.declared_issuer))
            arguments.refuse()
        args = CertificateArgs(
            name=name,
            profile=profile,
            declared=declared,
            issuer=issuer_args(authority) if authority else None,
        )
        super().__init__(name, unless_waiting(authority, args), opts)
        self.authority, self.dns_names = authority, declared.dns_names
        self.key_algorithm = declared.key_algorithm
        self.is_client, self.match = own.also_client, declared.match
        self.identities = tuple(identities_of(declared))
