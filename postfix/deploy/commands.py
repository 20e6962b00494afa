"""Postfix's own commands, as a deployment uses them."""

import re
from collections.abc import Sequence

from postfix.deploy.host_files import Table
from postfix.deploy.session import CommandResult, HostSession
from postseal_core.errors import DeployError

__all__ = [
    "index_table",
    "is_running",
    "parameter_values",
    "postconf_faults",
    "queue_directory",
    "reload",
    "require_superuser",
]

_COMMAND_SECONDS = 60.0
_LINE_NUMBER = re.compile(r"\bline \d+\b")
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


def postconf_faults(session: HostSession) -> tuple[str, ...]:
    """Return what `postconf -n` finds wrong with main.cf and master.cf in a directory, without line numbers.

    It only reads; `postfix check` would create and repair directories of the queue that main.cf names. It does not
    notice wrong values (`smtpd_tls_security_level = yes` passes without a word).
    """
    result = _run(session, "postconf", "-c", session.root, "-n")
    text = _LINE_NUMBER.sub("line", result.stderr.replace(session.root, "$config_directory"))
    return tuple(dict.fromkeys(text.splitlines())) or (("postconf -n fails",) if result.returncode else ())


def index_table(session: HostSession, table: Table, configuration: str) -> None:
    """Make a table's index beside its source with postmap(1), under the main.cf of the directory `configuration`.

    Raises DeployError for anything on stderr: postmap passes over rows that it cannot use with a warning and status 0.
    """
    holds_files = ["-F"] if table.has_file_names else []
    target = f"{table.type}:{session.root}/{table.source.path}"
    result = _run(session, "postmap", "-c", configuration, *holds_files, target)
    if result.returncode or result.stderr:
        raise DeployError(f"postmap cannot make {target}: {_said(result)}")


def is_running(session: HostSession) -> bool:
    """Return whether a Postfix runs with this configuration directory."""
    return _run(session, "postfix", "-c", session.root, "status").returncode == 0


def reload(session: HostSession) -> None:
    """Make a running Postfix read its configuration. Raises DeployError if it refuses; it goes on as before then."""
    result = _run(session, "postfix", "-c", session.root, "reload")
    if result.returncode:
        raise DeployError(f"postfix -c {session.root} reload failed, see the mail log: {_said(result)}")
