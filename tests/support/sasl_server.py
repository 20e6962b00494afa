"""A stand-in for Dovecot's authentication server, so that Postfix can be asked for logins without a mail store."""

import base64
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["SaslServer", "sasl_server"]

GREETING = (
    "VERSION\t1\t1",
    "MECH\tPLAIN\tplaintext",
    "SPID\t1",
    "CUID\t1",
    "COOKIE\t00112233445566778899aabbccddeeff",
    "DONE",
)


@dataclass(frozen=True, slots=True)
class SaslServer:
    """A running server; `parameters` are what main.cf needs to use it."""

    port: int

    @property
    def parameters(self) -> dict[str, str]:
        """smtpd_sasl_type and smtpd_sasl_path of this server."""
        return {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": f"inet:127.0.0.1:{self.port}"}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, passwords: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.passwords = passwords


class _Connection(socketserver.StreamRequestHandler):
    """Speaks version 1.1 of Dovecot's authentication protocol, PLAIN only."""

    server: _Server

    def handle(self) -> None:
        self._say(*GREETING)
        for line in self.rfile:
            verb, *fields = line.decode().rstrip("\n").split("\t")
            if verb in {"AUTH", "CONT"}:
                self._say(self._answer(verb, fields))

    def _answer(self, verb: str, fields: list[str]) -> str:
        request = fields[0]
        response = fields[1] if verb == "CONT" else _initial_response(fields)
        if not response:
            return f"CONT\t{request}\t"
        _, user, password = base64.b64decode(response).decode().split("\0")
        accepted = password and self.server.passwords.get(user) == password
        return f"{'OK' if accepted else 'FAIL'}\t{request}\tuser={user}"

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\n" for line in lines).encode())


def _initial_response(fields: list[str]) -> str:
    return next((field.removeprefix("resp=") for field in fields if field.startswith("resp=")), "")


@contextmanager
def sasl_server(passwords: Mapping[str, str]) -> Iterator[SaslServer]:
    """Serve logins of `passwords` (user: password) on a free loopback port until the block ends."""
    with _Server(passwords) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield SaslServer(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
