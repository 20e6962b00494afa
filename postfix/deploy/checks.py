"""Checks on a host before a deployment changes it."""

from postfix.deploy.map_size import MAP_SIZE, problems_of_map_sizes
from postfix.deploy.plan import HostPlan
from postfix.deploy.session import Configuration, HostSession
from postseal_core.errors import DeployError
from postseal_core.files.tree import ROOT

__all__ = ["check_map_sizes", "queue_directory", "require_directory"]

_QUEUE = "queue_directory"


def require_directory(session: HostSession) -> None:
    """Raise DeployError unless the configuration directory is there."""
    if ROOT not in session.present([ROOT]):
        raise DeployError(f"there is no directory {session.root}; install Postfix, or correct config_directory")


def queue_directory(session: HostSession) -> str:
    """Return the queue_directory of the configuration on the host. Raises DeployError if postconf(1) cannot tell."""
    found = session.parameters((_QUEUE,)).get(_QUEUE, "")
    if not found.startswith("/"):
        raise DeployError(f"postconf does not tell the queue_directory of {session.root}")
    return found


def check_map_sizes(session: HostSession, configuration: Configuration, plan: HostPlan) -> None:
    """Raise DeployError where a table would not fit into the size that main.cf, as it will be, gives it.

    Not checked here: what the host program checks before it changes anything (what postconf(1) says of the new
    configuration, whether a real postmap(1) makes the tables, whether their rows are found).
    """
    if not any(table.type == "lmdb" for table in plan.built_tables):
        return
    found = session.parameters((MAP_SIZE,), configuration).get(MAP_SIZE, "")
    if found.isdecimal() and (problems := list(problems_of_map_sizes(plan.built_tables, int(found)))):
        said = "; ".join(f"{session.root}/{problem.path}: {problem.message}" for problem in problems)
        raise DeployError(f"{said}; nothing was changed")
