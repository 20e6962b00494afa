"""The plan that brings a Postfix host to its declared files, in an order that is safe at every step.

Copies in the chroot, then keys, chains and authorities, then tables, then master.cf, main.cf last, then one reload, and
only then are files removed that the old main.cf may have named. Postfix reads main.cf whenever a process starts, reload
or not, so at any moment all that main.cf names has to be there. Nothing to change gives no step at all.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation, Table, problems_of_files
from postfix.deploy.proof import (
    MarkChange,
    Ours,
    mark_changes,
    ours_on,
    problems_of_another_stack,
    problems_of_strangers,
    with_marked,
)
from postfix.deploy.steps import (
    BuildTable,
    GiveBack,
    KeepOriginal,
    MakeDirectory,
    Place,
    Reload,
    Remove,
    RemoveDirectory,
    Step,
    WriteFile,
)
from postfix.deploy.theirs import Theirs, base_of_taken_over, theirs
from postseal_core.errors import ConfigError, Problem
from postseal_core.files.tree import Entry, FileEntry, TreePlan, kept_name, manifest, plan_tree

__all__ = ["HostPlan", "plan_deployment", "problem_of_obstacle", "standing_indexes", "write_order"]

_FILES, _TABLES, _MASTER_CF, _MAIN_CF = range(4)


@dataclass(frozen=True, slots=True)
class HostPlan:
    """The steps of a deployment to one host, in order.

    `deployed`: what is ours afterwards. `mark`, `chroot_mark`: what says so on the host. `main_cf`, `master_cf`: what
    these files will be, so that they can be checked first; None where there will be none. `changed_outside`, `kept`,
    `taken_over`: as in `postseal_core.files.tree.TreePlan`. `merged`: files of others of which only a part is ours;
    they keep their attributes. `attributes_of`: files that get those of another one, by path. `has_chroot`: whether
    anything lies, or lay, below queue_directory. `given`: main.cf and master.cf of others without ours: what Postfix
    finds wrong with these is not our fault.
    """

    steps: tuple[Step, ...]
    deployed: Deployed
    main_cf: FileEntry | None
    master_cf: FileEntry | None
    changed_outside: tuple[str, ...]
    kept: tuple[str, ...]
    taken_over: tuple[str, ...]
    mark: MarkChange
    chroot_mark: MarkChange
    merged: frozenset[str] = frozenset()
    attributes_of: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    has_chroot: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the host is as declared, so that no command needs to be run."""
        return not self.steps

    @property
    def configuration(self) -> dict[str, bytes]:
        """What main.cf and master.cf will be, by name; nothing where no main.cf will be there."""
        files = {MAIN_CF: self.main_cf, MASTER_CF: self.master_cf} if self.main_cf else {}
        return {name: file.content for name, file in files.items() if file}

    @property
    def built_tables(self) -> tuple[Table, ...]:
        """The tables that postmap has to index."""
        return tuple(step.table for step in self.steps if isinstance(step, BuildTable))


def write_order(desired: HostFiles) -> Callable[[Entry], int]:
    """Return the sort key of writes: files, then tables, then master.cf, main.cf last."""
    ranks = {table.source.path: _TABLES for table in desired.tables} | {MASTER_CF: _MASTER_CF, MAIN_CF: _MAIN_CF}
    return lambda entry: ranks.get(entry.path, _FILES)


def _theirs(desired: HostFiles, deployed: Deployed, situation: Situation) -> Theirs:
    """Return what others have in main.cf and master.cf; a block of ours that is damaged is named with its host."""
    try:
        return theirs(desired, deployed, situation)
    except ConfigError as error:
        raise ConfigError(
            Problem(f"{situation.root}/{problem.path}", problem.message) for problem in error.problems
        ) from error


def plan_deployment(desired: HostFiles, deployed: Deployed, situation: Situation, owner: str = "") -> HostPlan:
    """Return the steps from what is there to what is wanted; with an empty `HostFiles`, the removal of what is ours.

    `deployed` is that of the previous plan, `owner` the project and stack that deploys. Files on the host that were
    never ours are not touched unless `desired.take_over` names them, and of a main.cf or master.cf that is not ours as
    a whole only the declared parameters and services change.
    Raises ConfigError with everything that is wrong with the declaration, or in the way on the host.
    """
    known = with_marked(owner, desired, deployed, situation)
    proven = ours_on(owner, desired, known, situation)
    faults = [*problems_of_files(desired), *_nothing_to_merge_into(desired, situation)]
    if desired != HostFiles():
        faults += problems_of_another_stack(owner, deployed, situation.mark, situation.root)
    if problems := (*faults, *problems_of_strangers(desired, proven, situation)):
        raise ConfigError(problems)
    others = _theirs(desired, known, situation)
    merged = others.merged
    ours = {path: value for path, value in proven.files.items() if path not in merged}
    tree = plan_tree(
        desired.entries,
        ours,
        situation.files,
        order=write_order(desired),
        take_over=desired.take_over,
        kept=proven.kept,
    )
    jail = plan_tree(desired.chroot, proven.chroot, situation.chroot, take_over=desired.take_over)
    after = _configuration_after(desired, situation, merged, tree)
    result = Deployed(
        files=tree.owned,
        chroot=jail.owned,
        indexes=desired.index_paths,
        index_digests={
            path: deployed.index_digests[path] for path in desired.index_paths if path in deployed.index_digests
        },
        parameters=tuple(sorted(desired.parameters)),
        originals=others.originals,
        has_services=bool(desired.services),
        services=tuple("/".join(service.key) for service in desired.services),
        stamp=_stamp(desired),
    )
    bases = base_of_taken_over(known, situation)
    keeping = {path: bases[path] for path in tree.taken_over if path in bases}
    mark, chroot_mark = mark_changes(owner, known, result, (tree, jail), situation, others.without_ours, keeping)
    indexes = _Indexes.planned(desired, known, situation, tree, proven)
    return HostPlan(
        steps=tuple(_steps(desired, situation, others, tree, jail, indexes, keeping)),
        deployed=result,
        mark=mark,
        chroot_mark=chroot_mark,
        main_cf=after.get(MAIN_CF),
        master_cf=after.get(MASTER_CF),
        changed_outside=tree.changed_outside + jail.changed_outside,
        kept=tree.kept + jail.kept,
        taken_over=tree.taken_over + jail.taken_over + indexes.taken_over,
        merged=frozenset(merged),
        given={**others.bases, **{path: file.content for path, file in _given_back(situation, tree).items()}},
        attributes_of={path: kept_name(path) for path in others.from_kept}
        | {kept_name(path): path for path in keeping},
        has_chroot=bool(desired.chroot or known.chroot),
    )


def _stamp(desired: HostFiles) -> str:
    """Return a digest of all that is declared; nothing for a removal."""
    if desired == HostFiles():
        return ""
    said = (manifest(desired.entries), manifest(desired.chroot), sorted(desired.parameters.items()), desired.services)
    return "sha256:" + sha256(repr(said).encode("utf-8", "surrogateescape")).hexdigest()


def _nothing_to_merge_into(desired: HostFiles, situation: Situation) -> Iterator[Problem]:
    for path, parts in ((MAIN_CF, desired.parameters), (MASTER_CF, desired.services)):
        if parts and path in situation.obstacles:
            yield problem_of_obstacle(f"{situation.root}/{path}", situation.obstacles[path])
        elif parts and path not in situation.configuration:
            yield Problem(
                path, "is no file on the host, so nothing can be merged into it; install Postfix or own it whole"
            )


def problem_of_obstacle(path: str, words: str) -> Problem:
    """Return what is wrong with a file that is no plain one of its own; `words`: what it is instead."""
    message = (
        f"{words}; what is merged goes into a plain file that lies there, so put the file itself in its place, or "
        "deploy to the directory where it lies"
    )
    return Problem(path, message)


def _configuration_after(
    desired: HostFiles, situation: Situation, merged: Mapping[str, FileEntry], tree: TreePlan
) -> dict[str, FileEntry]:
    whole = {entry.path: entry for entry in desired.files if isinstance(entry, FileEntry)}
    known = {**situation.configuration, **merged, **whole, **_given_back(situation, tree)}
    return {path: file for path, file in known.items() if path not in tree.remove}


def _given_back(situation: Situation, tree: TreePlan) -> dict[str, FileEntry]:
    return {path: situation.configuration[kept_name(path)] for path in (MAIN_CF, MASTER_CF) if path in tree.give_back}


@dataclass(frozen=True, slots=True)
class _Indexes:
    """The changes of table indexes: built, removed, taken over from others and given back to them."""

    tables: Mapping[str, Table]
    remove: tuple[str, ...]
    taken_over: tuple[str, ...]
    give_back: tuple[str, ...]

    @classmethod
    def planned(
        cls, desired: HostFiles, deployed: Deployed, situation: Situation, tree: TreePlan, ours: Ours
    ) -> "_Indexes":
        """Return what an update does to them."""
        built = _tables_to_build(desired, deployed, ours.indexes, situation, tree)
        outdated = [path for path in deployed.indexes if path not in desired.index_paths]
        give_back = tuple(path for path in outdated if path in ours.kept)
        return cls(
            tables={table.source.path: table for table in built},
            remove=tuple(path for path in outdated if path in situation.files and path not in give_back),
            taken_over=tuple(
                path for path in desired.index_paths if path in situation.files and path not in ours.indexes
            ),
            give_back=give_back,
        )


def _steps(
    desired: HostFiles,
    situation: Situation,
    others: Theirs,
    tree: TreePlan,
    jail: TreePlan,
    indexes: _Indexes,
    keeping: Mapping[str, FileEntry],
) -> Iterator[Step]:
    changed = [file for path, file in others.merged.items() if file != situation.configuration[path]]
    tables = indexes.tables
    given_back = sorted((*indexes.give_back, *tree.give_back), key=lambda path: (path == MAIN_CF, path))
    removals = [*(Remove(Place.CONFIG, index) for index in indexes.remove), *_removals(Place.CONFIG, tree)]
    removals += _removals(Place.QUEUE, jail)
    removals += [Remove(Place.CONFIG, kept_name(path)) for path in (*given_back, *sorted(others.from_kept))]
    preparations = [*_preparations(Place.QUEUE, jail), *_preparations(Place.CONFIG, tree)]
    entries = {entry.path: entry for entry in (*tree.write, *changed, *(table.source for table in tables.values()))}
    order = write_order(desired)
    yield from preparations
    yield from _keeping(Place.QUEUE, jail.taken_over, situation.chroot)
    yield from (WriteFile(Place.CONFIG, replace(file, path=kept_name(path))) for path, file in keeping.items())
    kept = (path for path in (*tree.taken_over, *indexes.taken_over) if path not in keeping)
    yield from _keeping(Place.CONFIG, kept, situation.files)
    yield from (WriteFile(Place.QUEUE, entry) for entry in jail.write)
    for path, entry in sorted(entries.items(), key=lambda item: (order(item[1]), item[0])):
        yield BuildTable(tables[path]) if path in tables else WriteFile(Place.CONFIG, entry)
    yield from (GiveBack(Place.CONFIG, path) for path in given_back)
    if (preparations or jail.write or entries or removals or given_back) and MAIN_CF not in tree.remove:
        yield Reload()
    yield from removals


def _keeping(place: Place, paths: Iterable[str], present: Mapping[str, str]) -> Iterator[Step]:
    # A run that was cut off may have kept it already.
    return (KeepOriginal(place, path) for path in paths if kept_name(path) not in present)


def _tables_to_build(
    desired: HostFiles, deployed: Deployed, ours: Collection[str], situation: Situation, tree: TreePlan
) -> Iterator[Table]:
    for table in desired.tables:
        index = table.index_path
        if index and (table.source in tree.write or index not in ours or not _is_as_made(index, deployed, situation)):
            yield table


def _is_as_made(index: str, deployed: Deployed, situation: Situation) -> bool:
    """Return whether an index is the one that we made; another may be of other rows than the source."""
    return index in situation.files and situation.files[index] == deployed.index_digests.get(index)


def standing_indexes(desired: HostFiles, deployed: Deployed, situation: Situation) -> tuple[str, ...]:
    """Return the indexes that we have made of just those rows which stand on the host now."""
    return tuple(
        table.index_path
        for table in desired.tables
        if table.index_path
        and _is_as_made(table.index_path, deployed, situation)
        and situation.files.get(table.source.path) == deployed.files.get(table.source.path)
    )


def _preparations(place: Place, tree: TreePlan) -> Iterator[Step]:
    return (MakeDirectory(place, directory) for directory in tree.make_directories)


def _removals(place: Place, tree: TreePlan) -> Iterator[Step]:
    yield from (Remove(place, path) for path in tree.remove)
    yield from (RemoveDirectory(place, path) for path in tree.remove_directories)
