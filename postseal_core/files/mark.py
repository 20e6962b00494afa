"""The mark at a place: a small file beside ours that lists which files are ours, and which we have replaced.

A state may be lost, and a request to delete comes unchecked. The mark says at the place itself what may be changed or
removed there. It is written before anything is changed, with what is and what will be, and again when all is done: so
it is right at every instant, also after a crash between two steps.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from postseal_core.errors import ConfigError, Problem
from postseal_core.files.tree import DIRECTORY, MARK_FILE, OF_ANOTHER, FileEntry, TreePlan, directories_above, kept_name
from postseal_core.records import decode, encode

__all__ = [
    "NO_MARK",
    "Holding",
    "Mark",
    "MarkedFile",
    "MarkedSetting",
    "after_plan",
    "before_plan",
    "concerned",
    "holding",
    "mark_entry",
    "paths_of_kept",
    "proven_by_mark",
    "read_mark",
]

_PRIVATE: Final = 0o600
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedFile:
    """One file or directory of ours.

    `owner`: the project and stack that has it. `digests`: what it may be, as in `postseal_core.files.tree`; two while
    it changes. `kept`: digest of somebody else's file that it replaced and that is kept beside it; empty for none.
    `is_of_host`: it is part of the configuration of a host, which has the place for itself.
    """

    owner: str
    digests: tuple[str, ...]
    kept: str = ""
    is_of_host: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedSetting:
    """One setting of ours in a file of others.

    `before`: its value there as marks without `originals` have it; None where it had none.
    """

    owner: str
    before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Our files at a place, by relative path, and our settings by name, as `main.cf: relayhost`.

    `originals`: files of others that have settings of ours, as they would be without them, in base64. `stamp`: what
    the last run to this host has stored of itself, or a run that was cut off would have.
    """

    format: int = _FORMAT
    files: Mapping[str, MarkedFile] = field(default_factory=dict)
    settings: Mapping[str, MarkedSetting] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict, repr=False)
    stamp: str = ""


NO_MARK: Final = Mark()


@dataclass(frozen=True, slots=True)
class Holding:
    """Files at a place that are proven ours: path -> digest; `kept`: paths whose earlier file lies beside them.

    A digest that differs from the one there says that somebody edited the file.
    """

    owned: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()


def read_mark(file: FileEntry | None, present: str | None) -> Mark:
    """Return the mark in a file; an empty one where nothing is there. `present`: its digest there, None for no file.

    Raises ConfigError for what is no plain file or no mark, belongs to another user, or can be written by others.
    """
    if present is None:
        return NO_MARK
    if file is None:
        raise ConfigError([Problem(MARK_FILE, "is not a plain file, so no mark of ours; move it away")])
    try:
        values = json.loads(file.content)
        mark = decode(Mark, values) if isinstance(values, dict) else None
    except (ValueError, RecursionError, ConfigError):
        mark = None
    if mark is None or mark.format != _FORMAT or file.mode & 0o022 or present.endswith(OF_ANOTHER):
        complaint = "is not a mark that this version has left here, or others may write it; move it away"
        raise ConfigError([Problem(MARK_FILE, f"{complaint}, and see which files here are yours")])
    return mark


def concerned(ours: Holding, declared: Collection[str], owned: Collection[str]) -> dict[str, str]:
    """Return the files one resource may change: its recorded ones, and declared ones that only the mark lists."""
    named = {*declared, *directories_above(declared), *owned}
    return {path: digest for path, digest in ours.owned.items() if path in named}


def mark_entry(mark: Mark) -> FileEntry | None:
    """Return the file that a mark is written as; None for a mark that lists nothing, which has no file."""
    if not (mark.files or mark.settings):
        return None
    # The format stands in it even where it is the default: a later version must be able to tell.
    content = json.dumps({"format": mark.format, **encode(mark)}, indent=1, sort_keys=True) + "\n"
    return FileEntry(MARK_FILE, content.encode(), _PRIVATE)


def paths_of_kept(mark: Mark, take_over: Iterable[str]) -> list[str]:
    """Return the names of kept originals, both existing ones and those that a takeover will make."""
    return [kept_name(path) for path in {*take_over, *(path for path, file in mark.files.items() if file.kept)}]


def holding(owner: str, owned: Mapping[str, str], present: Mapping[str, str], mark: Mark) -> Holding:
    """Return our files: those in the mark, and those in the record (`owned`) that are unchanged on disk.

    The two are needed for whoever creates or updates: the record alone proves a place that was written before there
    were marks or under another name of the stack, the mark alone one whose record was lost.
    """
    by_mark = _by_mark(owner, present, mark)
    replaced = {path for path, file in mark.files.items() if _is_original(path, file, present)}
    by_record = {
        path: digest
        for path, digest in owned.items()
        if path not in replaced and present.get(path, digest) == digest and path not in by_mark
    }
    return Holding({**by_mark, **by_record}, _kept(by_mark, present, mark))


def proven_by_mark(owner: str, owned: Mapping[str, str], present: Mapping[str, str], mark: Mark) -> Holding:
    """Return those of `owned` that the mark proves ours; digests in `owned` are ignored as untrusted."""
    by_mark = {path: digest for path, digest in _by_mark(owner, present, mark).items() if path in owned}
    return Holding(by_mark, _kept(by_mark, present, mark))


def before_plan(mark: Mark, after: Mark) -> Mark:
    """Return the mark to write before a plan is carried out: it lists old and new files."""
    files = dict(mark.files)
    for path, new in after.files.items():
        old = files.get(path)
        earlier = old.digests if old and old.owner == new.owner else ()
        files[path] = replace(new, digests=tuple(dict.fromkeys((*earlier, *new.digests))))
    return Mark(
        files=files,
        settings={**after.settings, **mark.settings},
        originals={**mark.originals, **after.originals},
        stamp=after.stamp,
    )


def after_plan(
    owner: str,
    plan: TreePlan,
    before: Collection[str],
    present: Mapping[str, str],
    mark: Mark,
) -> Mark:
    """Return the mark to write after a plan is carried out; `before`: the caller's previous paths."""
    files = {path: file for path, file in mark.files.items() if path not in before or file.owner != owner}
    for path, digest in plan.owned.items():
        kept = present[path] if path in plan.taken_over else _kept_digest(owner, path, present, mark)
        files[path] = MarkedFile(owner=owner, digests=(digest,), kept=kept)
    return replace(mark, files=files)


def _by_mark(owner: str, present: Mapping[str, str], mark: Mark) -> dict[str, str]:
    ours = {path: file for path, file in mark.files.items() if file.owner == owner}
    return {
        path: present[path] if present.get(path) in file.digests else file.digests[-1]
        for path, file in ours.items()
        if file.digests and not _is_original(path, file, present)
    }


def _is_original(path: str, file: MarkedFile, present: Mapping[str, str]) -> bool:
    """Whether somebody else's file stands there: not replaced yet, or given back already, when the run was cut off."""
    is_like_ours = file.kept in file.digests and kept_name(path) in present
    return bool(file.kept) and present.get(path) == file.kept and not is_like_ours


def _kept(owned: Iterable[str], present: Mapping[str, str], mark: Mark) -> frozenset[str]:
    marked = (path for path in owned if path in mark.files and mark.files[path].kept)
    return frozenset(path for path in marked if present.get(kept_name(path), DIRECTORY) != DIRECTORY)


def _kept_digest(owner: str, path: str, present: Mapping[str, str], mark: Mark) -> str:
    file = mark.files.get(path)
    return file.kept if file and file.owner == owner and kept_name(path) in present else ""
