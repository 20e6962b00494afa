"""The steps of a deployment as values; `str` of a step is a line for a reader, without content."""

from dataclasses import dataclass
from enum import StrEnum

from postfix.deploy.host_files import Table
from postseal_core.files.tree import Directory, Entry, digest, kept_name

__all__ = [
    "AGE_SECONDS",
    "BuildTable",
    "GiveBack",
    "KeepOriginal",
    "MakeDirectory",
    "Place",
    "Reload",
    "Remove",
    "RemoveDirectory",
    "Step",
    "WriteFile",
]

# Whoever reads a main.cf or texthash source younger than two seconds waits until it is that old.
AGE_SECONDS = 5

_SHOWN_OF_DIGEST = len("sha256:") + 12


class Place(StrEnum):
    """The directory that the paths of a step are relative to, by its name in main.cf."""

    CONFIG = "config_directory"
    QUEUE = "queue_directory"


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    """Make a directory with its mode."""

    place: Place
    directory: Directory

    def __str__(self) -> str:
        return f"make ${self.place}/{self.directory.path} ({self.directory.mode:04o})"


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Put a file or link in its place by rename."""

    place: Place
    entry: Entry

    def __str__(self) -> str:
        return f"write ${self.place}/{self.entry.path} {digest(self.entry)[:_SHOWN_OF_DIGEST]}"


@dataclass(frozen=True, slots=True)
class BuildTable:
    """Index a table under a temporary name with postmap(1), then put index and source in their places by rename."""

    table: Table

    def __str__(self) -> str:
        return f"index {self.table.type}:${Place.CONFIG}/{self.table.source.path}"


@dataclass(frozen=True, slots=True)
class KeepOriginal:
    """Give a file of others its second name, before ours replaces it."""

    place: Place
    path: str

    def __str__(self) -> str:
        return f"keep ${self.place}/{self.path} as {kept_name(self.path)}"


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Put the file of others that ours had replaced back in its place, in place of ours."""

    place: Place
    path: str

    def __str__(self) -> str:
        return f"give back ${self.place}/{self.path}"


@dataclass(frozen=True, slots=True)
class Reload:
    """Make a running Postfix read everything anew; one that does not run is left alone."""

    def __str__(self) -> str:
        return "reload Postfix"


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a file of ours."""

    place: Place
    path: str

    def __str__(self) -> str:
        return f"remove ${self.place}/{self.path}"


@dataclass(frozen=True, slots=True)
class RemoveDirectory:
    """Remove a directory of ours if nothing is left in it."""

    place: Place
    path: str

    def __str__(self) -> str:
        return f"remove ${self.place}/{self.path} if it is empty"


Step = MakeDirectory | KeepOriginal | GiveBack | WriteFile | BuildTable | Reload | Remove | RemoveDirectory
