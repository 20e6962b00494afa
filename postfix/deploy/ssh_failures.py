"""Why ssh(1) or sudo(8) did not get through, told from what they print; nothing is guessed that they do not say."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from postfix.ssh_access import SSH_PORT, SshAccess, Sudo, fingerprint_of

__all__ = ["Failure", "FailureKind", "failure_of_connection", "failure_of_program", "sentence_of_silence", "shown_end"]

_SHOWN: Final = 300


class FailureKind(StrEnum):
    """What went wrong; the sentences are made from it."""

    HOST_KEY_CHANGED = "host_key_changed"
    HOST_KEY_UNKNOWN = "host_key_unknown"
    USER_KEY = "user_key"
    NAME = "name"
    CLOSED = "closed"
    SILENT = "silent"
    NO_WAY = "no_way"
    DROPPED = "dropped"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a connection was not made. `may_pass`: a host that is just starting fails so, and answers a little later."""

    kind: FailureKind
    sentence: str

    @property
    def may_pass(self) -> bool:
        """Whether waiting can help."""
        return self.kind in _MAY_PASS


_MAY_PASS: Final = frozenset(
    {FailureKind.NAME, FailureKind.CLOSED, FailureKind.SILENT, FailureKind.NO_WAY, FailureKind.DROPPED}
)

# The first that is found counts.
_SAID: Final = (
    ("has changed", FailureKind.HOST_KEY_CHANGED),
    ("host key is known for", FailureKind.HOST_KEY_UNKNOWN),
    ("no matching host key type", FailureKind.HOST_KEY_UNKNOWN),
    ("Host key verification failed", FailureKind.HOST_KEY_CHANGED),
    ("Permission denied (", FailureKind.USER_KEY),
    ("Too many authentication failures", FailureKind.USER_KEY),
    ("Could not resolve hostname", FailureKind.NAME),
    ("Connection refused", FailureKind.CLOSED),
    ("timed out", FailureKind.SILENT),
    ("No route to host", FailureKind.NO_WAY),
    ("Network is unreachable", FailureKind.NO_WAY),
    ("kex_exchange_identification", FailureKind.DROPPED),
    ("Connection reset", FailureKind.DROPPED),
    ("Connection closed", FailureKind.DROPPED),
)

_SENTENCES: Final = {
    FailureKind.HOST_KEY_CHANGED: (
        "{name} shows another host key than the pinned {pinned}: it was set up anew, or somebody stands in between; "
        "compare `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on its console with `postseal host-key {host}`, "
        "and only then change host_key"
    ),
    FailureKind.HOST_KEY_UNKNOWN: (
        "{name} has no host key of the type that is pinned ({pinned}); see what `postseal host-key {host}` prints, "
        "compare it on the console of the host, and put it into host_key"
    ),
    FailureKind.USER_KEY: (
        "{name} refuses the key of {user} ({keys}): {said}; put its public half into ~{user}/.ssh/authorized_keys there"
    ),
    FailureKind.NAME: "{name} is no name that leads to an address: {said}",
    FailureKind.CLOSED: "nothing listens on {name}: {said}",
    FailureKind.SILENT: "{name} does not answer within {seconds} s: {said}",
    FailureKind.NO_WAY: "there is no way to {name}: {said}",
    FailureKind.DROPPED: "{name} closes the connection before it says anything: {said}",
    FailureKind.OTHER: "ssh does not get through to {name}: {said}",
}


def shown_end(text: str) -> str:
    """Return the end of what a program printed, in one line of a bounded length."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    said = "; ".join(line for line in lines if line and "@@@@" not in line)
    return said if len(said) <= _SHOWN else f"...{said[-_SHOWN:]}"


def failure_of_connection(access: SshAccess, stderr: str) -> Failure:
    """Return why ssh(1) ended with 255, from what it printed."""
    kind = next((kind for text, kind in _SAID if text in stderr), FailureKind.OTHER)
    pinned = ", ".join(f"{each.split()[0]} {fingerprint_of(each)}" for each in access.host_keys)
    sentence = _SENTENCES[kind].format(
        name=access.name,
        host=access.host if access.port == SSH_PORT else f"{access.host} --port {access.port}",
        pinned=pinned,
        user=access.user,
        keys=access.identity_file or "of the agent and the usual files",
        seconds=access.connect_seconds,
        said=shown_end(stderr) or "ssh says nothing",
    )
    return Failure(kind, sentence)


def sentence_of_silence(access: SshAccess, seconds: float) -> str:
    """Return what is told of a host that took the connection and then said nothing."""
    return f"{access.name} took the connection and did not answer within {seconds:g} s; see that host"


def failure_of_program(access: SshAccess, stderr: str) -> str:
    """Return why the program on the host gave no answer, though the connection stands."""
    said = shown_end(stderr) or "nothing was said"
    if "sudo:" in stderr or "sudo: not found" in stderr or "not allowed to execute" in stderr:
        if "command not found" in stderr and access.program in stderr:
            return (
                f"there is no {access.program} on {access.name}: {said}; `postseal host-program` prints it, "
                "docs/ssh-hosts.md says how to put it there"
            )
        return f"{access.user} may not run {_what(access)} by sudo on {access.name}: {said}; {_way_out(access)}"
    return f"the program on {access.name} gave no answer: {said}"


def _what(access: SshAccess) -> str:
    return access.program if access.sudo is Sudo.PROGRAM else "a shell"


def _way_out(access: SshAccess) -> str:
    allowed = f'{access.program} ""' if access.sudo is Sudo.PROGRAM else "/bin/sh"
    return f"its sudoers file needs the line `{access.user} ALL=(root) NOPASSWD: {allowed}`"
