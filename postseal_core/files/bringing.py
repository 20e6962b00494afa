"""Write a resource's declared files to a directory of this machine, and detect later changes to them.

What is not ours there is neither replaced nor removed; what is ours the mark at the place says (`files.mark`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from postseal_core.errors import ConfigError, Problem, refuse
from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.mark import (
    NO_MARK,
    Holding,
    Mark,
    after_plan,
    before_plan,
    concerned,
    holding,
    mark_entry,
    paths_of_kept,
    proven_by_mark,
    read_mark,
)
from postseal_core.files.place_names import complaint_of_place_name
from postseal_core.files.safe_place import complaint_of_place
from postseal_core.files.sentences import sentence_of_takeover, sentences_of_left
from postseal_core.files.tree import (
    DIRECTORY,
    MARK_FILE,
    ROOT,
    Entry,
    FileEntry,
    TreePlan,
    any_order,
    foreign_problems,
    paths_to_inspect,
    plan_tree,
)

__all__ = [
    "Bringer",
    "PlaceReader",
    "bring_directory",
    "changed_paths",
    "foresee_directory",
    "foresee_release",
    "problems_of_directory",
    "release_directory",
]


@dataclass(frozen=True, slots=True)
class Bringer:
    """The resource that writes files, as the mark names it.

    `owner`: project and stack. `take_over`: paths there at which files of others are replaced. `report` shows a line.
    """

    owner: str
    report: Callable[[str], None]
    take_over: frozenset[str] = frozenset()


class PlaceReader(Protocol):
    """Looks at files below one directory, here or on another machine; `root` is its name there."""

    root: str

    def present(self, paths: Iterable[str]) -> dict[str, str]:
        """Return path -> digest of those of `paths` that exist."""

    def read(self, path: str) -> FileEntry | None:
        """Return a regular file, None if there is none."""


def mark_at(place: PlaceReader) -> Mark:
    """Return what the mark at a place says; raise ConfigError, with paths below it, where it cannot be read."""
    return read_mark(place.read(MARK_FILE), place.present([MARK_FILE]).get(MARK_FILE))


def bring_directory(
    directory: str | Path,
    entries: Sequence[Entry],
    owned: Mapping[str, str],
    bringer: Bringer,
    *,
    order: Callable[[Entry], int] = any_order,
    age_seconds: int = 0,
) -> dict[str, str]:
    """Write the entries to a directory; return our files there by path. `owned`: our files before.

    With no entry and nothing of ours the directory is not touched. `order` and `age_seconds` are those of `plan_tree`
    and `DirectoryWriter.apply`. Raises ConfigError and DeployError as they do, and ConfigError for files of others that
    are in the way.
    """
    if not entries and not owned:
        return {}
    place = _Place(Path(directory), bringer)
    made_root = {}
    if not place.writer.present([ROOT]):
        first = place.plan(_Looked({}, NO_MARK), entries, owned, order)
        if not entries:
            return dict(first.owned)
        # What is wrong with the entries is told before anything is made.
        place.writer.make_root(first)
        made_root = {ROOT: DIRECTORY}
    with place.writer.exclusive():
        plan = place.carry_out(entries, {**owned, **made_root}, order, age_seconds)
    return dict(plan.owned)


def release_directory(directory: str | Path, owned: Mapping[str, str], bringer: Bringer) -> None:
    """Remove those of `owned` that the directory's mark lists as ours, and restore the files they replaced.

    Whatever digests `owned` has, nothing else is touched. What stays is reported: what somebody has edited, and what no
    mark says is ours.
    """
    place = _Place(Path(directory), bringer)
    if not owned or not place.writer.present([ROOT]):
        return
    with place.writer.exclusive():
        place.release(owned)


def foresee_release(directory: str | Path, owned: Mapping[str, str], bringer: Bringer) -> None:
    """Report in a preview what `release_directory` would give back and leave; nothing is touched."""
    place = _Place(Path(directory), bringer)
    if owned and place.writer.present([ROOT]):
        place.report_release(place.releasing(owned), owned)


def foresee_directory(
    directory: str | Path | PlaceReader, paths: Iterable[str], owned: Mapping[str, str], bringer: Bringer
) -> None:
    """Report in a preview the files a run would refuse or take over; their content need not be known.

    `directory`: on this machine, or what looks at one. Raises ConfigError for files of others at one of `paths`, unless
    they are to be taken over.
    """
    reader = DirectoryWriter(Path(directory)) if isinstance(directory, str | Path) else directory
    place = _ViewedPlace(reader, bringer)
    declared = [path for path in paths if not path.endswith("/")]
    looked = place.look(declared, owned)
    ours = holding(bringer.owner, owned, looked.present, looked.mark).owned
    refuse(place.named(foreign_problems(declared, ours, looked.present, bringer.take_over)))
    place.report_takeovers(path for path in declared if path in looked.present and path not in ours)


def problems_of_directory(path: str, directory: str) -> list[Problem]:
    """Return what is wrong with a directory as far as it exists, as a problem of the declaration at `path`."""
    complaint = complaint_of_place_name(directory) or complaint_of_place(directory)
    return [Problem(path, complaint)] if complaint else []


def changed_paths(directory: str | Path, owned: Mapping[str, str]) -> list[str]:
    """Return the paths of ours that are gone or were changed by somebody else, sorted."""
    present = DirectoryWriter(Path(directory)).present(owned)
    return sorted(path for path, digest in owned.items() if present.get(path) != digest)


@dataclass(frozen=True, slots=True)
class _Looked:
    """The present files and mark of a directory."""

    present: Mapping[str, str]
    mark: Mark


@dataclass(frozen=True, slots=True)
class _Releasing:
    """What is there of ours when it goes, and the plan of that."""

    looked: _Looked
    ours: Holding
    plan: TreePlan


class _ViewedPlace:
    """One directory that is looked at, and who brings files there."""

    def __init__(self, reader: PlaceReader, bringer: Bringer) -> None:
        self._reader = reader
        self._bringer = bringer

    def look(self, paths: Iterable[str], owned: Mapping[str, str]) -> _Looked:
        mark = self._mark()
        known = dict.fromkeys([*paths, *owned], "")
        inspected = [*paths_to_inspect((), known), *paths_of_kept(mark, self._bringer.take_over)]
        return _Looked(self._reader.present(inspected), mark)

    def report_takeovers(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._bringer.report(sentence_of_takeover(self._reader.root, path))

    def named(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return the problems with absolute paths; one without a path is about the place itself."""
        root = self._reader.root
        return [Problem(f"{root}/{problem.path}" if problem.path else root, problem.message) for problem in problems]

    def _mark(self) -> Mark:
        try:
            return mark_at(self._reader)
        except ConfigError as error:
            raise ConfigError(self.named(error.problems)) from error


class _Place(_ViewedPlace):
    """One directory of this machine, and who brings files there."""

    def __init__(self, directory: Path, bringer: Bringer) -> None:
        self.writer = DirectoryWriter(directory)
        super().__init__(self.writer, bringer)

    def plan(
        self, looked: _Looked, entries: Sequence[Entry], owned: Mapping[str, str], order: Callable[[Entry], int]
    ) -> TreePlan:
        ours = holding(self._bringer.owner, owned, looked.present, looked.mark)
        relevant = concerned(ours, [entry.path for entry in entries], owned)
        try:
            return plan_tree(
                entries,
                relevant,
                looked.present,
                order=order,
                take_over=self._bringer.take_over,
                kept=ours.kept,
            )
        except ConfigError as error:
            raise ConfigError(self.named(error.problems)) from error

    def carry_out(
        self, entries: Sequence[Entry], owned: Mapping[str, str], order: Callable[[Entry], int], age_seconds: int
    ) -> TreePlan:
        looked = self.look([entry.path for entry in entries], owned)
        plan = self.plan(looked, entries, owned, order)
        self.report_takeovers(plan.taken_over)
        self._apply(plan, owned, looked, age_seconds)
        for line in sentences_of_left(self.writer.root, {}, Holding(), looked.present, plan.kept):
            self._bringer.report(line)
        return plan

    def release(self, owned: Mapping[str, str]) -> None:
        releasing = self.releasing(owned)
        if releasing.ours.owned:
            self._apply(releasing.plan, owned, releasing.looked, 0)
        self.report_release(releasing, owned)

    def releasing(self, owned: Mapping[str, str]) -> "_Releasing":
        looked = self.look((), owned)
        ours = proven_by_mark(self._bringer.owner, owned, looked.present, looked.mark)
        return _Releasing(looked, ours, plan_tree((), ours.owned, looked.present, kept=ours.kept))

    def report_release(self, releasing: "_Releasing", owned: Mapping[str, str]) -> None:
        root, plan = self.writer.root, releasing.plan
        for path in plan.give_back:
            self._bringer.report(f"{root}/{path} is given back, the very file that ours had replaced")
        for line in sentences_of_left(root, owned, releasing.ours, releasing.looked.present, plan.kept):
            self._bringer.report(line)

    def _apply(self, plan: TreePlan, owned: Mapping[str, str], looked: _Looked, age_seconds: int) -> None:
        after = after_plan(self._bringer.owner, plan, owned, looked.present, looked.mark)
        if plan.is_empty and after == looked.mark:
            self.writer.carry_out(plan)
            return
        before = mark_entry(before_plan(looked.mark, after))
        self.writer.carry_out(plan, age_seconds=age_seconds, mark=before, mark_after=mark_entry(after))
