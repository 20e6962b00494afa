"""Where a host's configuration goes: a plain directory, or the Postfix of this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, get_args

from postfix.host import Ownership
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "TARGETS",
    "TARGET_WORDS",
    "Directory",
    "HostTarget",
    "Local",
    "Target",
    "TargetKind",
    "problems_of_target",
    "target_of",
]


class TargetKind(StrEnum):
    """The kinds of places that a host's configuration can be deployed to."""

    DIRECTORY = "directory"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place, as handlers and states have it; programs write `Directory` or `Local`.

    `path`: the directory that is written to. `config_directory`: what it is called on the host. `ownership`: the same
    as in the host's declaration. `take_over`: paths of files there, not ours, that are replaced and given back.
    """

    kind: TargetKind
    path: str
    config_directory: str
    ownership: Ownership
    take_over: tuple[str, ...] = ()

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
    """

    path: str
    config_directory: str = "/etc/postfix"
    ownership: Ownership = Ownership.WHOLE
    take_over: tuple[str, ...] = ()

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(
            kind=TargetKind.DIRECTORY,
            path=self.path,
            config_directory=self.config_directory,
            ownership=self.ownership,
            take_over=self.take_over,
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
    """

    path: str = "/etc/postfix"
    ownership: Ownership = Ownership.MERGE
    take_over: tuple[str, ...] = ()

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(
            kind=TargetKind.LOCAL,
            path=self.path,
            config_directory=self.path,
            ownership=self.ownership,
            take_over=self.take_over,
        )


HostTarget = Directory | Local
"""A target as programs declare it."""

TARGETS: Final[tuple[type[HostTarget], ...]] = get_args(HostTarget)
"""The classes of targets."""

TARGET_WORDS: Final = 'postfix.Directory("out/mx1/postfix") or postfix.Local()'
"""How a program writes a target, for messages."""

_OF_KIND: Final[Mapping[TargetKind, type[HostTarget]]] = MappingProxyType(
    {TargetKind.DIRECTORY: Directory, TargetKind.LOCAL: Local}
)


def target_of(kind: TargetKind, path: str, ownership: Ownership | None, take_over: tuple[str, ...] = ()) -> HostTarget:
    """Return the target of a kind; without an ownership, that of the kind's own default."""
    of_kind = _OF_KIND[kind]
    if ownership is None:
        return of_kind(path, take_over=take_over)
    return of_kind(path, ownership=ownership, take_over=take_over)


def problems_of_target(kind: TargetKind, path: str, ownership: Ownership | None) -> Iterator[Problem]:
    """Report problems of a target declared in a stack file; paths are the kind's word and `ownership`."""
    if kind is TargetKind.LOCAL and not path.startswith("/"):
        yield Problem(kind.value, f"got {shown(path)}, expected an absolute path, as /etc/postfix")
    if kind is TargetKind.DIRECTORY and ownership is Ownership.MERGE:
        yield Problem("ownership", "a directory of ours has nothing to merge with; leave this out")
