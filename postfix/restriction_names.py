"""The restrictions of smtpd(8) as a table: argument, first stage with the facts they need, and possible effects.

Effects are those for mail to a domain that the host does not receive for. Names and arguments come from postconf(5),
the same in Postfix 3.7 to 3.12.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum, auto
from types import MappingProxyType
from typing import Final

__all__ = ["INSTEAD", "LISTS", "REFUSED", "RESTRICTIONS", "Argument", "Client", "Effect", "Restriction", "Stage"]


class Effect(Enum):
    """The possible effects of a restriction."""

    PERMIT = auto()
    REFUSE = auto()
    PASS = auto()
    DEFER_IF_PERMIT = auto()


class Client(StrEnum):
    """The kinds of clients, by the reason for which they may relay; a stranger has none."""

    STRANGER = "stranger"
    NETWORK = "network"
    USER = "user"
    LISTED = "listed"


class Stage(IntEnum):
    """When smtpd knows what a restriction looks at; with smtpd_delay_reject all lists wait for the recipient."""

    CLIENT = auto()
    HELO = auto()
    SENDER = auto()
    RECIPIENT = auto()
    DATA = auto()
    ETRN = auto()


class Argument(Enum):
    """The kind of argument that a restriction takes."""

    NONE = "nothing"
    TABLE = "a name from restrictions.tables"
    LIST_DOMAIN = "the domain of a DNS list, as zen.example.org or zen.example.org=127.0.0.2"
    POLICY = "a policy server, as inet:127.0.0.1:10023 or unix:private/policy"
    SECONDS = "a number of seconds"


LISTS: Final[Mapping[str, Stage]] = MappingProxyType(
    {
        "smtpd_client_restrictions": Stage.CLIENT,
        "smtpd_helo_restrictions": Stage.HELO,
        "smtpd_sender_restrictions": Stage.SENDER,
        "smtpd_recipient_restrictions": Stage.RECIPIENT,
        "smtpd_data_restrictions": Stage.DATA,
        "smtpd_end_of_data_restrictions": Stage.DATA,
        "smtpd_etrn_restrictions": Stage.ETRN,
    }
)

_PASS: Final = frozenset({Effect.PASS})
_REFUSE: Final = frozenset({Effect.REFUSE})
_LISTED: Final = _PASS | _REFUSE
_LOOKED_UP: Final = _LISTED | {Effect.DEFER_IF_PERMIT}
_ANY: Final = frozenset(Effect)


@dataclass(frozen=True, slots=True)
class Restriction:
    """One restriction of smtpd(8): argument, stage and effects.

    `effects`: on everybody but those in `permits`, who are let pass the list. `is_never_permit`: OK in its table counts
    for nothing. `only_for`: whom its table can know at all; empty for everybody.
    """

    stage: Stage = Stage.CLIENT
    argument: Argument = Argument.NONE
    effects: frozenset[Effect] = _PASS
    permits: frozenset[Client] = frozenset()
    is_never_permit: bool = False
    only_for: frozenset[Client] = frozenset()


def _tables(stage: Stage, subject: str) -> dict[str, Restriction]:
    """Return the lookups by a name itself, and by the address, MX hosts and name servers of its domain."""
    return {
        f"check_{subject}_access": Restriction(stage, Argument.TABLE, _ANY),
        **{
            f"check_{subject}_{record}_access": Restriction(stage, Argument.TABLE, _LOOKED_UP, is_never_permit=True)
            for record in ("a", "mx", "ns")
        },
    }


def _dns_list(stage: Stage, effects: frozenset[Effect] = _LISTED) -> Restriction:
    return Restriction(stage, Argument.LIST_DOMAIN, effects)


RESTRICTIONS: Final[Mapping[str, Restriction]] = MappingProxyType(
    {
        "permit": Restriction(effects=frozenset({Effect.PERMIT})),
        "defer": Restriction(effects=_REFUSE),
        "reject": Restriction(effects=_REFUSE),
        "defer_if_permit": Restriction(effects=frozenset({Effect.DEFER_IF_PERMIT})),
        "defer_if_reject": Restriction(),
        "warn_if_reject": Restriction(),
        "sleep": Restriction(argument=Argument.SECONDS),
        "check_policy_service": Restriction(argument=Argument.POLICY, effects=_ANY),
        "reject_unauth_pipelining": Restriction(),
        "reject_plaintext_session": Restriction(effects=_LISTED),
        # Client
        # A proxy on the same machine makes everybody come from here.
        "permit_inet_interfaces": Restriction(effects=frozenset({Effect.PERMIT, Effect.PASS})),
        "permit_mynetworks": Restriction(permits=frozenset({Client.NETWORK})),
        "permit_sasl_authenticated": Restriction(permits=frozenset({Client.USER})),
        "permit_tls_clientcerts": Restriction(permits=frozenset({Client.LISTED})),
        # These two permit nothing that reject_unauth_destination would refuse (postconf(5)).
        "permit_dnswl_client": _dns_list(Stage.CLIENT, _PASS),
        "permit_rhswl_client": _dns_list(Stage.CLIENT, _PASS),
        "reject_rbl_client": _dns_list(Stage.CLIENT),
        "reject_rhsbl_client": _dns_list(Stage.CLIENT),
        "reject_rhsbl_reverse_client": _dns_list(Stage.CLIENT),
        "reject_unknown_client_hostname": Restriction(effects=_LOOKED_UP),
        "reject_unknown_reverse_client_hostname": Restriction(effects=_LOOKED_UP),
        **_tables(Stage.CLIENT, "client"),
        **_tables(Stage.CLIENT, "reverse_client_hostname"),
        "check_ccert_access": Restriction(argument=Argument.TABLE, effects=_ANY),
        "check_sasl_access": Restriction(argument=Argument.TABLE, effects=_ANY, only_for=frozenset({Client.USER})),
        # HELO
        "reject_invalid_helo_hostname": Restriction(Stage.HELO),
        "reject_non_fqdn_helo_hostname": Restriction(Stage.HELO),
        "reject_unknown_helo_hostname": Restriction(Stage.HELO, effects=_LOOKED_UP),
        "reject_rhsbl_helo": _dns_list(Stage.HELO),
        **_tables(Stage.HELO, "helo"),
        # Sender
        "reject_non_fqdn_sender": Restriction(Stage.SENDER),
        "reject_rhsbl_sender": _dns_list(Stage.SENDER),
        "reject_unknown_sender_domain": Restriction(Stage.SENDER, effects=_LOOKED_UP),
        "reject_unlisted_sender": Restriction(Stage.SENDER, effects=_LISTED),
        "reject_unverified_sender": Restriction(Stage.SENDER, effects=_LOOKED_UP),
        "reject_sender_login_mismatch": Restriction(Stage.SENDER, effects=_LISTED),
        "reject_known_sender_login_mismatch": Restriction(Stage.SENDER, effects=_LISTED),
        "reject_authenticated_sender_login_mismatch": Restriction(Stage.SENDER, effects=_LISTED),
        "reject_unauthenticated_sender_login_mismatch": Restriction(Stage.SENDER, effects=_LISTED),
        **_tables(Stage.SENDER, "sender"),
        # Recipient
        "permit_auth_destination": Restriction(Stage.RECIPIENT),
        "reject_unauth_destination": Restriction(Stage.RECIPIENT, effects=_REFUSE),
        "defer_unauth_destination": Restriction(Stage.RECIPIENT, effects=_REFUSE),
        "reject_non_fqdn_recipient": Restriction(Stage.RECIPIENT),
        "reject_rhsbl_recipient": _dns_list(Stage.RECIPIENT),
        "reject_unknown_recipient_domain": Restriction(Stage.RECIPIENT, effects=_LOOKED_UP),
        "reject_unlisted_recipient": Restriction(Stage.RECIPIENT),
        "reject_unverified_recipient": Restriction(Stage.RECIPIENT, effects=_LOOKED_UP),
        **_tables(Stage.RECIPIENT, "recipient"),
        # DATA and ETRN
        "reject_multi_recipient_bounce": Restriction(Stage.RECIPIENT),
        "check_etrn_access": Restriction(Stage.ETRN, Argument.TABLE, _ANY),
    }
)

REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "permit_tls_all_clientcerts": (
            "lets everybody pass who has a certificate of any trusted authority; list the clients in relay_clients"
        ),
        "permit_mx_backup": (
            "lets everybody pass who points an MX record at this host; name the domains in domains.relay_domains"
        ),
    }
)
"""Restrictions that let in whom nobody has named."""

INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "check_address_map": "check_recipient_access",
        "check_recipient_maps": "reject_unlisted_recipient",
        "check_relay_domains": "reject_unauth_destination",
        "permit_naked_ip_address": "permit_mynetworks",
        "reject_invalid_hostname": "reject_invalid_helo_hostname",
        "reject_maps_rbl": "reject_rbl_client",
        "reject_non_fqdn_hostname": "reject_non_fqdn_helo_hostname",
        "reject_unknown_address": "reject_unknown_sender_domain",
        "reject_unknown_client": "reject_unknown_client_hostname",
        "reject_unknown_hostname": "reject_unknown_helo_hostname",
    }
)
"""Names that old main.cf files have, and what is written today."""
