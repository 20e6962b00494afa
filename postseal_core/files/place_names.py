"""Judge names of places and of files in them by their text, before anything looks at the disk.

A project's own directory, what holds it, its stack files and what is hidden in it are no places of files: a slip there
would mix what is made with what it is made from. Links are not followed; `files.safe_place` looks at those.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from posixpath import normpath, relpath
from typing import Final

from postseal_core.errors import Problem
from postseal_core.files.tree import complaint_of_path, is_reserved
from postseal_core.wording import shown

__all__ = ["complaint_of_place_name", "is_within", "plain_place", "problems_of_named_files"]

_STACK_FILES: Final = "stacks"
_ALWAYS_HIDDEN: Final = frozenset({".git", ".pulumi"})


def plain_place(place: str, project: str = "") -> str:
    """Return a place in one spelling; one within the project, whose absolute path may be given, relative to it."""
    plain = "/" + normpath(place).lstrip("/") if place.startswith("/") else normpath(place)
    if project and plain.startswith("/") and (is_within(plain, project) or is_within(project, plain)):
        return relpath(plain, project)
    return plain


def is_within(place: str, other: str) -> bool:
    """Return whether a plain place is another one or lies below it; a relative and an absolute one never do."""
    if other in ("/", "."):
        return place.startswith("/") is (other == "/")
    return place == other or place.startswith(f"{other}/")


def complaint_of_place_name(place: str, project: str = "") -> str | None:
    """Say why a directory cannot be a place of files, going by its name; None: it may be one."""
    plain = plain_place(place, project)
    parts = PurePosixPath(plain).parts
    if plain == "/" or not set(parts) - {".."}:
        return f"{shown(place)} is the project itself, or holds it; choose a directory in it, as out"
    hidden = _ALWAYS_HIDDEN if plain.startswith("/") else {each for each in parts if each[0] == "." and each != ".."}
    if found := sorted(hidden & set(parts)):
        return f"{shown(place)} lies in {found[0]}, which is hidden and of others; choose another directory, as out"
    if parts[0] == _STACK_FILES:
        return f"{shown(place)} is where stack files are; choose another directory, as out"
    return None


def problems_of_named_files(path: str, names: Sequence[str]) -> Iterator[Problem]:
    """Report names in the list at `path` that are no plain paths of files of others, or stand there twice."""
    counts: Counter[str] = Counter()
    for index, name in enumerate(names):
        counts[name] += 1
        last = name.rpartition("/")[2]
        complaint = complaint_of_path(name)
        if complaint:
            yield Problem(f"{path}[{index}]", complaint)
        elif is_reserved(last):
            yield Problem(
                f"{path}[{index}]", f"{shown(name)} is ours: it says what is ours, or keeps what was replaced"
            )
        elif counts[name] > 1:
            yield Problem(f"{path}[{index}]", f"{shown(name)} is listed twice; remove it once")


def problems_of_take_over(path: str, take_over: Iterable[str], declared: Collection[str]) -> list[Problem]:
    """Report names in `take_over` that are no declared file, as problems at `path`.

    Of a declared directory, a path that ends in `/`, the files are not known: any name below it will do.
    """
    some = f"name files that are written there, as {min(declared)}" if declared else "nothing is written there"
    return [Problem(path, f"got {shown(name)}, {some}") for name in take_over if not _is_among(name, declared)]


def _is_among(name: str, declared: Collection[str]) -> bool:
    return name in declared or any(each.endswith("/") and name.startswith(each) for each in declared)
