"""Checks on a host before a deployment changes it, made on copies in a scratch directory."""

from dataclasses import replace

from postfix.deploy.commands import parameter_values, require_superuser
from postfix.deploy.map_size import MAP_SIZE, problems_of_map_sizes
from postfix.deploy.plan import HostPlan
from postfix.deploy.session import HostSession
from postfix.deploy.steps import AGE_SECONDS
from postseal_core.errors import DeployError
from postseal_core.files.tree import ROOT

__all__ = ["check_host", "require_directory"]


def require_directory(session: HostSession) -> None:
    """Raise DeployError unless the configuration directory is there."""
    if ROOT not in session.present([ROOT]):
        raise DeployError(f"there is no directory {session.root}; install Postfix, or correct config_directory")


def check_host(session: HostSession, scratch: HostSession, plan: HostPlan) -> None:
    """Raise DeployError if a plan would not work on this host; nothing but the scratch directory is touched.

    main.cf and master.cf, as they will be, are left in the scratch directory, for commands that need a configuration.
    Not checked here: what the host program checks before it changes anything (what postconf(1) says of the new
    configuration, whether a real postmap(1) makes the tables, whether their rows are found).
    """
    require_superuser(session)
    for file in (plan.main_cf, plan.master_cf):
        if file:
            scratch.write(replace(file, mode=0o600), age_seconds=AGE_SECONDS)
    _check_map_sizes(session, scratch, plan)


def _check_map_sizes(session: HostSession, scratch: HostSession, plan: HostPlan) -> None:
    if not any(table.type == "lmdb" for table in plan.built_tables):
        return
    configuration = scratch.root if plan.main_cf else session.root
    found = parameter_values(session, (MAP_SIZE,), configuration).get(MAP_SIZE, "")
    if found.isdecimal() and (problems := list(problems_of_map_sizes(plan.built_tables, int(found)))):
        said = "; ".join(f"{session.root}/{problem.path}: {problem.message}" for problem in problems)
        raise DeployError(f"{said}; nothing was changed")
