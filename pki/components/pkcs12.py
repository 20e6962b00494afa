"""PKCS#12 archives: one file from which a mail program imports certificate, key and chain."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import pulumi
from pydantic import PlainValidator

from pki.archive.records import Pkcs12Args, Pkcs12State
from pki.components.client import ClientCertificate
from pki.components.waiting import unless_waiting
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
    """An archive of a client's certificate, key and chain under a passphrase, for mail programs (PKCS#12, RFC 7292).

        archive = pki.Pkcs12("alice", certificate=alice)

    It is made anew only when its content, its profile or its passphrase changes.

    Args:
        name: Name of the resource.
        certificate: Whose archive it is. A key of ED25519 is told in the preview: Thunderbird cannot import it.
        profile: `modern` (PBES2 with AES-256), or `legacy` (3DES with SHA-1, for old mail programs that know nothing
            else). Default: `modern`.
        passphrase: What opens it, which may be an output; kept as a secret. Default: one is made; read it with
            `pulumi stack output --show-secrets`.
        opts: Options of Pulumi. Default: none.

    Attributes:
        client_name: The name of the client.
        profile: How it is encrypted.
        archive_p12_base64: The archive in base64; a secret.
        passphrase: What opens it; a secret.

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
        profile: Pkcs12Profile | Literal["modern", "legacy"] = Pkcs12Profile.MODERN,
        passphrase: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        arguments = Arguments("archives", name, opts)
        own = arguments.section({"profile": profile}, _OwnArguments)
        if arguments.expect("certificate", certificate, ClientCertificate, _CLIENT):
            arguments.add(_problems_of_key(certificate))
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
            key_algorithm=certificate.key_algorithm,
        )
        super().__init__(name, unless_waiting(certificate, args), opts)
        self.client_name, self.profile = certificate.name, own.profile


def _problems_of_key(certificate: ClientCertificate) -> Iterator[Problem]:
    if not certificate.has_key:
        message = f"the key of {certificate.name} is where its request was made, so no archive can be made here"
        yield Problem("certificate", message)
