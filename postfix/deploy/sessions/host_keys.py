"""Ask a host for its public keys, to be pinned once somebody has compared them on its console."""

import os
import subprocess
from typing import Final

from postfix.deploy.session import UnreachableError
from postfix.deploy.ssh_command import environment_of, scan_command
from postfix.deploy.ssh_failures import shown_end
from postfix.ssh_access import complaint_of_host_key, plain_host_key

__all__ = ["host_keys_of"]

_SECONDS: Final = 10


def host_keys_of(host: str, port: int) -> tuple[str, ...]:
    """Return the public keys that a host shows, as `ssh-ed25519 AAAA...`; nothing proves that they are its own.

    Raises UnreachableError where it shows none.
    """
    try:
        ended = subprocess.run(
            scan_command(host, port, _SECONDS),
            env=environment_of(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=3 * _SECONDS,
        )
    except FileNotFoundError as error:
        raise UnreachableError("there is no ssh-keyscan on this machine; install OpenSSH's client") from error
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(f"{host} port {port} took the connection and does not answer") from error
    lines = ended.stdout.decode(errors="replace").splitlines()
    keys = {plain_host_key(line.partition(" ")[2]) for line in lines if not line.startswith("#")}
    good = tuple(sorted(key for key in keys if complaint_of_host_key(key) is None))
    if not good:
        said = shown_end(ended.stderr.decode(errors="replace")) or "it does not answer"
        raise UnreachableError(f"{host} port {port} shows no host key: {said}")
    return good
