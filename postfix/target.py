"""Where a host's configuration goes: a plain directory, or the Postfix of this machine."""

from dataclasses import dataclass
from enum import StrEnum

from postfix.host import Ownership

__all__ = ["Directory", "HostTarget", "Local", "Target", "TargetKind"]


class TargetKind(StrEnum):
    """What kind of place a host's configuration goes to."""

    DIRECTORY = "directory"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place, as handlers and states have it; programs write `Directory` or `Local`.

    `path`: the directory that is written to. `config_directory`: what it is called on the host. `ownership`: the same
    as in the host's declaration.
    """

    kind: TargetKind
    path: str
    config_directory: str
    ownership: Ownership


@dataclass(frozen=True, slots=True)
class Directory:
    """A plain directory: the whole configuration of a host, to be carried there by other means.

    `path`: relative to the project's directory. Needs neither root nor Postfix; whatever its name, the rendered
    directory can be booted as it is, for every path in it is written as `$config_directory/...`.
    `config_directory`: where it will lie on the host, for the copy of a CApath inside the chroot.
    """

    path: str
    config_directory: str = "/etc/postfix"
    ownership: Ownership = Ownership.WHOLE

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(
            kind=TargetKind.DIRECTORY,
            path=self.path,
            config_directory=self.config_directory,
            ownership=self.ownership,
        )


@dataclass(frozen=True, slots=True)
class Local:
    """The Postfix of this very machine; needs root.

    `path`: its configuration directory. `ownership`: `MERGE` (default) changes only what is declared in main.cf and
    master.cf, `WHOLE` replaces both.
    """

    path: str = "/etc/postfix"
    ownership: Ownership = Ownership.MERGE

    @property
    def record(self) -> Target:
        """The target as a record."""
        return Target(kind=TargetKind.LOCAL, path=self.path, config_directory=self.path, ownership=self.ownership)


HostTarget = Directory | Local
"""A target as programs declare it."""
