"""Where a host's configuration goes."""

from dataclasses import dataclass

from postfix.host import Ownership

__all__ = ["Directory", "Local", "Target"]


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
    def properties(self) -> dict[str, str]:
        """The target as properties of a deployment."""
        return {"kind": "directory", "path": self.path, "config_directory": self.config_directory}


@dataclass(frozen=True, slots=True)
class Local:
    """The Postfix of this very machine; needs root.

    `path`: its configuration directory. `ownership`: `MERGE` (default) changes only what is declared in main.cf and
    master.cf, `WHOLE` replaces both.
    """

    path: str = "/etc/postfix"
    ownership: Ownership = Ownership.MERGE

    @property
    def properties(self) -> dict[str, str]:
        """The target as properties of a deployment."""
        return {"kind": "local", "path": self.path, "config_directory": self.path}


Target = Directory | Local
