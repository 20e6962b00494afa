"""How much TLS the mail of a host leaves with, as main.cf says it for every smtp(8)."""

from enum import IntEnum
from typing import Final

from postfix.effective.expansion import Values

__all__ = ["LEVEL", "Sending", "sending_level"]

LEVEL: Final = "smtp_tls_security_level"


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
