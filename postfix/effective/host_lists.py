"""The restriction lists of a host: their names, and their words as steps."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from postfix.list_items import split_list
from postfix.restriction_names import INSTEAD, RESTRICTIONS, Argument, Effect, Restriction
from postfix.restriction_steps import Step

__all__ = ["OWN_ACCESS", "named_table", "restriction_named", "steps_of_words"]

OWN_ACCESS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "smtpd_client_restrictions": "check_client_access",
        "smtpd_helo_restrictions": "check_helo_access",
        "smtpd_sender_restrictions": "check_sender_access",
        "smtpd_relay_restrictions": "check_recipient_access",
        "smtpd_recipient_restrictions": "check_recipient_access",
    }
)
"""What a table alone means in each list, in the order in which smtpd(8) reads the lists."""

# Old names of which it is not known here what they would do, or that ask the DNS.
_ANYTHING: Final = frozenset(
    {"check_address_map", "check_recipient_maps", "check_relay_domains", "permit_mx_backup", "permit_naked_ip_address"}
)
_LISTED: Final = frozenset({Effect.PASS, Effect.REFUSE})


def restriction_named(name: str) -> Restriction | None:
    """Return the restriction of a name in lower case, old names included; None for a class, or nothing."""
    if name == "reject_maps_rbl":
        return Restriction(effects=_LISTED)
    if name == "permit_tls_all_clientcerts":
        # Of those that are known, it is the one that nobody may declare here.
        return RESTRICTIONS["permit_tls_clientcerts"]
    if name in _ANYTHING:
        return Restriction(effects=frozenset(Effect))
    return RESTRICTIONS.get(INSTEAD.get(name, name))


def steps_of_words(words: Sequence[str], own_access: str) -> tuple[Step, ...]:
    """Return the steps of a list: each restriction with the word behind it that is its argument, if it takes one."""
    return tuple(_steps(words, own_access))


def _steps(words: Sequence[str], own_access: str) -> Iterator[Step]:
    rest = iter(words)
    for word in rest:
        if ":" in word or word.startswith("{"):
            yield Step(own_access, word)
            continue
        restriction = restriction_named(word.lower())
        takes_one = restriction is not None and restriction.argument is not Argument.NONE
        yield Step(word, next(rest, "") if takes_one else "")


def named_table(argument: str) -> str:
    """Return the table of an argument, in braces with attributes behind it or without."""
    if not (argument.startswith("{") and argument.endswith("}")):
        return argument
    return next(iter(split_list(argument[1:-1])), "")
