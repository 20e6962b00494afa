"""Client certificates that somebody else signed, for a key that was made elsewhere."""

from typing import Final

import pulumi
from pydantic import StrictStr

from pki.imported_certificate.records import ImportedCertificateArgs
from pki.imported_certificate.resource import ImportedCertificate
from pki.model import Profile
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import later
from postseal_core.reading import Section

__all__ = ["ThirdPartyClientCertificate"]

_A_KEY: Final = "a key in PEM, which may be an output"


class _OwnArguments(Section):
    """The plain arguments."""

    signed_chain_pem: StrictStr = ""


class ThirdPartyClientCertificate(ImportedCertificate):
    """A certificate of a public authority or a partner that a host presents as its own when it sends.

        identity = pki.ThirdPartyClientCertificate(
            "partner",
            signed_chain_pem=Path("partner.pem").read_text(),
            private_key_pem=config.require_secret("partner-key"),
        )

    Hosted mail services ask for one. It is checked against its key and the clock, and that it may be presented by a
    client (extendedKeyUsage, RFC 5280 section 4.2.1.12); the report shows when it ends, and 30 days before that the
    next one is due. Its outputs are those of an `ImportedCertificate`. Not checked: whether the other side trusts it.

    Args:
        name: Name of the resource and of its file on hosts.
        signed_chain_pem: The certificate and its intermediates, in PEM or PKCS#7, in any order.
        private_key_pem: Its key in PEM, unencrypted; a secret, which may be an output.
        opts: Options of Pulumi. Default: none.

    Attributes:
        private_key_pem: Its key in PEM; a secret.

    Raises:
        ConfigError: everything that is wrong with the arguments, before anything is registered.
    """

    resource_type = "ThirdPartyClientCertificate"

    def __init__(
        self,
        name: str,
        *,
        signed_chain_pem: str,
        private_key_pem: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = Arguments("clients", name, opts)
        own = arguments.section({"signed_chain_pem": signed_chain_pem}, _OwnArguments)
        arguments.expect("private_key_pem", private_key_pem, (str, pulumi.Output), _A_KEY)
        if signed_chain_pem == "":
            arguments.add([Problem("signed_chain_pem", "is empty, expected the certificate and its intermediates")])
        arguments.refuse()
        key = pulumi.Output.secret(private_key_pem)
        args = ImportedCertificateArgs(
            name=name,
            dns_names=(),
            chain_pem=own.signed_chain_pem,
            private_key_pem=later(key),
            profile=Profile.CLIENT,
        )
        super().__init__(name, args, opts)
        self.private_key_pem: pulumi.Output[str] = key
