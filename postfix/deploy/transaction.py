"""Deploy to a host whose Postfix may be running: look, plan, check; then the program on the host changes and proves."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from postfix.deploy.bundle import Bundle, Proof, bundle_of, is_trial_needed
from postfix.deploy.checks import check_map_sizes, queue_directory, require_directory
from postfix.deploy.foreseen import Expectation, Foreseen, is_open, lines_of, problems_of
from postfix.deploy.foresight import foresee
from postfix.deploy.foretold import sentences_of_open_files, sentences_of_restart
from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation, files_to_inspect
from postfix.deploy.host_program import carry_out, clear_up, has_unread_files, links_of, prune, raise_failure, recover
from postfix.deploy.map_size import way_out_of_map_size
from postfix.deploy.plan import HostPlan, plan_deployment, standing_indexes
from postfix.deploy.program_result import Evidence, ProgramResult
from postfix.deploy.proof import left_behind, marked_only
from postfix.deploy.removal import sentences_of_removal
from postfix.deploy.session import AS_IT_IS, Configuration, HostSession
from postfix.deploy.steps import Place
from postseal_core.errors import ConfigError, Problem, refuse
from postseal_core.files.bringing import mark_at
from postseal_core.files.mark import NO_MARK, Mark, paths_of_kept
from postseal_core.files.tree import ROOT, directories_above, kept_name, paths_to_inspect

__all__ = ["Outcome", "Reloading", "deploy", "foresee_removal", "places_of", "prefetch", "remove", "situation_of"]

NOTHING = Deployed()
NO_FILES = HostFiles()


class Reloading(StrEnum):
    """Whether the host's Postfix was reloaded; the value is a sentence for the reader."""

    DONE = "Postfix was reloaded"
    RESTARTED = (
        "Postfix was stopped and started, as inet_interfaces or inet_protocols has changed; all sessions have ended"
    )
    NOT_NEEDED = "nothing changed, Postfix was left alone"
    NOT_RUNNING = "no Postfix runs with this configuration; it reads the new files when it is started"
    NO_MAIN_CF = "main.cf is removed; a running Postfix goes on with what it has read until it is stopped"


_RELOADINGS: Final[Mapping[str, Reloading]] = {
    "reloaded": Reloading.DONE,
    "restarted": Reloading.RESTARTED,
    "not_running": Reloading.NOT_RUNNING,
    "no_main_cf": Reloading.NO_MAIN_CF,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a deployment; keep `plan.deployed` and pass it in the next time.

    `left`: a line for each thing that stays, as nothing proves it ours or somebody has edited it. `recovered`: what
    became of an earlier run that was cut off, as a sentence. `evidence`: what was asked of the running service.
    `foreseen`: a line for each finding about the change that was no reason to refuse it.
    """

    plan: HostPlan
    reloading: Reloading
    left: tuple[str, ...] = ()
    recovered: str = ""
    evidence: tuple[Evidence, ...] = ()
    foreseen: tuple[str, ...] = ()


def _look_away(_configuration: Configuration) -> tuple[str, ...]:
    """Ask nothing of the new configuration."""
    return ()


def deploy(  # noqa: PLR0913  # by keyword
    session: HostSession,
    desired: HostFiles,
    deployed: Deployed = NOTHING,
    owner: str = "",
    before_change: Callable[[Configuration], tuple[str, ...]] = _look_away,
    *,
    served: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
    kept_generations: int = 0,
    expectation: Expectation | None = None,
) -> Outcome:
    """Bring a host to its declared files and reload its Postfix, if one is running; or leave it as it was.

    `session` is rooted at the configuration directory, `deployed` is that of the last outcome, `owner` the project and
    stack that deploys. `before_change` is called with the new main.cf and master.cf before anything is changed; what it
    raises ends the deployment, and what it returns is added to `served`: SHA-256 fingerprints of certificates of
    which every SMTP server with the chain of main.cf has to serve one; not asked if empty. `names`: by which clients
    ask for a server; each gets one of them. `kept_generations`: how many earlier states of our files stay on the host.
    `expectation`: what the change may do by the way; None asks nothing of what Postfix would do. A run that was cut off
    is finished or undone first. With nothing to change no command is run (one, if there are files in the chroot) and no
    file is touched.

    Raises:
        ConfigError: the declaration is wrong, something on the host is in its way, or Postfix would do there what must
            not happen by the way; nothing was changed.
        DeployError: a check or a step failed; the message says what is there now.
    """
    prefetch(session, desired, deployed)
    require_directory(session)
    with session.exclusive():
        recovered = recover(session)
        run = _Run(session, desired, deployed, owner, before_change, served, names, kept_generations, expectation)
        outcome = run.attempt(is_last_attempt=False) or run.attempt(is_last_attempt=True)
    return replace(_done(outcome), recovered=recovered)


def _done(outcome: Outcome | None) -> Outcome:
    if outcome is None:
        raise AssertionError("the last attempt returns or raises")
    return outcome


@dataclass(frozen=True, slots=True)
class _Run:
    """One deployment, planned anew if somebody changes a file between the plan and the change."""

    session: HostSession
    desired: HostFiles
    deployed: Deployed
    owner: str
    before_change: Callable[[Configuration], tuple[str, ...]] = _look_away
    served: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    kept_generations: int = 0
    expectation: Expectation | None = None

    def attempt(self, *, is_last_attempt: bool) -> Outcome | None:
        """Plan and carry out; None where a new plan may succeed."""
        places = places_of(self.session, self.desired, self.deployed)
        situation = situation_of(places, self.desired, self.deployed)
        plan = plan_deployment(self.desired, self.deployed, situation, self.owner)
        _remove_leftovers(places, plan)
        if plan.is_empty and not has_unread_files(self.session):
            self.before_change(AS_IT_IS)
            _write_marks(places, plan)
            prune(self.session, self.kept_generations)
            if plan.mark.before and not plan.mark.after:
                clear_up(self.session)
            return Outcome(plan, Reloading.NOT_NEEDED)
        configuration = plan.configuration
        check_map_sizes(self.session, configuration, plan)
        seen = self.before_change(configuration)
        foreseen = self._foreseen(plan, situation)
        result = self._carry_out(plan, situation, (*self.served, *seen), admits=is_open(foreseen, self.expectation))
        if result.is_changed_meanwhile and not is_last_attempt:
            return None
        told = (
            *sentences_of_open_files(situation.configuration, self.session.root),
            *lines_of(foreseen),
            *sentences_of_restart(foreseen),
        )
        return replace(self._outcome(plan, result), foreseen=told)

    def _foreseen(self, plan: HostPlan, situation: Situation) -> Foreseen:
        """Refuse what must not happen by the way, and return the rest of what would."""
        if self.expectation is None:
            return Foreseen()
        foreseen = foresee(self.session, plan, self.desired, self.deployed, situation, self.expectation)
        refuse(_unchanged(problems_of(foreseen, self.session.root)))
        return foreseen

    def _carry_out(
        self, plan: HostPlan, situation: Situation, served: tuple[str, ...], *, admits: bool
    ) -> ProgramResult:
        sources = (self.session.read(table.source.path) for table in self.desired.tables)
        rows_before = {file.path: file.content for file in sources if file}
        if plan.steps and not is_trial_needed(plan, self.desired, situation) and not has_unread_files(self.session):
            # What is served is no matter of rows: whoever has broken it keeps nobody's row on the host.
            served = ()
        proof = Proof(
            served=served,
            names=self.names if served else (),
            rows_before=rows_before,
            standing=standing_indexes(self.desired, self.deployed, situation),
            admits=admits,
        )

        def bundle(nonce: str) -> Bundle:
            return bundle_of(
                plan,
                self.desired,
                situation,
                proof,
                nonce=nonce,
                kept_generations=self.kept_generations,
                owner=self.owner,
            )

        return carry_out(self.session, bundle)

    def _outcome(self, plan: HostPlan, result: ProgramResult) -> Outcome:
        is_lost = any(fault.kind == "lookup" and fault.text.startswith("lmdb:") for fault in result.faults)
        raise_failure(result, self.session.root, way_out_of_map_size(plan.built_tables) if is_lost else "")
        digests = {**plan.deployed.index_digests, **result.index_digests}
        made = replace(plan, deployed=replace(plan.deployed, index_digests=digests))
        return Outcome(made, _RELOADINGS[result.reloading], evidence=result.evidence)


def _unchanged(problems: Iterable[Problem]) -> Iterator[Problem]:
    return (Problem(each.path, f"{each.message}; nothing was changed") for each in problems)


def remove(session: HostSession, deployed: Deployed, owner: str = "") -> Outcome:
    """Remove the parts of `deployed` that the host's marks prove ours, and give back earlier files and values.

    Raises DeployError as `deploy` does. A host whose configuration directory is gone has nothing of ours.
    """
    prefetch(session, NO_FILES, deployed)
    if ROOT not in session.present([ROOT]):
        return Outcome(plan_deployment(NO_FILES, deployed, Situation(), owner), Reloading.NOT_NEEDED)
    with session.exclusive():
        recovered = recover(session)
        proven, situation = _proven(session, deployed, owner)
        run = _Run(session, NO_FILES, proven, owner)
        outcome = _done(run.attempt(is_last_attempt=False) or run.attempt(is_last_attempt=True))
        left = left_behind(owner, deployed, proven, outcome.plan.kept, situation)
    return replace(outcome, left=left, recovered=recovered)


def foresee_removal(session: HostSession, deployed: Deployed, owner: str = "") -> tuple[str, ...]:
    """Return what `remove` would give back, remove and leave, as sentences; nothing is touched.

    Raises ConfigError and DeployError where it would not even begin.
    """
    prefetch(session, NO_FILES, deployed)
    if ROOT not in session.present([ROOT]):
        return ()
    proven, situation = _proven(session, deployed, owner)
    plan = plan_deployment(NO_FILES, proven, situation, owner)
    return (*sentences_of_removal(plan, session.root), *left_behind(owner, deployed, proven, plan.kept, situation))


def _proven(session: HostSession, deployed: Deployed, owner: str) -> tuple[Deployed, Situation]:
    situation = situation_of(places_of(session, NO_FILES, deployed), NO_FILES, deployed)
    return marked_only(owner, deployed, situation), situation


def prefetch(session: HostSession, desired: HostFiles, deployed: Deployed, *, read: Iterable[str] = ()) -> None:
    """Have a session look at once at what a plan will ask; `read`: also the content of these."""
    sources = (table.source.path for table in desired.tables)
    session.prefetch(files_to_inspect(desired, deployed, NO_MARK), read=(*sources, *read))


def places_of(session: HostSession, desired: HostFiles, deployed: Deployed) -> dict[Place, HostSession]:
    """Return the sessions for the places below which a host has, or will have, files of ours."""
    places = {Place.CONFIG: session}
    if desired.chroot or deployed.chroot:
        places[Place.QUEUE] = session.at(queue_directory(session))
    return places


def situation_of(places: Mapping[Place, HostSession], desired: HostFiles, deployed: Deployed) -> Situation:
    """Look at what a plan needs to know of a host."""
    session, jail = places[Place.CONFIG], places.get(Place.QUEUE)
    mark, chroot_mark = _mark(session), _mark(jail) if jail else NO_MARK
    of_host = {path: "" for path, file in chroot_mark.files.items() if file.is_of_host}
    copies = paths_to_inspect(desired.chroot, {**of_host, **deployed.chroot})
    names = (MAIN_CF, MASTER_CF, kept_name(MAIN_CF), kept_name(MASTER_CF))
    return Situation(
        files=session.present(files_to_inspect(desired, deployed, mark)),
        chroot=jail.present([*copies, *paths_of_kept(chroot_mark, desired.all_take_over)]) if jail else {},
        configuration={name: file for name in names if (file := session.read(name))},
        mark=mark,
        chroot_mark=chroot_mark,
        root=session.root,
        chroot_root=jail.root if jail else "",
        obstacles=links_of(session) if _is_in_the_way(session, (MAIN_CF, MASTER_CF)) else {},
    )


def _is_in_the_way(session: HostSession, names: tuple[str, ...]) -> bool:
    """Whether a name stands for something else than a plain file."""
    return any(session.read(name) is None for name in session.present(names))


def _mark(session: HostSession) -> Mark:
    try:
        return mark_at(session)
    except ConfigError as error:
        raise ConfigError(
            Problem(f"{session.root}/{problem.path}", problem.message) for problem in error.problems
        ) from error


def _remove_leftovers(places: Mapping[Place, HostSession], plan: HostPlan) -> None:
    """Remove temporary files of versions that wrote by themselves, and of a run that was killed at a rename."""
    paths = {Place.CONFIG: [MAIN_CF, *plan.deployed.files], Place.QUEUE: [*plan.deployed.chroot]}
    for place, host in places.items():
        host.remove_leftovers(directories_above(paths[place]))


def _write_marks(places: Mapping[Place, HostSession], plan: HostPlan) -> None:
    """Bring the marks up to date where no file changes; nothing that Postfix reads."""
    for place, change in ((Place.CONFIG, plan.mark), (Place.QUEUE, plan.chroot_mark)):
        if place in places and change.before:
            places[place].write_mark(change.after)
