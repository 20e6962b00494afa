"""Private PKI as Pulumi code: authorities, server and client certificates that renew without locking anyone out.

The public names are loaded on first use, so that programs which need no Pulumi (the plugin, the report) start quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pki.components.authority import AdoptedAuthority, CertificateAuthority, IntermediateAuthority
    from pki.components.client import ClientCertificate
    from pki.components.debug_log import withhold_outputs_from_debug_log
    from pki.components.handout import HandOut
    from pki.components.pkcs12 import Pkcs12
    from pki.components.revocation_list import RevocationList
    from pki.components.roster import ClientRoster, RosterClient
    from pki.components.server import ServerCertificate
    from pki.components.third_party_server import ThirdPartyServerCertificate
    from pki.lifetime import LifetimePolicy
    from pki.model import KeyAlgorithm, NameConstraints
    from pki.rollover import Slots
    from pki.roster.reading import parse_csv, parse_yaml
    from postseal_core.errors import ConfigError

__all__ = [
    "AdoptedAuthority",
    "CertificateAuthority",
    "ClientCertificate",
    "ClientRoster",
    "ConfigError",
    "HandOut",
    "IntermediateAuthority",
    "KeyAlgorithm",
    "LifetimePolicy",
    "NameConstraints",
    "Pkcs12",
    "RevocationList",
    "RosterClient",
    "ServerCertificate",
    "Slots",
    "ThirdPartyServerCertificate",
    "parse_csv",
    "parse_yaml",
    "withhold_outputs_from_debug_log",
]

_HOMES = {
    "AdoptedAuthority": "pki.components.authority",
    "CertificateAuthority": "pki.components.authority",
    "ClientCertificate": "pki.components.client",
    "ClientRoster": "pki.components.roster",
    "ConfigError": "postseal_core.errors",
    "HandOut": "pki.components.handout",
    "IntermediateAuthority": "pki.components.authority",
    "KeyAlgorithm": "pki.model",
    "LifetimePolicy": "pki.lifetime",
    "NameConstraints": "pki.model",
    "Pkcs12": "pki.components.pkcs12",
    "RevocationList": "pki.components.revocation_list",
    "RosterClient": "pki.components.roster",
    "ServerCertificate": "pki.components.server",
    "Slots": "pki.rollover",
    "ThirdPartyServerCertificate": "pki.components.third_party_server",
    "parse_csv": "pki.roster.reading",
    "parse_yaml": "pki.roster.reading",
    "withhold_outputs_from_debug_log": "pki.components.debug_log",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pki' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
