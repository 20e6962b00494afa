"""Preview sentences about files that are replaced and files that a removal leaves."""

from collections.abc import Collection, Mapping

from postseal_core.files.mark import Holding
from postseal_core.files.tree import DIRECTORY, MARK_FILE, kept_name

__all__ = ["sentence_of_takeover", "sentences_of_left"]


def sentence_of_takeover(root: str, path: str) -> str:
    """Return the preview sentence for a file of others that is replaced."""
    return (
        f"{root}/{path} is not ours and is taken over: what it says no longer holds; it is kept as {kept_name(path)} "
        "and given back when ours goes"
    )


def sentences_of_left(
    root: str, owned: Mapping[str, str], ours: Holding, present: Mapping[str, str], kept: Collection[str]
) -> list[str]:
    """Return a line for each file that a removal leaves there: `kept` were edited, others are not proven ours."""
    files = [path for path in sorted(owned) if path in present and owned[path] != DIRECTORY]
    edited = [
        f"{root}/{path} was edited by somebody, so it is left there; remove it if nobody needs it" for path in kept
    ]
    beside = [f"{root}/{kept_name(path)} is what it replaced" for path in kept if path in ours.kept]
    unproven = [
        f"{root}/{path} is left there: {MARK_FILE} beside it does not say that it is ours; remove it if nobody needs it"
        for path in files
        if path not in ours.owned
    ]
    return [*edited, *beside, *unproven]
