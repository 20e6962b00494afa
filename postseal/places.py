"""The host that a command is about, from its options: a directory of this machine, or a host elsewhere; an edge."""

import argparse
from pathlib import Path

from postfix.deploy.session import HostSession
from postfix.deploy.sessions.local import LocalSession
from postfix.deploy.sessions.ssh import SshSession
from postfix.ssh_access import PROGRAM_PATH
from postfix.target import Local, Ssh
from postseal.host_places import ssh_target_of, target_in
from postseal_core.errors import ConfigError, Problem
from postseal_core.wording import shown

__all__ = ["add_place", "directory_at", "session_at"]


def add_place(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which host is meant."""
    parser.add_argument(
        "place",
        metavar="DIR|HOST",
        help="the directory of main.cf here, as /etc/postfix; ssh://USER@HOST:PORT/DIR; or a host of the stack file",
    )
    parser.add_argument("--stack-file", type=Path, metavar="FILE", help="says where HOST is, as Pulumi.prod.yaml")
    parser.add_argument("--host-key", default="", metavar="KEY", help="of ssh://: the line of `postseal host-key`")
    parser.add_argument("--identity-file", default="", metavar="FILE", help="of ssh://: your key (default: the agent)")
    parser.add_argument(
        "--sudo", choices=("program", "shell", "none"), default="", help="of ssh://: what USER may do as root"
    )
    parser.add_argument(
        "--program",
        default=PROGRAM_PATH,
        metavar="PATH",
        help="of ssh://: where the program lies (default: %(default)s)",
    )


def directory_at(options: argparse.Namespace) -> Path | None:
    """Return the directory of this machine that is meant; None for a host elsewhere, or of a stack file."""
    return None if options.stack_file or "://" in options.place else Path(options.place)


def session_at(options: argparse.Namespace) -> HostSession:
    """Return the way to the host.

    Raises ConfigError where the options say none; nothing is asked of the host yet.
    """
    target = _target(options)
    if isinstance(target, Ssh):
        return SshSession(target.access, target.path)
    return LocalSession(Path(target.path))


def _target(options: argparse.Namespace) -> Local | Ssh:
    place: str = options.place
    if options.stack_file:
        return target_in(_text(options.stack_file), place, str(options.stack_file))
    if "://" in place:
        return ssh_target_of(
            place,
            host_key=options.host_key,
            identity_file=options.identity_file,
            sudo=options.sudo,
            program=options.program,
        )
    if Path(place).is_absolute() and Path(place).is_dir():
        return Local(place)
    expected = "expected the directory of main.cf here, as /etc/postfix, ssh://USER@HOST, or a host with --stack-file"
    raise ConfigError([Problem("DIR|HOST", f"got {shown(place)}, {expected}")])


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigError([Problem("--stack-file", f"{path} cannot be read: {reason}")]) from error
