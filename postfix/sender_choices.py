"""Find values by which a sender would decide where mail goes: strangers would relay to whom they please.

A pattern answers with parts of what it matched, as `$1`; luser_relay is made of the recipient, as `$extension`. Mail
to `nobody+victim=example.net@here` can then leave for `victim@example.net`.
"""

import re
from collections.abc import Iterator
from typing import Final

from pki.name_syntax import fault_of_host
from postfix.registries import is_registry
from postfix.table_rules import answers_of
from postseal_core.wording import shown

__all__ = ["OWN_DOMAINS", "faults_of_addresses", "faults_of_content_actions", "has_fixed_domain"]

OWN_DOMAINS: Final = re.compile(r"\$(?:(?:myhostname|mydomain|myorigin)\b|([{(])(?:myhostname|mydomain|myorigin)[)}])")
"""References to domains of the host itself."""

_OWN: Final = "own.example"
_SENDS: Final = re.compile(r"(BCC|FILTER|REDIRECT)\b", re.IGNORECASE)
_UNCHECKED: Final = "or name this parameter under unchecked, where a reviewer sees it"


def has_fixed_domain(address: str) -> bool:
    """Return whether an address with references has a domain that is written out, at least its end.

    `$1@example.org` and `$1@$2.example.org` have one, `$1@$2` and `$1` have none.
    """
    end = OWN_DOMAINS.sub(_OWN, address).rpartition("$")[2]
    _, at, domain = end.rpartition("@")
    _, dot, below = end.partition(".")
    if at:
        return fault_of_host(domain) is None
    return bool(dot) and "." in below and fault_of_host(below) is None and not is_registry(below)


def faults_of_content_actions(value: str) -> Iterator[str]:
    """Say which answers of header_checks(5) send mail where a header or a line of it says."""
    for answer in answers_of(value):
        action = answer.partition(" ")[0]
        if "$" in answer and ("$" in action or _SENDS.match(answer)):
            yield (
                f"{shown(answer)} sends mail where its sender says, so strangers could relay; write the destination "
                f"itself, {_UNCHECKED}"
            )


def faults_of_addresses(value: str) -> Iterator[str]:
    """Say which answers are addresses whose domain a sender decides."""
    for answer in answers_of(value):
        if "$" in answer and not has_fixed_domain(answer):
            yield (
                f"{shown(answer)} is an address whose domain the sender decides, so strangers could relay; write the "
                f"domain itself, as $1@example.org, {_UNCHECKED}"
            )
