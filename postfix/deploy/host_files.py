"""Plain values of a deployment: the files to deploy, those deployed before, and those on the host now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from postfix.master_cf import Service
from postfix.tables import TABLE_TYPES
from postseal_core.errors import Problem
from postseal_core.files.mark import NO_MARK, Mark, paths_of_kept
from postseal_core.files.tree import Entry, FileEntry, paths_to_inspect, tree_problems
from postseal_core.wording import shown

__all__ = [
    "MAIN_CF",
    "MASTER_CF",
    "Deployed",
    "HostFiles",
    "Situation",
    "Table",
    "files_to_inspect",
    "problems_of_files",
]

MAIN_CF = "main.cf"
MASTER_CF = "master.cf"

# What postmap(1) adds to the name of a table; a type that is not here is read as it is.
_INDEX_SUFFIX = MappingProxyType({"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb"})
INDEX_SUFFIXES: Final = frozenset(_INDEX_SUFFIX.values())
"""What stands behind a table's name in that of its index."""


@dataclass(frozen=True, slots=True)
class Table:
    """One lookup table: its source, and its type, one of `postfix.tables.TABLE_TYPES`.

    `has_file_names`: the values name files with keys and certificates (tls_server_sni_maps), so the index is made with
    `postmap -F` and holds the keys themselves; the source must be private then, because the index inherits its mode.
    `lists_clients`: its keys are fingerprints of clients that relay, so that one more row lets one more client in.
    """

    source: FileEntry
    type: str
    has_file_names: bool = False
    lists_clients: bool = False

    @property
    def index_suffix(self) -> str:
        """The suffix of the table's index file; empty for a type that needs no index."""
        return _INDEX_SUFFIX.get(self.type, "")

    @property
    def index_path(self) -> str | None:
        """Where the index lies, None for a type that needs none."""
        return self.source.path + self.index_suffix if self.index_suffix else None


@dataclass(frozen=True, slots=True)
class HostFiles:
    """All files, tables, parameters and services to deploy on one host.

    `files`: below config_directory; with a `main.cf` or `master.cf` among them that file is ours as a whole.
    `parameters`, `services`: what is ours of a main.cf and a master.cf that are not. `chroot`: copies below
    queue_directory, for what chrooted daemons open late (a CApath). `take_over`: paths at which a file that is not ours
    is replaced; that of a table stands for its index as well.
    """

    files: tuple[Entry, ...] = ()
    tables: tuple[Table, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    chroot: tuple[Entry, ...] = ()
    take_over: tuple[str, ...] = ()

    @property
    def all_take_over(self) -> frozenset[str]:
        """The paths of `take_over`, and the indexes of its tables."""
        indexes = (table.index_path for table in self.tables if table.source.path in self.take_over)
        return frozenset((*self.take_over, *(path for path in indexes if path)))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All files and the sources of all tables."""
        return (*self.files, *(table.source for table in self.tables))

    @property
    def index_paths(self) -> tuple[str, ...]:
        """The indexes that postmap makes."""
        return tuple(table.index_path for table in self.tables if table.index_path)

    def has(self, path: str) -> bool:
        """Whether a file is declared as a whole."""
        return any(entry.path == path for entry in self.files)


@dataclass(frozen=True, slots=True)
class Deployed:
    """Everything a deployment put on a host; keep it, the next one needs it. Holds no secret.

    `files`, `chroot`: path -> digest as in `postseal_core.files.tree`. `indexes`: paths, and `index_digests`: what
    postmap made there, as far as it is known. `parameters`: names that are ours in a main.cf that is not, and
    `originals` the values that some of them had there before. `has_services`: whether a master.cf that is not ours has
    a block of our services, and `services` which, as `submission/inet`. `stamp`: a digest of all that was deployed,
    which the mark on the host has as well; another one there is of a run of which nothing was stored.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    chroot: Mapping[str, str] = field(default_factory=dict)
    indexes: tuple[str, ...] = ()
    index_digests: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    originals: Mapping[str, str] = field(default_factory=dict)
    has_services: bool = False
    services: tuple[str, ...] = ()
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """The present state of the paths that a plan needs to know.

    `files`, `chroot`: path -> digest of what exists, below config_directory and queue_directory. `configuration`:
    main.cf and master.cf by their names, as far as they exist, and under `kept_name` what one of ours has replaced.
    `mark`, `chroot_mark`: the marks that we left at both places. `root`, `chroot_root`: their names on the host.
    `obstacles`: what is no plain file of its own among main.cf and master.cf, with words that say what it is.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    chroot: Mapping[str, str] = field(default_factory=dict)
    configuration: Mapping[str, FileEntry] = field(default_factory=dict)
    mark: Mark = NO_MARK
    chroot_mark: Mark = NO_MARK
    root: str = "$config_directory"
    chroot_root: str = "$queue_directory"
    obstacles: Mapping[str, str] = field(default_factory=dict)


def files_to_inspect(desired: HostFiles, deployed: Deployed, mark: Mark) -> tuple[str, ...]:
    """Return the paths below config_directory whose present state a plan needs."""
    indexes = (*desired.index_paths, *deployed.indexes)
    marked = {path: "" for path, file in mark.files.items() if file.is_of_host}
    paths = paths_to_inspect(desired.entries, {**marked, **deployed.files})
    return (*paths, *indexes, *paths_of_kept(mark, desired.all_take_over))


def problems_of_files(desired: HostFiles) -> Iterator[Problem]:
    """Report contradictions in a set of host files."""
    yield from tree_problems(desired.entries)
    yield from (problem.below("queue_directory") for problem in tree_problems(desired.chroot))
    for path, merged in ((MAIN_CF, desired.parameters), (MASTER_CF, desired.services)):
        if merged and desired.has(path):
            yield Problem(path, "is declared as a whole file and in parts; declare one of the two")
    for table in desired.tables:
        yield from _problems_of_table(table)


def _problems_of_table(table: Table) -> Iterator[Problem]:
    if table.type not in TABLE_TYPES:
        yield Problem(
            table.source.path, f"table type {shown(table.type)} is not known; use one of {', '.join(TABLE_TYPES)}"
        )
    if table.has_file_names and not table.source.is_private:
        yield Problem(
            table.source.path, f"mode {table.source.mode:#o} would open its index, which holds keys; use 0o400"
        )
