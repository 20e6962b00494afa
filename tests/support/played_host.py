"""A host in a temporary directory: the real program and real files, Postfix's commands played by a script."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from postfix.deploy.sessions.local import LocalSession

__all__ = ["PlayedHost", "play"]

_COMMANDS = ("postconf", "postmap", "postfix", "id")
# What each is asked goes to the file `commands`; what it complains of stands in `complaints/COMMAND-LAST_ARGUMENT`, or
# `complaints/COMMAND`, and of a staged configuration in `complaints/staged-...`.
_PLAYED = r"""#!/bin/sh
me=${0##*/} here=${0%/*}/..
for last; do :; done
case $* in */.postseal/tx/theirs*) staged= ;; */.postseal/tx/* | */postseal-*) staged=staged- ;; *) staged= ;; esac
echo "$me $last" >>"$here/commands"
for each in "$staged$me$last" "$staged$me-$last" "$staged$me"; do
    if [ -s "$here/complaints/$each" ]; then
        cat "$here/complaints/$each" >&2
        exit 1
    fi
done
case $me:$last in
    id:-u) cat "$here/user" ;;
    postconf:queue_directory)
        case $* in *" -xh "*) ;; *) printf 'queue_directory = ' ;; esac
        cat "$here/queue_directory" ;;
    postmap:*)
        file=${last#*:}
        case $* in
            *" -q "*) while read -r key; do grep -i "^$key " "$file"; done ;;
            *) case $last in hash:*) end=db ;; *) end=lmdb ;; esac
               { printf 'index of '; cat "$file"; } >"$file.$end" ;;
        esac ;;
esac
"""


class PlayedHost(LocalSession):
    """A session for a host whose Postfix is played; commands that are no part of Postfix are real."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.place = root.parent
        self.search_path = f"{self.place}/bin:{LocalSession.search_path}"

    def at(self, root: str) -> Self:
        """Return a session for another directory of the same host."""
        other = type(self)(Path(root))
        other.search_path = self.search_path
        return other

    @property
    def queue_directory(self) -> Path:
        """Where the queue is."""
        return self.place / "spool"

    @property
    def commands(self) -> list[str]:
        """What Postfix's commands were asked, in order, by their last arguments."""
        with suppress(FileNotFoundError):
            return (self.place / "commands").read_text().splitlines()
        return []

    def forget(self) -> None:
        """Forget what was asked."""
        (self.place / "commands").unlink(missing_ok=True)

    def complain(self, command: str, text: str) -> None:
        """Have a command fail with a text; of a command that is called for a staged configuration say `staged-...`."""
        (self.place / "complaints" / command).write_text(text)

    def is_at_peace(self) -> None:
        """Have all commands succeed."""
        for path in (self.place / "complaints").iterdir():
            path.unlink()

    def start(self) -> None:
        """Have a Postfix run: by the lock that its master holds."""
        self._master = os.open(self.queue_directory / "pid/master.pid", os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._master, fcntl.LOCK_EX)

    def stop(self) -> None:
        """Have none run."""
        os.close(self._master)


def play(place: Path) -> PlayedHost:
    """Make a host whose Postfix runs, without any configuration."""
    for name in ("bin", "complaints", "postfix", "spool/pid"):
        (place / name).mkdir(parents=True)
    for name in _COMMANDS:
        (place / "bin" / name).write_text(_PLAYED)
        (place / "bin" / name).chmod(0o755)
    (place / "queue_directory").write_text(f"{place}/spool\n")
    (place / "user").write_text("0\n")
    host = PlayedHost(place / "postfix")
    host.start()
    return host
