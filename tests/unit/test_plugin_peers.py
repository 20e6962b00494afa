"""Whose connection it is stands in /proc/net/tcp; only the user who runs the plugin, and root, are answered."""

import pytest

from postseal_core.plugin.peers import owners_of_sockets, user_of_peer

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def line(local: int, remote: int, uid: int, state: str = "01") -> str:
    """Return a line of /proc/net/tcp for two ports of loopback."""
    return (
        f"   0: 0100007F:{local:04X} 0100007F:{remote:04X} {state} 00000000:00000000 00:00000000 00000000 {uid} 0 1 1\n"
    )


def test_established_sockets_are_read_with_ports_and_owner() -> None:
    """Listening sockets and those that are closing are none of a peer's."""
    table = HEADER + line(4711, 8000, 65534) + line(8000, 0, 0, "0A") + line(4712, 8000, 5, "06")
    assert list(owners_of_sockets(table)) == [(4711, 8000, 65534)]


@pytest.mark.parametrize(
    ("peer", "uid"),
    [
        ("ipv4:127.0.0.1:4711", 65534),
        ("ipv6:[::1]:4711", 65534),
        ("ipv4:127.0.0.1:4713", None),
        ("unix:", None),
        ("", None),
    ],
)
def test_the_peer_is_the_owner_of_the_socket_at_its_end(peer: str, uid: int | None) -> None:
    """The plugin's own end of the same connection, ports the other way round, says nothing of the peer."""
    table = HEADER + line(4711, 8000, 65534) + line(8000, 4711, 0) + line(4711, 9000, 7)
    assert user_of_peer(peer, 8000, lambda: [table, HEADER]) == uid


def test_two_owners_of_one_end_are_nobody() -> None:
    """What cannot be told is not taken for one of the two."""
    table = HEADER + line(4711, 8000, 65534)
    assert user_of_peer("ipv4:127.0.0.1:4711", 8000, lambda: [table, HEADER + line(4711, 8000, 0)]) is None
