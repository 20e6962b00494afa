"""Report contradictions in a host's TLS settings before anything is rendered."""

import re
from collections.abc import Callable, Iterator, Sequence

from postfix.destination_policies import faults_of_attributes
from postfix.networks import problems_of_networks
from postfix.next_hops import faults_of_next_hops
from postfix.settings import CLIENT_LEVELS, SERVER_LEVELS, ClientSettings, ServerSettings, Transport
from postseal_core.errors import Problem
from postseal_core.plain_names import LOST_NAME, is_lost_in_yaml
from postseal_core.wording import shown

__all__ = ["problems_of_client", "problems_of_server"]

_MATCHING_LEVELS = ("fingerprint", "verify", "secure")
_FINGERPRINT = re.compile(r"([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}", re.ASCII)
_TRANSPORT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)
_NO_FLAG = "a list without a flag; write 0 to log nothing about TLS, or what is to be logged, as [1, peercert]"
_ONE_WORD = re.compile(r"[^\s#,{}]+")


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
    ("smtpd_tls_loglevel", lambda server: server.smtpd_tls_loglevel == (), _NO_FLAG),
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
    """Report contradictions on the receiving side; single values are checked later, as parameters."""
    of_networks = problems_of_networks(server.relay.networks, server.relay.wide_networks)
    return [
        *(Problem(path, message) for path, is_broken, message in _SERVER_RULES if is_broken(server)),
        *(problem.below("relay") for problem in of_networks),
    ]


def _level_faults(level: str, match: Sequence[str]) -> Iterator[str]:
    if level not in CLIENT_LEVELS:
        yield f"level {shown(level)} is not one of {', '.join(CLIENT_LEVELS)}"
    if level == "fingerprint" and not match:
        yield "level fingerprint needs fingerprints to match, or all mail is deferred"
    if match and level not in _MATCHING_LEVELS:
        yield f"match is for levels {', '.join(_MATCHING_LEVELS)} only; at {shown(level)} Postfix defers the mail"
    pattern, wanted = (_FINGERPRINT, "AA:BB:... of 32 hex pairs") if level == "fingerprint" else (_ONE_WORD, "a name")
    yield from (f"match {shown(each)} is not {wanted}" for each in match if not pattern.fullmatch(each) or "|" in each)


def _word_faults(words: Sequence[str]) -> Iterator[str]:
    yield from (
        f"{shown(word)} cannot stand in a table; write one word" for word in words if not _ONE_WORD.fullmatch(word)
    )


def _transport_faults(transport: Transport) -> Iterator[str]:
    if not _TRANSPORT_NAME.fullmatch(transport.name):
        yield f"{shown(transport.name)} cannot be a transport's name; use letters, digits and hyphens"
    elif is_lost_in_yaml(transport.name):
        yield LOST_NAME
    if not transport.destinations:
        yield "no destination leads to this transport; name at least one"
    if transport.certificate and transport.smtp_tls_security_level == "none":
        yield "at level none the certificate is never presented; use encrypt or stronger"
    yield from _word_faults(transport.destinations)
    yield from faults_of_next_hops(transport.next_hop)
    yield from _level_faults(transport.smtp_tls_security_level, transport.match)


def problems_of_client(client: ClientSettings) -> list[Problem]:
    """Report contradictions on the sending side, in policies and in transports."""
    faults = [
        ("smtp_tls_security_level", fault)
        for fault in _level_faults(client.smtp_tls_security_level, client.smtp_tls_fingerprint_cert_match)
    ]
    if client.smtp_tls_loglevel == ():
        faults.append(("smtp_tls_loglevel", _NO_FLAG))
    for policy in client.policies:
        found = (
            *_word_faults([policy.destination]),
            *_level_faults(policy.level, policy.match),
            *faults_of_attributes(policy),
        )
        faults += [(f"policies.{policy.destination}", fault) for fault in found]
    for transport in client.transports:
        faults += [(f"transports.{transport.name}", fault) for fault in _transport_faults(transport)]
    if {"verify", "secure"} & set(client.levels) and not client.ca_file and not client.smtp_tls_CAfile:
        faults.append(("ca_file", "levels verify and secure need trusted roots; set ca_file or smtp_tls_CAfile"))
    return [Problem(path, message) for path, message in faults]
