"""Deploy to a host whose Postfix may be running: look, plan, check, change, reload; or put everything back."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from postfix.deploy.checks import check_host, require_directory
from postfix.deploy.commands import queue_directory
from postfix.deploy.execution import Execution
from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation, files_to_inspect
from postfix.deploy.plan import HostPlan, plan_deployment
from postfix.deploy.session import HostSession
from postfix.deploy.steps import Place
from postseal_core.files.tree import ROOT, directories_above, paths_to_inspect

__all__ = ["Outcome", "Reloading", "deploy", "remove"]

NOTHING = Deployed()


class Reloading(StrEnum):
    """What became of the Postfix that runs on the host; the value is a sentence for the reader."""

    DONE = "Postfix was reloaded"
    NOT_NEEDED = "nothing changed, Postfix was left alone"
    NOT_RUNNING = "no Postfix runs with this configuration; it reads the new files when it is started"
    NO_MAIN_CF = "main.cf is removed; a running Postfix goes on with what it has read until it is stopped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done; `plan.deployed` is what is ours now and has to be passed in the next time."""

    plan: HostPlan
    reloading: Reloading


def deploy(session: HostSession, desired: HostFiles, deployed: Deployed = NOTHING) -> Outcome:
    """Bring a host to its declared files and reload its Postfix, if one is running.

    `session` is rooted at the configuration directory, `deployed` is that of the last outcome. With nothing to change
    no command is run (one, if there are files in the chroot) and no file is touched.

    Raises:
        ConfigError: the declaration is wrong, or something on the host is in its way; nothing was changed.
        DeployError: a check or a step failed; the message says what is there now.
    """
    require_directory(session)
    with session.exclusive():
        places = _places(session, desired, deployed)
        plan = _plan(places, desired, deployed)
        paths = {Place.CONFIG: [MAIN_CF, *plan.deployed.files], Place.QUEUE: [*plan.deployed.chroot]}
        for place, host in places.items():
            host.remove_leftovers(directories_above(paths[place]))
        if plan.is_empty:
            return Outcome(plan, Reloading.NOT_NEEDED)
        with session.scratch() as scratch:
            check_host(session, scratch, plan)
            execution = Execution(places, scratch)
            execution.carry_out(plan.steps)
        if not plan.main_cf:
            return Outcome(plan, Reloading.NO_MAIN_CF)
        return Outcome(plan, Reloading.DONE if execution.has_reloaded else Reloading.NOT_RUNNING)


def remove(session: HostSession, deployed: Deployed) -> Outcome:
    """Take away from a host all that is ours: files as we left them, parameters and services in files of others.

    Raises DeployError as `deploy` does. A host whose configuration directory is gone has nothing of ours.
    """
    if ROOT in session.present([ROOT]):
        return deploy(session, HostFiles(), deployed)
    return Outcome(plan_deployment(HostFiles(), deployed, Situation()), Reloading.NOT_NEEDED)


def _places(session: HostSession, desired: HostFiles, deployed: Deployed) -> dict[Place, HostSession]:
    places = {Place.CONFIG: session}
    if desired.chroot or deployed.chroot:
        places[Place.QUEUE] = session.at(queue_directory(session))
    return places


def _plan(places: Mapping[Place, HostSession], desired: HostFiles, deployed: Deployed) -> HostPlan:
    session, jail = places[Place.CONFIG], places.get(Place.QUEUE)
    situation = Situation(
        files=session.present(files_to_inspect(desired, deployed)),
        chroot=jail.present(paths_to_inspect(desired.chroot, deployed.chroot)) if jail else {},
        configuration={name: file for name in (MAIN_CF, MASTER_CF) if (file := session.read(name))},
    )
    return plan_deployment(desired, deployed, situation)
