"""Checks of main.cf values, one for each kind of parameter.

Each check takes the value and the allowed words of the parameter's row in `parameters.tsv` and returns what is wrong
as lower-case sentences, none when Postfix would take the value as it is meant. `$name` stands for something only the
host knows, so a scalar that holds one, and an item of a list that holds one, is not looked into.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pki.name_syntax import fault_of_host
from postfix.list_items import literal_items, split_list
from postfix.mailboxes import fault_of_home_mailbox
from postfix.sender_choices import OWN_DOMAINS, has_fixed_domain
from postfix.table_values import (
    Check,
    access_list,
    address_map_list,
    content_map_list,
    list_without_files,
    map_list,
    milters,
    next_hops,
    one_map,
    transport,
)
from postseal_core.wording import shown

__all__ = ["CHECKS", "LIST_KINDS", "NAMING_KINDS"]

LIST_KINDS = frozenset(
    {"access-list", "address-map-list", "content-map-list", "fingerprints", "flags", "flags-any-case", "list"}
    | {"login-options", "map-list", "milter-map-list", "milters", "next-hop-map-list", "next-hops", "path-list"}
    | {"protocols", "sent-content-map-list", "transport-map-list"}
)
NAMING_KINDS = LIST_KINDS - {"fingerprints", "protocols"} | {
    *("address", "domain", "home-mailbox", "login-service", "map", "origin", "path", "service", "transport"),
}
"""Kinds whose values name something else: files, tables, services, programs, addresses."""
_PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

_INT_MAX = 2**31 - 1
_LONG_MAX = 2**63 - 1
_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_TIME = re.compile(r"(?P<number>[0-9]{1,10})(?P<unit>[smhdw]?)", re.ASCII)
_SECONDS = MappingProxyType({"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800})
_PROTOCOL = re.compile(r"(?P<bound>[<>]=|!)?(?P<name>.*)", re.DOTALL)
_PROTOCOL_HEX = re.compile(r"(0x)?[0-9a-f]{1,8}", re.ASCII | re.IGNORECASE)
_FINGERPRINT = re.compile(r"[0-9a-f]{2}(:?[0-9a-f]{2})+", re.ASCII | re.IGNORECASE)
_ADDRESS = re.compile(r"<>|[^\s,|/\"'\\()<>:;@][^\s,|\"\\()<>:;@]*(@[^\s,|/\"\\()<>;@]+)?|@[^\s,|/\"\\()<>;@]+")
_ADDRESS_NAMES = re.compile(
    r"\$[{(]?(double_bounce_sender|address_verify_sender|empty_address_recipient|\w+_notice_recipient)[)}]?"
)
_REFERENCE = re.compile(r"\$\w+|\$\{\w+\}|\$\(\w+\)", re.ASCII)
_FEEDBACK = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?( */ *([0-9]{1,9}|concurrency|sqrt_concurrency))?", re.ASCII)
_SERVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_LOGIN_SERVICE = re.compile(r"[A-Za-z0-9_-]+|private/[A-Za-z0-9_-][A-Za-z0-9_.-]*", re.ASCII)
_NO_ANONYMOUS = "noanonymous"


def _boolean(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    if value.lower() not in {"yes", "no"}:
        yield f"{shown(value)} is not yes or no; the Postfix process that reads it dies at start"


def _enum(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value and value not in allowed:
        yield f"{shown(value)} is not one of {', '.join(allowed)}"


def _enum_any_case(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value.lower() not in allowed:
        yield from _enum(value, allowed)


def _items(check: Check) -> Check:
    """Return a check for lists, each item of which passes `check`."""

    def checked(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
        for item in literal_items(value):
            yield from check(item, allowed)

    return checked


def _login_options(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Check SASL options: an anonymous login would relay."""
    items = split_list(value)
    faults = [fault for item in items for fault in _enum(item, allowed)]
    yield from faults
    if not faults and _NO_ANONYMOUS not in items and not any(item.startswith("$") for item in items):
        yield f"{shown(value)} lets anybody log in without a name; add {_NO_ANONYMOUS}"


def _bounded(value: str, least: int, most: int) -> Iterator[str]:
    if not (_NUMBER.fullmatch(value) and least <= int(value) <= most):
        yield f"{shown(value)} is not a whole number from {least} to {most}"


def _integer(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    least, *most = map(int, allowed)
    yield from _bounded(value, least, most[0] if most else _INT_MAX)


def _size(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    yield from _bounded(value, int(allowed[0]), _LONG_MAX)


def _time(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    match = _TIME.fullmatch(value)
    if not match:
        yield f"{shown(value)} is not a time; write digits and one unit of s, m, h, d or w, as 3600s"
    elif int(match["number"]) * _SECONDS[match["unit"]] > _INT_MAX:
        yield f"{shown(value)} is longer than the {_INT_MAX} seconds that Postfix can count"
    elif allowed and int(match["number"]) * _SECONDS[match["unit"]] < int(allowed[0]):
        yield f"{shown(value)} is shorter than the {allowed[0]}s that Postfix starts with"


def _path(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value and value not in allowed and not value.startswith("/"):
        yield (
            f"{shown(value)} is not absolute; Postfix looks below its queue_directory: write /... or "
            "$config_directory/..."
        )


def _path_list(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    for item in split_list(value):
        if not item.startswith(("/", "$")) or set(item) & set("\"'\\"):
            yield (
                f"{shown(item)} is not an absolute path; the list is split at every blank and comma and knows no "
                "quotes, so a path must hold none"
            )


def _protocols(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    names = {name.lower() for name in _PROTOCOLS}
    for item in re.split(r"[\s,:]+", value):
        match = _PROTOCOL.fullmatch(item)
        bound, name = (match["bound"], match["name"].lower()) if match else (None, "")
        is_number = bound in ("<=", ">=") and _PROTOCOL_HEX.fullmatch(name)
        if item and "$" not in item and name not in names and not is_number:
            yield f"{shown(item)} is no TLS protocol, so Postfix turns TLS off; write it as >=TLSv1.2 or TLSv1.3"


def _fingerprints(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    for item in literal_items(value):
        if not _FINGERPRINT.fullmatch(item):
            yield f"{shown(item)} is not a fingerprint; write hex pairs as AA:BB:..., separated by blanks or commas"


def _address(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for one address; luser_relay has parts of the recipient in it, which a sender writes."""
    named = OWN_DOMAINS.sub("own.example", value)
    if value and not _ADDRESS_NAMES.fullmatch(value) and not _ADDRESS.fullmatch(_REFERENCE.sub("x", named)):
        yield f"{shown(value)} is not one mail address"
    elif "$" in named and not _ADDRESS_NAMES.fullmatch(value) and not has_fixed_domain(value):
        yield (
            f"{shown(value)} is an address whose domain a sender may decide, so strangers could relay; write the "
            "domain itself, as $user@example.org"
        )


def _home_mailbox(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    if fault := fault_of_home_mailbox(value):
        yield f"{shown(value)} {fault}"


def _domain(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    """Check for one domain; lists of domains name this parameter, so a second word would become one of them."""
    if fault := fault_of_host(value):
        yield f"{shown(value)} is no domain: {fault}"


def _origin(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
    if value not in ("$myhostname", "$mydomain", "/etc/mailname"):
        yield from _domain(value, allowed)


def _ip_address(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    is_bracketed = value.startswith("[") and value.endswith("]")
    try:
        ipaddress.ip_address(value[1:-1] if is_bracketed else value or "::")
    except ValueError:
        yield f"{shown(value)} is no IP address"


def _words(pattern: re.Pattern[str], expected: str) -> Check:
    """Return a check for values that are empty or match a pattern."""

    def check(value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
        if value and not pattern.fullmatch(value):
            yield f"{shown(value)} is not {expected}"

    return check


def _anything(_value: str, _allowed: tuple[str, ...]) -> Iterator[str]:
    yield from ()


def _unless_expanded(check: Check) -> Check:
    """Return `check` for values that hold no `$name`."""

    def checked(value: str, allowed: tuple[str, ...]) -> Iterator[str]:
        if "$" not in value:
            yield from check(value, allowed)

    return checked


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "access-list": access_list,
        "address": _address,
        "address-map-list": address_map_list,
        "boolean": _unless_expanded(_boolean),
        "content-map-list": content_map_list,
        "delimiters": _words(re.compile(r"[-+.=_#!%^~*&]+"), "a few signs as +- to split an address at"),
        "domain": _domain,
        "enum": _unless_expanded(_enum),
        "enum-any-case": _unless_expanded(_enum_any_case),
        "feedback": _unless_expanded(_words(_FEEDBACK, "a number, or one divided by concurrency, as 1/concurrency")),
        "fingerprints": _fingerprints,
        "flags": _items(_enum),
        "flags-any-case": _items(_enum_any_case),
        "home-mailbox": _home_mailbox,
        "integer": _unless_expanded(_integer),
        "ip-address": _unless_expanded(_ip_address),
        "list": list_without_files,
        "login-options": _login_options,
        "login-service": _words(_LOGIN_SERVICE, "a socket as private/auth, or the name of a Cyrus configuration"),
        "map": one_map,
        "map-list": map_list,
        "milter-map-list": map_list,
        "milters": milters,
        "next-hop-map-list": map_list,
        "next-hops": next_hops,
        "origin": _origin,
        "path": _unless_expanded(_path),
        "path-list": _path_list,
        "protocols": _protocols,
        "sent-content-map-list": content_map_list,
        "service": _unless_expanded(_words(_SERVICE, "the name of a service in master.cf")),
        "size": _unless_expanded(_size),
        "string": _anything,
        "time": _unless_expanded(_time),
        "transport": transport,
        "transport-map-list": map_list,
        "word": _words(re.compile(r"\S+"), "one word without blanks"),
    }
)
