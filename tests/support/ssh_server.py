"""A private sshd on a loopback port, with its own host key and users' keys; it touches nothing of the machine's own."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from postfix.ssh_access import SshAccess, Sudo
from tests.support.loopback import free_ports, until

__all__ = ["SshServer", "ssh_server"]

ROOT = "root"

_START_SECONDS = 10.0
_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {place}/host_key
PidFile {place}/sshd.pid
AuthorizedKeysFile {place}/authorized_keys
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
{more}
"""


@dataclass(slots=True, eq=False)
class SshServer:
    """One sshd; `stop` and `start` may be called in turn."""

    place: Path
    port: int
    user: str = ROOT
    sudo: Sudo = Sudo.NONE
    pid: int = 0

    @property
    def host_key(self) -> str:
        """The public key of the host, as it is pinned."""
        return self.public_key("host_key")

    @property
    def program(self) -> Path:
        """Where the program lies that the user may run as root."""
        return self.place / "libexec/postseal-host"

    @property
    def access(self) -> SshAccess:
        """The way to it."""
        return SshAccess(
            host="127.0.0.1",
            user=self.user,
            port=self.port,
            host_keys=(self.host_key,),
            identity_file=str(self.place / "user_key"),
            sudo=self.sudo,
            program=str(self.program),
            connect_seconds=5,
            wait_seconds=0,
        )

    def start(self) -> None:
        """Start it, and wait until it greets."""
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # noqa: PTH103  # where sshd puts who is not let in yet
        (self.place / "sshd.pid").unlink(missing_ok=True)
        command = ["/usr/sbin/sshd", "-f", str(self.place / "sshd_config"), "-E", str(self.place / "sshd.log")]
        if self.user != ROOT:
            command = ["unshare", "-m", "sh", "-c", _WITH_USER, str(self.place), *command]
        subprocess.run(command, check=True, timeout=_START_SECONDS)
        if not until(self._has_pid, _START_SECONDS):
            raise TimeoutError((self.place / "sshd.log").read_text())
        self.pid = int((self.place / "sshd.pid").read_text())

    def stop(self) -> None:
        """End it and all its sessions."""
        for pid in (*self.sessions(), *([self.pid] if self.pid else ())):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.pid = 0

    def sessions(self) -> list[int]:
        """Return the processes of sshd that serve connections, the nearest to the listener first."""
        return [pid for pid in _descendants(self.pid) if _name(pid).startswith("sshd")] if self.pid else []

    def sudos(self) -> list[int]:
        """Return the processes of sudo that run for connections."""
        return [pid for pid in _descendants(self.pid) if _name(pid).startswith("sudo")] if self.pid else []

    def key(self, name: str, kind: str = "ed25519") -> Path:
        """Return the private key of a name, made at the first time."""
        path = self.place / name
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
        return path

    def public_key(self, name: str, kind: str = "ed25519") -> str:
        """Return its public half, as a host's is pinned."""
        return " ".join(Path(f"{self.key(name, kind)}.pub").read_text().split()[:2])

    def _has_pid(self) -> bool:
        with suppress(FileNotFoundError):
            return (self.place / "sshd.pid").read_text().strip().isdecimal()
        return False

    def make_user(self) -> None:
        """Write the files in which the user stands, and what it may run as root."""
        allowed = f'{self.program} ""' if self.sudo is Sudo.PROGRAM else "/bin/sh"
        lines = {
            "passwd": f"{self.user}:x:4242:4242::{self.place}:/bin/sh\n",
            "group": f"{self.user}:x:4242:\n",
            "shadow": f"{self.user}:*:19000:0:99999:7:::\n",
        }
        (self.place / "etc").mkdir()
        for name, line in lines.items():
            (self.place / "etc" / name).write_text(Path("/etc", name).read_text() + line)
        (self.place / "etc/sudoers").write_text(
            f"Defaults env_reset\nDefaults use_pty\n{self.user} ALL=(root) NOPASSWD: {allowed}\n"
        )
        (self.place / "etc/sudoers").chmod(0o440)

    def put_program(self, content: bytes) -> None:
        """Put a program where the user may run it as root."""
        self.program.parent.mkdir(exist_ok=True)
        self.program.write_bytes(content)
        self.program.chmod(0o755)


# The machine's own files stay as they are: others are mounted over them for this sshd alone.
_WITH_USER = """\
for each in passwd group shadow sudoers; do mount --bind "$0/etc/$each" "/etc/$each" || exit; done
exec "$@"
"""


@contextmanager
def ssh_server(more: str = "", *, user: str = ROOT, sudo: Sudo = Sudo.NONE) -> Iterator[SshServer]:
    """Give a running server; `more`: further lines of its configuration.

    `user`: who logs in there, with `sudo` as root; only this server knows another user than root.
    """
    # Not below the directories of pytest, which other users must not enter.
    place = Path(tempfile.mkdtemp(prefix="postseal-sshd-"))
    place.chmod(0o755)
    server = SshServer(place, next(free_ports()), user, sudo)
    if user != ROOT:
        server.make_user()
    server.key("host_key")
    (place / "authorized_keys").write_text(f"{server.public_key('user_key')}\n")
    # Read by sshd as the user who logs in.
    (place / "authorized_keys").chmod(0o644)
    (place / "sshd_config").write_text(_CONFIG.format(port=server.port, place=place, more=more))
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(place)


def _descendants(pid: int) -> Iterator[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from _descendants(int(child))


def _name(pid: int) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""
