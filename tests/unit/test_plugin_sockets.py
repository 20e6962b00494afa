"""Whose a connection is: asked of the kernel, or read in its tables, by both ends with their addresses."""

import os
import socket
from contextlib import closing
from ipaddress import ip_address

import pytest

from postseal_core.plugin import sockets
from postseal_core.plugin.sockets import Connection, End, connections_in, owner_asked, owner_in_tables, owner_of

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
PLUGIN = End(ip_address("127.0.0.1"), 8000)
ENGINE = End(ip_address("127.0.0.1"), 4711)


def line(local: str, remote: str, uid: int, state: str = "01") -> str:
    """Return a line of /proc/net/tcp."""
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid} 0 1 1\n"


def test_established_sockets_are_read_with_both_ends_and_their_owner() -> None:
    """Listening sockets and those that are closing are none of a peer's; IPv4 within IPv6 is IPv4."""
    table = HEADER + line("0100007F:1267", "0100007F:1F40", 65534) + line("0100007F:1F40", "00000000:0000", 0, "0A")
    table += line("0100007F:1268", "0100007F:1F40", 5, "06")
    table += line("0000000000000000FFFF00000100007F:1267", "0000000000000000FFFF00000100007F:1F40", 7)
    table += line("00000000000000000000000001000000:1267", "B80D0120000000000000000001000000:1F40", 8)
    assert list(connections_in(table)) == [
        Connection(ENGINE, PLUGIN, 65534),
        Connection(ENGINE, PLUGIN, 7),
        Connection(End(ip_address("::1"), 4711), End(ip_address("2001:db8::1"), 8000), 8),
    ]


@pytest.mark.parametrize(
    ("others", "uid"),
    [
        ("", 0),
        (line("0200007F:1267", "0100007F:1F40", 65534), 0),  # the same ports, from 127.0.0.2
        (line("0100007F:1267", "0200007F:1F40", 65534), 0),
        (line("0100007F:1F40", "0100007F:1267", 65534), 0),  # the plugin's own end
        (line("0100007F:1267", "0100007F:1F40", 65534), None),  # two owners of one end are nobody
    ],
)
def test_a_socket_of_the_same_ports_elsewhere_changes_nothing(others: str, uid: int | None) -> None:
    """Whoever could make one owner into two would have the engine refused."""
    table = HEADER + line("0100007F:1267", "0100007F:1F40", 0) + others
    assert owner_in_tables(ENGINE, PLUGIN, lambda: [table, HEADER]) == uid


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("ask", [owner_asked, owner_of])
def test_the_kernel_says_whose_a_connection_is(family: int, ask: object) -> None:
    """Also that of a socket of IPv6 that speaks IPv4, as gRPC for Python makes them; nobody's is nobody's."""
    host = "127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as server, closing(socket.socket(family)) as client:
        client.connect((host, server.getsockname()[1]))
        ends = End(PLUGIN.address, client.getsockname()[1]), End(PLUGIN.address, server.getsockname()[1])
        assert ask(*ends) == os.geteuid()  # type: ignore[operator]
        assert owner_in_tables(*ends, sockets._read_tables) == os.geteuid()
        assert ask(ends[0], End(ip_address("127.0.0.2"), ends[1].port)) is None  # type: ignore[operator]
        client.shutdown(socket.SHUT_WR)
        assert ask(*ends) is None  # type: ignore[operator]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the tables of a machine on which the kernel cannot be asked."""
    texts = [HEADER]

    def refused(*_: object) -> socket.socket:
        raise PermissionError

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(sockets, "_read_tables", lambda: texts)
    return texts


def test_where_the_kernel_cannot_be_asked_its_tables_are_read(tables: list[str]) -> None:
    """As in a container that allows no such socket."""
    assert owner_of(ENGINE, PLUGIN) is None
    tables[0] += line("0100007F:1267", "0100007F:1F40", 4)
    assert owner_of(ENGINE, PLUGIN) == 4
