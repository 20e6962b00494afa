"""Where a host's configuration goes: a plain directory, or the Postfix of this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, get_args

from postfix.host import Ownership
from postfix.ssh_access import (
    CONNECT_SECONDS,
    PROGRAM_PATH,
    SSH_PORT,
    WAIT_SECONDS,
    SshAccess,
    Sudo,
    plain_host_key,
)
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "DEPLOY_USER",
    "ETC_POSTFIX",
    "KEPT_GENERATIONS",
    "MOST_KEPT_GENERATIONS",
    "TARGETS",
    "TARGET_WORDS",
    "Directory",
    "Drift",
    "HostTarget",
    "Local",
    "Ssh",
    "Target",
    "TargetKind",
    "is_same_host",
    "problems_of_kept_generations",
    "problems_of_target",
    "target_of",
]


class TargetKind(StrEnum):
    """The kinds of places that a host's configuration can be deployed to."""

    DIRECTORY = "directory"
    LOCAL = "local"
    SSH = "ssh"

    @property
    def is_host(self) -> bool:
        """Whether a Postfix is deployed to, rather than a plain directory."""
        return self is not TargetKind.DIRECTORY


class Drift(StrEnum):
    """What a run does where somebody else has changed what was deployed.

    Attributes:
        REPAIR: It is written as it is declared, and what was changed is said.
        STOP: Nothing is touched, and the run ends with what was changed.
    """

    REPAIR = "repair"
    STOP = "stop"


ETC_POSTFIX: Final = "/etc/postfix"
DEPLOY_USER: Final = "postseal"
"""Who logs in on a host by SSH, where nothing else is said."""
_ROOT: Final = "root"

KEPT_GENERATIONS: Final = 3
"""How many earlier states of a host stay on it, where nothing else is said."""
MOST_KEPT_GENERATIONS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place, as handlers and states have it; programs write `Directory`, `Local` or `Ssh`.

    `path`: the directory that is written to. `config_directory`: what it is called on the host. `ownership`: the same
    as in the host's declaration. `take_over`: paths of files there, not ours, that are replaced and given back.
    `drift`: what to do where somebody else has changed what was deployed. `kept_generations`: how many earlier states
    stay on the host; of a plain directory none. `ssh`: how the host is reached, where it is not this machine.
    """

    kind: TargetKind
    path: str
    config_directory: str
    ownership: Ownership
    take_over: tuple[str, ...] = ()
    drift: Drift = Drift.REPAIR
    kept_generations: int = KEPT_GENERATIONS
    ssh: SshAccess | None = None

    @property
    def place(self) -> str:
        """The place as a sentence names it."""
        return f"{self.ssh.name}:{self.path}" if self.ssh else self.path

    @property
    def reload(self) -> str:
        """Which Postfix has to reload for new files, as a sentence names it."""
        if self.kind is TargetKind.DIRECTORY:
            return f"the Postfix to which {self.path} is carried"
        return f"Postfix of {self.ssh.name}, {self.path}" if self.ssh else f"Postfix of this machine, {self.path}"

    @property
    def jail(self) -> str:
        """Where copies for the chroot lie: below its own queue_directory, of a plain directory beside it."""
        above = PurePath(self.path).parent if self.kind is TargetKind.DIRECTORY else PurePath(self.path)
        return str(above / "queue_directory")


@dataclass(frozen=True, slots=True)
class Directory:
    """A plain directory: the whole configuration of a host, to be carried there by other means.

        postfix.Directory("out/mx1/postfix")

    Needs neither root nor Postfix; whatever its name, the rendered directory can be booted as it is, for every path in
    it is written as `$config_directory/...`.

    Args:
        path: The directory; a relative one is taken from the project's directory.
        config_directory: Where it will lie on the host, for the copy of a CApath inside the chroot. Default:
            `/etc/postfix`.
        ownership: `WHOLE` writes main.cf and master.cf as well; `MERGE` leaves both out, and writes tables, keys and
            certificates only. Default: `WHOLE`.
        take_over: Files there that are not ours and that ours replace, as `("main.cf",)`; paths relative to the
            directory. Each is kept beside ours and given back when ours goes. Default: none, they are refused.
        drift: What to do where somebody else has changed what was deployed: `REPAIR` writes it again and says what was
            changed; `STOP` refuses to go on, with the list, and touches nothing. Default: `REPAIR`.
    """

    path: str
    config_directory: str = "/etc/postfix"
    ownership: Ownership = Ownership.WHOLE
    take_over: tuple[str, ...] = ()
    drift: Drift = Drift.REPAIR

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(
            kind=TargetKind.DIRECTORY,
            path=self.path,
            config_directory=self.config_directory,
            ownership=self.ownership,
            take_over=self.take_over,
            drift=self.drift,
        )


@dataclass(frozen=True, slots=True)
class Local:
    """The Postfix of the machine that runs `pulumi up`; needs root.

        postfix.Local()

    Args:
        path: Its configuration directory. Default: `/etc/postfix`.
        ownership: `MERGE` changes only what is declared in main.cf and master.cf, `WHOLE` takes both over. Default:
            `MERGE`.
        take_over: Other files there that are not ours and that ours replace, as `("relay_clientcerts",)`, which stands
            for its index as well. Each is kept beside ours and given back when ours goes. Default: none, they are
            refused.
        drift: What to do where somebody else has changed what was deployed: `REPAIR` writes it again and says what was
            changed; `STOP` refuses to go on, with the list, and touches nothing. Default: `REPAIR`.
        kept_generations: How many earlier states of what is ours stay on the host, below `.postseal/kept`, for a way
            back: 0 to 100. They hold earlier private keys, which only root can read. Default: 3.
    """

    path: str = "/etc/postfix"
    ownership: Ownership = Ownership.MERGE
    take_over: tuple[str, ...] = ()
    drift: Drift = Drift.REPAIR
    kept_generations: int = KEPT_GENERATIONS

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(
            kind=TargetKind.LOCAL,
            path=self.path,
            config_directory=self.path,
            ownership=self.ownership,
            take_over=self.take_over,
            drift=self.drift,
            kept_generations=self.kept_generations,
        )


@dataclass(frozen=True, slots=True)
class Ssh:
    """The Postfix of another machine, reached by OpenSSH's own client.

        postfix.Ssh("mx1.example.org", host_key="ssh-ed25519 AAAA...")

    Nothing is trusted at the first use: `postseal host-key mx1.example.org` prints the key that the host shows, and its
    fingerprint to compare on the console. What is checked there, and how much the user may do, docs/ssh-hosts.md tells.

    Args:
        host: Its name or address, or its name in `config_file`.
        host_key: Its public key as `ssh-ed25519 AAAA...`; of several, each on a line, it has to show one.
        user: Who logs in there. Default: `postseal`.
        port: Where sshd listens. Default: 22.
        identity_file: The private key of the user. Default: those of the agent and the usual files in `~/.ssh`.
        config_file: An ssh_config(5) for all else, as a jump host; what is named here comes first, and it can make
            nothing of it weaker. Default: none is read, neither the user's nor the system's.
        sudo: What the user may do as root: `PROGRAM` runs the one program that lies there, `SHELL` a shell, and nothing
            is installed; `NONE` is for root. Default: `NONE` for root, else `PROGRAM`.
        program: Where that program lies. Default: `/usr/local/libexec/postseal-host`.
        connect_seconds: How long the host may take to greet. Default: 10.
        wait_seconds: How long the first deployment waits for a host that does not answer yet. Default: 60.
        path: Its configuration directory. Default: `/etc/postfix`.
        ownership: As for `Local`. Default: `MERGE`.
        take_over: As for `Local`. Default: none, they are refused.
        drift: As for `Local`. Default: `REPAIR`.
        kept_generations: As for `Local`. Default: 3.
    """

    host: str
    _: KW_ONLY
    host_key: str
    user: str = DEPLOY_USER
    port: int = SSH_PORT
    identity_file: str = ""
    config_file: str = ""
    sudo: Sudo | None = None
    program: str = PROGRAM_PATH
    connect_seconds: int = CONNECT_SECONDS
    wait_seconds: int = WAIT_SECONDS
    path: str = ETC_POSTFIX
    ownership: Ownership = Ownership.MERGE
    take_over: tuple[str, ...] = ()
    drift: Drift = Drift.REPAIR
    kept_generations: int = KEPT_GENERATIONS

    @property
    def access(self) -> SshAccess:
        """The way to the host."""
        return SshAccess(
            host=self.host,
            user=self.user,
            port=self.port,
            host_keys=tuple(plain_host_key(line) for line in self.host_key.splitlines() if line.strip()),
            identity_file=self.identity_file,
            config_file=self.config_file,
            sudo=self.sudo or (Sudo.NONE if self.user == _ROOT else Sudo.PROGRAM),
            program=self.program,
            connect_seconds=self.connect_seconds,
            wait_seconds=self.wait_seconds,
        )

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(
            kind=TargetKind.SSH,
            path=self.path,
            config_directory=self.path,
            ownership=self.ownership,
            take_over=self.take_over,
            drift=self.drift,
            kept_generations=self.kept_generations,
            ssh=self.access,
        )


HostTarget = Directory | Local | Ssh
"""A target as programs declare it."""

TARGETS: Final[tuple[type[HostTarget], ...]] = get_args(HostTarget)
"""The classes of targets."""

TARGET_WORDS: Final = 'postfix.Directory("out/mx1/postfix"), postfix.Local() or postfix.Ssh("mx1.example.org", ...)'
"""How a program writes a target, for messages."""

_OF_KIND: Final[Mapping[TargetKind, type[Directory | Local]]] = MappingProxyType(
    {TargetKind.DIRECTORY: Directory, TargetKind.LOCAL: Local}
)


def target_of(
    kind: TargetKind,
    path: str,
    ownership: Ownership | None,
    take_over: tuple[str, ...] = (),
    drift: Drift = Drift.REPAIR,
    kept_generations: int | None = None,
    ssh: Ssh | None = None,
) -> HostTarget:
    """Return the target of a kind; without an ownership, or a number of generations, that of the kind's own default.

    What a kind cannot have is left out, as `problems_of_target` tells. `ssh`: the way to the host, where the kind is
    `SSH`.
    """
    target: HostTarget
    if kind is TargetKind.SSH and ssh is not None:
        target = replace(ssh, path=path, take_over=take_over, drift=drift)
    else:
        target = _OF_KIND[kind](path, take_over=take_over, drift=drift)
    if ownership is not None:
        target = replace(target, ownership=ownership)
    is_possible = not list(problems_of_kept_generations(kept_generations))
    if isinstance(target, Local | Ssh) and kept_generations is not None and is_possible:
        target = replace(target, kept_generations=kept_generations)
    return target


def is_same_host(one: Target, other: Target) -> bool:
    """Return whether two targets are of one machine: the same name, or a host key that both have.

    A host that gets another name is still the one that was deployed to.
    """
    if one.ssh is None or other.ssh is None:
        return one.ssh is other.ssh
    is_same_name = (one.ssh.host.lower(), one.ssh.port) == (other.ssh.host.lower(), other.ssh.port)
    return is_same_name or not {*one.ssh.host_keys}.isdisjoint(other.ssh.host_keys)


def problems_of_kept_generations(number: int | None) -> Iterator[Problem]:
    """Report a number of generations that nothing keeps."""
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if number is not None and not (is_number and 0 <= number <= MOST_KEPT_GENERATIONS):
        yield Problem("kept_generations", f"got {number!r}, expected a whole number from 0 to {MOST_KEPT_GENERATIONS}")


def problems_of_target(
    kind: TargetKind, path: str, ownership: Ownership | None, kept_generations: int | None = None
) -> Iterator[Problem]:
    """Report problems of a target declared in a stack file; paths are the kind's word and the names of keys."""
    yield from problems_of_kept_generations(kept_generations)
    if kind is TargetKind.DIRECTORY and kept_generations:
        yield Problem("kept_generations", "only a Postfix that is deployed to keeps earlier states; leave this out")
    if kind.is_host and not path.startswith("/"):
        word = "ssh.config_directory" if kind is TargetKind.SSH else kind.value
        yield Problem(word, f"got {shown(path)}, expected an absolute path, as {ETC_POSTFIX}")
    if kind is TargetKind.DIRECTORY and ownership is Ownership.MERGE:
        yield Problem("ownership", "a directory of ours has nothing to merge with; leave this out")
