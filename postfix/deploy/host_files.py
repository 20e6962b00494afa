"""What a deployment wants on one host, what an earlier one left there, and what is there now; plain values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from postfix.host import TABLE_TYPES
from postfix.master_cf import Service
from postseal_core.errors import Problem
from postseal_core.files.tree import Entry, FileEntry, paths_to_inspect, tree_problems

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


@dataclass(frozen=True, slots=True)
class Table:
    """One lookup table: its source, and its type, one of `postfix.host.TABLE_TYPES`.

    `has_file_names`: the values name files with keys and certificates (tls_server_sni_maps), so the index is made with
    `postmap -F` and holds the keys themselves; the source must be private then, because the index inherits its mode.
    """

    source: FileEntry
    type: str
    has_file_names: bool = False

    @property
    def index_suffix(self) -> str:
        """What postmap adds to the table's name; empty for a type that needs no index."""
        return _INDEX_SUFFIX.get(self.type, "")

    @property
    def index_path(self) -> str | None:
        """Where the index lies, None for a type that needs none."""
        return self.source.path + self.index_suffix if self.index_suffix else None


@dataclass(frozen=True, slots=True)
class HostFiles:
    """Everything that is wanted on one host.

    `files`: below config_directory; with a `main.cf` or `master.cf` among them that file is ours as a whole.
    `parameters`, `services`: what is ours of a main.cf and a master.cf that are not. `chroot`: copies below
    queue_directory, for what chrooted daemons open late (a CApath).
    """

    files: tuple[Entry, ...] = ()
    tables: tuple[Table, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    chroot: tuple[Entry, ...] = ()

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
    """What is ours on a host after a deployment; keep it, the next one needs it. Holds no secret.

    `files`, `chroot`: path -> digest as in `postseal_core.files.tree`. `indexes`: paths. `parameters`: names that are
    ours in a main.cf that is not, and `originals` the values that some of them had there before. `has_services`:
    whether a master.cf that is not ours has a block of our services.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    chroot: Mapping[str, str] = field(default_factory=dict)
    indexes: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    originals: Mapping[str, str] = field(default_factory=dict)
    has_services: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What is on a host now, of what a plan asks for.

    `files`, `chroot`: path -> digest of what exists, below config_directory and queue_directory. `configuration`:
    main.cf and master.cf by their names, as far as they exist.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    chroot: Mapping[str, str] = field(default_factory=dict)
    configuration: Mapping[str, FileEntry] = field(default_factory=dict)


def files_to_inspect(desired: HostFiles, deployed: Deployed) -> tuple[str, ...]:
    """Return the paths below config_directory whose present state a plan needs."""
    return (*paths_to_inspect(desired.entries, deployed.files), *desired.index_paths, *deployed.indexes)


def problems_of_files(desired: HostFiles) -> Iterator[Problem]:
    """Yield what makes a set of host files impossible."""
    yield from tree_problems(desired.entries)
    yield from (problem.below("queue_directory") for problem in tree_problems(desired.chroot))
    for path, merged in ((MAIN_CF, desired.parameters), (MASTER_CF, desired.services)):
        if merged and desired.has(path):
            yield Problem(path, "is declared as a whole file and in parts; declare one of the two")
    for table in desired.tables:
        yield from _problems_of_table(table)


def _problems_of_table(table: Table) -> Iterator[Problem]:
    if table.type not in TABLE_TYPES:
        yield Problem(table.source.path, f"table type {table.type!r} is not known; use one of {', '.join(TABLE_TYPES)}")
    if table.has_file_names and not table.source.is_private:
        yield Problem(
            table.source.path, f"mode {table.source.mode:#o} would open its index, which holds keys; use 0o400"
        )
