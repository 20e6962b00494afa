"""The ways to relay through a host without a certificate, as main.cf and our services of master.cf say; pure."""

from collections.abc import Mapping
from typing import Final

from postfix.list_items import split_list

__all__ = [
    "RELAY_RESTRICTIONS",
    "client_at",
    "login_relays",
    "login_services",
    "relay_restrictions",
    "relaying_networks",
]

RELAY_RESTRICTIONS: Final = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
"""The lists of postconf(5) that decide who relays."""

_NETWORKS: Final = "mynetworks"
_PORT_25: Final = "smtp"
_LOGIN: Final = "permit_sasl_authenticated"


def client_at(service: str, client: str) -> str:
    """Return a client's name, and the service that lets it in where that is not the one of port 25."""
    return client if service == _PORT_25 else f"{client} ({service})"


def relaying_networks(main_cf: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return whose hosts relay without any proof; None where main_cf does not say it.

    `main_cf`: parameters by name, as they are written. In the order of the list, which Postfix searches from the left.
    """
    return tuple(split_list(main_cf[_NETWORKS])) if _NETWORKS in main_cf else None


def relay_restrictions(main_cf: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the items of each list that decides who relays, as far as main_cf says it."""
    return {name: split_list(main_cf[name]) for name in RELAY_RESTRICTIONS if name in main_cf}


def login_relays(main_cf: Mapping[str, str]) -> bool | None:
    """Return whether users relay who log in; None where main_cf does not say it."""
    said = relay_restrictions(main_cf)
    if any(_LOGIN in each for each in said.values()):
        return True
    # Without its own value smtpd_relay_restrictions has Postfix's, which permits those who log in.
    return False if RELAY_RESTRICTIONS[0] in said else None


def login_services(master_cf: Mapping[str, str]) -> tuple[str, ...]:
    """Return the services of ours at which users submit who log in, by name.

    `master_cf`: our services by name and type, as a preview shows them: command, and its options in braces.
    """
    found = (name.partition("/")[0] for name, line in master_cf.items() if line.startswith("smtpd ") and _LOGIN in line)
    return tuple(sorted(found))
