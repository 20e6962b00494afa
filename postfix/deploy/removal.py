"""What a removal gives back, as sentences for a preview and for the run."""

from collections.abc import Iterator

from postfix.deploy.host_files import MAIN_CF, MASTER_CF
from postfix.deploy.plan import HostPlan
from postfix.deploy.steps import GiveBack, Remove, WriteFile
from postseal_core.files.tree import kept_name

__all__ = ["sentences_of_removal"]


def sentences_of_removal(plan: HostPlan, root: str) -> Iterator[str]:
    """Yield a sentence for each file of others that a plan gives back, and how many of ours it removes."""
    back = [step.path for step in plan.steps if isinstance(step, GiveBack)]
    written = [step.entry.path for step in plan.steps if isinstance(step, WriteFile)]
    for path in (MAIN_CF, MASTER_CF):
        if path in written and path in plan.given:
            yield f"{root}/{path} is given back as it was before, with what others have edited there since"
    for path in back:
        yield f"{root}/{path} is given back, the very file that ours had replaced"
    kept = {kept_name(path) for path in back}
    gone = [step.path for step in plan.steps if isinstance(step, Remove) and step.path not in kept]
    if gone:
        yield f"removed from {root}: {len(gone)} files of ours"
