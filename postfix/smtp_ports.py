"""The ports of SMTP by the names that services(5) has for them."""

from types import MappingProxyType
from typing import Final

__all__ = ["SUBMISSIONS", "port_number"]

SUBMISSIONS: Final = 465
"""Where TLS begins at once (RFC 8314 section 3.3)."""

_NUMBERS: Final = MappingProxyType(
    {"smtp": 25, "submission": 587, **dict.fromkeys(("submissions", "smtps", "ssmtp", "urd"), SUBMISSIONS)}
)


def port_number(port: str) -> int:
    """Return the number of a port that is written as one or by name; 0 for a name that is none of SMTP."""
    return int(port) if port.isdecimal() else _NUMBERS.get(port.lower(), 0)
