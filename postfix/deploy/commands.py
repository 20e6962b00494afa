"""Postfix's own commands, as a deployment uses them."""

from collections.abc import Sequence

from postfix.deploy.session import CommandResult, HostSession
from postseal_core.errors import DeployError

__all__ = ["parameter_values", "queue_directory", "require_superuser"]

_COMMAND_SECONDS = 60.0
_SHOWN_LINES = 5


def _run(session: HostSession, *arguments: str) -> CommandResult:
    return session.run(arguments, timeout_seconds=_COMMAND_SECONDS)


def _said(result: CommandResult) -> str:
    lines = [line for line in result.stderr.splitlines() if line.strip()] or [f"exit status {result.returncode}"]
    return "; ".join(lines[:_SHOWN_LINES])


def require_superuser(session: HostSession) -> None:
    """Raise DeployError unless commands run as root: postfix(1) refuses anybody else, often without a word."""
    if _run(session, "id", "-u").stdout.strip() != "0":
        raise DeployError(f"only root may deploy to {session.root}; nothing was changed")


def queue_directory(session: HostSession) -> str:
    """Return the queue_directory of the configuration on the host. Raises DeployError if postconf(1) cannot tell."""
    result = _run(session, "postconf", "-c", session.root, "-xh", "queue_directory")
    if result.returncode or not result.stdout.startswith("/"):
        raise DeployError(f"postconf does not tell the queue_directory of {session.root}: {_said(result)}")
    return result.stdout.strip()


def parameter_values(session: HostSession, names: Sequence[str], configuration: str) -> dict[str, str]:
    """Return parameters of the main.cf in a directory, references expanded. Raises DeployError if it cannot tell."""
    result = _run(session, "postconf", "-c", configuration, "-x", *names)
    if result.returncode:
        raise DeployError(f"postconf does not tell the parameters of {session.root}: {_said(result)}")
    pairs = (line.partition("=")[::2] for line in result.stdout.splitlines())
    return {name.strip(): value.strip() for name, value in pairs}
