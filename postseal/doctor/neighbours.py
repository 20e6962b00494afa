"""Find other users of this machine and its network namespace; an edge of the doctor."""

import os
import pwd
from pathlib import Path

from postseal.doctor.facts import LocalUser

__all__ = ["is_private_network", "other_users"]

_NO_SHELLS = frozenset({"", "false", "halt", "nologin", "shutdown", "sync"})
_NETWORK_OF_ALL, _OWN_NETWORK = Path("/proc/1/ns/net"), Path("/proc/self/ns/net")


def other_users() -> tuple[LocalUser, ...] | None:
    """Return other users who can log in or run a process; None if processes cannot be listed."""
    running = _users_with_processes()
    if running is None:
        return None
    known = {user.pw_uid: user for user in pwd.getpwall()}
    able = {uid for uid, user in known.items() if Path(user.pw_shell).name not in _NO_SHELLS}
    return tuple(
        LocalUser(
            name=known[uid].pw_name if uid in known else f"user {uid}",
            can_log_in=uid in able,
            has_processes=uid in running,
        )
        for uid in sorted((able | running) - {0, os.geteuid()})
    )


def _users_with_processes() -> set[int] | None:
    if not _OWN_NETWORK.exists():
        return None
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.add(process.stat().st_uid)
        except OSError:
            continue  # it has ended
    return found


def is_private_network() -> bool | None:
    """Return whether this process has a network namespace of its own; None if that cannot be told."""
    try:
        return _OWN_NETWORK.readlink() != _NETWORK_OF_ALL.readlink()
    except OSError:
        return None
