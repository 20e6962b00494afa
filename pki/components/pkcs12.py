"""PKCS#12 archives: one file with which a mail program learns certificate, key and chain."""

import pulumi

from pki.components.client import ClientCertificate
from pki.components.wiring import child_options
from pki.resources import Pkcs12Archive, Pkcs12ArchiveArgs

__all__ = ["Pkcs12"]


class Pkcs12(pulumi.ComponentResource):
    """An archive of a client's certificate, key and CA chain under a passphrase.

    `profile`: `modern` (PBES2 with AES-256) or `legacy` (3DES, for old mail programs that know nothing else).
    Without a `passphrase` one is generated; read it with `pulumi stack output --show-secrets`.
    The archive is made anew only when its content, its profile or its passphrase changes.
    """

    archive_p12_base64: pulumi.Output[str]
    passphrase: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        certificate: ClientCertificate,
        profile: str = "modern",
        passphrase: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("postseal:index:Pkcs12Archive", name, {}, opts)
        self.client_name, self.profile = certificate.name, profile
        args = Pkcs12ArchiveArgs(
            name=certificate.name,
            profile=profile,
            generation=certificate.certificate.generation,
            certificate_pem=certificate.certificate_pem,
            private_key_pem=certificate.private_key_pem,
            ca_pem=certificate.authority.issuing_chain_pem,
        )
        if passphrase is not None:
            args["passphrase"] = pulumi.Output.secret(passphrase)
        archive = Pkcs12Archive(name, args, child_options(self))
        self.archive_p12_base64 = archive.archive_p12_base64
        self.passphrase = archive.passphrase
        self.register_outputs({})
