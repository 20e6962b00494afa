"""Match an address or a domain against the lists of main.cf, as far as the lists and the host's answers tell.

Postfix goes through a list from left to right, and stops at the first pattern that matches or cannot be read.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import MappingProxyType
from typing import Final

from postfix.effective.visitors import NOBODY, Answer, Answers, Asked, Question

__all__ = ["Below", "address_in", "answers_of_networks", "any_of", "domain_in"]

_ROOT: Final = "root"
_HOST_NAME: Final = re.compile(r"[a-z0-9_.-]*[a-z_-][a-z0-9_.-]*", re.ASCII | re.IGNORECASE)
_NETWORK: Final = re.compile(r"[0-9a-f.:/\[\]]+", re.ASCII | re.IGNORECASE)
_BY_PATTERN: Final = frozenset({"cidr", "pcre", "regexp", "static"})


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return the answer of a list that stops at its first match, or at the first that is broken or unknown."""
    # All of them first: what is missing is then asked in one go.
    return next((each for each in [*answers] if each is not Answer.NO), Answer.NO)


def address_in(patterns: Sequence[str], address: str, answers: Answers) -> Answer:
    """Return whether a client's address is in a list of networks, UNKNOWN where `answers_of_networks` are several."""
    found = answers_of_networks(patterns, address, answers)
    return next(iter(found)) if len(found) == 1 else Answer.UNKNOWN


def answers_of_networks(patterns: Sequence[str], address: str, answers: Answers) -> frozenset[Answer]:
    """Return each of YES, NO and BROKEN that may be the answer to whether an address is in a list of networks.

    `!` in front of a pattern excludes. BROKEN is a network that Postfix does not read: with a netmask, or with bits of
    the host set. Patterns for IPv6 are not read for a client that comes by IPv4, nor the other way round. The client's
    name, which is not known, may decide as well, and so may what a file holds. An IPv6 address without brackets is a
    table to Postfix.
    """
    client = ip_address(address)
    return _answers_of_list(patterns, lambda pattern: _holds_address(pattern, client, answers), answers)


class Below(Enum):
    """How a list of domains says that those below one count as well: by nothing, by its name, or by a dot in front."""

    NOT = auto()
    NAME = auto()
    DOT = auto()


def domain_in(words: Sequence[str], domain: str, answers: Answers, below: Below) -> Answer:
    """Return whether a list of domains and tables has a domain; `*` is no domain."""
    found = _answers_of_list(words, lambda word: _holds_domain(word, domain.lower(), answers, below), answers)
    return next(iter(found)) if len(found) == 1 else Answer.UNKNOWN


_Possible = frozenset[Answer]
_YES, _NO, _BROKEN = (frozenset({each}) for each in (Answer.YES, Answer.NO, Answer.BROKEN))
_ANY: Final = _YES | _NO | _BROKEN
_EXCLUDED: Final[Mapping[Answer, Answer]] = MappingProxyType({Answer.YES: Answer.NO})


def _answers_of_list(patterns: Sequence[str], match: Callable[[str], _Possible], answers: Answers) -> _Possible:
    possible: set[Answer] = set()
    # All of them first: what is missing is then asked in one go.
    for signs, found in [(_signs(each), _in_file_or(each.lstrip("!"), match, answers)) for each in patterns]:
        is_excluded = len(signs) % 2 == 1
        ends = found - _NO
        possible |= {_EXCLUDED.get(each, each) for each in ends} if is_excluded else ends
        if Answer.NO not in found:
            return frozenset(possible)
    return frozenset(possible) | _NO


def _signs(pattern: str) -> str:
    return pattern.removesuffix(pattern.lstrip("!"))


def _in_file_or(pattern: str, match: Callable[[str], _Possible], answers: Answers) -> _Possible:
    """Return what a pattern says; a file stands for the patterns in it, which are not known here."""
    if not pattern.startswith("/"):
        return match(pattern)
    opens = answers.to(Question(Asked.READABLE, pattern, _ROOT))
    return _ANY if opens in (Answer.YES, Answer.UNKNOWN) else _BROKEN


def _possible(answer: Answer) -> _Possible:
    return _ANY if answer is Answer.UNKNOWN else frozenset({answer})


def _is_table(pattern: str) -> bool:
    return ":" in pattern and not pattern.startswith("[")


def _holds_address(pattern: str, client: IPv4Address | IPv6Address, answers: Answers) -> _Possible:
    if _is_table(pattern):
        return _table_has_address(pattern, str(client), answers)
    if pattern in (str(client), f"[{client}]"):
        return _YES
    is_of_its_kind = (":" in pattern) == isinstance(client, IPv6Address)
    if is_of_its_kind and _NETWORK.fullmatch(pattern) and {":", "/"} & {*pattern}:
        return frozenset({_in_network(pattern, client)})
    return _YES | _NO if _HOST_NAME.fullmatch(pattern) else _NO


def _in_network(text: str, client: IPv4Address | IPv6Address) -> Answer:
    try:
        if text.startswith("[") and "]" not in text:
            return Answer.BROKEN
        text = text.replace("[", "").replace("]", "")
        if "/" in text and not text.rpartition("/")[2].isdigit():
            return Answer.BROKEN
        return Answer.YES if client in ip_network(text) else Answer.NO
    except ValueError:
        return Answer.BROKEN


def _table_has_address(table: str, client: str, answers: Answers) -> _Possible:
    """Return whether a table has the address; most types are asked for the client's name, too, which nobody knows."""
    found = any_of(answers.lookup(table, key) for key in (client, NOBODY))
    is_by_name = found is Answer.NO and not table.startswith("cidr:")
    return _YES | _NO if is_by_name else _possible(found)


def _holds_domain(word: str, domain: str, answers: Answers, below: Below) -> _Possible:
    if _is_table(word):
        has_parents = below is not Below.NOT and word.partition(":")[0] not in _BY_PATTERN
        dot = "." if below is Below.DOT else ""
        keys = [domain, *(f"{dot}{each}" for each in _above(domain))] if has_parents else [domain]
        return _possible(any_of(answers.lookup(word, key) for key in keys))
    name = word.lower()
    ending = {Below.NOT: "", Below.NAME: f".{name}", Below.DOT: name if name.startswith(".") else ""}[below]
    return _YES if domain == name or (ending.strip(".") and domain.endswith(ending)) else _NO


def _above(domain: str) -> Iterator[str]:
    while domain := domain.partition(".")[2]:
        yield domain
