"""Come to an SMTP server as one of six clients, and see whether it takes mail for others; nothing is queued."""

import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from postfix.effective.visitors import Kind

__all__ = ["Seen", "Visitors", "visit"]

TIMEOUT_SECONDS = 15.0
_ASKED = "someone@elsewhere.test"


@dataclass(frozen=True, slots=True)
class Seen:
    """How one visit ended: the last step that was taken, and the code of the reply to it; 0 for none."""

    step: str
    code: int

    @property
    def is_taken(self) -> bool:
        """Whether the mail would be taken."""
        return self.step == "RCPT" and self.code == 250

    @property
    def is_silent(self) -> bool:
        """Whether nobody greets."""
        return (self.step, self.code) == ("greeting", 0)


@dataclass(frozen=True, slots=True)
class Visitors:
    """What the clients bring: files with key and certificate, by kind, and a name with its password."""

    certificates: Mapping[Kind, Path]
    login: tuple[str, str]


class _CutError(Exception):
    """The server closed the connection, or the handshake failed."""


class _Session:
    """One connection; each step is remembered with the code of its reply."""

    def __init__(self, address: str, port: int, source: str, seconds: float) -> None:
        self.connection: socket.socket = socket.create_connection((address, port), seconds, (source, 0))
        self.lines = self.connection.makefile("rb")
        self.seen = Seen("greeting", 0)
        self.offered: frozenset[str] = frozenset()

    def reply(self, step: str) -> int:
        self.seen = Seen(step, 0)
        lines: list[str] = []
        while True:
            try:
                line = self.lines.readline().decode(errors="replace")
            except OSError as error:
                raise _CutError from error
            if not line:
                raise _CutError
            lines.append(line[4:].strip().upper())
            if line[3:4] != "-":
                break
        self.offered = frozenset(word for each in lines[1:] for word in each.split()[:1])
        self.seen = Seen(step, int(line[:3]))
        return self.seen.code

    def ask(self, command: str) -> int:
        step = command.partition(" ")[0]
        try:
            self.connection.sendall(f"{command}\r\n".encode())
        except OSError as error:
            self.seen = Seen(step, 0)
            raise _CutError from error
        return self.reply(step)

    def encrypt(self, certificate: Path | None) -> None:
        self.seen = Seen("handshake", 0)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate)
        try:
            self.connection = context.wrap_socket(self.connection, server_hostname="mx1.example.test")
        except OSError as error:
            raise _CutError from error
        self.lines = self.connection.makefile("rb")

    def close(self) -> None:
        self.lines.close()
        self.connection.close()


def visit(
    kind: Kind,
    brings: Visitors,
    port: int,
    source: str,
    *,
    is_wrapped: bool = False,
    as_other: str = "",
    seconds: float = TIMEOUT_SECONDS,
) -> Seen:
    """Visit a server on 127.0.0.1, and return how it ended.

    A client whose handshake fails comes again without TLS, and nobody insists on AUTH. `source`: the address to come
    from. `as_other`: what to say by XCLIENT, as ADDR=IPV6:2001:db8::7. `seconds`: how long to wait for a greeting.
    """
    seen = Seen("greeting", 0)
    for has_tls in (True, False):
        if kind is Kind.PLAIN and has_tls:
            continue
        session = _Session("127.0.0.1", port, source, TIMEOUT_SECONDS if is_wrapped else seconds)
        with suppress(_CutError), closing(session):
            _converse(session, kind, brings, is_wrapped=is_wrapped, as_other=as_other, has_tls=has_tls)
        seen = session.seen
        if seen.step != "handshake" or is_wrapped:
            break
    return seen


def _converse(
    session: _Session, kind: Kind, brings: Visitors, *, is_wrapped: bool, as_other: str, has_tls: bool
) -> None:
    certificate = brings.certificates.get(kind)
    if is_wrapped and has_tls:
        session.encrypt(certificate)
    if is_wrapped and not has_tls:
        # Such a server waits for the first word of TLS.
        session.connection.sendall(b"EHLO client.test\r\n")
    code = session.reply("greeting")
    session.connection.settimeout(TIMEOUT_SECONDS)
    if code != 220 or session.ask("EHLO client.test") != 250:
        return
    if as_other and (session.ask(f"XCLIENT {as_other}") != 220 or session.ask("EHLO client.test") != 250):
        return
    if has_tls and not is_wrapped and "STARTTLS" in session.offered and session.ask("STARTTLS") == 220:
        session.encrypt(certificate)
        session.ask("EHLO client.test")
    if kind is Kind.USER and "AUTH" in session.offered:
        name, password = (each.encode() for each in brings.login)
        session.ask(f"AUTH PLAIN {b64encode(bytes(1) + name + bytes(1) + password).decode()}")
    if session.ask("MAIL FROM:<sender@sender.test>") == 250:
        session.ask(f"RCPT TO:<{_ASKED}>")
