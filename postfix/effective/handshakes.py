"""Judge if a handshake with a listener can succeed: by what is offered, by its values, and by what the host can load.

STARTTLS is offered whatever is broken; a client that is not served goes on without TLS, or away.
"""

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from postfix.effective.listeners import Listener, TlsLevel
from postfix.effective.matching import any_of
from postfix.effective.visitors import AUTHORITIES, CHAIN, PAIR, Answer, Answers, Asked, Question
from postfix.list_items import split_list
from postfix.parameters import known_parameters
from postfix.values import CHECKS

__all__ = ["is_auth_discarded", "protocols_of", "questions_of_tls", "tls_faults", "tls_for"]

_KEYWORDS: Final = "smtpd_discard_ehlo_keywords"
_KEYWORD_TABLES: Final = "smtpd_discard_ehlo_keyword_address_maps"
# With the numbers that stand on the wire, which a bound may be written as.
_PROTOCOLS: Final = MappingProxyType(
    {"sslv2": 0x0002, "sslv3": 0x0300, "tlsv1": 0x0301, "tlsv1.1": 0x0302, "tlsv1.2": 0x0303, "tlsv1.3": 0x0304}
)
_TODAY: Final = frozenset({"tlsv1.2", "tlsv1.3"})
_SEPARATORS: Final = re.compile(r"[\s,:]+")
_DEFAULT: Final = "default"


def tls_for(listener: Listener, address: str, answers: Answers) -> Answer:
    """Return whether a client from an address comes to TLS, if it wants to and speaks TLS 1.2 or 1.3."""
    if listener.tls is TlsLevel.NONE or tls_faults(listener):
        return Answer.NO
    if not _is_known_digest(listener.digest) or not protocols_of(listener) & _TODAY:
        return Answer.UNKNOWN
    asked = [
        *(answers.to(each) for each in questions_of_tls(listener)),
        _inverted(_is_discarded(listener, "starttls", address, answers)),
    ]
    if all(each is Answer.YES for each in asked):
        return Answer.YES
    return Answer.UNKNOWN if Answer.UNKNOWN in asked else Answer.NO


def is_auth_discarded(listener: Listener, address: str, answers: Answers) -> Answer:
    """Return whether AUTH is not offered to a client from an address, though it is on."""
    return _is_discarded(listener, "auth", address, answers)


def tls_faults(listener: Listener) -> tuple[str, ...]:
    """Return the values with which no handshake succeeds."""
    return tuple(_faults(listener))


def _of_level(listener: Listener, what: str) -> str:
    """Return the parameter of protocols or ciphers that counts at the level of a listener."""
    return f"smtpd_tls_{'mandatory_' if listener.declared_tls is TlsLevel.ENCRYPT else ''}{what}"


def _faults(listener: Listener) -> Iterator[str]:
    values = listener.values
    name = _of_level(listener, "protocols")
    if fault := next(CHECKS["protocols"](values[name], ()), ""):
        yield f"{name}: {fault}"
    name = _of_level(listener, "ciphers")
    if name in values.raw and values[name].lower() not in known_parameters()[name].allowed:
        yield f"{name} = {values[name]}: no grade of ciphers"


def questions_of_tls(listener: Listener) -> Iterator[Question]:
    """Return what has to hold on the host, too."""
    values = listener.values
    if listener.chain_files:
        yield Question(Asked.LOADS, " ".join(listener.chain_files), CHAIN)
    for certificate, key in listener.pairs:
        yield Question(Asked.LOADS, certificate, PAIR, key)
    if authorities := values["smtpd_tls_CAfile"]:
        yield Question(Asked.LOADS, authorities, AUTHORITIES)
    if (file := values["tls_config_file"]) not in ("", _DEFAULT, "none"):
        yield Question(Asked.READABLE, file, "root")
    grade = values[_of_level(listener, "ciphers")].lower()
    # From Postfix 3.8 on, the lists of the lowest grades are empty, and stand for medium.
    if ciphers := values[f"tls_{grade}_cipherlist"] or values["tls_medium_cipherlist"]:
        yield Question(Asked.CIPHERS, ciphers)


def _is_known_digest(name: str) -> bool:
    """Return whether OpenSSL is sure to have a digest; with one that it lacks, Postfix has no TLS."""
    parameter = known_parameters().get("smtpd_tls_fingerprint_digest")
    return parameter is not None and name in parameter.allowed


def protocols_of(listener: Listener) -> frozenset[str]:
    """Return the versions of TLS that a listener's list of protocols leaves, as `tlsv1.2`.

    All for one that is not valid; none for one that is not fully known.
    """
    value = listener.values[_of_level(listener, "protocols")]
    if "$" in value:
        # Left where nothing more is filled in; a valid list has none.
        return frozenset()
    items = [item.lower() for item in _SEPARATORS.split(value) if item]
    named = {item for item in items if item[0] not in "!<>"}
    excluded = {item[1:] for item in items if item[0] == "!"}
    bounds = [(item[0], _number(item[2:])) for item in items if item[0] in "<>"]
    return frozenset(
        each
        for each, number in _PROTOCOLS.items()
        if (each in named or not named)
        and each not in excluded
        and all(_is_within(number, sign, bound) for sign, bound in bounds)
    )


def _number(protocol: str) -> int:
    """Return the number of a protocol, which is named or written in hexadecimal; one of none for anything else."""
    if protocol in _PROTOCOLS:
        return _PROTOCOLS[protocol]
    try:
        return int(protocol, 16)
    except ValueError:
        return -1


def _is_within(number: int, sign: str, bound: int) -> bool:
    """Return whether a protocol is not below (>) or not above (<) a bound; a number of no protocol is none."""
    if bound not in _PROTOCOLS.values():
        return True
    return bound <= number if sign == ">" else number <= bound


def _is_discarded(listener: Listener, keyword: str, address: str, answers: Answers) -> Answer:
    """Return whether a keyword of EHLO is left out; with TLS from the first byte STARTTLS does not matter."""
    values = listener.values
    if keyword == "starttls" and listener.is_wrapped:
        return Answer.NO
    if tables := split_list(values[_KEYWORD_TABLES]):
        found = any_of(answers.lookup(table, address) for table in tables)
        if found is not Answer.NO:
            # A row stands in place of the list, and what is in it is not known here.
            return Answer.UNKNOWN
    discarded = split_list(values[_KEYWORDS].lower())
    return Answer.YES if keyword in discarded else Answer.NO


def _inverted(answer: Answer) -> Answer:
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(answer, Answer.UNKNOWN)
