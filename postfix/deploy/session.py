"""The one seam a deployment talks to a host through."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from postfix.public_file import PublicFile
from postseal_core.files.tree import Entry, FileEntry

__all__ = ["CommandResult", "HostSession"]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


class HostSession(Protocol):
    """Files below one directory of a host, and commands run in that directory.

    Paths are relative to `root`, as in `postseal_core.files.tree`. Writes and renames are atomic and on the disk when
    they return, no symbolic link is followed below the root, a new file belongs to the user of the session and never
    has a wider mode than declared. Every method raises DeployError if the host refuses.
    """

    root: str

    def present(self, paths: Iterable[str]) -> dict[str, str]:
        """Return path -> digest of those of `paths` that exist."""

    def names(self, directory: str) -> list[str]:
        """Return what a directory holds, sorted; nothing for one that does not exist."""

    def read(self, path: str) -> FileEntry | None:
        """Return a regular file, None if there is none."""

    def read_public(self, path: str) -> PublicFile:
        """Return what may be known of a PEM file at an absolute path, links followed as Postfix does.

        A private key never leaves the host: only its public half does.
        """

    def write(self, entry: Entry, *, age_seconds: int = 0) -> None:
        """Put one file or link in its place, its modification time `age_seconds` in the past."""

    def remove(self, path: str) -> None:
        """Remove a file if it is there."""

    def remove_leftovers(self, directories: Iterable[str]) -> None:
        """Remove temporary files of an interrupted run from `directories`."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep other runs away from the root; raise DeployError if one is at work there."""

    def at(self, root: str) -> Self:
        """Return a session on the same host for another absolute directory."""

    def scratch(self) -> AbstractContextManager[Self]:
        """Give a session for a fresh directory that only its user may enter, removed with all it holds at the end."""

    def run_program(self, said: bytes) -> str:
        """Run the host program of `postfix.deploy.program` with this input, and return what it prints.

        Raises DeployError if it does not end in time; it goes on then.
        """

    def ask_program(self, said: bytes) -> bytes:
        """Do as `run_program`, for an answer in which any byte may stand."""

    def run(self, arguments: Sequence[str], *, timeout_seconds: float) -> CommandResult:
        """Run a command, found by its name, in the root with a clean environment (LC_ALL=C); never through a shell.

        Raises DeployError if there is no such command or it does not end in time.
        """
