"""Check lookup tables by the parameter that uses them; no row may run a command or open a relay."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pki.name_syntax import fault_of_host
from postfix.access_actions import nearest_service
from postfix.mailboxes import fault_of_mailbox
from postfix.next_hops import faults_of_transport
from postfix.receiving import LookupTable
from postfix.table_places import CONFIGURED_TYPES, INDEXED_TYPES, PATTERN_TYPES, fault_of_table_file
from postfix.tables import TABLE_TYPES, Row, problems_of_rows
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "LISTABLE_TYPES",
    "PATTERN_TYPES",
    "Meaning",
    "meaning_of",
    "problems_of_map",
    "problems_of_table",
    "type_of_unknown",
]

_Value = Callable[[str, frozenset[str]], Iterator[str]]

LISTABLE_TYPES: Final = INDEXED_TYPES | CONFIGURED_TYPES | {"socketmap"}
"""Types of tables with keys that somebody has entered; a pattern or `static:` would match every domain."""

_SYSTEM: Final = frozenset({"unix"})
_UNKNOWN: Final = re.compile(
    r"(?P<proxy>proxy:)?(?P<type>[a-z]+):(?P<name>(\$\{config_directory\})?[^\s,{}#\"']+)", re.ASCII
)
_SOCKET: Final = re.compile(r"(inet:[^:$]+:[^:$]+|unix:[^:$]+):[^:$]+")
_SYSTEM_NAME: Final = re.compile(r"(passwd|group)\.by(name|id)")
_EXPECTED: Final = MappingProxyType(
    {
        "socketmap": (_SOCKET, "socketmap:inet:host:port:name or socketmap:unix:/path:name"),
        "unix": (_SYSTEM_NAME, "unix:passwd.byname or unix:group.byname"),
    }
)
_LOCAL: Final = re.compile(r"[A-Za-z0-9_=~^!#$&*?{}`.%'][A-Za-z0-9_=~^!#$&*?{}`.%'+-]*", re.ASCII)
_TRANSPORT: Final = re.compile(r"(?P<service>[A-Za-z0-9_-]*):.*", re.ASCII)
_RELAYHOST: Final = re.compile(r"DUNNO|\[[A-Za-z0-9.:-]+\](:[0-9a-z]+)?|[A-Za-z0-9.-]+(:[0-9a-z]+)?", re.ASCII)


def type_of_unknown(table: str) -> str:
    """Return the type of a table of the host, without `proxy:`; empty for what is none."""
    match = _UNKNOWN.fullmatch(table)
    return match["type"] if match else ""


def problems_of_table(table: LookupTable, types: frozenset[str]) -> Iterator[Problem]:
    """Report problems that a table may have under any parameter; `types`: allowed types of the host's own tables."""
    if bool(table.rows) == bool(table.unknown_table):
        yield Problem("", "expected either rows or unknown_table; give one of the two")
    if table.table_type and table.table_type not in TABLE_TYPES:
        got = f"got {shown(table.table_type)}, expected one of {', '.join(TABLE_TYPES)}"
        yield Problem("table_type", f"{got}; patterns are declared as unknown_table, where they are allowed")
    elif table.table_type and table.unknown_table:
        yield Problem("table_type", "an unknown_table says its type itself; leave this out")
    if table.unknown_table and (fault := _fault_of_unknown(table.unknown_table, types)):
        yield Problem("unknown_table", fault)
    rows = [Row(key, value) for key, value in table.rows.items()]
    yield from (problem.below("rows") for problem in problems_of_rows(rows))


def _fault_of_unknown(table: str, types: frozenset[str]) -> str | None:
    match = _UNKNOWN.fullmatch(table)
    if not match:
        return f"got {shown(table)}, expected type:/path as ldap:/etc/postfix/domains.cf, without blanks and quotes"
    kind, name = match["type"], match["name"]
    if kind not in types:
        why = "it would match what nobody has named; " if kind in PATTERN_TYPES or kind == "static" else ""
        return f"a table of type {shown(kind)} cannot stand here: {why}use one of {', '.join(sorted(types))}"
    if kind in _EXPECTED:
        pattern, expected = _EXPECTED[kind]
        return None if pattern.fullmatch(name) else f"got {shown(table)}, expected {expected}"
    fault = fault_of_table_file(kind, name)
    return f"{fault}, or set the parameter in settings and name it under unchecked" if fault else None


def _fault_of_address(address: str) -> str | None:
    """Say what is wrong with an address of a table: a local part, `@domain`, or both."""
    local, at, domain = address.rpartition("@") if "@" in address else (address, "", "")
    if "@" in local or (local and not _LOCAL.fullmatch(local)) or not (local or at):
        return f"{shown(address)} is no address; a command, file or :include: cannot stand here"
    fault = fault_of_host(domain) if at else None
    return f"{shown(address)}: {fault}" if fault else None


def _anything(_value: str, _services: frozenset[str]) -> Iterator[str]:
    yield from ()


def _addresses(value: str, _services: frozenset[str]) -> Iterator[str]:
    for each in (part.strip() for part in value.split(",")):
        if fault := _fault_of_address(each):
            yield fault


def _one_address(value: str, _services: frozenset[str]) -> Iterator[str]:
    if fault := _fault_of_address(value.strip()):
        yield fault


def _transport(value: str, services: frozenset[str]) -> Iterator[str]:
    match = _TRANSPORT.fullmatch(value.strip())
    if not match:
        yield f"got {shown(value)}, expected service:next-hop as smtp:[mx.example.net]:587"
    elif match["service"] and match["service"] not in services:
        yield f"service {nearest_service(match['service'], services)}"
    else:
        yield from faults_of_transport(value)


def _relayhost(value: str, _services: frozenset[str]) -> Iterator[str]:
    if not _RELAYHOST.fullmatch(value.strip()):
        yield f"got {shown(value)}, expected a next hop as [mx.example.net]:587, or DUNNO"


def _mailbox(value: str, _services: frozenset[str]) -> Iterator[str]:
    if fault := fault_of_mailbox(value.strip()):
        yield f"{shown(value)} {fault}"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The kind of rows in a map: `value` checks values; `has_addresses`: whether keys are addresses."""

    words: str
    value: _Value
    has_addresses: bool = True


_MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "alias_maps": Meaning("addresses, separated by commas", _addresses),
        "canonical_maps": Meaning("one address", _one_address),
        "local_recipient_maps": Meaning("any text", _anything),
        "recipient_bcc_maps": Meaning("one address", _one_address),
        "recipient_canonical_maps": Meaning("one address", _one_address),
        "relay_recipient_maps": Meaning("any text", _anything),
        "relocated_maps": Meaning("any text", _anything),
        "sender_bcc_maps": Meaning("one address", _one_address),
        "sender_canonical_maps": Meaning("one address", _one_address),
        "sender_dependent_default_transport_maps": Meaning("a service and next hop", _transport),
        "sender_dependent_relayhost_maps": Meaning("a next hop", _relayhost),
        "smtpd_sender_login_maps": Meaning("logins, separated by commas", _anything),
        "transport_maps": Meaning("a service and next hop", _transport, has_addresses=False),
        "virtual_alias_maps": Meaning("addresses, separated by commas", _addresses),
        "virtual_mailbox_maps": Meaning("a path below virtual_mailbox_base", _mailbox),
    }
)


def meaning_of(parameter: str) -> Meaning:
    """Return the kind of rows that a map has."""
    return _MEANINGS[parameter]


def problems_of_map(parameter: str, table: LookupTable, services: frozenset[str]) -> Iterator[Problem]:
    """Report problems of a parameter's table; `services`: delivery services that rows may name."""
    meaning = meaning_of(parameter)
    yield from problems_of_table(table, LISTABLE_TYPES | PATTERN_TYPES | _SYSTEM)
    for key, value in table.rows.items():
        faults = list(meaning.value(value, services))
        if meaning.has_addresses and (fault := _fault_of_address(key)):
            faults.append(fault)
        yield from (Problem(f"rows.{key}", fault) for fault in faults)
