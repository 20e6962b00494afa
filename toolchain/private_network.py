"""Moves this process, and all that it starts, into a network namespace in which only loopback is up."""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.network import choose_network, read_command
from toolchain.surroundings import surroundings_of

__all__ = ["Isolation", "enter_private_network", "isolate"]

_CLONE_NEWNET = 0x40000000  # sched.h; `os.unshare` came with Python 3.12
_SIOCSIFFLAGS = 0x8914  # netdevice(7)
_IFF_UP = 0x1
_INTERFACE_REQUEST = "16sH14x"
_OWN_NETWORK = Path("/proc/self/ns/net")


@dataclass(frozen=True, slots=True)
class Isolation:
    """Whether the engine that this process starts is out of reach for other users, and the line that says so."""

    is_private: bool
    sentence: str


def isolate(root: Path, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Isolation:
    """Enter a private network where that changes nothing else, for `pulumi` with these arguments in `directory`."""
    command = read_command(arguments)
    reason = choose_network(surroundings_of(root, command, directory, environment)).reason or enter_private_network()
    if reason:
        return Isolation(
            is_private=False,
            sentence=f"other users of this machine can ask the engine for keys while it runs: {reason} "
            "(docs/secrets.md)",
        )
    return Isolation(is_private=True, sentence="the engine has a network of its own, out of reach for other users")


def enter_private_network() -> str:
    """Enter the namespace; return why it cannot be had, empty where it was. Only root may."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open(_OWN_NETWORK, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(_CLONE_NEWNET) != 0:
            return f"a network namespace cannot be had ({os.strerror(ctypes.get_errno())})"
        try:
            _bring_loopback_up()
        except OSError as error:
            # Without loopback engine and plugins do not find each other: go back to where they do.
            libc.setns(before, _CLONE_NEWNET)
            return f"loopback cannot be brought up in a network namespace ({error.strerror})"
    finally:
        os.close(before)
    return ""


def _bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack(_INTERFACE_REQUEST, b"lo", _IFF_UP))
