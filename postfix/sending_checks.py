"""Check where mail goes against how it is protected there: what Postfix defers, or passes over without a word."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from postfix.host import HostDeclaration, Ownership
from postfix.next_hops import NextHop, next_hops_of, split_transport
from postfix.parameters import ParameterClass, parameter_named
from postfix.receiving import LookupTable
from postfix.rendering import begins_with_tls
from postfix.settings import ClientSettings, DestinationPolicy
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["problems_of_sending"]

_NAME_LEVELS: Final = frozenset({"verify", "secure"})
_NO_TLS_FOR_SURE: Final = frozenset({"none", "may"})
_RELAYHOSTS: Final = "sender_dependent_relayhost_maps"
_ROUTES: Final = ("transport_maps", "sender_dependent_default_transport_maps", _RELAYHOSTS)
_BARE_NAME: Final = re.compile(r"[^\[\]:]+")
_SENDING_SERVICES: Final = frozenset({"", "relay", "smtp"})


@dataclass(frozen=True, slots=True)
class _Way:
    """A way that mail takes: where it is declared, its next hops, and how it is protected."""

    place: str
    hops: tuple[NextHop, ...]
    level: str
    has_match: bool
    is_wrapped: bool


def problems_of_sending(host: HostDeclaration) -> Iterator[Problem]:
    """Report next hops that the declared protection cannot work with, below `client` and `maps`.

    Not checked: next hops in tables of the host, and those of a main.cf that is not ours alone.
    """
    if not host.client:
        return
    settings = host.client.settings
    policies = {each.destination.lower(): each for each in settings.policies}
    for way in _ways(host, settings):
        for fault in (*_faults_of_addresses(way, policies), *_faults_of_wrapping(way, policies)):
            yield Problem(f"client.{way.place}", fault)
    for policy in settings.policies:
        faults = (
            *_faults_of_policy_for_address(host, policy),
            *_faults_of_lookup(host, settings, policy),
            *_faults_of_services(host, settings, policy),
        )
        yield from (Problem(f"client.policies.{policy.destination}", fault) for fault in faults)
    yield from _rows_that_are_not_wrapped(host)


def _ways(host: HostDeclaration, settings: ClientSettings) -> Iterator[_Way]:
    if hops := next_hops_of(settings.relayhost):
        level = settings.smtp_tls_security_level
        yield _Way("relayhost", hops, level, _has_match(host, level), begins_with_tls(host))
    for each in settings.transports:
        level = each.smtp_tls_security_level
        has_match = bool(each.match) or _has_match(host, level)
        yield _Way(f"transports.{each.name}", next_hops_of(each.next_hop), level, has_match, each.begins_with_tls)


def _has_match(host: HostDeclaration, level: str) -> bool:
    return f"smtp_tls_{level}_cert_match" in host.parameters


def _faults_of_addresses(way: _Way, policies: Mapping[str, DestinationPolicy]) -> Iterator[str]:
    """Say which next hop is an address where a name is verified: Postfix compares with DNS names only."""
    for hop in way.hops:
        if hop.is_address and hop.key not in policies and way.level in _NAME_LEVELS and not way.has_match:
            yield (
                f"{shown(hop.text)} is an address, and at level {way.level} Postfix looks for a DNS name in the "
                "certificate of the server, so all mail would be deferred; name the host as in [mx1.example.org], or "
                f"declare policies.{hop.text!r} with level {way.level} and the name under match"
            )


def _faults_of_policy_for_address(host: HostDeclaration, policy: DestinationPolicy) -> Iterator[str]:
    has_match = policy.match or policy.level not in _NAME_LEVELS or _has_match(host, policy.level)
    if not has_match and any(hop.is_address for hop in next_hops_of(policy.destination)):
        yield f"the destination is an address, and level {policy.level} needs a DNS name; write it under match"


def _faults_of_wrapping(way: _Way, policies: Mapping[str, DestinationPolicy]) -> Iterator[str]:
    """Say where TLS would begin at once at one side only, or need not be spoken at all."""
    expecting = [hop.text for hop in way.hops if hop.begins_with_tls]
    if way.is_wrapped and len({hop.begins_with_tls for hop in way.hops}) > 1:
        yield f"{', '.join(expecting)} begins with TLS and the others do not; a way of sending does either"
    elif expecting and not way.is_wrapped:
        yield (
            f"{', '.join(expecting)} begins with TLS, and Postfix would wait for a greeting until it gives up; leave "
            "smtp_tls_wrappermode out, or use port 587"
        )
    for hop in way.hops if way.is_wrapped else ():
        level = policies[hop.key].level if hop.key in policies else way.level
        if level in _NO_TLS_FOR_SURE:
            yield (
                f"{shown(hop.text)} begins with TLS, which needs level encrypt or stronger; at {level} all mail is "
                "deferred"
            )


def _faults_of_lookup(host: HostDeclaration, settings: ClientSettings, policy: DestinationPolicy) -> Iterator[str]:
    """Say where a policy is never looked up, since Postfix looks for the next hop as it is written."""
    key = policy.destination.lower()
    if any(_meet(key, hop) for hop in _next_hops_by_name(host, settings)):
        return
    (wanted,) = next_hops_of(policy.destination) or (None,)
    declared = [*next_hops_of(settings.relayhost), *(h for t in settings.transports for h in next_hops_of(t.next_hop))]
    alike = [hop.text for hop in declared if wanted and hop.host == wanted.host]
    if alike:
        yield (
            "no mail goes to this next hop: Postfix looks up a next hop as it is written, with its brackets and port; "
            f"write {' and '.join(dict.fromkeys(alike))}"
        )
    elif settings.relayhost and not _goes_elsewhere(host):
        yield (
            f"no mail goes to this next hop, as all of it goes to {settings.relayhost}, and Postfix looks up the next "
            "hop; declare a transport for it, or leave the policy out"
        )
    elif wanted and not _may_be_of_recipient(wanted) and not _goes_elsewhere(host):
        yield (
            "no mail goes to this next hop: without a relayhost the next hop is the recipient's domain, without "
            "brackets, port and dot at the end; write it so, or declare a transport that leads to this next hop"
        )


def _meet(key: str, next_hop: str) -> bool:
    """Return whether a policy is looked up for a next hop; each may begin with a dot, for all names below it.

    `*` is any recipient's domain. Postfix looks for policies of parent domains only where the next hop is a bare name.
    """
    if key == next_hop:
        return True
    if not _BARE_NAME.fullmatch(key):
        return False
    if next_hop == "*":
        return True
    is_below = key.startswith(".") and bool(_BARE_NAME.fullmatch(next_hop)) and next_hop.endswith(key)
    return is_below or (next_hop.startswith(".") and key.endswith(next_hop))


def _may_be_of_recipient(hop: NextHop) -> bool:
    """Return whether a recipient's domain, or address in brackets, can be written so by the time it is looked up."""
    return not hop.port and (hop.is_address if hop.has_brackets else not hop.text.endswith("."))


def _faults_of_services(host: HostDeclaration, settings: ClientSettings, policy: DestinationPolicy) -> Iterator[str]:
    """Say what the programs that send could not do: read a file outside of their jail, hand a connection on."""
    if policy.tafile and host.ownership is Ownership.WHOLE:
        yield (
            "smtp(8) runs in the chroot jail of queue_directory and would not find a tafile, so all mail would be "
            "deferred; declare the roots under trust"
        )
    if policy.connection_reuse and settings.smtp_tls_security_level == "none":
        yield (
            "tlsproxy(8) keeps the connections, and it has no TLS where smtp_tls_security_level of all mail is none; "
            "write may there"
        )


def _next_hops_by_name(host: HostDeclaration, settings: ClientSettings) -> frozenset[str]:
    """Return what declared mail has for a next hop, in lower case."""
    hops = [*next_hops_of(settings.relayhost)]
    names: list[str] = []
    for each in settings.transports:
        hops += next_hops_of(each.next_hop)
        names += [] if each.next_hop else [name.rpartition("@")[2] for name in each.destinations]
    for table in _routing_tables(host):
        for key, value in table.rows.items():
            next_hop = split_transport(value)[1] if ":" in value else value
            hops += (*next_hops_of(next_hop), *next_hops_of(value))
            names += [] if next_hop else [key.rpartition("@")[2]]
    return frozenset([*(hop.key for hop in hops), *(name.lower() for name in names)])


def _routing_tables(host: HostDeclaration) -> Iterator[LookupTable]:
    for name in _ROUTES:
        yield from getattr(host.maps, name) or ()


def _goes_elsewhere(host: HostDeclaration) -> bool:
    """Return whether mail may have next hops that are not declared by name here."""
    is_whole = host.ownership is Ownership.WHOLE
    has_tables = any(table.unknown_table for table in _routing_tables(host))
    # By a parameter or an action of a restriction mail may go anywhere.
    return not is_whole or has_tables or bool(host.restrictions.tables) or any(map(_is_about_routes, host.parameters))


def _is_about_routes(name: str) -> bool:
    parameter = parameter_named(name)
    return not parameter or parameter.decides is ParameterClass.ROUTING


def _rows_that_are_not_wrapped(host: HostDeclaration) -> Iterator[Problem]:
    """Report rows that send by a service which begins with TLS to a next hop that does not, and the other way round."""
    is_wrapped = begins_with_tls(host)
    for name in _ROUTES:
        for index, table in enumerate(getattr(host.maps, name) or ()):
            for key, value in table.rows.items():
                service, next_hop = ("", value) if name == _RELAYHOSTS else split_transport(value)
                if service not in _SENDING_SERVICES:
                    continue
                for hop in next_hops_of(next_hop):
                    if hop.begins_with_tls != is_wrapped:
                        yield Problem(f"maps.{name}[{index}].rows.{key}", _row_fault(hop, is_wrapped=is_wrapped))


def _row_fault(hop: NextHop, *, is_wrapped: bool) -> str:
    begins = "begins with TLS" if hop.begins_with_tls else "does not begin with TLS"
    ours = "does" if is_wrapped else "does not"
    return (
        f"{shown(hop.text)} {begins}, and the service smtp {ours} (smtp_tls_wrappermode); declare it under transports, "
        "which has a service of its own for it, and let a row name that service"
    )
