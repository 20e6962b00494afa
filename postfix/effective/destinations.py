"""Tell for which domains a host receives; trivial-rewrite(8) looks that up.

So what smtpd(8) has for options of its own does not count.
"""

from collections.abc import Iterable
from typing import Final

from postfix.effective.expansion import Values
from postfix.effective.matching import Below, any_of, domain_in
from postfix.effective.visitors import Answer, Answers
from postfix.list_items import split_list

__all__ = ["DOMAIN_LISTS", "destination", "may_be_unknown"]

_RELAYED: Final = "relay_domains"
_OWN: Final = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains")
DOMAIN_LISTS: Final = (*_OWN, _RELAYED)
"""The parameters that name domains which a host receives for."""


def destination(rewrite: Values, domain: str, answers: Answers) -> Answer:
    """Return whether a host receives for a domain."""
    return _in_lists(DOMAIN_LISTS, rewrite, domain, answers)


def may_be_unknown(rewrite: Values, domain: str, answers: Answers) -> bool:
    """Return whether a recipient of a domain may be refused for being nobody here."""
    lists = DOMAIN_LISTS if split_list(rewrite["relay_recipient_maps"]) else _OWN
    return _in_lists(lists, rewrite, domain, answers) is not Answer.NO


def _in_lists(names: Iterable[str], rewrite: Values, domain: str, answers: Answers) -> Answer:
    return any_of(domain_in(split_list(rewrite[name]), domain, answers, _below(name, rewrite)) for name in names)


def _below(name: str, rewrite: Values) -> Below:
    if name != _RELAYED:
        return Below.NOT
    return Below.NAME if name in split_list(rewrite["parent_domain_matches_subdomains"]) else Below.DOT
