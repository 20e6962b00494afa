"""Why smtpd(8) does not start with the restriction lists of a listener, so that every client is sent away."""

from collections.abc import Iterator
from typing import Final

from postfix.effective.expansion import Values
from postfix.effective.host_lists import OWN_ACCESS, named_table
from postfix.effective.listeners import Listener
from postfix.list_items import split_list
from postfix.restriction_steps import WARNING

__all__ = ["will_not_start"]

_UNCONDITIONAL: Final = frozenset(
    {"defer", "defer_if_permit", "defer_unauth_destination", "reject", "reject_unauth_destination"}
    | {"check_relay_domains"}
)
# In this order: the second is not looked into where the first refuses.
_RELAYING: Final = ("smtpd_recipient_restrictions", "smtpd_relay_restrictions")
_PROXY: Final = "proxy:"
_TABLES: Final = (
    *("relay_clientcerts", "smtpd_sender_login_maps", "smtpd_discard_ehlo_keyword_address_maps", "rbl_reply_maps"),
    *("local_recipient_maps", "virtual_mailbox_maps", "relay_recipient_maps", "virtual_alias_maps", "canonical_maps"),
    *("recipient_canonical_maps", "sender_canonical_maps", "smtpd_command_filter", "local_header_rewrite_clients"),
    *("mydestination", "mynetworks", "relay_domains", "permit_mx_backup_networks", "smtpd_data_restrictions"),
    *("smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions"),
)
"""What smtpd(8) opens tables of when it starts, beside the lists that are judged."""


def will_not_start(listener: Listener, proxy: Values) -> tuple[str, ...]:
    """Return what keeps smtpd(8) from starting for certain; `proxy`: the values of the service proxymap."""
    return (
        *(["it is not unprivileged in master.cf"] if listener.service.is_privileged else []),
        *listener.start_faults,
        *_faults_of_classes(listener),
        *_faults_of_refusal(listener),
        *_faults_of_proxy(listener, proxy),
        *_faults_of_names(listener),
    )


def _faults_of_names(listener: Listener) -> Iterator[str]:
    """Name the tables that are no `type:name`; those that are and cannot be opened, are looked up in vain."""
    for word in listener.rows:
        if ":" not in word:
            yield f"relay_clientcerts: {word} has no type in front, as hash:{word}"


def _faults_of_classes(listener: Listener) -> Iterator[str]:
    for name in split_list(listener.values["smtpd_restriction_classes"]):
        if not listener.values[name] and name not in listener.values.unexpandable:
            yield f"smtpd_restriction_classes: {name} is defined nowhere"


def _faults_of_refusal(listener: Listener) -> Iterator[str]:
    try:
        has_refusal = any(_has_refusal(listener, name, frozenset()) for name in _RELAYING)
        # A list that could not be read may well refuse.
        if not has_refusal and not listener.values.unexpandable:
            yield f"neither {_RELAYING[1]} nor {_RELAYING[0]} refuses mail to others"
    except _EndlessError as error:
        yield f"smtpd_restriction_classes: {error} leads back to itself"


class _EndlessError(Exception):
    """A class leads back to itself; smtpd(8) then looks for a refusal until its stack is full."""


def _has_refusal(listener: Listener, name: str, inside: frozenset[str]) -> bool:
    words = iter(listener.words_of(name))
    classes = split_list(listener.values["smtpd_restriction_classes"])
    for word in words:
        restriction = word.lower()
        if restriction == WARNING:
            next(words, "")
        elif restriction == "permit":
            return False
        elif restriction in _UNCONDITIONAL:
            return True
        elif word in classes:
            if word in inside:
                raise _EndlessError(word)
            if _has_refusal(listener, word, inside | {word}):
                return True
    return False


def _faults_of_proxy(listener: Listener, proxy: Values) -> Iterator[str]:
    allowed = {*split_list(proxy["proxy_read_maps"])}
    if proxy.unexpandable:
        return
    classes = split_list(listener.values["smtpd_restriction_classes"])
    for name in (*_TABLES, *OWN_ACCESS, *classes):
        for word in map(named_table, listener.words_of(name)):
            if word.startswith(_PROXY) and word not in allowed:
                yield f"{name}: {word} is not in proxy_read_maps"
