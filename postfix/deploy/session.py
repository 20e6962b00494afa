"""The one seam a deployment talks to a host through."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Final, Protocol, Self

from postfix.public_file import PublicFile
from postseal_core.errors import DeployError
from postseal_core.files.tree import FileEntry

__all__ = ["AS_IT_IS", "Configuration", "HostSession", "LostError", "UnreachableError"]

Configuration = Mapping[str, bytes]
"""A main.cf and a master.cf by name that are still to be put in place; without them, those that are there."""

AS_IT_IS: Final[Configuration] = MappingProxyType({})
"""The configuration that a host has now."""


class UnreachableError(DeployError):
    """The host cannot be reached, or lets nobody in: nothing is known of it, and nothing was changed."""


class LostError(DeployError):
    """The connection broke while the program on the host was at work; it goes on there."""


class HostSession(Protocol):
    """Files below one directory of a host, and the program there that changes them.

    Paths are relative to `root`, as in `postseal_core.files.tree`. No symbolic link is followed below the root. What
    was looked at may be answered from memory until the program has changed something: it compares everything again.
    Every method raises DeployError if the host refuses, and UnreachableError where it cannot be reached.
    """

    root: str

    def prefetch(self, paths: Iterable[str], *, read: Iterable[str] = ()) -> None:
        """Say what will be asked of `present`, and of `read`, so that a host far away is asked once."""

    def present(self, paths: Iterable[str]) -> dict[str, str]:
        """Return path -> digest of those of `paths` that exist."""

    def names(self, directory: str) -> list[str]:
        """Return what a directory holds, sorted; nothing for one that does not exist."""

    def read(self, path: str) -> FileEntry | None:
        """Return a regular file, None if there is none.

        Over a network only main.cf, master.cf, what they have replaced, our mark, and files that every user of the host
        may read: no private key leaves it.
        """

    def read_public(self, path: str) -> PublicFile:
        """Return what may be known of a PEM file at an absolute path, links followed as Postfix does.

        A private key never leaves the host: only its public half does.
        """

    def parameters(self, names: Sequence[str], configuration: Configuration = AS_IT_IS) -> dict[str, str]:
        """Return parameters of a main.cf by name, references expanded as postconf(1) does it.

        Raises DeployError if postconf(1) cannot tell.
        """

    def write_mark(self, mark: FileEntry | None) -> None:
        """Write what of the root is ours, or remove it; nothing that Postfix reads."""

    def remove_leftovers(self, directories: Iterable[str]) -> None:
        """Remove temporary files of an interrupted run from `directories`."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep other runs away from the root, as far as the program does not; raise DeployError if one is at work."""

    def at(self, root: str) -> Self:
        """Return a session on the same host for another absolute directory."""

    def run_program(self, said: bytes) -> str:
        """Run the host program of `postfix.deploy.program` with this input, and return what it prints.

        Raises DeployError if it does not end in time, and LostError if the connection breaks; it goes on then.
        """

    def ask_program(self, said: bytes) -> bytes:
        """Do as `run_program`, for an answer in which any byte may stand."""
