"""Deploy to a host whose Postfix may be running: look, plan, check, change, reload; or put everything back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from postfix.deploy.checks import check_host, require_directory
from postfix.deploy.commands import queue_directory
from postfix.deploy.execution import Execution
from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation, files_to_inspect
from postfix.deploy.plan import HostPlan, plan_deployment
from postfix.deploy.proof import left_behind, marked_only
from postfix.deploy.session import HostSession
from postfix.deploy.steps import Place, Remove, Step, WriteFile
from postseal_core.errors import ConfigError, Problem
from postseal_core.files.mark import NO_MARK, Mark, paths_of_kept, read_mark
from postseal_core.files.tree import MARK_FILE, ROOT, directories_above, kept_name, paths_to_inspect

__all__ = ["Outcome", "Reloading", "deploy", "remove"]

NOTHING = Deployed()
NO_FILES = HostFiles()


class Reloading(StrEnum):
    """Whether the host's Postfix was reloaded; the value is a sentence for the reader."""

    DONE = "Postfix was reloaded"
    NOT_NEEDED = "nothing changed, Postfix was left alone"
    NOT_RUNNING = "no Postfix runs with this configuration; it reads the new files when it is started"
    NO_MAIN_CF = "main.cf is removed; a running Postfix goes on with what it has read until it is stopped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a deployment; keep `plan.deployed` and pass it in the next time.

    `left`: a line for each thing of a removal that stays, as nothing proves it ours or somebody has edited it.
    """

    plan: HostPlan
    reloading: Reloading
    left: tuple[str, ...] = ()


def _look_away(_configuration: str) -> None:
    """Ask nothing of the new configuration."""


def deploy(
    session: HostSession,
    desired: HostFiles,
    deployed: Deployed = NOTHING,
    owner: str = "",
    before_change: Callable[[str], None] = _look_away,
) -> Outcome:
    """Bring a host to its declared files and reload its Postfix, if one is running.

    `session` is rooted at the configuration directory, `deployed` is that of the last outcome, `owner` the project and
    stack that deploys. With nothing to change no command is run (one, if there are files in the chroot) and no file is
    touched. `before_change` is called with the directory of the new main.cf before anything is changed; what it raises
    ends the deployment.

    Raises:
        ConfigError: the declaration is wrong, or something on the host is in its way; nothing was changed.
        DeployError: a check or a step failed; the message says what is there now.
    """
    require_directory(session)
    with session.exclusive():
        places = _places(session, desired, deployed)
        plan = plan_deployment(desired, deployed, _situation(places, desired, deployed), owner)
        return _carry_out(places, plan, before_change)


def _carry_out(
    places: Mapping[Place, HostSession], plan: HostPlan, before_change: Callable[[str], None] = _look_away
) -> Outcome:
    session = places[Place.CONFIG]
    paths = {Place.CONFIG: [MAIN_CF, *plan.deployed.files], Place.QUEUE: [*plan.deployed.chroot]}
    for place, host in places.items():
        host.remove_leftovers(directories_above(paths[place]))
    first, last = _marking(places, plan)
    if plan.is_empty:
        before_change(session.root)
        Execution(places, session).carry_out((), last)
        return Outcome(plan, Reloading.NOT_NEEDED)
    with session.scratch() as scratch:
        check_host(session, scratch, plan)
        before_change(scratch.root if plan.main_cf else session.root)
        execution = Execution(places, scratch)
        execution.carry_out((*first, *plan.steps), last)
    if not plan.main_cf:
        return Outcome(plan, Reloading.NO_MAIN_CF)
    return Outcome(plan, Reloading.DONE if execution.has_reloaded else Reloading.NOT_RUNNING)


def remove(session: HostSession, deployed: Deployed, owner: str = "") -> Outcome:
    """Remove the parts of `deployed` that the host's marks prove ours, and give back earlier files and values.

    Raises DeployError as `deploy` does. A host whose configuration directory is gone has nothing of ours.
    """
    if ROOT in session.present([ROOT]):
        with session.exclusive():
            places = _places(session, NO_FILES, deployed)
            situation = _situation(places, NO_FILES, deployed)
            proven = marked_only(owner, deployed, situation)
            plan = plan_deployment(NO_FILES, proven, situation, owner)
            left = left_behind(owner, deployed, proven, plan.kept, situation)
            return replace(_carry_out(places, plan), left=left)
    return Outcome(plan_deployment(NO_FILES, deployed, Situation(), owner), Reloading.NOT_NEEDED)


def _places(session: HostSession, desired: HostFiles, deployed: Deployed) -> dict[Place, HostSession]:
    places = {Place.CONFIG: session}
    if desired.chroot or deployed.chroot:
        places[Place.QUEUE] = session.at(queue_directory(session))
    return places


def _situation(places: Mapping[Place, HostSession], desired: HostFiles, deployed: Deployed) -> Situation:
    session, jail = places[Place.CONFIG], places.get(Place.QUEUE)
    mark, chroot_mark = _mark(session), _mark(jail) if jail else NO_MARK
    copies = paths_to_inspect(desired.chroot, deployed.chroot)
    names = (MAIN_CF, MASTER_CF, kept_name(MAIN_CF), kept_name(MASTER_CF))
    return Situation(
        files=session.present(files_to_inspect(desired, deployed, mark)),
        chroot=jail.present([*copies, *paths_of_kept(chroot_mark, desired.all_take_over)]) if jail else {},
        configuration={name: file for name in names if (file := session.read(name))},
        mark=mark,
        chroot_mark=chroot_mark,
        root=session.root,
        chroot_root=jail.root if jail else "",
    )


def _mark(session: HostSession) -> Mark:
    try:
        return read_mark(session.read(MARK_FILE), session.present([MARK_FILE]).get(MARK_FILE))
    except ConfigError as error:
        raise ConfigError(
            Problem(f"{session.root}/{problem.path}", problem.message) for problem in error.problems
        ) from error


def _marking(places: Mapping[Place, HostSession], plan: HostPlan) -> tuple[list[Step], list[Step]]:
    """Return the steps that write the marks: before anything is changed, and once all is done."""
    first: list[Step] = []
    last: list[Step] = []
    for place, change in ((Place.CONFIG, plan.mark), (Place.QUEUE, plan.chroot_mark)):
        if place in places and change.before:
            first.append(WriteFile(place, change.before))
            if change.after is None:
                last.append(Remove(place, MARK_FILE))
            elif change.after != change.before or plan.is_empty:
                last.append(WriteFile(place, change.after))
    return first, last
