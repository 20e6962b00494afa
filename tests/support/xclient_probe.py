"""Ask an SMTP server on loopback, as a client from any address, whether it would take mail; nothing is queued."""

import socket

__all__ = ["rcpt_code_as"]

TIMEOUT_SECONDS = 10.0


def rcpt_code_as(
    address: str, port: int, rcpt: str, *, name: str = "client.test", sender: str = "sender@sender.test"
) -> int:
    """Return the code for RCPT; the server must authorise 127.0.0.1 for XCLIENT, and earlier refusals fail."""
    with (
        socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection,
        connection.makefile("rb") as lines,
    ):

        def reply() -> int:
            while (line := lines.readline())[3:4] == b"-":
                pass
            return int(line[:3])

        def ask(command: str) -> int:
            connection.sendall(f"{command}\r\n".encode())
            return reply()

        assert reply() == 220
        assert ask("EHLO probe.test") == 250
        assert ask(f"XCLIENT ADDR={address} NAME={name}") == 220
        assert ask(f"EHLO {name}") == 250
        assert ask(f"MAIL FROM:<{sender}>") == 250
        code = ask(f"RCPT TO:<{rcpt}>")
        ask("QUIT")
    return code
