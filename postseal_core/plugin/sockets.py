"""Find the user whose socket is at the other end of a loopback connection, on Linux.

A connection is named by both its ends, address and port. Ports alone would not do: another user can have a socket of
the same two ports at another address of loopback, 127.0.0.2.
"""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

__all__ = ["Connection", "End", "are_owners_told", "connections_in", "owner_asked", "owner_in_tables", "owner_of"]

_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED: Final = 1

# linux/sock_diag.h and linux/inet_diag.h: one question about one connection, asked and answered in numbers of the
# machine's own byte order, ports and addresses in that of the network.
_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST: Final = 1
_HEADER: Final = struct.Struct("=IHHII")
_QUESTION: Final = struct.Struct("=BBBBI")
_ENDS: Final = struct.Struct("!HH16s16s")
_NO_INTERFACE_NO_COOKIE: Final = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_ANSWER: Final = struct.Struct("=BBBB48s5I")
_LONGEST_ANSWER: Final = 8192
_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection."""

    address: IPv4Address | IPv6Address
    port: int


@dataclass(frozen=True, slots=True)
class Connection:
    """An established connection, as the socket at its `local` end has it, with the uid that owns this socket."""

    local: End
    remote: End
    uid: int


def are_owners_told() -> bool:
    """Return whether this system tells whose a socket is."""
    return _TABLES[0].exists()


def owner_of(local: End, remote: End) -> int | None:
    """Return the uid of the socket whose own end is `local`; None where there is none, or it cannot be told.

    Asked of the kernel, which looks one connection up (0.05 ms); where it does not answer, its tables are read, with
    all sockets of the machine (20 ms).
    """
    found = owner_asked(local, remote)
    return owner_in_tables(local, remote, _read_tables) if found is None else found


def owner_asked(local: End, remote: End) -> int | None:
    """Ask sock_diag(7) for the uid of an established socket; None where it has no answer."""
    with suppress(OSError, struct.error), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.send(_question(local, remote))
        answer = kernel.recv(_LONGEST_ANSWER)
        if _HEADER.unpack_from(answer)[1] == _SOCK_DIAG_BY_FAMILY:
            _, state, _, _, _, _, _, _, uid, _ = _ANSWER.unpack_from(answer, _HEADER.size)
            return int(uid) if state == _ESTABLISHED else None
    return None


def _question(local: End, remote: End) -> bytes:
    family = socket.AF_INET6 if local.address.version == 6 else socket.AF_INET  # noqa: PLR2004  # of IP
    ends = _ENDS.pack(local.port, remote.port, local.address.packed, remote.address.packed)
    body = _QUESTION.pack(family, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + ends + _NO_INTERFACE_NO_COOKIE
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0) + body


def owner_in_tables(local: End, remote: End, tables: Callable[[], list[str]]) -> int | None:
    """Return the uid of an established socket in texts of proc(5)'s `/proc/net/tcp` and `tcp6`.

    None where no socket has these ends, or sockets of different users have.
    """
    found = {
        each.uid for table in tables() for each in connections_in(table) if (each.local, each.remote) == (local, remote)
    }
    return found.pop() if len(found) == 1 else None


def connections_in(table: str) -> Iterator[Connection]:
    """Yield the established sockets in the text of `/proc/net/tcp` or `/proc/net/tcp6`."""
    for line in table.splitlines()[1:]:
        _, local, remote, state, _, _, _, uid, *_ = line.split()
        if int(state, 16) == _ESTABLISHED:
            yield Connection(_end(local), _end(remote), int(uid))


def _end(text: str) -> End:
    """Read `0100007F:1F90`: words of four bytes in the machine's own order; IPv4 within IPv6 is IPv4."""
    words, _, port = text.partition(":")
    starts = range(0, len(words), 8)
    packed = b"".join(struct.pack("=I", int(words[start : start + 8], 16)) for start in starts)
    address = ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return End(mapped or address, int(port, 16))


def _read_tables() -> list[str]:
    return [table.read_text() for table in _TABLES if table.exists()]
