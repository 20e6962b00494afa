"""Find mailboxes, hosts and addresses in a subject that belong to somebody else.

Logs of Postfix, mail programs and old verifiers show or match the common name, so it is an identity like those in the
subject alternative names, which are what authorities are limited by and what no two clients share.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from pki.model import Subject, SubjectAltNames
from pki.name_syntax import host_of_uri, is_host_covered, to_a_labels
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["comparable_name", "names_within", "problems_of_foreign_names"]

_BETWEEN: Final = r"\s<>()\[\]{}\"',;:|=/\\"
_WORD: Final = re.compile(rf"[^{_BETWEEN}]+")
_MAILBOX: Final = re.compile(rf"[^{_BETWEEN}@]+@[^{_BETWEEN}]+")
_LOOSE_MAILBOX: Final = re.compile(r"@\s*(?:\[|[^\s@.]+\.[^\s@])")
_PORT: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::[0-9]+)?")
_HOST: Final = re.compile(r"\.*[^\s.]+(?:\.+[^\s.]+)+|\.+[^\s.]+")
_NUMBER: Final = re.compile(r"0x(?P<hexadecimal>[0-9a-f]+)|0(?P<octal>[0-7]+)|(?P<decimal>[1-9][0-9]*)", re.ASCII)
_BASES: Final = {"hexadecimal": 16, "octal": 8, "decimal": 10}
_LONGEST_NUMBER: Final = 64
_LEAST_ADDRESS: Final = 2**24  # below is 0.0.0.0/8, where nobody is (RFC 1122)
_MOST_ADDRESS: Final = 2**32 - 1
_FULL_STOPS: Final = re.compile("[。︒．｡․]")  # noqa: RUF001  # what programs take for a dot (RFC 3490 section 3.1)
_REMEMBERED: Final = 32_768
"""Names of a roster are compared with each other several times, and once for each stack file of a review."""
_MOST_COMPARED: Final = 256  # the A-label form of a text takes a time that grows with the square of its length
_OTHER_PARTS: Final = ("organization", "organizational_unit", "locality", "state_or_province")


def problems_of_foreign_names(subject: Subject, alt_names: SubjectAltNames) -> Iterator[Problem]:
    """Find names in a leaf's subject that are not among its subject alternative names.

    In the common name: a mailbox anywhere in it, and a host, an address or a URI where it is all there is. In the
    other parts: a mailbox; an organization may well be called Example.org. Compared without case, with hosts in their
    A-label form, and a host is the certificate's own too where a wildcard covers it.
    """
    common_name = subject.common_name
    is_own = common_name in alt_names.email_addresses or common_name in alt_names.dns_names
    text = "" if is_own else comparable_text(common_name)
    foreign = [*_foreign_mailboxes(text, alt_names), *_foreign_host(text, alt_names)]
    if foreign:
        yield Problem("common_name", _sentence(foreign[0], common_name))
    for part in _OTHER_PARTS:
        said = getattr(subject, part)
        for mailbox in _foreign_mailboxes(comparable_text(said), alt_names) if said else ():
            yield Problem(part, _sentence(mailbox, said))


def comparable_text(text: str) -> str:
    """Return a text for comparison: NFKC, case folded, full stops of other scripts as dots.

    Folded twice, because folding can change the order of marks, and the order what they are composed with (Unicode
    section 3.13, D146); so what is comparable stays the same.
    """
    folded = unicodedata.normalize("NFD", text).casefold()
    twice = unicodedata.normalize("NFKC", folded).casefold()
    return _FULL_STOPS.sub(".", unicodedata.normalize("NFKC", twice))


@lru_cache(maxsize=_REMEMBERED)
def comparable_name(name: str) -> str:
    """Normalise a mailbox, host or address: two spellings of one become equal."""
    local, at, text = comparable_text(name).rpartition("@")
    host = text.rstrip(".")
    # The end is never cut off: what is left could be somebody's name, and no name is so long (RFC 1035).
    spelled = _address(host) or (to_a_labels(host) if len(host) <= _MOST_COMPARED else host)
    return f"{local}{at}{spelled.rstrip('.')}"


def names_within(text: str) -> Iterator[str]:
    """Return every part of a text that could be somebody's name, normalised: the whole text and each word."""
    comparable = comparable_text(text)
    yield comparable_name(comparable)
    yield from map(comparable_name, _WORD.findall(comparable))


def _foreign_mailboxes(text: str, alt_names: SubjectAltNames) -> Iterator[str]:
    own = {comparable_name(each) for each in alt_names.email_addresses}
    if "@" not in text or comparable_name(text) in own:
        return
    for mailbox in own:
        # A mailbox may have signs that divide words, as the apostrophe of o'brien@example.org.
        text = re.sub(rf"(?<![^{_BETWEEN}]){re.escape(mailbox)}(?![^{_BETWEEN}])", " ", text)
    found = [each for each in _MAILBOX.findall(text) if comparable_name(each) not in own]
    for each in _MAILBOX.findall(text):
        text = text.replace(each, " ")
    # With quotes, comments or blanks around the sign it is a mailbox all the same (RFC 5322 section 3.4.1).
    yield from [*found, *([text.strip()] if _LOOSE_MAILBOX.search(text) else [])]


def _foreign_host(text: str, alt_names: SubjectAltNames) -> Iterator[str]:
    if "@" in text:
        return
    host = _host(text)
    address = _address(host)
    if address:
        if address not in map(comparable_name, alt_names.ip_addresses):
            yield host
    elif ("://" in text or _HOST.fullmatch(host)) and not _is_own_host(host, alt_names):
        yield host


def _host(text: str) -> str:
    """Return a host without scheme, brackets, port or final dot around it."""
    if _address(text):
        return text
    authority = (host_of_uri(text) or text) if "://" in text else text
    matched = _PORT.fullmatch(authority.partition("/")[0] if "://" not in text else authority)
    host = matched["host"] if matched else authority
    return host.removeprefix("[").removesuffix("]").rstrip(".")


def _is_own_host(host: str, alt_names: SubjectAltNames) -> bool:
    wanted, own = comparable_name(host), tuple(map(comparable_name, alt_names.dns_names))
    return wanted in own or is_host_covered(wanted, own)


@lru_cache(maxsize=_REMEMBERED)
def _address(text: str) -> str:
    """Normalise an IP address: prefix dropped, IPv4-mapped as IPv4; empty for any other text.

    One number is an address as well where inet_aton(3) takes it for one: decimal, octal or hexadecimal, from 1.0.0.0
    on. Addresses of two and three numbers look like hosts, and are judged as such.
    """
    try:
        number = _number(text)
        # A plain integer is an IPv4 address to this library.
        interface = ipaddress.ip_interface(text if number is None else number)
    except ValueError:
        return ""
    address = interface.ip
    # A zone behind the address can be any text, a name of somebody else as well; it is lost in `ip`.
    zone = getattr(interface, "scope_id", None)
    return f"{address}%{zone}" if zone else str(getattr(address, "ipv4_mapped", None) or address)


def _number(text: str) -> int | None:
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    base = match.lastgroup if match else None
    if not match or not base:
        return None
    number = int(match[base], _BASES[base])
    return number if _LEAST_ADDRESS <= number <= _MOST_ADDRESS else None


def _sentence(name: str, text: str) -> str:
    return (
        f"got {shown(text)}, and {shown(name)} is none of this certificate's own names: name it among them, or write a"
        " name that is nobody's address"
    )
