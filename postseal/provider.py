"""Entry point of the resource plugin `pulumi-resource-postseal`; the one place where both halves register handlers."""

from typing import Final

from postseal.version import VERSION
from postseal_core.plugin.handler import AnyHandler
from postseal_core.plugin.protocol import load_protocol_alone
from postseal_core.plugin.registry import registry_of

__all__ = ["REGISTRY", "handlers", "main"]

REGISTRY: Final = registry_of(
    {
        "pki.archive.handler:Pkcs12Handler": ("Pkcs12",),
        "pki.certificate.handler:CertificateHandler": ("Certificate", "ClientCertificate", "ServerCertificate"),
        "pki.hand_out.handler:HandOutHandler": ("HandOut",),
        "pki.imported_certificate.handler:ImportedCertificateHandler": (
            "ImportedCertificate",
            "ThirdPartyClientCertificate",
        ),
        "pki.requested_authority.handler:RequestedAuthorityHandler": ("RequestedAuthority",),
        "pki.revocation_list.handler:RevocationListHandler": ("RevocationList",),
        "pki.roster.handler:ClientRosterHandler": ("ClientRoster",),
        "postfix.host_resource.handler:HostHandler": ("MailServer", "PostfixHost", "RelayClient"),
    }
)
"""The handler of every resource type of this package."""

_ALWAYS_NEEDED: Final = "postseal:index:Certificate"


def handlers() -> list[AnyHandler]:
    """Return all handlers, each once."""
    return list(dict.fromkeys(REGISTRY.values()))


def main() -> None:
    """Serve until the engine ends."""
    load_protocol_alone()
    from postseal_core.plugin.server import serve  # noqa: PLC0415 - only now, or it loads the whole SDK

    serve(REGISTRY, version=VERSION, load_first=_ALWAYS_NEEDED)
