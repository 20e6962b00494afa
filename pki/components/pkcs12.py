"""PKCS#12 archives: one file with which a mail program learns certificate, key and chain."""

from typing import Annotated, Any, Final

import pulumi
from pydantic import PlainValidator

from pki.archive.records import Pkcs12Args, Pkcs12State
from pki.components.client import ClientCertificate
from pki.model import Pkcs12Profile
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.program import RecordResource, later
from postseal_core.reading import Section
from postseal_core.wording import shown

__all__ = ["Pkcs12"]

_CLIENT: Final = "a client, as pki.ClientCertificate(...)"


def _profile(value: Any) -> Pkcs12Profile:
    if value not in tuple(Pkcs12Profile):
        raise ValueError(f"got {shown(value)}, expected one of {', '.join(Pkcs12Profile)}")
    return Pkcs12Profile(value)


class _OwnArguments(Section):
    """The plain arguments."""

    profile: Annotated[Pkcs12Profile, PlainValidator(_profile)] = Pkcs12Profile.MODERN


class Pkcs12(RecordResource):
    """An archive of a client's certificate, key and CA chain under a passphrase.

        archive = pki.Pkcs12("alice", certificate=alice)

    `certificate`: whose.
    `profile`: `modern` (PBES2 with AES-256) or `legacy` (3DES, for old mail programs that know nothing else).
    `passphrase`: without one it is generated; read it with `pulumi stack output --show-secrets`.
    The archive is made anew only when its content, its profile or its passphrase changes.

    Attributes: `client_name`, `profile` and the outputs.

    Raises:
        ConfigError: everything that is wrong with the arguments, before anything is registered.
    """

    resource_type = "Pkcs12"
    state = Pkcs12State

    archive_p12_base64: pulumi.Output[str]
    passphrase: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        certificate: ClientCertificate,
        profile: Pkcs12Profile | str = Pkcs12Profile.MODERN,
        passphrase: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = Arguments("archives", name, opts)
        own = arguments.section({"profile": profile}, _OwnArguments)
        arguments.expect("certificate", certificate, ClientCertificate, _CLIENT)
        if not isinstance(passphrase, str | pulumi.Output | None):
            arguments.add([Problem("passphrase", "expected a text, or an output")])
        arguments.refuse()
        args = Pkcs12Args(
            name=certificate.name,
            profile=own.profile,
            generation=later(certificate.generation),
            certificate_pem=later(certificate.certificate_pem),
            private_key_pem=later(certificate.private_key_pem),
            ca_pem=later(certificate.authority.issuing_chain_pem),
            passphrase=None if passphrase is None else later(pulumi.Output.secret(passphrase)),
        )
        super().__init__(name, args, opts)
        self.client_name, self.profile = certificate.name, own.profile
