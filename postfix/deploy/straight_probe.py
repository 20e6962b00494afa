"""Ask SMTP servers from where this runs, without any key: what they serve, and whether they refuse a stranger."""

import ipaddress
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Final

from postfix.proving import StraightEvidence
from postfix.smtp_ports import port_number

__all__ = ["asked_straight", "own_addresses", "straight_answers"]

_CONNECT_SECONDS: Final = 3.0
_RESOLVE_SECONDS: Final = 1.0
_RECIPIENT: Final = "postseal-probe@elsewhere.invalid"
_WRAPPED: Final = "smtps"
_ACCEPTED: Final = "2"
_LONGEST_REPLY: Final = 500


def straight_answers(
    names: Iterable[str], servers: Iterable[tuple[str, str]], host: str = ""
) -> tuple[StraightEvidence, ...]:
    """Return what a host's servers say at the addresses that their names lead to.

    `names`: host names of the server. `servers`: `ADDRESS:PORT` and mode (`smtps` for TLS from the first byte) of each
    as it was asked on the host. `host`: the machine that was deployed to; empty for this one. Nothing where a name
    leads elsewhere, or nowhere: that is no fault. From a loopback address, which is often in mynetworks, only a refusal
    counts. Takes a second for a name that nobody knows.
    """
    ports = dict.fromkeys((_port_of(address), mode) for address, mode in servers)
    theirs = _addresses_of(host) if host else ()
    addresses = dict.fromkeys(
        address
        for name in names
        for address in (own_addresses(name) if not host else _addresses_of(name))
        if not host or address in theirs
    )
    found = (asked_straight(address, port, mode) for address in addresses for port, mode in ports if port)
    return tuple(each for each in found if each and not _proves_nothing(each))


def own_addresses(name: str) -> tuple[str, ...]:
    """Return the addresses of a host name that are this machine's."""
    return tuple(address for address in _addresses_of(name) if _is_here(address))


def _addresses_of(name: str) -> tuple[str, ...]:
    found: list[str] = []

    def resolve() -> None:
        with suppress(OSError, UnicodeError):
            found.extend(str(each[4][0]) for each in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))

    # The resolver has no time limit of its own that a program could set.
    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(_RESOLVE_SECONDS)
    return tuple(dict.fromkeys(list(found)))


def asked_straight(address: str, port: int, mode: str) -> StraightEvidence | None:
    """Return what one server says; None where it cannot be reached, or says nothing."""
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    context = ssl.create_default_context()
    # What is served is compared with what was declared; who signed it was judged there.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with _session(address, port, mode, context) as session:
            return _conversation(session, mode, context, StraightEvidence(address=where))
    except (OSError, smtplib.SMTPException):
        return None


def _session(address: str, port: int, mode: str, context: ssl.SSLContext) -> smtplib.SMTP:
    if mode == _WRAPPED:
        return smtplib.SMTP_SSL(address, port, "probe.invalid", timeout=_CONNECT_SECONDS, context=context)
    return smtplib.SMTP(address, port, "probe.invalid", timeout=_CONNECT_SECONDS)


def _conversation(
    session: smtplib.SMTP, mode: str, context: ssl.SSLContext, found: StraightEvidence
) -> StraightEvidence:
    session.ehlo()
    if mode != _WRAPPED and session.has_extn("starttls"):
        session.starttls(context=context)
        session.ehlo()
    certificate = session.sock.getpeercert(binary_form=True) if isinstance(session.sock, ssl.SSLSocket) else None
    if certificate:
        digest = sha256(certificate).hexdigest().upper()
        found = replace(found, fingerprint_sha256=":".join(digest[at : at + 2] for at in range(0, len(digest), 2)))
    for command in ("MAIL FROM:<>", f"RCPT TO:<{_RECIPIENT}>"):
        code, text = session.docmd(command)
        found = replace(found, reply=f"{code} {_one_line(text)}")
        if not found.reply.startswith(_ACCEPTED):
            break
    return found


def _one_line(text: bytes) -> str:
    said = text.decode("ascii", "replace")
    return "".join(character if character.isprintable() else " " for character in said)[:_LONGEST_REPLY]


def _proves_nothing(found: StraightEvidence) -> bool:
    host = found.address.rpartition(":")[0].strip("[]")
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback and found.reply.startswith(_ACCEPTED)


def _port_of(address: str) -> int:
    port = address.rpartition(":")[2]
    return port_number(port)


def _is_here(address: str) -> bool:
    """Whether an address is one of this machine's: only of those a socket can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as tried:
        tried.bind((address, 0))
        return True
    return False
