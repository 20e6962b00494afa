"""Postfix TLS as Pulumi code: hosts that serve, admit and present certificates.

The public names are loaded on first use, so that programs which need no Pulumi start quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from postfix.components.certificates import TrustedRoot
    from postfix.components.host import MailServer, PostfixHost, RelayClient
    from postfix.host import ClientSide, HostDeclaration, Ownership, ServerSide
    from postfix.settings import ClientSettings, DestinationPolicy, RelayPolicy, ServerSettings, Transport
    from postfix.target import Directory, Local
    from postseal_core.errors import ConfigError

__all__ = [
    "ClientSettings",
    "ClientSide",
    "ConfigError",
    "DestinationPolicy",
    "Directory",
    "HostDeclaration",
    "Local",
    "MailServer",
    "Ownership",
    "PostfixHost",
    "RelayClient",
    "RelayPolicy",
    "ServerSettings",
    "ServerSide",
    "Transport",
    "TrustedRoot",
]

_HOMES = {
    "postfix.components.certificates": ("TrustedRoot",),
    "postfix.components.host": ("MailServer", "PostfixHost", "RelayClient"),
    "postfix.host": ("ClientSide", "HostDeclaration", "Ownership", "ServerSide"),
    "postfix.settings": ("ClientSettings", "DestinationPolicy", "RelayPolicy", "ServerSettings", "Transport"),
    "postfix.target": ("Directory", "Local"),
    "postseal_core.errors": ("ConfigError",),
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module 'postfix' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
