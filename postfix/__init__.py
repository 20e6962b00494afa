"""Postfix TLS as Pulumi code: hosts that serve, admit and present certificates.

The public names are loaded on first use, so that programs which need no Pulumi start quickly.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postfix.components.admission import Admission
    from postfix.components.certificates import HostCertificate, RelayingClient, TrustedRoot
    from postfix.components.host import PostfixHost
    from postfix.components.mail_server import MailServer
    from postfix.components.relay_client import RelayClient
    from postfix.host import ClientSide, HostDeclaration, OnHost, Ownership, ServerSide
    from postfix.parameters import PostfixVersion
    from postfix.preflight import CheckedHost, checked_host
    from postfix.receiving import DomainList, Domains, LookupTable, Maps, Restrictions
    from postfix.settings import (
        ClientLevel,
        ClientSettings,
        DestinationPolicy,
        RelayPolicy,
        ServerLevel,
        ServerSettings,
        Submission,
        SubmissionName,
        Transport,
    )
    from postfix.ssh_access import Sudo
    from postfix.tables import ClientRow, TableType
    from postfix.target import Directory, Drift, HostTarget, Local, Ssh
    from postseal_core.errors import ConfigError, Problem
else:
    from importlib import import_module

    _HOMES = {
        "postfix.components.admission": ("Admission",),
        "postfix.components.certificates": ("HostCertificate", "RelayingClient", "TrustedRoot"),
        "postfix.components.host": ("PostfixHost",),
        "postfix.components.mail_server": ("MailServer",),
        "postfix.components.relay_client": ("RelayClient",),
        "postfix.host": ("ClientSide", "HostDeclaration", "OnHost", "Ownership", "ServerSide"),
        "postfix.parameters": ("PostfixVersion",),
        "postfix.preflight": ("CheckedHost", "checked_host"),
        "postfix.receiving": ("DomainList", "Domains", "LookupTable", "Maps", "Restrictions"),
        "postfix.settings": (
            "ClientLevel",
            "ClientSettings",
            "DestinationPolicy",
            "RelayPolicy",
            "ServerLevel",
            "ServerSettings",
            "Submission",
            "SubmissionName",
            "Transport",
        ),
        "postfix.tables": ("ClientRow", "TableType"),
        "postfix.ssh_access": ("Sudo",),
        "postfix.target": ("Directory", "Drift", "HostTarget", "Local", "Ssh"),
        "postseal_core.errors": ("ConfigError", "Problem"),
    }

    # Hidden from type checkers: to them, a module with `__getattr__` has every name that somebody mistypes.
    def __getattr__(name: str) -> object:
        """Load a public name from its module."""
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        raise AttributeError(f"module 'postfix' has no attribute {name!r}")


__all__ = [
    "Admission",
    "CheckedHost",
    "ClientLevel",
    "ClientRow",
    "ClientSettings",
    "ClientSide",
    "ConfigError",
    "DestinationPolicy",
    "Directory",
    "DomainList",
    "Domains",
    "Drift",
    "HostCertificate",
    "HostDeclaration",
    "HostTarget",
    "Local",
    "LookupTable",
    "MailServer",
    "Maps",
    "OnHost",
    "Ownership",
    "PostfixHost",
    "PostfixVersion",
    "Problem",
    "RelayClient",
    "RelayPolicy",
    "RelayingClient",
    "Restrictions",
    "ServerLevel",
    "ServerSettings",
    "ServerSide",
    "Ssh",
    "Submission",
    "SubmissionName",
    "Sudo",
    "TableType",
    "Transport",
    "TrustedRoot",
    "checked_host",
]


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
