"""Files of a resource in a directory of this machine: brought to what is declared, and compared with it later."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from postseal_core.files.directory import DirectoryWriter
from postseal_core.files.tree import Entry, any_order, paths_to_inspect, plan_tree

__all__ = ["bring_directory", "changed_paths"]


def bring_directory(
    directory: str | Path,
    entries: Sequence[Entry],
    owned: Mapping[str, str],
    *,
    order: Callable[[Entry], int] = any_order,
    age_seconds: int = 0,
) -> dict[str, str]:
    """Bring a directory to the entries and return what is ours there now, by path; `owned` is what was ours before.

    With no entry and nothing of ours the directory is not touched. `order` and `age_seconds` are those of `plan_tree`
    and `DirectoryWriter.apply`. Raises ConfigError and DeployError as they do.
    """
    if not entries and not owned:
        return {}
    writer = DirectoryWriter(Path(directory))
    plan = plan_tree(entries, owned, writer.present(paths_to_inspect(entries, owned)), order=order)
    writer.apply(plan, age_seconds=age_seconds)
    return dict(plan.owned)


def changed_paths(directory: str | Path, owned: Mapping[str, str]) -> list[str]:
    """Return the paths of ours that are gone or were changed by somebody else, sorted."""
    present = DirectoryWriter(Path(directory)).present(owned)
    return sorted(path for path, digest in owned.items() if present.get(path) != digest)
