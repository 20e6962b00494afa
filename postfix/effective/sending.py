"""What of a host's own counts before what is declared, and with how much TLS its mail leaves."""

from collections.abc import Collection, Iterator, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from postfix.effective.expansion import Values

__all__ = ["LEVEL", "Sending", "asked_first", "sending_level"]

LEVEL: Final = "smtp_tls_security_level"
_ASKED_FIRST: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "relayhost": (
            *("transport_maps", "sender_dependent_relayhost_maps"),
            *("sender_dependent_default_transport_maps", "default_transport"),
        ),
        LEVEL: ("smtp_tls_policy_maps",),
        # For the names that it has.
        "smtpd_tls_chain_files": ("tls_server_sni_maps",),
    }
)


class Sending(IntEnum):
    """What is certain of mail that leaves, least first."""

    NOTHING = 0
    OPPORTUNISTIC = 1
    DANE = 2
    ENCRYPTED = 3
    AUTHENTICATED = 4


_LEVELS: Final = {
    "none": Sending.NOTHING,
    "may": Sending.OPPORTUNISTIC,
    # Authenticated where the destination publishes TLSA records, and as `may` where it does not.
    "dane": Sending.DANE,
    "encrypt": Sending.ENCRYPTED,
    **dict.fromkeys(("dane-only", "fingerprint", "verify", "secure"), Sending.AUTHENTICATED),
}


def sending_level(values: Values) -> tuple[Sending, str]:
    """Return what is certain, and the word of smtp_tls_security_level that means it.

    An unknown word counts as nothing: smtp(8) then sends no mail at all.
    """
    if level := values[LEVEL].lower():
        return _LEVELS.get(level, Sending.NOTHING), level
    # The parameters before Postfix 2.3, which count where no level is said (postconf(5)).
    if values.is_yes("smtp_enforce_tls"):
        word = "verify" if values.is_yes("smtp_tls_enforce_peername") else "encrypt"
    else:
        word = "may" if values.is_yes("smtp_use_tls") else "none"
    return _LEVELS[word], word


def asked_first(values: Values, written: Collection[str], declared: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each parameter of the host's own that counts before a declared one, with the name of that one.

    `written`: the parameters that somebody wrote into main.cf.
    """
    for name, rivals in _ASKED_FIRST.items():
        if name in declared and values[name]:
            yield from ((each, name) for each in rivals if each in written and each not in declared and values[each])
