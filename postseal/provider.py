"""Entry point of the resource plugin `pulumi-resource-postseal`; the one place where both halves register handlers."""

from importlib.metadata import version

from pki.handlers.certificate import CertificateHandler
from pki.handlers.client_roster import ClientRosterHandler
from pki.handlers.hand_out import HandOutHandler
from pki.handlers.imported_certificate import ImportedCertificateHandler
from pki.handlers.pkcs12_archive import Pkcs12Handler
from pki.handlers.revocation_list import RevocationListHandler
from postfix.handlers.deployment import DeploymentHandler
from postseal_core.plugin.handler import Handler
from postseal_core.plugin.protocol import load_protocol_alone

__all__ = ["handlers", "main"]


def handlers() -> list[Handler]:
    """Return one handler for every resource type of this package."""
    return [
        CertificateHandler(),
        ClientRosterHandler(),
        DeploymentHandler(),
        HandOutHandler(),
        ImportedCertificateHandler(),
        Pkcs12Handler(),
        RevocationListHandler(),
    ]


def main() -> None:
    """Serve until the engine ends."""
    load_protocol_alone()
    from postseal_core.plugin.server import serve  # noqa: PLC0415 - only now, or it loads the whole SDK

    serve(handlers(), version=version("postseal"))
