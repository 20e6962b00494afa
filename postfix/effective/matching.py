"""Match an address or a domain against the lists of main.cf, as far as the lists and the host's answers tell."""

import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address, ip_network
from typing import Final

from postfix.effective.visitors import Answer, Answers

__all__ = ["address_in", "any_of", "domain_in"]

_NUMERIC: Final = re.compile(r"[0-9./]+", re.ASCII)


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return the answer of a list that stops at its first match; what is unknown or broken before it stays so."""
    found = Answer.NO
    # All of them first: what is missing is then asked in one go.
    for answer in [*answers]:
        if answer is Answer.NO:
            continue
        if found is Answer.NO:
            found = answer
        elif found is not answer:
            found = Answer.UNKNOWN
        if found is not Answer.BROKEN:
            return found
    return found


def address_in(patterns: Sequence[str], address: str) -> Answer:
    """Return whether a client's address is in a list of networks; `!` in front of a pattern excludes.

    BROKEN for IPv4 that Postfix does not read: with a netmask, or with bits of the host set. UNKNOWN where names, files
    or tables decide, and for an IPv6 address without brackets, which Postfix takes for a table.
    """
    if any(_network(pattern, address) is Answer.BROKEN for pattern in patterns):
        # It is not known here whether a match before it counts.
        before = _first_match(patterns, lambda pattern: _network(pattern, address))
        return Answer.BROKEN if before is Answer.BROKEN else Answer.UNKNOWN
    return _first_match(patterns, lambda pattern: _network(pattern, address))


def _first_match(patterns: Sequence[str], match: Callable[[str], Answer]) -> Answer:
    for pattern in patterns:
        found = match(pattern)
        if found is Answer.YES:
            return Answer.NO if pattern.startswith("!") else Answer.YES
        if found is not Answer.NO:
            return found
    return Answer.NO


def _network(pattern: str, address: str) -> Answer:
    text = pattern.lstrip("!")
    is_numeric = _NUMERIC.fullmatch(text) is not None
    if not is_numeric and not text.startswith("["):
        return Answer.UNKNOWN
    try:
        if is_numeric and not text.rpartition("/")[2].isdigit() and "/" in text:
            return Answer.BROKEN
        network = ip_network(text.replace("[", "").replace("]", ""))
        found = ip_address(address)
    except ValueError:
        return Answer.BROKEN if is_numeric and not text.startswith("/") else Answer.UNKNOWN
    return Answer.YES if found in network else Answer.NO


def domain_in(words: Sequence[str], domain: str, answers: Answers) -> Answer:
    """Return whether a list of domains and tables has a domain; files are UNKNOWN, and `*` is no domain."""
    return any_of(_domain(word, domain, answers) for word in words)


def _domain(word: str, domain: str, answers: Answers) -> Answer:
    if ":" in word.lstrip("!"):
        return Answer.UNKNOWN if word.startswith("!") else answers.lookup(word, domain)
    if word.startswith("/"):
        return Answer.UNKNOWN
    name = word.lower().lstrip(".")
    return Answer.YES if name and (domain == name or domain.endswith(f".{name}")) else Answer.NO
