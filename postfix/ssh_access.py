"""How a host is reached by SSH: whom to ask there, with which key, and which key the host has to show."""

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "CONNECT_SECONDS",
    "PROGRAM_PATH",
    "SSH_PORT",
    "WAIT_SECONDS",
    "SshAccess",
    "Sudo",
    "complaint_of_host_key",
    "fingerprint_of",
    "plain_host_key",
    "problems_of_ssh",
]

SSH_PORT: Final = 22
CONNECT_SECONDS: Final = 10
"""How long a host may take to greet."""
WAIT_SECONDS: Final = 60
"""How long the first deployment waits for a host that does not answer yet."""
MOST_SECONDS: Final = 3600
PROGRAM_PATH: Final = "/usr/local/libexec/postseal-host"
"""Where the program lies on a host whose sudoers file names it."""

_HIGHEST_PORT: Final = 65535
_HOST: Final = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_%-]*", re.ASCII)
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_PATH: Final = re.compile(r"/[A-Za-z0-9_./-]+", re.ASCII)
# A certificate authority of hosts would be another promise: it says who may be a host, not which one this is.
_KEY_TYPES: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
_LONGEST_FIELD: Final = 64
_WORD: Final = re.compile(r"[a-z]+-[a-z0-9@.-]{1,40}", re.ASCII)
_SHORTEST_KEY: Final = 36


class Sudo(StrEnum):
    """What the user of the connection may do as root.

    Attributes:
        PROGRAM: Run the one program of Postseal that lies on the host, as its sudoers file says.
        SHELL: Run a shell; nothing is installed on the host, the program travels with each request.
        NONE: Everything, as the user is root; nothing is installed.
    """

    PROGRAM = "program"
    SHELL = "shell"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SshAccess:
    """One host as ssh(1) reaches it.

    `host_keys`: the public keys of which the host has to show one, as `ssh-ed25519 AAAA...`. `identity_file`: the key
    of the user; empty for the agent and the usual files. `config_file`: an ssh_config(5), as for a jump host; empty for
    none at all. `program`: where the program lies on the host, for `Sudo.PROGRAM`.
    """

    host: str
    user: str
    port: int = SSH_PORT
    host_keys: tuple[str, ...] = ()
    identity_file: str = ""
    config_file: str = ""
    sudo: Sudo = Sudo.PROGRAM
    program: str = PROGRAM_PATH
    connect_seconds: int = CONNECT_SECONDS
    wait_seconds: int = WAIT_SECONDS

    @property
    def name(self) -> str:
        """The host as messages name it."""
        return self.host if self.port == SSH_PORT else f"{self.host} port {self.port}"


def plain_host_key(line: str) -> str:
    """Return type and key of a public key, without the comment behind it."""
    return " ".join(line.split()[:2])


def complaint_of_host_key(line: str) -> str | None:
    """Say why a line is no public key of a host; None: it is one."""
    fields = line.split()
    known = f"expected a public key of the host as `{_KEY_TYPES[0]} AAAA...`; `postseal host-key HOST` prints it"
    if len(fields) < 2 or fields[0] not in _KEY_TYPES or "\n" in line.strip():  # noqa: PLR2004  # type and key
        # What is pasted here by mistake may be a private key.
        got = shown(fields[0]) if fields and _WORD.fullmatch(fields[0]) else "something else"
        return f"got {got}, {known}"
    return None if _type_in(fields[1]) == fields[0] else f"the key behind {fields[0]} is cut or another one; {known}"


def _type_in(key: str) -> str:
    """Return the type that stands in a key in base64; empty where it is none (RFC 4253 section 6.6)."""
    try:
        blob = b64decode(key, validate=True)
    except (Error, ValueError):
        return ""
    length = int.from_bytes(blob[:4])
    is_whole = 0 < length <= _LONGEST_FIELD and len(blob) >= length + _SHORTEST_KEY
    return blob[4 : 4 + length].decode("ascii", "replace") if is_whole else ""


def fingerprint_of(host_key: str) -> str:
    """Return the SHA-256 fingerprint of a public key, as ssh-keygen(1) writes it."""
    digest = sha256(b64decode(host_key.split()[1])).digest()
    return f"SHA256:{b64encode(digest).decode().rstrip('=')}"


def problems_of_ssh(access: SshAccess) -> Iterator[Problem]:
    """Report what cannot be a way to a host; the paths are the names of its fields."""
    yield from _problems_of_place(access)
    yield from _problems_of_host_keys(access.host_keys)
    for field, seconds, least in (
        ("connect_seconds", access.connect_seconds, 1),
        ("wait_seconds", access.wait_seconds, 0),
    ):
        if not least <= seconds <= MOST_SECONDS:
            yield Problem(field, f"got {seconds}, expected a number of seconds from {least} to {MOST_SECONDS}")
    for field, path in (("identity_file", access.identity_file), ("config_file", access.config_file)):
        if path and (not path.isprintable() or path.startswith("-")):
            yield Problem(field, f"got {_quoted(path)}, expected the path of a file, as ~/.ssh/deploy")
    yield from _problems_of_sudo(access)


def _quoted(text: str) -> str:
    """Return what was found; not where it is long or has lines, as a private key that was pasted here by mistake."""
    return shown(text) if text.isprintable() and len(text) <= _LONGEST_FIELD else "something else"


def _problems_of_place(access: SshAccess) -> Iterator[Problem]:
    if not _HOST.fullmatch(access.host):
        yield Problem("host", f"got {_quoted(access.host)}, expected a name or address, as mx1.example.org")
    if not _USER.fullmatch(access.user):
        yield Problem("user", f"got {_quoted(access.user)}, expected a user of the host, as postseal")
    if not 0 < access.port <= _HIGHEST_PORT:
        yield Problem("port", f"got {access.port}, expected a number from 1 to {_HIGHEST_PORT}")


def _problems_of_host_keys(host_keys: tuple[str, ...]) -> Iterator[Problem]:
    if not host_keys:
        yield Problem(
            "host_key", "is missing, so anybody could be the host; `postseal host-key HOST` prints it, compare it there"
        )
    for number, line in enumerate(host_keys):
        if complaint := complaint_of_host_key(line):
            yield Problem(f"host_key[{number}]" if len(host_keys) > 1 else "host_key", complaint)


def _problems_of_sudo(access: SshAccess) -> Iterator[Problem]:
    if not _PATH.fullmatch(access.program) or "/../" in f"{access.program}/":
        yield Problem("program", f"got {_quoted(access.program)}, expected an absolute path, as {PROGRAM_PATH}")
    if access.sudo is Sudo.NONE and access.user != "root":
        yield Problem("sudo", f"`none` is for the user root; {access.user} needs `program` or `shell`")
