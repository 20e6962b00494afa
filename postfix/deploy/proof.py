"""Decide which files on a host are proven ours, from the stored record and the marks there; plain values."""

from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation
from postseal_core.errors import Problem
from postseal_core.files.mark import (
    Holding,
    Mark,
    MarkedFile,
    MarkedSetting,
    after_plan,
    before_plan,
    concerned,
    holding,
    mark_entry,
    proven_by_mark,
)
from postseal_core.files.sentences import sentences_of_left
from postseal_core.files.tree import MARK_FILE, FileEntry, TreePlan, digest, foreign_problems, kept_name

__all__ = [
    "MarkChange",
    "Ours",
    "is_of_another_run",
    "left_behind",
    "mark_changes",
    "marked_only",
    "ours_on",
    "problems_of_another_stack",
    "problems_of_strangers",
    "with_marked",
]

# postmap makes an index from a table; what it holds is not known before.
_ANY_INDEX: Final = "index"


@dataclass(frozen=True, slots=True)
class Ours:
    """Our files on a host, in both places, with those that replaced an earlier one, and indexes."""

    files: Mapping[str, str]
    chroot: Mapping[str, str]
    kept: frozenset[str]
    indexes: frozenset[str]


@dataclass(frozen=True, slots=True)
class MarkChange:
    """The mark at one place: as it is while a plan is carried out, and afterwards.

    `before` is None where the mark stays as it is, `after` where it goes.
    """

    before: FileEntry | None
    after: FileEntry | None


def ours_on(owner: str, desired: HostFiles, deployed: Deployed, situation: Situation) -> Ours:
    """Return the files an update may change: those in the record, and declared ones that only the mark lists."""
    config = holding(owner, deployed.files, situation.files, situation.mark)
    jail = holding(owner, deployed.chroot, situation.chroot, situation.chroot_mark)
    indexes = {*deployed.indexes, *(path for path in desired.index_paths if path in config.owned)}
    return Ours(
        files=concerned(_without_indexes(config), [entry.path for entry in desired.entries], deployed.files),
        chroot=concerned(jail, [entry.path for entry in desired.chroot], deployed.chroot),
        kept=config.kept | _kept_indexes(indexes, situation),
        indexes=frozenset(indexes),
    )


def marked_only(owner: str, deployed: Deployed, situation: Situation) -> Deployed:
    """Reduce `deployed` to the parts that the host's marks prove, with original values from the marks.

    For a removal: its request is not checked by anybody, and names what it likes.
    """
    settings = {name: each for name, each in situation.mark.settings.items() if each.owner == owner}
    parameters = tuple(name for name in deployed.parameters if _parameter(name) in settings)
    before = {name: settings[_parameter(name)].before for name in parameters}
    services = tuple(key for key in deployed.services if _service(key) in settings)
    indexes = proven_by_mark(owner, dict.fromkeys(deployed.indexes, ""), situation.files, situation.mark)
    return Deployed(
        files=proven_by_mark(owner, deployed.files, situation.files, situation.mark).owned,
        chroot=proven_by_mark(owner, deployed.chroot, situation.chroot, situation.chroot_mark).owned,
        indexes=tuple(indexes.owned),
        parameters=parameters,
        originals={name: value for name, value in before.items() if value is not None},
        has_services=deployed.has_services and bool(services),
        services=services,
    )


def with_marked(owner: str, desired: HostFiles, deployed: Deployed, situation: Situation) -> Deployed:
    """Return `deployed` with what only the marks list: a run that was cut off has left it, and nothing was stored.

    It is ours, whether it is declared still or not. A removal takes what it is asked to take.
    """
    if desired == HostFiles():
        return deployed
    mark = situation.mark
    files, indexes = _of_host(owner, mark)
    ours = {name: each for name, each in mark.settings.items() if each.owner == owner}
    names = {name.partition(": ")[2]: each for name, each in ours.items() if name.startswith(f"{MAIN_CF}: ")}
    keys = [name.partition(": ")[2] for name in ours if name.startswith(f"{MASTER_CF}: ")]
    before = {name: each.before for name, each in names.items() if name not in deployed.parameters}
    services = dict.fromkeys((*deployed.services, *keys))
    return replace(
        deployed,
        files={**files, **deployed.files},
        chroot={**_of_host(owner, situation.chroot_mark)[0], **deployed.chroot},
        indexes=tuple(dict.fromkeys((*deployed.indexes, *indexes))),
        parameters=tuple(dict.fromkeys((*deployed.parameters, *names))),
        originals={**{name: value for name, value in before.items() if value is not None}, **deployed.originals},
        has_services=deployed.has_services or bool(keys),
        services=tuple(services),
    )


def is_of_another_run(deployed: Deployed, mark: Mark) -> bool:
    """Return whether a mark is of another run than the stored one: cut off, taken back, or from a backup."""
    return deployed.stamp != "" and mark.stamp not in ("", deployed.stamp)


def problems_of_another_stack(owner: str, deployed: Deployed, mark: Mark, root: str) -> Iterator[Problem]:
    """Report that another project or stack deploys to a place: two would take turns, and each undo the other.

    What the record knows as well is ours, under an earlier name of the stack.
    """
    known = {*map(_parameter, deployed.parameters), *map(_service, deployed.services)}
    files = {**deployed.files, **deployed.chroot}
    others = {each.owner for name, each in mark.settings.items() if name not in known}
    others |= {
        file.owner
        for path, file in mark.files.items()
        if path not in deployed.indexes and files.get(path) not in file.digests
    }
    for other in sorted(others - {owner}):
        project, _, stack = other.partition("/")
        yield Problem(
            root,
            f"project {project}, stack {stack} deploys to this directory, as {MARK_FILE} there says, and two stacks "
            "would undo each other's changes; remove the host in that stack first, or give this one another directory; "
            f"if that stack is no more, write {owner} for {other} in {root}/{MARK_FILE}: what it has left is then of "
            "this one",
        )


def _of_host(owner: str, mark: Mark) -> tuple[dict[str, str], list[str]]:
    """Return the files of a host in a mark with their digests, and its indexes."""
    ours = {path: file for path, file in mark.files.items() if file.owner == owner and file.is_of_host and file.digests}
    indexes = [path for path, file in ours.items() if file.digests == (_ANY_INDEX,)]
    return {path: file.digests[-1] for path, file in ours.items() if path not in indexes}, indexes


def problems_of_strangers(desired: HostFiles, ours: Ours, situation: Situation) -> Iterator[Problem]:
    """Report files of others in the way of declared files and of table indexes."""
    paths = [*(entry.path for entry in desired.entries), *desired.index_paths]
    owned = {*ours.files, *ours.indexes}
    config = foreign_problems(paths, owned, situation.files, desired.all_take_over)
    copies = [entry.path for entry in desired.chroot]
    jail = foreign_problems(copies, ours.chroot, situation.chroot, desired.all_take_over)
    for root, problems in ((situation.root, config), (situation.chroot_root, jail)):
        # A problem without a path is about the place itself.
        yield from (
            Problem(f"{root}/{problem.path}" if problem.path else root, problem.message) for problem in problems
        )


def left_behind(
    owner: str, deployed: Deployed, proven: Deployed, kept: Collection[str], situation: Situation
) -> tuple[str, ...]:
    """Describe each part of `deployed` that a removal leaves because it was edited or is not proven ours."""
    root, ours = situation.root, proven_by_mark(owner, deployed.files, situation.files, situation.mark)
    files = sentences_of_left(root, deployed.files, ours, situation.files, kept)
    stays = f"is left as it is: {MARK_FILE} beside it does not say that it is ours"
    names = [
        *(_parameter(name) for name in deployed.parameters if name not in proven.parameters),
        *(_service(key) for key in deployed.services if key not in proven.services),
    ]
    return (*files, *(f"{root}/{name} {stays}" for name in names))


def mark_changes(
    owner: str,
    previous: Deployed,
    deployed: Deployed,
    trees: tuple[TreePlan, TreePlan],
    situation: Situation,
    without_ours: Mapping[str, bytes],
    keeping: Mapping[str, FileEntry],
) -> tuple[MarkChange, MarkChange]:
    """Return the marks below config_directory and queue_directory, from what was ours to what is.

    `without_ours`: files of others as they would be without our settings. `keeping`: files that are kept otherwise than
    they stand there.
    """
    tree, jail = trees
    present = {**situation.files, **{path: digest(file) for path, file in keeping.items()}}
    after = after_plan(owner, tree, previous.files, present, situation.mark)
    settings = _settings(owner, previous, deployed, situation.mark)
    after = replace(
        after,
        files=_as_of_host(_with_indexes(owner, after, previous, deployed, situation), deployed),
        settings=settings,
        originals=_originals(without_ours, settings, situation.mark),
        stamp=deployed.stamp,
    )
    chroot = after_plan(owner, jail, previous.chroot, situation.chroot, situation.chroot_mark)
    chroot = replace(chroot, files=_as_of_host(chroot.files, deployed))
    return _change(situation.mark, after), _change(situation.chroot_mark, chroot)


def _as_of_host(files: Mapping[str, MarkedFile], deployed: Deployed) -> dict[str, MarkedFile]:
    ours = {*deployed.files, *deployed.chroot, *deployed.indexes}
    return {path: replace(file, is_of_host=True) if path in ours else file for path, file in files.items()}


def _change(mark: Mark, after: Mark) -> MarkChange:
    if mark == after:
        return MarkChange(None, None)
    return MarkChange(mark_entry(before_plan(mark, after)), mark_entry(after))


def _without_indexes(ours: Holding) -> Holding:
    files = {path: digest for path, digest in ours.owned.items() if digest != _ANY_INDEX}
    return Holding(files, ours.kept)


def _kept_indexes(indexes: set[str], situation: Situation) -> frozenset[str]:
    marked = situation.mark.files
    return frozenset(
        path for path in indexes if path in marked and marked[path].kept and kept_name(path) in situation.files
    )


def _with_indexes(
    owner: str, after: Mark, previous: Deployed, deployed: Deployed, situation: Situation
) -> dict[str, MarkedFile]:
    marked = situation.mark.files
    files = {path: file for path, file in after.files.items() if path not in previous.indexes}
    for path in deployed.indexes:
        is_known = path in marked and marked[path].owner == owner
        is_foreign = not is_known and path not in previous.indexes
        kept = marked[path].kept if is_known else situation.files.get(path, "") if is_foreign else ""
        files[path] = MarkedFile(owner=owner, digests=(_ANY_INDEX,), kept=kept)
    return files


def _settings(owner: str, previous: Deployed, deployed: Deployed, mark: Mark) -> dict[str, MarkedSetting]:
    gone = {*map(_parameter, previous.parameters), *map(_service, previous.services)}
    kept = {name: each for name, each in mark.settings.items() if name not in gone or each.owner != owner}
    ours = [*map(_parameter, deployed.parameters), *map(_service, deployed.services)]
    return kept | {name: MarkedSetting(owner=owner) for name in ours}


def _originals(without_ours: Mapping[str, bytes], settings: Collection[str], mark: Mark) -> dict[str, str]:
    """Return what to give back, as long as the mark has a setting in that file."""
    files = {name.partition(": ")[0] for name in settings}
    known = {path: text for path, text in mark.originals.items() if path in files}
    return known | {path: b64encode(content).decode() for path, content in without_ours.items()}


def _parameter(name: str) -> str:
    return f"{MAIN_CF}: {name}"


def _service(key: str) -> str:
    return f"{MASTER_CF}: {key}"
