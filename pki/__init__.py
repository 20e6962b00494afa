"""Private PKI as Pulumi code: authorities, server and client certificates that renew without locking anyone out.

The public names are loaded on first use, so that programs which need no Pulumi (the plugin, the report) start quickly.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pki.arguments import AuthorityFields, ClientFields, RequestFields, RosterFields, ServerFields
    from pki.certificate.resource import Certificate
    from pki.components.authority import AdoptedAuthority, AuthoritySlot, CertificateAuthority, IntermediateAuthority
    from pki.components.client import ClientCertificate
    from pki.components.debug_log import withhold_outputs_from_debug_log
    from pki.components.handed_rosters import RosterHandOut
    from pki.components.handout import HandOut
    from pki.components.pkcs12 import Pkcs12
    from pki.components.revocation_list import RevocationList
    from pki.components.roster import ClientRoster, RosterClient
    from pki.components.roster_files import parse_csv, parse_yaml
    from pki.components.server import ServerCertificate
    from pki.components.third_party_authority import ThirdPartyAuthority
    from pki.components.third_party_client import ThirdPartyClientCertificate
    from pki.components.third_party_server import ThirdPartyServerCertificate
    from pki.fields import ArchiveWord, Match
    from pki.imported_certificate.resource import ImportedCertificate
    from pki.lifetime import LifetimePolicy
    from pki.model import AuthorityChange, KeyAlgorithm, NameConstraints, Pkcs12Profile, RevocationReason, SlotId
    from pki.requested_authority.resource import RequestedAuthority
    from pki.rollover import Slots
    from pki.roster.rows import RosterRow
    from postseal_core.errors import ConfigError, Problem
else:
    from importlib import import_module

    _HOMES = {
        "pki.arguments": ("AuthorityFields", "ClientFields", "RequestFields", "RosterFields", "ServerFields"),
        "pki.certificate.resource": ("Certificate",),
        "pki.components.authority": (
            "AdoptedAuthority",
            "AuthoritySlot",
            "CertificateAuthority",
            "IntermediateAuthority",
        ),
        "pki.components.client": ("ClientCertificate",),
        "pki.components.debug_log": ("withhold_outputs_from_debug_log",),
        "pki.components.handed_rosters": ("RosterHandOut",),
        "pki.components.handout": ("HandOut",),
        "pki.components.pkcs12": ("Pkcs12",),
        "pki.components.revocation_list": ("RevocationList",),
        "pki.components.roster": ("ClientRoster", "RosterClient"),
        "pki.components.roster_files": ("parse_csv", "parse_yaml"),
        "pki.components.server": ("ServerCertificate",),
        "pki.components.third_party_client": ("ThirdPartyClientCertificate",),
        "pki.components.third_party_authority": ("ThirdPartyAuthority",),
        "pki.components.third_party_server": ("ThirdPartyServerCertificate",),
        "pki.fields": ("ArchiveWord", "Match"),
        "pki.imported_certificate.resource": ("ImportedCertificate",),
        "pki.lifetime": ("LifetimePolicy",),
        "pki.model": (
            "AuthorityChange",
            "KeyAlgorithm",
            "NameConstraints",
            "Pkcs12Profile",
            "RevocationReason",
            "SlotId",
        ),
        "pki.requested_authority.resource": ("RequestedAuthority",),
        "pki.rollover": ("Slots",),
        "pki.roster.rows": ("RosterRow",),
        "postseal_core.errors": ("ConfigError", "Problem"),
    }

    # Hidden from type checkers: to them, a module with `__getattr__` has every name that somebody mistypes.
    def __getattr__(name: str) -> object:
        """Load a public name from its module."""
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        raise AttributeError(f"module 'pki' has no attribute {name!r}")


__all__ = [
    "AdoptedAuthority",
    "ArchiveWord",
    "AuthorityChange",
    "AuthorityFields",
    "AuthoritySlot",
    "Certificate",
    "CertificateAuthority",
    "ClientCertificate",
    "ClientFields",
    "ClientRoster",
    "ConfigError",
    "HandOut",
    "ImportedCertificate",
    "IntermediateAuthority",
    "KeyAlgorithm",
    "LifetimePolicy",
    "Match",
    "NameConstraints",
    "Pkcs12",
    "Pkcs12Profile",
    "Problem",
    "RequestFields",
    "RequestedAuthority",
    "RevocationList",
    "RevocationReason",
    "RosterClient",
    "RosterFields",
    "RosterHandOut",
    "RosterRow",
    "ServerCertificate",
    "ServerFields",
    "SlotId",
    "Slots",
    "ThirdPartyAuthority",
    "ThirdPartyClientCertificate",
    "ThirdPartyServerCertificate",
    "parse_csv",
    "parse_yaml",
    "withhold_outputs_from_debug_log",
]


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
