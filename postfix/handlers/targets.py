"""Where a deployment writes to: a plain directory, or the Postfix of this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pki.files.directory import DirectoryWriter
from pki.files.tree import Entry, paths_to_inspect, plan_tree
from postfix.deploy.plan import write_order
from postfix.deployment import PreparedHost

__all__ = ["drift", "remove_from_target", "write_to_target"]

Report = Callable[[str], None]

# Postfix waits for a main.cf or texthash source younger than two seconds.
_AGE_SECONDS = 5
_JAIL = "queue_directory"


def write_to_target(
    target: Mapping[str, str], prepared: PreparedHost, deployed: Mapping[str, Any], report: Report
) -> dict[str, Any]:
    """Write a host to its target and return what is ours there now."""
    del report
    directory = Path(target["path"])
    return {
        "files": _apply(directory, prepared.entries, deployed.get("files", {})),
        "chroot": _apply(directory.parent / _JAIL, prepared.chroot, deployed.get("chroot", {})),
    }


def remove_from_target(target: Mapping[str, str], deployed: Mapping[str, Any], report: Report) -> None:
    """Remove what is ours from a target; what others put there stays."""
    del report
    directory = Path(target["path"])
    _apply(directory, (), deployed["files"])
    _apply(directory.parent / _JAIL, (), deployed["chroot"])


def drift(outputs: Mapping[str, Any]) -> list[str]:
    """Return the paths of ours that are gone or were changed by somebody else."""
    files = outputs["deployed"]["files"]
    present = DirectoryWriter(Path(outputs["target"]["path"])).present(files)
    return sorted(path for path, digest in files.items() if present.get(path) != digest)


def _apply(directory: Path, entries: tuple[Entry, ...], owned: Mapping[str, str]) -> dict[str, str]:
    if not entries and not owned:
        return {}
    writer = DirectoryWriter(directory)
    plan = plan_tree(entries, owned, writer.present(paths_to_inspect(entries, owned)), order=write_order)
    writer.apply(plan, age_seconds=_AGE_SECONDS)
    return dict(plan.owned)
