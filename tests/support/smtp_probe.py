"""Ask an SMTP server on loopback what it serves and whether it would relay; nothing is ever queued."""

import smtplib
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from tests.support.test_authority import Credential, colon_hex

__all__ = ["ProbeResult", "Reply", "probe"]

TIMEOUT_SECONDS = 10.0
READY = 220


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the server."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one session saw; fields stay None where the session did not come that far.

    `tls_error` says why STARTTLS or the handshake failed. `is_cut_off` is true when the server closed the connection
    without a reply: in TLS 1.3 that is how a client learns that its certificate was refused, after a good handshake.
    """

    is_starttls_offered: bool = False
    starttls: Reply | None = None
    served_fingerprint_sha256: str | None = None
    tls_version: str | None = None
    tls_error: str = ""
    mail_from: Reply | None = None
    rcpt: Reply | None = None
    is_cut_off: bool = False

    @property
    def may_relay(self) -> bool:
        """Whether the recipient was accepted (250 or 251)."""
        return self.rcpt is not None and self.rcpt.code in {250, 251}


def probe(
    port: int,
    *,
    client_certificate: Credential | None = None,
    server_name: str = "localhost",
    ca: str | None = None,
    rcpt: str = "someone@elsewhere.test",
    tls: Literal["starttls", "implicit", "none"] = "starttls",
    login: tuple[str, str] | None = None,
    max_tls_version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> ProbeResult:
    """Open one session to 127.0.0.1:`port`, as far as RCPT, and return what it saw.

    `server_name` is sent as SNI. `ca` (PEM) makes the probe verify the served certificate and its name; without it
    any certificate will do. `tls`: after STARTTLS if it is offered, from the first byte, or never. `login` is a SASL
    user and password.
    """
    seen: dict[str, Any] = {}
    with _context(client_certificate, ca) as context:
        context.maximum_version = max_tls_version
        try:
            with _Session(port, server_name, context if tls == "implicit" else None) as session:
                # update() stores pair by pair: what was seen before a cut stays.
                seen.update(_converse(session, context if tls == "starttls" else None, rcpt=rcpt, login=login))
        except ssl.SSLError as error:
            seen["tls_error"] = error.reason or str(error)
        except (ConnectionError, smtplib.SMTPServerDisconnected):
            seen["is_cut_off"] = True
    return ProbeResult(**seen)


class _Session(smtplib.SMTP):
    """An SMTP session to 127.0.0.1 whose TLS server name is chosen freely, with TLS from the first byte if asked."""

    def __init__(self, port: int, server_name: str, implicit_tls: ssl.SSLContext | None) -> None:
        self._server_name = server_name
        self._implicit_tls = implicit_tls
        super().__init__("127.0.0.1", port, local_hostname="probe.test", timeout=TIMEOUT_SECONDS)
        self._host = server_name  # what smtplib.SMTP.starttls passes on as server name

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        if self._implicit_tls is None:
            return plain
        return self._implicit_tls.wrap_socket(plain, server_hostname=self._server_name)


def _converse(
    session: _Session, context: ssl.SSLContext | None, *, rcpt: str, login: tuple[str, str] | None
) -> Iterator[tuple[str, object]]:
    """Yield each field of ProbeResult with its value as soon as it is known."""
    session.ehlo()
    yield "is_starttls_offered", session.has_extn("starttls")
    if context is not None and session.has_extn("starttls"):
        reply = _reply(session.starttls(context=context))
        yield "starttls", reply
        if reply.code != READY:
            return
    if isinstance(session.sock, ssl.SSLSocket):
        yield "served_fingerprint_sha256", colon_hex(sha256(session.sock.getpeercert(binary_form=True) or b"").digest())
        yield "tls_version", session.sock.version()
    session.ehlo()
    if login is not None:
        session.login(*login)
    yield "mail_from", _reply(session.mail("probe@probe.test"))
    yield "rcpt", _reply(session.rcpt(rcpt))


def _reply(answer: tuple[int, bytes]) -> Reply:
    code, text = answer
    return Reply(code, text.decode())


@contextmanager
def _context(client_certificate: Credential | None, ca: str | None) -> Iterator[ssl.SSLContext]:
    context = ssl.create_default_context(cadata=ca)
    if ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_certificate is None:
        yield context
        return
    with tempfile.TemporaryDirectory() as directory:
        context.load_cert_chain(client_certificate.write_chain(Path(directory, "client.pem")))
        yield context
