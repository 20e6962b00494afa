"""What a run has left at a place, and what stands there now: edits of others, and another stack or run."""

from collections.abc import Mapping

from postfix.deploy.host_files import Deployed
from postfix.deploy.proof import problems_of_another_stack
from postfix.host_resource.drift import Edit, Left, Seen, edits_of
from postseal_core.errors import ConfigError, Problem, refuse
from postseal_core.files.bringing import (
    Bringer,
    PlaceReader,
    mark_at,
)
from postseal_core.files.mark import NO_MARK, Mark
from postseal_core.files.tree import DIRECTORY, MARK_FILE, OTHER

__all__ = ["edits_below", "is_left_by_another_run", "mark_left_in", "refuse_another_stack", "seen_of"]


def refuse_another_stack(place: PlaceReader, deployed: Deployed, bringer: Bringer) -> None:
    """Raise ConfigError where another project or stack deploys to a directory."""
    try:
        mark = mark_at(place)
    except ConfigError as error:
        raise ConfigError(
            Problem(f"{place.root}/{problem.path}", problem.message) for problem in error.problems
        ) from error
    refuse(problems_of_another_stack(bringer.owner, deployed, mark, place.root))


def edits_below(place: PlaceReader, left: Left, owned: Mapping[str, str], wanted: Mapping[str, str]) -> list[Edit]:
    """Return what others have changed in files of ours at a place, and is not as `wanted` declares it."""
    return edits_of(left, seen_of(place, owned), owned, wanted) if owned else []


def seen_of(place: PlaceReader, owned: Mapping[str, str]) -> Seen:
    """Look at files of ours, as digests by path say that they were left; such a one is not read a second time."""
    present = place.present([*owned, MARK_FILE])
    differs = [path for path, was in owned.items() if path in present and present[path] != was]
    read = {path: place.read(path) for path in differs if present[path] not in (DIRECTORY, OTHER)}
    mark = mark_left_in(place)
    return Seen(root=place.root, present=present, files={path: file for path, file in read.items() if file}, mark=mark)


def is_left_by_another_run(place: PlaceReader, owned: Mapping[str, str]) -> bool:
    """Return whether a file is neither as it was left nor edited: its mark says that a run of ours has left it so."""
    if not owned:
        return False
    present = place.present([*owned, MARK_FILE])
    marked = mark_left_in(place).files
    return any(
        path in present and path in marked and present[path] != was and present[path] in marked[path].digests
        for path, was in owned.items()
    )


def mark_left_in(place: PlaceReader) -> Mark:
    """Return the mark at a place; none where nobody can read it, which a run that writes there refuses."""
    try:
        return mark_at(place)
    except ConfigError:
        return NO_MARK
