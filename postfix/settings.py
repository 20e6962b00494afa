"""What a stack file may say about the TLS side of a Postfix host, with defaults that are safe to leave alone.

Field names that are parameters of postconf(5) mean the same here; `postfix.rendering` makes files and tables of them.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from postseal_core.errors import Problem

__all__ = [
    "CLIENT_LEVELS",
    "SERVER_LEVELS",
    "ClientSettings",
    "DestinationPolicy",
    "RelayPolicy",
    "ServerSettings",
    "Transport",
    "problems_of_client",
    "problems_of_server",
]

SERVER_LEVELS = ("may", "encrypt")
CLIENT_LEVELS = ("none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure")
_MATCHING_LEVELS = ("fingerprint", "verify", "secure")
# 10.0.0.0/8 and fc00::/7 (RFC 1918, RFC 4193); two halves of the Internet are no narrower than all of it.
_WIDEST_PREFIX = MappingProxyType({4: 8, 6: 7})
_LOOPBACK = ("127.0.0.0/8", "[::1]/128")
_BRACKETED = re.compile(r"\[(?P<address>[0-9A-Fa-f:.]+)\](?P<prefix>/[0-9]+)?", re.ASCII)
_FINGERPRINT = re.compile(r"([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}", re.ASCII)
_TRANSPORT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)
_ONE_WORD = re.compile(r"[^\s#,{}]+")


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """Who may relay through the server; whoever is not named here may only write to its own domains.

    `client_certificates`: clients whose fingerprint is in `relay_clientcerts`, whether or not their certificate is
    trusted (permit_tls_clientcerts). `sasl`: users who log in, over TLS only. `networks`: becomes `mynetworks`, in the
    notation of postconf(5), IPv6 in brackets; empty: not even this machine. `restrict_recipients`: write the same list
    to smtpd_recipient_restrictions too, for hosts whose own list there would refuse the clients.
    """

    client_certificates: bool = True
    sasl: bool = False
    networks: tuple[str, ...] = _LOOPBACK
    restrict_recipients: bool = False

    @property
    def restrictions(self) -> tuple[str, ...]:
        """The restrictions in the order Postfix tries them; the last one refuses, so nobody relays by accident."""
        permits = (
            (bool(self.networks), "permit_mynetworks"),
            (self.sasl, "permit_sasl_authenticated"),
            (self.client_certificates, "permit_tls_clientcerts"),
            (True, "reject_unauth_destination"),
        )
        return tuple(restriction for is_wanted, restriction in permits if is_wanted)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """TLS of the receiving side, smtpd(8).

    `smtpd_tls_security_level`: `may` (default; mail from the Internet needs it) or `encrypt`.
    `smtpd_tls_ask_ccert`: ask clients for a certificate; default: where client certificates may relay.
    `smtpd_tls_req_ccert`: refuse clients without a trusted certificate; needs level `encrypt`.
    `smtpd_tls_protocols`: default `>=TLSv1.2`; written to smtpd_tls_mandatory_protocols as well, since Postfix reads
    one at `may` and the other at `encrypt`.
    `smtpd_tls_session_cache_database`: empty (default: session tickets) or `btree:` or `lmdb:` and a path.
    `ca_file`: trust the roots in one file (default). `ca_path`: in a hashed directory instead, which a chrooted smtpd
    looks for below queue_directory. Neither: no certificate is trusted, and listed fingerprints relay all the same.
    """

    smtpd_tls_security_level: str = "may"
    smtpd_tls_ask_ccert: bool | None = None
    smtpd_tls_req_ccert: bool = False
    smtpd_tls_protocols: str = ">=TLSv1.2"
    smtpd_tls_received_header: bool = True
    smtpd_tls_loglevel: int = 1
    smtpd_tls_session_cache_database: str = ""
    ca_file: bool = True
    ca_path: bool = False
    relay: RelayPolicy = RelayPolicy()

    @property
    def asks_for_certificates(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.relay.client_certificates if self.smtpd_tls_ask_ccert is None else self.smtpd_tls_ask_ccert


@dataclass(frozen=True, slots=True)
class DestinationPolicy:
    """How mail to one destination is protected: a row of smtp_tls_policy_maps.

    `destination`: the next hop exactly as in transport_maps or relayhost, or a recipient domain. `level`: one of
    `CLIENT_LEVELS`. `match`: at `fingerprint` SHA-256 fingerprints (old and new may stand side by side), at `verify`
    and `secure` names or `nexthop`, `dot-nexthop`, `hostname`; empty there means Postfix's default.
    """

    destination: str
    level: str
    match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transport:
    """A way to send mail to some destinations with a client certificate of their own: a service in master.cf.

    `destinations`: keys of transport_maps (`example.org`, `.example.org`). `next_hop`: empty for the destination's MX
    hosts, or `[host]:port`. `certificate`: name of the certificate that is presented; empty: none. Level and `match`
    as in `DestinationPolicy`; a policy for the same next hop wins over them.
    """

    name: str
    destinations: tuple[str, ...]
    certificate: str = ""
    smtp_tls_security_level: str = "secure"
    match: tuple[str, ...] = ()
    next_hop: str = ""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """TLS of the sending side, smtp(8).

    `smtp_tls_security_level`: one of `CLIENT_LEVELS`, default `may`; the dane levels need a validating resolver.
    `smtp_tls_fingerprint_cert_match`: SHA-256 fingerprints of the next hop, for level `fingerprint`.
    `ca_file`: trust the roots of this declaration (default). `smtp_tls_CAfile`: trust those in a file on the host
    instead, an absolute path; empty by default.
    `present_server_certificate`: present the server's chain as the client's too; only where the certificate may be
    used for both, which is checked before deployment. `policies` and `transports`: see there.
    """

    smtp_tls_security_level: str = "may"
    smtp_tls_protocols: str = ">=TLSv1.2"
    smtp_tls_loglevel: int = 1
    smtp_tls_fingerprint_cert_match: tuple[str, ...] = ()
    ca_file: bool = True
    smtp_tls_CAfile: str = ""  # noqa: N815 - the parameter's name
    relayhost: str = ""
    present_server_certificate: bool = False
    policies: tuple[DestinationPolicy, ...] = ()
    transports: tuple[Transport, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """All security levels in use."""
        others = (
            *(policy.level for policy in self.policies),
            *(each.smtp_tls_security_level for each in self.transports),
        )
        return (self.smtp_tls_security_level, *others)


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


_SERVER_RULES: tuple[tuple[str, Callable[[ServerSettings], bool], str], ...] = (
    (
        "smtpd_tls_security_level",
        lambda server: server.smtpd_tls_security_level == "none",
        "'none' turns TLS off, and a server without TLS needs no certificate; leave the server out, or write may",
    ),
    (
        "smtpd_tls_security_level",
        lambda server: server.smtpd_tls_security_level not in (*SERVER_LEVELS, "none"),
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
