"""The command lines of OpenSSH's client, as a connection to a host takes them; no secret stands in any of them.

Options come first on the command line, so nothing in an ssh_config(5) changes them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from postfix.ssh_access import SSH_PORT, SshAccess, Sudo, plain_host_key

__all__ = [
    "KEEP_SECONDS",
    "SEARCH_PATH",
    "SILENCE_SECONDS",
    "close_command",
    "connect_command",
    "environment_of",
    "known_hosts_of",
    "remote_command",
    "request_command",
    "scan_command",
]

KEEP_SECONDS: Final = 30
"""How long an idle connection stays open, if the run that made it dies."""
_ALIVE_SECONDS: Final = 5
_ALIVE_COUNT: Final = 3
SILENCE_SECONDS: Final = _ALIVE_SECONDS * _ALIVE_COUNT
"""After so long without a sign of life a connection is given up."""
SEARCH_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for on a host; sbin is not on every user's PATH."""

_ENVIRONMENT: Final = (
    "HOME",
    "KRB5CCNAME",
    "LOGNAME",
    "PATH",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "USER",
    "XDG_RUNTIME_DIR",
)

# The program comes first on standard input and the request behind it. It is read from a file that has no name any more
# once it is whole, so nothing is left behind whatever becomes of the connection, and what it starts reads it again.
_CARRIED: Final = (
    'trap "" HUP PIPE; umask 077; PATH={path}; export PATH; '
    "d=$(mktemp -d /tmp/postseal-program.XXXXXXXXXX) || exit 70; "
    'head -c {size} >"$d/p"; s=$(wc -c <"$d/p"); exec 3<"$d/p"; rm -rf "$d"; [ "$s" -eq {size} ] || exit 71; '
    "trap - HUP PIPE; exec sh /proc/self/fd/3"
)


def known_hosts_of(access: SshAccess) -> str:
    """Return the content of a known_hosts file that has the pinned keys and nothing else."""
    return "".join(f"{access.host} {plain_host_key(each)}\n" for each in access.host_keys)


def environment_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what ssh(1) gets of an environment: what it needs to find keys and agents, and no passphrase of others."""
    kept = {name: environment[name] for name in _ENVIRONMENT if name in environment}
    return {**kept, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}


def _options(access: SshAccess, directory: str) -> Iterator[str]:
    yield from ("-F", access.config_file or "none", "-T", "-x", "-a", "-l", access.user)
    if access.port != SSH_PORT:
        # The usual one is ssh's own default, and a configuration may know better.
        yield from ("-p", str(access.port))
    settings = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f"{directory}/known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "KnownHostsCommand": "none",
        "HostKeyAlias": access.host,
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "CheckHostIP": "no",
        "NoHostAuthenticationForLocalhost": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "ClearAllForwardings": "yes",
        "Tunnel": "no",
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "RequestTTY": "no",
        "EscapeChar": "none",
        "ConnectTimeout": str(access.connect_seconds),
        "ConnectionAttempts": "1",
        "ServerAliveInterval": str(_ALIVE_SECONDS),
        "ServerAliveCountMax": str(_ALIVE_COUNT),
        "LogLevel": "ERROR",
        "ControlPath": f"{directory}/c",
    }
    if access.identity_file:
        settings["IdentitiesOnly"] = "yes"
        yield from ("-i", access.identity_file)
    for name, value in settings.items():
        yield from ("-o", f"{name}={value}")


def connect_command(access: SshAccess, directory: str) -> list[str]:
    """Return what opens a connection that further commands share, and ends once it is open.

    `directory`: a private one, without blanks or percent signs in its path, with the pinned keys in `known_hosts`.
    """
    shared = ("-o", "ControlMaster=yes", "-o", f"ControlPersist={KEEP_SECONDS}")
    return ["ssh", "-f", "-N", *_options(access, directory), *shared, "--", access.host]


def request_command(access: SshAccess, directory: str, remote: str) -> list[str]:
    """Return what runs a command on a host over the connection that is open; over one of its own if there is none."""
    return ["ssh", *_options(access, directory), "-o", "ControlMaster=no", "--", access.host, remote]


def close_command(access: SshAccess, directory: str) -> list[str]:
    """Return what closes the connection."""
    return ["ssh", "-F", "none", "-o", f"ControlPath={directory}/c", "-O", "exit", "--", access.host]


def scan_command(host: str, port: int, seconds: int) -> list[str]:
    """Return what asks a host for its public keys."""
    return ["ssh-keyscan", "-T", str(seconds), "-p", str(port), "-t", "ed25519,ecdsa,rsa", "--", host]


def remote_command(access: SshAccess, program_bytes: int) -> str:
    """Return what runs the program on the host; it reads itself first, in so many bytes, where it is not there."""
    if access.sudo is Sudo.PROGRAM:
        return f"sudo -n {access.program}"
    carried = _CARRIED.format(path=SEARCH_PATH, size=program_bytes)
    return f"{'sudo -n ' if access.sudo is Sudo.SHELL else ''}sh -c '{carried}'"
