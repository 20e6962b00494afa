"""Free ports, greetings and waiting, for servers that tests start on 127.0.0.1."""

import os
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

__all__ = ["free_ports", "greeting", "until"]


def _own_ports(environment: Mapping[str, str]) -> range:
    """Return the ports of this process: one of several that test side by side takes none that another may take.

    Below the range from which the kernel takes the ports of outgoing connections.
    """
    number = int(environment.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return range(20000, 32000)[number :: int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))]


PORTS = _own_ports(os.environ)
POLL_SECONDS = 0.02
READ_SECONDS = 1.0

Found = TypeVar("Found")

_used_ports: set[int] = set()


def free_ports() -> Iterator[int]:
    """Yield ports of 127.0.0.1 that nobody listens on, none of them twice in this test run."""
    while True:
        # Not the module `random`: test runs side by side may share a seed.
        port = PORTS[secrets.randbelow(len(PORTS))]
        if port not in _used_ports and _is_free(port):
            _used_ports.add(port)
            yield port


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def greeting(port: int, *, has_tls: bool) -> str:
    """Return the first line a server says, empty if it says none; `has_tls` starts TLS first and trusts anybody."""
    try:
        with socket.create_connection(("127.0.0.1", port), READ_SECONDS) as plain:
            if not has_tls:
                return _first_line(plain)
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with context.wrap_socket(plain) as connection:
                return _first_line(connection)
    except OSError:
        return ""


def _first_line(connection: socket.socket) -> str:
    with connection.makefile("rwb") as stream:
        line = stream.readline()
        stream.write(b"QUIT\r\n")
    return line.decode(errors="replace")


def until(look: Callable[[], Found | None], seconds: float) -> Found | None:
    """Call `look` until it returns something true, and return that; None after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            return None
        time.sleep(POLL_SECONDS)
    return found
