"""What contradicts itself in the TLS settings of a host, before anything is rendered from them."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType

from postfix.settings import CLIENT_LEVELS, SERVER_LEVELS, ClientSettings, ServerSettings, Transport
from postseal_core.errors import Problem

__all__ = ["problems_of_client", "problems_of_server"]

_MATCHING_LEVELS = ("fingerprint", "verify", "secure")
# 10.0.0.0/8 and fc00::/7 (RFC 1918, RFC 4193); two halves of the Internet are no narrower than all of it.
_WIDEST_PREFIX = MappingProxyType({4: 8, 6: 7})
_BRACKETED = re.compile(r"\[(?P<address>[0-9A-Fa-f:.]+)\](?P<prefix>/[0-9]+)?", re.ASCII)
_FINGERPRINT = re.compile(r"([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}", re.ASCII)
_TRANSPORT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)
_ONE_WORD = re.compile(r"[^\s#,{}]+")


def _network_fault(network: str) -> str | None:
    bracketed = _BRACKETED.fullmatch(network)
    plain = network if not bracketed else bracketed["address"] + (bracketed["prefix"] or "")
    try:
        parsed = ipaddress.ip_network(plain)
    except ValueError:
        return "is no network; write 192.0.2.0/24 or [2001:db8::]/32, without bits set behind the prefix"
    if (parsed.version == 6) != bool(bracketed):  # noqa: PLR2004
        return "must have brackets just around an IPv6 address, as [2001:db8::]/32"
    if parsed.prefixlen < _WIDEST_PREFIX[parsed.version]:
        return "would let much of the Internet relay; name your own networks"
    return None


def _written_level(server: ServerSettings) -> str:
    """Return the level as it was written: a stack file may hold any word."""
    return server.smtpd_tls_security_level


_SERVER_RULES: tuple[tuple[str, Callable[[ServerSettings], bool], str], ...] = (
    (
        "smtpd_tls_security_level",
        lambda server: _written_level(server) == "none",
        "'none' turns TLS off, and a server without TLS needs no certificate; leave the server out, or write may",
    ),
    (
        "smtpd_tls_security_level",
        lambda server: _written_level(server) not in (*SERVER_LEVELS, "none"),
        f"a server's level is one of {', '.join(SERVER_LEVELS)}",
    ),
    (
        "smtpd_tls_ask_ccert",
        lambda server: server.relay.client_certificates and not server.asks_for_certificates,
        "client certificates may relay, but no client would be asked for one; leave this setting out",
    ),
    (
        "smtpd_tls_req_ccert",
        lambda server: server.smtpd_tls_req_ccert and server.smtpd_tls_security_level != "encrypt",
        "Postfix requires certificates at level encrypt only; set smtpd_tls_security_level to encrypt",
    ),
    (
        "smtpd_tls_req_ccert",
        lambda server: server.smtpd_tls_req_ccert and not (server.ca_file or server.ca_path),
        "a required certificate has to be trusted, and no roots are; set ca_file",
    ),
)


def problems_of_server(server: ServerSettings) -> list[Problem]:
    """Return what contradicts itself on the receiving side; single values are checked as parameters later on."""
    networks = ((network, _network_fault(network)) for network in server.relay.networks)
    return [Problem(path, message) for path, is_broken, message in _SERVER_RULES if is_broken(server)] + [
        Problem("relay.networks", f"{network!r} {fault}") for network, fault in networks if fault
    ]


def _level_faults(level: str, match: Sequence[str]) -> Iterator[str]:
    if level not in CLIENT_LEVELS:
        yield f"level {level!r} is not one of {', '.join(CLIENT_LEVELS)}"
    if level == "fingerprint" and not match:
        yield "level fingerprint needs fingerprints to match, or all mail is deferred"
    if match and level not in _MATCHING_LEVELS:
        yield f"match is for levels {', '.join(_MATCHING_LEVELS)} only; at {level!r} Postfix defers the mail"
    pattern, wanted = (_FINGERPRINT, "AA:BB:... of 32 hex pairs") if level == "fingerprint" else (_ONE_WORD, "a name")
    yield from (f"match {each!r} is not {wanted}" for each in match if not pattern.fullmatch(each) or "|" in each)


def _word_faults(words: Sequence[str]) -> Iterator[str]:
    yield from (f"{word!r} cannot stand in a table; write one word" for word in words if not _ONE_WORD.fullmatch(word))


def _transport_faults(transport: Transport) -> Iterator[str]:
    if not _TRANSPORT_NAME.fullmatch(transport.name):
        yield f"{transport.name!r} cannot be a transport's name; use letters, digits and hyphens"
    if not transport.destinations:
        yield "no destination leads to this transport; name at least one"
    if transport.certificate and transport.smtp_tls_security_level == "none":
        yield "at level none the certificate is never presented; use encrypt or stronger"
    yield from _word_faults([*transport.destinations, *([transport.next_hop] if transport.next_hop else [])])
    yield from _level_faults(transport.smtp_tls_security_level, transport.match)


def problems_of_client(client: ClientSettings) -> list[Problem]:
    """Return what contradicts itself on the sending side, in policies and in transports."""
    faults = [
        ("smtp_tls_security_level", fault)
        for fault in _level_faults(client.smtp_tls_security_level, client.smtp_tls_fingerprint_cert_match)
    ]
    for policy in client.policies:
        found = (*_word_faults([policy.destination]), *_level_faults(policy.level, policy.match))
        faults += [(f"policies.{policy.destination}", fault) for fault in found]
    for transport in client.transports:
        faults += [(f"transports.{transport.name}", fault) for fault in _transport_faults(transport)]
    if {"verify", "secure"} & set(client.levels) and not client.ca_file and not client.smtp_tls_CAfile:
        faults.append(("ca_file", "levels verify and secure need trusted roots; set ca_file or smtp_tls_CAfile"))
    return [Problem(path, message) for path, message in faults]
