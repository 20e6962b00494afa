"""What a line of smtpd(8) or tlsproxy(8) says about a client: which certificate it presented; pure.

A remote client decides the common names in such a line, its own and its issuer's, and in part the name behind its
address; Postfix decides the rest. So a line is matched from its begin and to its end, and one whose names hold what
looks like a fingerprint counts for nobody.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from postseal.seen.lines import LogLine

__all__ = ["Event", "EventKind", "event_of", "may_be_event"]

_LONGEST_BELIEVED_BYTES: Final = 800
"""Of a message. Syslog may cut a line at 1,024 bytes (RFC 3164 section 4.1), just where a forged fingerprint ends."""

_PRINT: Final = rb"[0-9A-F]{2}(?::[0-9A-F]{2}){15,63}"
_SHA256_PAIRS: Final = 32
_ADDRESS: Final = rb"\[(?P<address>[0-9A-Fa-f:.]{2,45}|unknown)\]"
# tlsproxy(8) knows no name of a client of postscreen(8); with a name it is a server, to which smtp(8) connects.
_PEERS: Final = {
    "smtpd": rb"[^\s\[\]:]{1,255}" + _ADDRESS + rb"(?::(?:[0-9]{1,5}|unknown))?: ",
    "tlsproxy": _ADDRESS + rb":[0-9]{1,5}: ",
}
# Up to 3.8, and from 3.9 on (tls_server.c).
_PRINTS: Final = (
    rb"(?P<names>.*), (?:fingerprint=(?P<old>" + _PRINT + rb"), pkey_fingerprint=(?P<old_key>" + _PRINT + rb")"
    rb"|cert fingerprint=(?P<new>" + _PRINT + rb"), pkey fingerprint=(?P<new_key>" + _PRINT + rb"))"
)
_BEGINS: Final = {daemon: re.compile(peer + rb"(?:subject_CN=|raw public key )") for daemon, peer in _PEERS.items()}
_CERTIFICATES: Final = {
    daemon: re.compile(peer + rb"subject_CN=" + _PRINTS, re.DOTALL) for daemon, peer in _PEERS.items()
}
_RAW_KEYS: Final = {
    daemon: re.compile(peer + rb"raw public key fingerprint=(?P<key>" + _PRINT + rb")")
    for daemon, peer in _PEERS.items()
}
_NAMED: Final = b"fingerprint="
_ISSUED_BY: Final = b", issuer="
_ANONYMOUS: Final = b"Anonymous TLS connection established from "
_SUMMARY: Final = re.compile(rb"(?:Untrusted|Trusted|Verified) TLS connection established from ")
_CONNECT: Final = b"connect from "


class EventKind(Enum):
    """What a line says.

    Attributes:
        CERTIFICATE: A client presented a certificate or a raw public key, and this is its fingerprint.
        SUMMARY: A client presented a certificate; it is named in another line, or nowhere.
        CLIENT: Somebody connected; nothing more is said.
        OTHER_DIGEST: A client presented a certificate, and its fingerprint is no SHA-256.
        DOUBTFUL: A client presented a certificate, and what is said of it may be forged or cut.
    """

    CERTIFICATE = auto()
    SUMMARY = auto()
    CLIENT = auto()
    OTHER_DIGEST = auto()
    DOUBTFUL = auto()


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when, on which host, and of a certificate its fingerprint, that of its key, and from where."""

    kind: EventKind
    at: datetime
    host: str
    fingerprint: str = ""
    key_fingerprint: str = ""
    address: str = ""


def may_be_event(line: bytes) -> bool:
    """Return whether a line is worth reading; most of a log is not."""
    # In the journal's JSON a quotation mark stands in front, and in a log a colon.
    return (
        _NAMED in line
        or b" TLS connection established from " in line
        or b": connect from " in line
        or b'"connect from ' in line
    )


def event_of(line: LogLine) -> Event | None:
    """Return what a line says about a client of the server side; None for any other line."""
    name, _, daemon = line.tag.rpartition("/")
    if not name or daemon not in _PEERS:
        return None
    message = line.message
    if _BEGINS[daemon].match(message):
        return _certificate(line, daemon)
    if _SUMMARY.match(message):
        return Event(EventKind.SUMMARY, line.at, line.host)
    is_client = message.startswith((_CONNECT, _ANONYMOUS))
    return Event(EventKind.CLIENT, line.at, line.host) if is_client else None


def _certificate(line: LogLine, daemon: str) -> Event:
    message = line.message
    doubtful = Event(EventKind.DOUBTFUL, line.at, line.host)
    if len(message) > _LONGEST_BELIEVED_BYTES:
        return doubtful
    if raw := _RAW_KEYS[daemon].fullmatch(message):
        return _event(line, b"", raw["key"], raw["address"])
    found = _CERTIFICATES[daemon].fullmatch(message)
    if not found or _NAMED in found["names"] or _ISSUED_BY not in found["names"]:
        return doubtful
    return _event(line, found["old"] or found["new"], found["old_key"] or found["new_key"], found["address"])


def _event(line: LogLine, fingerprint: bytes, key: bytes, address: bytes) -> Event:
    if len(key.split(b":")) != _SHA256_PAIRS or (fingerprint and len(fingerprint) != len(key)):
        return Event(EventKind.OTHER_DIGEST, line.at, line.host)
    texts = (each.decode("ascii") for each in (fingerprint, key, address))
    return Event(EventKind.CERTIFICATE, line.at, line.host, *texts)
