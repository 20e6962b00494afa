"""What an administrator needs before a host is deployed to by SSH: its key to pin, and the program to put there."""

from collections.abc import Sequence

from postfix.ssh_access import fingerprint_of

__all__ = ["render_host_keys"]

_BEST = "ssh-ed25519"


def render_host_keys(host: str, keys: Sequence[str]) -> str:
    """Return lines for the stack file, one key of which is enough, with what to compare on the console of the host."""
    ordered = sorted(keys, key=lambda key: (not key.startswith(f"{_BEST} "), key))
    lines = [
        f"# {host} shows these keys; nothing has proven yet that they are its own. On its console, run",
        "#     for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $key; done",
        "# and pin a key below only if its fingerprint stands there; one is enough.",
    ]
    for number, key in enumerate(ordered):
        lines += [f"# {fingerprint_of(key)}", f"{'' if number == 0 else '# '}host_key: {key}"]
    return "".join(f"{line}\n" for line in lines)
